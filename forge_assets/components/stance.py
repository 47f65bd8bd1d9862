"""Whether a document introduces a component, uses it, or only names it, judged at one mention.

introduced: the title "X: ...", "we propose X", "a method called X".
used: "we train with X", "based on X", "our X", a plain sentence of a method.
named: comparisons, related work, background, and what is negated.
"""

from __future__ import annotations

import re

from forge_assets.components.lexicon import Role, Stance
from forge_assets.components.noun_phrases import BREAKS, GENERIC, VAGUE_HEADS
from forge_assets.components.text import Reading

PROPOSING = frozenset(
    "propose proposes proposing introduce introduces introducing present presents presenting develop develops describe "
    "describes unveil release releases "
    "releasing devise devises".split()
)
SPEAKERS = frozenset("we paper work article i letter report study repository thesis here".split())
_OTHERS = frozenset("previous prior existing al recently authors they has have been".split())
NAMING = frozenset("called named dubbed termed coined christened entitled denoted".split())
_PASSIVE = re.compile(
    r"(?:'s)?(?:\s*\([^()]{2,60}\))?,?\s+(?:is|are|was|were)\s+(?:proposed|introduced|presented)\b(?! (?:by|as|to|in \[))"
)
_USED_AFTER = re.compile(
    r"(?:s|'s)?(?:[\s-]+[a-z]+){0,2}?\s+(?:is|are|was|were|has been|have been)\s+(?:then |also |first )?"
    r"(?:used|employed|applied|adopted|utili[sz]ed|trained|chosen|fine-?tuned)\b"
)
_USED_SUFFIX = re.compile(r"-(?:based|style|like|trained|tuned|initiali[sz]ed|powered|enhanced)\b")
_USING = frozenset(
    "use uses used using employ employs employed employing adopt adopts adopted adopting apply applies applied applying "
    "leverage leverages leveraging "
    "leveraged utilize utilizes utilized utilizing utilise utilises utilising via exploit exploits exploiting train trains "
    "trained training finetune finetuned "
    "tuned tune tuning initialize initialized initialised optimize optimized optimised equipped build built builds extend "
    "extends extending combine "
    "combines combined combining integrate integrates integrating integrated incorporate incorporates incorporating "
    "incorporated embed embeds "
    "our implement implements implemented implementing add adds adding choose chose select selected minimize minimized through".split()
)
_ON = frozenset(("based", "built", "builds", "build", "building", "trained", "relies", "rely", "top"))
_COMPARING = frozenset(
    "outperform outperforms outperformed outperforming than over versus vs unlike surpass surpasses surpassing surpassed "
    "beats beat exceeds exceed "
    "baseline baselines prior previous existing traditional conventional compared comparison against contrast comparable "
    "similar beyond whereas including".split()
)
_STOPS = frozenset("that which who while because where when but".split())
_OBJECT_ENDS = frozenset(
    "of for to with in on by from using via based that which under between into as through and how whether where towards "
    "toward when is are was were it".split()
)
_ARTICLES = frozenset(("a", "an", "the"))
_REACH = 9


def stance(reading: Reading, start: int, end: int, role: Role, negated: bool, proper: bool) -> Stance:
    """The stance at the mention text[start:end]. `proper`: the surface is a name and no common noun ("RoPE", not "layer normalization")."""
    title = reading.title_span
    if title and title[0] <= start and end <= title[1]:
        return _in_title(reading, start, end, title)
    if negated:
        return "named"
    first, last = reading.sentence_span(start)
    words, lower, text = reading.words, reading.lower, reading.text
    before = reading.word_range(first, start)
    if is_introduced(reading, start, end, proper):
        return "introduced"
    if _USED_SUFFIX.match(text, end) and role != "background":
        return "used"
    if _USED_AFTER.match(text, end, last) and role not in ("background", "other"):
        return "used"
    edge = start
    for index in reversed(before[-_REACH:]):
        gap = text[words[index][1] : edge]
        if any(mark in gap for mark in ";:!?") or ". " in gap:
            break
        word = lower[index]
        if word in _COMPARING:
            return "named"
        if word in _USING or word == "on" and index > before.start and lower[index - 1] in _ON:
            return "used" if role != "background" or _ours(lower, before) else "named"
        if word in _STOPS:
            break
        edge = words[index][0]
    return "used" if role == "method" and not _compares(lower, before) else "named"


def _ours(lower: list[str], before: range) -> bool:
    return any(lower[index] in ("we", "our") for index in before)


def _compares(lower: list[str], before: range) -> bool:
    return any(lower[index] in _COMPARING for index in before[-_REACH:])


def _in_title(reading: Reading, start: int, end: int, title: tuple[int, int]) -> Stance:
    text = reading.text
    after = text[end : title[1]].lstrip()
    if start == title[0] and after[:1] in (":", "–", "—"):
        return "introduced"
    before = text[title[0] : start].rstrip().lower()
    return (
        "used"
        if before.endswith((" with", " using", " via", " by", "-based", " based on", " through")) or _USED_SUFFIX.match(text, end)
        else "named"
    )


def is_introduced(reading: Reading, start: int, end: int, proper: bool) -> bool:
    """Whether the sentence proposes what is named at text[start:end]: as the object of "we propose", by "called X", "X is introduced"."""
    text, lower, words = reading.text, reading.lower, reading.words
    first, last = reading.sentence_span(start)
    if _PASSIVE.match(text, end, last) and "in this" in text[first:last].lower():
        return True
    if text[end : end + 1] == "-" or _USED_SUFFIX.match(text, end):
        return False
    edge = start
    vague = not proper and _noun_follows(text, end)
    for passed, index in enumerate(reversed(reading.word_range(first, start)[-14:])):
        gap = text[words[index][1] : edge]
        word = lower[index]
        if word in NAMING or word == "name" and passed <= 1:
            return passed <= 1 and _by_us(reading, first, index)
        if word in PROPOSING:
            return not vague and _by_us(reading, first, index) and (passed <= 1 or _names_object(text, words[index][1], start, proper))
        if word in _OBJECT_ENDS or any(mark in gap for mark in ";:!?()") or word == "we":
            return False
        if "," in gap:
            # "we propose a new optimizer, X": what follows the comma names what stands before it.
            if passed or not proper:
                return False
        elif not proper and word not in GENERIC and word not in _ARTICLES or word in ("a", "an", "novel", "new") and not proper:
            vague = vague or not _ends_phrase(text, end) or word not in GENERIC and word not in _ARTICLES
        edge = words[index][0]
    return False


def _ends_phrase(text: str, end: int) -> bool:
    """Whether a common noun is shown to be the name of what is new by what follows it: "(RoPE)", or a comma and an explanation."""
    return text[end : end + 2] in (" (", ", ")


def _noun_follows(text: str, end: int) -> bool:
    """Whether the common noun is only the beginning of a longer phrase: "adapter pool"."""
    following = re.match(r" ([a-z]{3,})", text[end : end + 30])
    return following is not None and following[1] not in BREAKS and following[1] not in VAGUE_HEADS


def _names_object(text: str, begin: int, start: int, proper: bool) -> bool:
    """Whether the name ends the object that begins at `begin`: all between is a description of it ("a new optimizer X")."""
    between = text[begin:start].strip().lower()
    if between.startswith(("a ", "an ", "the ", "our ", "new ", "novel ")) or not between:
        return True
    return proper and between.endswith(",") or between.count(" ") <= 2 and not proper


def _by_us(reading: Reading, first: int, index: int) -> bool:
    """Whether the verb at word `index` is said of this document: "we ...", "this paper ...", and of no one else's work."""
    lower = reading.lower
    subject = lower[max(0, index - 6) : index]
    begin = reading.word_range(first, first + 1)
    words = set(lower[begin.start : index]) if begin else set(subject)
    if words & _OTHERS:
        return "we" in subject or "paper" in subject
    return bool(words & SPEAKERS)
