"""More signs that a document brings up a name as its own: "we propose X, a ...", "our X model", "our model, X", "we call it X", "namely X".

In: a text. Out: name, span, and what it is said to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from forge_assets.components.abbreviations import Definition
from forge_assets.components.folding import singular
from forge_assets.components.noun_phrases import BREAKS, GENERIC, TECHNIQUE_HEADS, common, head, proper
from forge_assets.components.stance import NAMING, PROPOSING, SPEAKERS
from forge_assets.components.text import Reading

_PROPER = r"[\"“'‘`*]{0,2}(?P<name>(?=[A-Za-z-]*[A-Z]|[a-z]+\d)[A-Za-z][\w-]*(?:\.\d+)?[+*]*)"
_HEAD = r"(?P<head>[a-z]+)"
# "we propose mixup, a simple learning principle": what is explained so is a name, whatever its letters.
_EXPLAINED = re.compile(
    r"\b(?:propos|introduc|present|develop|describ|devis|design)(?:e|es|ing),?\s+"
    r"(?P<name>[A-Za-z][\w-]*(?:\s[\w-]+){0,2}),\s+(?:an?|the first)\s"
)
_MADE = re.compile(
    rf"\b[Ww]e\s+(?:[a-z-]+\s+){{0,2}}?(?:train|pretrain|pre-train|build|derive|obtain|create|construct|develop)\s+{_PROPER},\s+an?\s"
)
_OURS = re.compile(rf"\b[Oo]ur\s+(?:proposed\s+|new\s+|novel\s+|improved\s+)?{_PROPER}[\"”'’`*]{{0,2}}\s+{_HEAD}\b")
_APPOSED = re.compile(
    rf"\b(?:[Oo]ur|[Tt]he\s+(?:proposed|resulting|improved|new|final))\s+(?:[a-z-]+\s+){{0,2}}?{_HEAD},\s+"
    rf"(?:the\s+|called\s+|named\s+)?{_PROPER}(?=[,.;:\s(])"
)
_FOLLOWING = re.compile(rf"\b[Aa]\s+(?:new|novel)\s+(?:[\w-]+\s+){{0,4}}?{_HEAD},\s+(?:called\s+|named\s+)?{_PROPER}(?=,)")
_BRACKETED = re.compile(rf"\b[Oo]ur\s+(?:[a-z-]+\s+){{0,2}}?{_HEAD}\s*\({_PROPER}\)")
_CALLED = re.compile(rf"\b(?:call|name|term|dub)\s+(?:this|our|the|it)\b(?:\s[a-z-]+){{0,4}}?\s+(?:as\s+)?{_PROPER}")
_NAMELY = re.compile(rf"\bnamely,?\s+(?:the\s+)?{_PROPER}")
_SECOND = re.compile(rf"\b(?:called|named|dubbed|termed|namely,?)\s+[\w-]+\s+and\s+{_PROPER}")
_ADJECTIVE = re.compile(r"-[a-z]+\Z")
_OWN = frozenset("our proposed resulting novel".split())
_OTHERS = frozenset("previous prior existing recently they".split())


class _Sign(NamedTuple):
    """`asks_who`: counts only where the sentence speaks of this document; `explains`: what it is is said behind it."""

    pattern: re.Pattern[str]
    asks_who: bool = False
    explains: bool = False


_SIGNS = (
    _Sign(_OURS), _Sign(_APPOSED), _Sign(_BRACKETED), _Sign(_FOLLOWING, asks_who=True), _Sign(_MADE, explains=True), _Sign(_CALLED),
    _Sign(_NAMELY, asks_who=True), _Sign(_SECOND, asks_who=True),
)  # fmt: skip


class Own(NamedTuple):
    """text[start:end] is `name`; `head`: last words of what it is said to be."""

    name: str
    start: int
    end: int
    head: str | None


def own_names(reading: Reading) -> Iterator[Own]:
    """What the sentences of a document say is its own; a name may come several times."""
    text = reading.text
    for found in _EXPLAINED.finditer(text):
        if _is_named(found["name"]) and _is_ours(reading, found.start()):
            yield _own(found, _said_behind(text, found.end()))
    for sign in _SIGNS:
        for found in sign.pattern.finditer(text):
            said = found["head"] if "head" in sign.pattern.groupindex else None
            if not _is_name(found["name"]) or said is not None and singular(said) not in TECHNIQUE_HEADS:
                continue
            if not sign.asks_who or _is_ours(reading, found.start()):
                yield _own(found, said or (_said_behind(text, found.end()) if sign.explains else None))


def _said_behind(text: str, position: int) -> str | None:
    return head(text, position, min(len(text), position + 120))


def _is_name(word: str) -> bool:
    """A made-up word, and no adjective made of one ("BERT-based")."""
    return proper(word) and _ADJECTIVE.search(word) is None


def _own(found: re.Match[str], said: str | None) -> Own:
    return Own(found["name"], found.start("name"), found.end("name"), said)


def _is_named(phrase: str) -> bool:
    """Whether "we propose PHRASE, a ..." names something: no article or adjective opens it, and no word of it ends a noun phrase."""
    words = phrase.split()
    low = [word.lower() for word in words]
    if low[0] in GENERIC or low[0] == "ours" or not BREAKS.isdisjoint(low) or any(word.endswith("ly") for word in low):
        return False
    return len(words) > 1 or proper(phrase) or len(phrase) > 3 and not common(phrase)


def _is_ours(reading: Reading, position: int) -> bool:
    """Whether the sentence up to here speaks of "we", "this paper", and of no one else's work."""
    first, _ = reading.sentence_span(position)
    words = reading.word_range(first, position + 1)
    before = reading.lower[words.start : words.stop]
    return not SPEAKERS.isdisjoint(before) and _OTHERS.isdisjoint(before)


def is_object(reading: Reading, first: int, definition: Definition) -> bool:
    """Whether nothing but adjectives stands between "we propose" and what is defined, so that it is what is proposed."""
    for index in reversed(reading.word_range(first, min(definition.long_start, definition.short_start))[-8:]):
        word = reading.lower[index]
        if word in PROPOSING or word in NAMING:
            return True
        if word in BREAKS and word not in ("a", "an", "the", "our", "yet", "very"):
            return False
    return False


def is_own(reading: Reading, first: int, definition: Definition) -> bool:
    """Whether "our", "a novel" or "the resulting" stands before what is defined."""
    before = reading.word_range(first, min(definition.long_start, definition.short_start))
    return any(reading.lower[index] in _OWN for index in before[-4:])
