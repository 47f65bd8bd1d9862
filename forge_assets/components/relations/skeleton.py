"""A sentence in the form that patterns are matched on: in small letters, each argument one sign, other names the sign OTHER.

"We show that FooNet (ours) beats BERT-based taggers and T5" -> "we show that ① (ours) beats ○ taggers and ②": patterns need not know how
names are written, and a name that is only a part of a longer one is none.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from forge_assets.components.noun_phrases import proper
from forge_assets.components.relations.arguments import SELF, Argument

FIRST = 0xE000
OTHER = "\uf8ff"
"""Stands for a name that is no argument."""
NAME = "[\ue000-\uf8ff]"
_HYPHENS = "-‐‑–/"
_WORD = re.compile(r"[A-Za-z][\w+]*(?:[-‐‑–.][\w+]+)*")
_SIZE = re.compile(
    r"(?:[-\s_]?[({]?(?:\d+(?:\.\d+)?[bBmM]|base|large|small|tiny|medium|xl|xxl|XL|XXL|Base|Large|Small|Tiny)[)}]?(?![\w-]))+"
)
_Span = tuple[int, int, Argument | None]
_SPACE = str.maketrans({"\n": " ", "\t": " ", "\u00a0": " ", "~": " ", "’": "'", "“": '"', "”": '"'})


@dataclass(frozen=True, slots=True)
class Skeleton:
    """`text`: the sentence as patterns see it. Its signs FIRST + i stand for `arguments[i]`."""

    text: str
    arguments: Sequence[Argument]
    _signs: Sequence[int]
    _ends: Sequence[tuple[int, int]]

    def argument(self, sign: str) -> Argument | None:
        """Whom a sign stands for; None for other names."""
        return None if sign == OTHER else self.arguments[ord(sign) - FIRST]

    def place(self, position: int) -> int:
        """The index in the document's text of what stands at `position`, which is no sign's."""
        at = bisect_right(self._signs, position) - 1
        if at < 0:
            return position + self._ends[0][1]
        skeleton_end, end = self._ends[at + 1]
        return end + position - skeleton_end


def skeleton(text: str, start: int, end: int, found: Sequence[Argument], ours: str | None) -> Skeleton:
    """Of the sentence text[start:end] with the arguments `found`; `ours`: whom "our method" means."""
    spans = _spans(text, start, end, found, Argument(0, 0, ours, own=True) if ours else None)
    pieces: list[str] = []
    signs: list[int] = []
    ends = [(0, start)]
    known: list[Argument] = []
    at, length = start, 0
    for low, high, argument in spans:
        piece = _lower(text[at:low])
        pieces.append(piece)
        length += len(piece)
        if argument is None:
            pieces.append(OTHER)
        else:
            pieces.append(chr(FIRST + len(known)))
            known.append(argument)
        signs.append(length)
        length += 1
        ends.append((length, high))
        at = high
    pieces.append(_lower(text[at:end]))
    return Skeleton("".join(pieces), known, signs, ends)


def _lower(piece: str) -> str:
    piece = piece.translate(_SPACE)
    small = piece.lower()
    return small if len(small) == len(piece) else "".join(letter if len(letter.lower()) > 1 else letter.lower() for letter in piece)


def _spans(text: str, start: int, end: int, found: Sequence[Argument], ours: Argument | None) -> list[_Span]:
    """What becomes a sign, in order: (start, end, whom it names)."""
    spans: list[_Span] = []
    for item in found:
        stop = _whole(text, item.start, item.end, start, end)
        if stop:
            _put(text, spans, item.start, stop, item)
    known = list(spans)
    for match in SELF.finditer(text, start, end):
        if _free(known, match.start(), match.end()):
            spans.append((match.start(), match.end(), ours))
    known = list(spans)
    for match in _WORD.finditer(text, start, end):
        if _free(known, match.start(), match.end()) and proper(match[0]):
            stop = match.end() - 1 if match[0].endswith(".") else match.end()
            spans.append((match.start(), stop, None))
    return _apposed(text, sorted(spans))


def _apposed(text: str, spans: list[_Span]) -> list[_Span]:
    """ "Our method, SoupNet, beats": both are one."""
    kept: list[_Span] = []
    for low, high, item in spans:
        before = kept[-1] if kept else None
        if before and item and before[2] and item.identity == before[2].identity and text[before[1] : low].strip() in (",", ""):
            kept.pop()
            low, high = before[0], high + (text[high : high + 1] == ",")
        kept.append((low, high, item))
    return kept


def _put(text: str, spans: list[_Span], low: int, high: int, item: Argument) -> None:
    """Adds a name; "byte-pair encoding (BPE)" is one."""
    before = spans[-1][2] if spans else None
    if before is not None and before.identity == item.identity and text[spans[-1][1] : low].strip() == "(" and text[high : high + 1] == ")":
        low, high = spans.pop()[0], high + 1
    spans.append((low, high, item))


def _whole(text: str, low: int, high: int, start: int, end: int) -> int:
    """Where a name ends, its size included ("-base", "7B"); 0 where it is only a part of a longer word."""
    if (
        text.endswith(("based", "style"), low, high)
        or low > start
        and (text[low - 1] in _HYPHENS and text[low - 2 : low - 1].isalnum() or text[low - 1] in "\\_")
    ):
        return 0
    size = _SIZE.match(text, high, end)
    if size:
        high = size.end()
    after = text[high : high + 2]
    if after[:1] and after[0] in _HYPHENS and after[1:].isalnum() or after in ("'s", "’s"):
        return 0
    return high


def _free(spans: Sequence[_Span], low: int, high: int) -> bool:
    return all(high <= first or last <= low for first, last, _ in spans)
