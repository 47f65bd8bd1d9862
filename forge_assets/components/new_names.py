"""Names that a document brings up: evidence for candidates, components that the ontology may lack.

Four signs: a title "X: long description", "... with X" or "X for ...", "we propose X", "called X", and an abbreviation defined in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from forge_assets.components.abbreviations import Definition, definitions
from forge_assets.components.folding import singular
from forge_assets.components.lexicon import Mention
from forge_assets.components.noun_phrases import (
    BROAD_HEADS,
    GENERIC,
    TASK_HEADS,
    TECHNIQUE_HEADS,
    VAGUE_HEADS,
    common,
    head,
    ordinary,
    phrase_span,
    proper,
)
from forge_assets.components.own_names import is_object, is_own, own_names
from forge_assets.components.stance import NAMING, PROPOSING, SPEAKERS
from forge_assets.components.text import Cover, Reading

Sign = Literal["title", "proposed", "abbreviation"]


@dataclass(frozen=True, slots=True)
class NewName:
    """Evidence that a document brings up a name: text[start:end] is `name`.

    `long_form`: what an abbreviation stands for. `head`: last words of the noun phrase that says what it is ("adaptive optimizer").
    A name that only a title outside the text carries has start = end = 0.
    """

    name: str
    long_form: str | None
    kind: Sign
    start: int
    end: int
    head: str | None


_TITLE = re.compile(r"\s*(?P<name>[^:]{2,60}?)\s*(?::|\s[–—-]{1,2})\s+(?P<rest>\S.*)", re.S)
_WITH = re.compile(r"\b(?i:with|via|using|by)\s+(?P<name>[A-Z][^\s,:;]*(?:\s[A-Z0-9][^\s,:;]*){0,3})\s*\Z")
_FOR = re.compile(r"(?P<name>[A-Z][\w+-]*(?:\s[\w+-]+){0,4}?)(?:\s(?:for|in|via|with|by|using|of|on|as|from|to|improves?|is|are|and)\s|\Z)")
_NAME = re.compile(r"[\"“'‘`*_{]*(?P<name>[A-Za-z][\w+/-]*(?:\.\d+)?[+*]*(?:\s[A-Z0-9][\w+-]*(?:\.\d+)?){0,3})")
_NAMED = re.compile(r"[,:]?\s*(?:as\s+)?(?:the\s+|a\s+)?(?:\\[a-z]+\{)?")
_QUOTED = re.compile(r"[\"“‘`']{1,2}([^\"”’`']{3,60})[\"”’`']")


def new_names(reading: Reading, mentions: Sequence[Mention] = ()) -> list[NewName]:
    """Names that the document brings up and that are no mentions of known components, in order of place; the best sign of each name."""
    own = (NewName(name, None, "proposed", start, end, of) for name, start, end, of in own_names(reading))
    found = [*_of_title(reading), *_of_sentences(reading), *own, *_of_definitions(reading)]
    best: dict[str, NewName] = {}
    covered, surfaces = Cover((mention.start, mention.end) for mention in mentions), {mention.surface for mention in mentions}
    for item in found:
        if item.end > item.start and covered.holds(item.start, item.end) or item.name in surfaces or item.long_form in surfaces:
            continue  # a mention covers it, or names the same
        earlier = best.get(item.name)
        best[item.name] = item if earlier is None else _joined(earlier, item)
    return sorted(best.values(), key=lambda item: (item.start, item.end, item.name))


def plausible(name: str) -> bool:
    """Whether a name looks like a technique's: one to five words, letters, one of them made up or its head a kind of technique."""
    words = name.split()
    if not 1 <= len(words) <= 5 or not 2 <= len(name) <= 60 or not name[0].isalnum() or sum(letter.isalpha() for letter in name) < 2:
        return False
    if any(proper(word) for word in words):
        return len(words) > 1 or not common(name)
    if len(words) == 1:
        return name[0].isupper() and len(name) >= 3 and not ordinary(name)
    return _technical(words)


def _technical(words: Sequence[str]) -> bool:
    """Whether two or more words name a technique: a telling head, or a vague one under two telling words."""
    telling = [word for word in words[:-1] if word.lower() not in GENERIC]
    last = singular(words[-1].lower().split("-")[-1])
    if last not in TECHNIQUE_HEADS or not telling or telling[0][0].isdigit():
        return False
    return len(telling) >= (2 if last in VAGUE_HEADS else 1)


def _of_title(reading: Reading) -> list[NewName]:
    span = reading.title_span
    title = reading.text[span[0] : span[1]] if span else reading.title or ""
    if not title.strip() or len(title) > 300:
        return []
    offset = span[0] if span else None
    found = []
    match = _TITLE.match(title)
    if match and _title_name(match["name"]):
        found.append(_title_item(match.start("name"), match["name"], offset, head(title, match.start("rest"), len(title))))
    beyond = match.start("rest") if match and found else 0
    ending = _WITH.search(title, beyond)
    if ending and _end_name(ending["name"].split()):
        found.append(_title_item(ending.start("name"), ending["name"], offset, None))
    if not found:
        front = _FOR.match(title)
        if front and _front_name(front["name"].split()):
            found.append(_title_item(front.start("name"), front["name"], offset, " ".join(front["name"].lower().split()[-2:])))
    return found


def _end_name(words: Sequence[str]) -> bool:
    """Whether "... with X" ends in a name: one made up, or capitalised words over a telling head."""
    if not plausible(" ".join(words)):
        return False
    last = singular(words[-1].lower())
    return any(proper(word) for word in words) or len(words) > 1 and _opens(words[0]) and last not in TASK_HEADS | VAGUE_HEADS | BROAD_HEADS


def _front_name(words: Sequence[str]) -> bool:
    return len(words) >= 2 and plausible(" ".join(words)) and _opens(words[0]) and singular(words[-1].lower()) not in TASK_HEADS


def _opens(word: str) -> bool:
    return not common(word) and not word.lower().endswith(("ing", "ly"))


def _title_name(name: str) -> bool:
    words = name.split()
    if not words:
        return False
    if len(words) == 1:
        return plausible(name) or name.islower() and len(name) > 3 and not ordinary(name)
    capitals = len(words) <= 3 and all(word[0].isupper() or word[0].isdigit() for word in words)
    if capitals and _opens(words[0]) and (words[-1].isdigit() or not any(ordinary(word) for word in words)):
        return True
    return plausible(name) and (len(words) <= 3 or any(proper(word) for word in words)) and not ordinary_opening(words[0])


def ordinary_opening(word: str) -> bool:
    """Whether a title that begins with this word names no technique ("Towards", "Learning", "A")."""
    return ordinary(word) and not proper(word) and singular(word.lower()) not in TECHNIQUE_HEADS


def _title_item(start: int, name: str, offset: int | None, of: str | None) -> NewName:
    if offset is None:
        return NewName(name, None, "title", 0, 0, of)
    return NewName(name, None, "title", offset + start, offset + start + len(name), of)


def _of_sentences(reading: Reading) -> list[NewName]:
    found: list[NewName] = []
    lower, words, text = reading.lower, reading.words, reading.text
    for index, word in enumerate(lower):
        if word in PROPOSING:
            _, last = reading.sentence_span(words[index][0])
            if _ours(lower, index):
                found.extend(_object(reading, words[index][1], last))
        elif word in NAMING or word == "call" or word == "as" and lower[max(0, index - 3) : index] == ["refer", "to", "it"]:
            _, last = reading.sentence_span(words[index][0])
            item = _called(text, words[index], last)
            if item:
                found.append(item)
    return found


def _ours(lower: list[str], index: int) -> bool:
    before = lower[max(0, index - 5) : index]
    return not SPEAKERS.isdisjoint(before) and "al" not in before


def _called(text: str, verb: tuple[int, int], last: int) -> NewName | None:
    gap = _NAMED.match(text, verb[1], last)
    begin = gap.end() if gap else verb[1]
    quoted = _QUOTED.match(text, begin, last)
    if quoted and plausible(quoted[1]):
        return NewName(quoted[1], None, "proposed", quoted.start(1), quoted.end(1), _head_before(text, verb[0]))
    match = _NAME.match(text, begin, last)
    if match and plausible(name := match["name"]):
        return NewName(name, None, "proposed", match.start("name"), match.end("name"), _head_before(text, verb[0]))
    span = phrase_span(text, begin, last)
    if span and plausible(text[slice(*span)]):
        return NewName(text[slice(*span)], None, "proposed", *span, head(text, *span))
    return None


def _head_before(text: str, end: int) -> str | None:
    """The last words of the noun phrase before "called": "a new optimizer, called" -> optimizer."""
    window = re.findall(r"[^\s,;:.()]+", text[max(0, end - 90) : end])
    while window and window[-1].lower() in ("is", "are", "which", "we", "that", "also", "hereafter", "and", "a", "so"):
        window.pop()
    phrase: list[str] = []
    for word in reversed(window):
        low = word.lower()
        opens = low in ("a", "an", "the", "new", "novel", "our")
        if opens or not low.isascii() or low in ("of", "for", "propose", "introduce", "present", "to", "with", "in"):
            if opens or phrase and singular(phrase[-1]) in TECHNIQUE_HEADS:
                break
            phrase = []
            continue
        phrase.insert(0, low)
    return " ".join(phrase[-3:]) or None


def _object(reading: Reading, begin: int, last: int) -> list[NewName]:
    """Names in the object of "we propose": a made-up word before the next clause, or the noun phrase itself."""
    text = reading.text
    span = phrase_span(text, begin, min(last, begin + 200))
    if span is None:
        return []
    phrase = text[slice(*span)]
    found = []
    for match in re.finditer(r"\S+", phrase):
        name = match[0].strip("*_`\"'“”‘’\\{}.,$")
        if proper(name) and plausible(name) and not name.lower().endswith(("-based", "-style", "-like")):
            at = span[0] + match.start() + match[0].index(name)
            alone = phrase.strip("*_`\"'“”‘’ ") == name
            of = _appositive(text, span[1], last) if alone else head(text, *span)
            acronym = name.isupper() and len(name) <= 4
            if alone or match.end() == len(phrase) or match.start() == 0 and not acronym:
                found.append(NewName(name, None, "proposed", at, at + len(name), of))
                break
    words = phrase.split()
    first = words[0]
    if not found and len(words) == 1 and first[0].isupper() and plausible(first) and text[span[1] : span[1] + 2] in (", ", ": ", " ("):
        found.append(NewName(first, None, "proposed", *span, _appositive(text, span[1], last)))
    elif not found and len(words) >= 2 and plausible(phrase) and _is_name(text[begin : span[0]], words):
        found.append(NewName(phrase, None, "proposed", *span, " ".join(words[-3:]).lower()))
    behind = re.match(r",\s+(?:named |called |dubbed )?", text[span[1] : last])
    after = _NAME.match(text, span[1] + behind.end(), last) if behind else None
    if after and proper(after["name"].split()[0]) and plausible(after["name"]):
        found.append(NewName(after["name"], None, "proposed", after.start("name"), after.end("name"), head(text, *span)))
    return found


def _is_name(opening: str, words: Sequence[str]) -> bool:
    """Whether the object of "we propose" is a name and no description: capitals, or no article before a technique's head."""
    if all(word[0].isupper() or len(word) < 4 for word in words):
        return True
    article = {"a", "an", "the", "our", "two", "several", "some"} & set(opening.lower().split())
    return not article and singular(words[-1].lower()) not in TASK_HEADS | VAGUE_HEADS


def _appositive(text: str, begin: int, last: int) -> str | None:
    """What a name is said to be behind it: "X, a new attention mechanism" -> attention mechanism."""
    match = re.match(r"\s*(?:\([^()]*\))?\s*(?:,|:|–|—|is)\s*(?:a|an|the|our)\s", text[begin:last])
    return head(text, begin + match.end(), last) if match else None


def _of_definitions(reading: Reading) -> list[NewName]:
    found = []
    for definition in definitions(reading):
        first, _ = reading.sentence_span(definition.short_start)
        words = definition.long.split()
        if len(definition.long) < 6 or not (plausible(definition.short) or any(letter.isupper() for letter in definition.short)):
            continue
        proposed = _is_proposed(reading, first, definition)
        if _is_technique(words) or proposed and is_object(reading, first, definition):
            kind: Sign = "proposed" if proposed or is_own(reading, first, definition) else "abbreviation"
            of = " ".join(words[-3:]).lower()
            found.append(NewName(definition.short, definition.long, kind, definition.short_start, definition.short_end, of))
    return found


def _is_technique(words: Sequence[str]) -> bool:
    last = singular(words[-1].lower().split("-")[-1])
    return last in TECHNIQUE_HEADS or len(words) > 2 and any(singular(word.lower()) in TECHNIQUE_HEADS for word in words)


def _is_proposed(reading: Reading, first: int, definition: Definition) -> bool:
    lower = reading.lower
    before = reading.word_range(first, min(definition.long_start, definition.short_start))
    near = before[-8:]
    return any(lower[index] in PROPOSING and _ours(lower, index) or lower[index] in NAMING for index in near)


def _joined(one: NewName, other: NewName) -> NewName:
    """Both signs of a name as one: the stronger kind's place, and a long form or head from either."""
    order = ("title", "proposed", "abbreviation")
    strong, weak = sorted((one, other), key=lambda item: (order.index(item.kind), item.start))
    long_form = strong.long_form or weak.long_form
    return NewName(strong.name, long_form, strong.kind, strong.start, strong.end, strong.head or weak.head)
