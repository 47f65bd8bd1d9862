"""Abbreviations that a text defines itself: "long form (SF)" and "SF (long form)".

After A. S. Schwartz and M. A. Hearst, "A simple algorithm for identifying abbreviation definitions in biomedical text", PSB 2003: the
characters of the short form are matched from right to left; its first one has to begin a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from forge_assets.components.text import Reading

_PARENTHESIS = re.compile(r"\(([^()\n]{2,120})\)")
_WORD_BEFORE = re.compile(r"[^\s()\[\],;:\"“”]+\Z")
_SHORT = re.compile(r"(?=[^a-z]*[A-Z]|[a-z]+[A-Z])(?=.*[A-Za-z])[A-Za-z0-9][\w.+&/-]{1,9}(?: [\w.+&/-]{1,5})?\Z")
_PART = re.compile(r"[^\W_]+")
_SMALL = frozenset("of the for and in with on to a an by from".split())
_NO_SHORT = re.compile(
    r"(?:Fig|Tab|Table|Figure|Sec|Section|Eq|Eqs|Eqn|Ref|Theorem|Appendix|Algorithm|Chapter|See|The|In|We|Or|And)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Definition:
    """text[short_start:short_end] is `short`, text[long_start:long_end] is `long`; a plural s belongs to neither."""

    short: str
    long: str
    short_start: int
    short_end: int
    long_start: int
    long_end: int


def definitions(reading: Reading) -> list[Definition]:
    """The abbreviations that a text defines, in order; each short form as often as it is defined."""
    found = []
    text = reading.text
    for parenthesis in _PARENTHESIS.finditer(text):
        definition = _long_before(text, parenthesis) or _long_inside(text, parenthesis)
        if definition:
            found.append(definition)
    return found


def _long_before(text: str, parenthesis: re.Match[str]) -> Definition | None:
    inside = re.split(r"[;,]", parenthesis[1], maxsplit=1)[0].strip(" \"'“”*_`$")
    start = text.index(inside, parenthesis.start(1)) if inside else -1
    short = _singular(inside)
    if not is_short_form(short):
        return None
    words = min(len(short) + 5, len(short) * 2)
    first = _start_of_words(text, parenthesis.start(), words)
    end = parenthesis.start()
    while end > first and text[end - 1] in " \t\n\"”*_'`":
        end -= 1
    long_start = match_long_form(short, text[first:end])
    if long_start is None:
        return None
    return _definition(text, (start, start + len(short)), (first + long_start, end))


def _long_inside(text: str, parenthesis: re.Match[str]) -> Definition | None:
    before = text[max(0, parenthesis.start() - 40) : parenthesis.start()].rstrip(" *_`}")
    word = _WORD_BEFORE.search(before)
    inside = re.split(r"[;,]", parenthesis[1], maxsplit=1)[0].rstrip()
    if not word or len(inside.split()) < 2:
        return None
    written = word[0].lstrip("*_`'“{")
    short = _singular(written)
    if not is_short_form(short) or len(inside.split()) > min(len(short) + 5, len(short) * 2):
        return None
    long_start = match_long_form(short, inside)
    if long_start is None or inside[:long_start].strip("\"'“ ").lower() not in ("", "the", "a", "an", "short for", "i.e.", "or"):
        return None
    end = max(0, parenthesis.start() - 40) + len(before)
    begin = parenthesis.start(1) + long_start
    short_start = end - len(written)
    return _definition(text, (short_start, short_start + len(short)), (begin, parenthesis.start(1) + len(inside)))


def _definition(text: str, short: tuple[int, int], long: tuple[int, int]) -> Definition | None:
    short_form, long_form = text[slice(*short)], text[slice(*long)]
    if len(long_form) <= len(short_form) or short_form.lower() in re.split(r"[\s-]+", long_form.lower()):
        return None
    return Definition(short_form, long_form, *short, *long)


def is_short_form(short: str) -> bool:
    """Two to ten characters with a capital letter, at most two words, and no "Fig. 3"."""
    return 2 <= len(short) <= 10 and _SHORT.match(short) is not None and _NO_SHORT.match(short) is None


def match_long_form(short: str, candidate: str) -> int | None:
    """Where in `candidate`, which ends with the long form, the long form of `short` begins; None where it does not match."""
    by_initials = _initials(short, candidate)
    if by_initials is not None:
        return by_initials
    position = len(candidate) - 1
    for index in range(len(short) - 1, -1, -1):
        letter = short[index].lower()
        if not letter.isalnum():
            continue
        while position >= 0 and (
            candidate[position].lower() != letter or index == 0 and position > 0 and candidate[position - 1].isalnum()
        ):
            position -= 1
        if position < 0:
            return None
        position -= 1
    return position + 1


def _initials(short: str, candidate: str) -> int | None:
    """Where the last words begin whose first letters are `short`, small words skipped."""
    letters = [letter.lower() for letter in short if letter.isalnum()]
    wanted = len(letters)
    for found in reversed(list(_PART.finditer(candidate))):
        if wanted and found[0][0].lower() == letters[wanted - 1]:
            wanted -= 1
        elif found[0].lower() not in _SMALL:
            return None
        if wanted == 0:
            return found.start()
    return None


def _start_of_words(text: str, end: int, count: int) -> int:
    """Where the last `count` words before `end` begin, not crossing the end of a clause or a paragraph."""
    begin = max(0, end - 16 * count - 16)
    window = text[begin:end]
    cut = max(window.rfind("\n\n"), window.rfind(". "), window.rfind("; "), window.rfind(")"), window.rfind(": "), window.rfind("? "))
    if cut >= 0:
        begin += cut + 1
        window = window[cut + 1 :]
    starts = [found.start() for found in re.finditer(r"\S+", window)]
    return begin + (starts[-count] if len(starts) >= count else starts[0] if starts else len(window))


def _singular(short: str) -> str:
    return short[:-1] if len(short) > 2 and short[-1] == "s" and short[-2].isupper() else short
