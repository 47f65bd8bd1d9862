"""Canonical text and blocks -> passages: at most `max_tokens` word pieces (with the tokenizer's two marks), inside one section.

The text is encoded once; token offsets are bisected. Prose is cut between sentences, tables between rows, code between lines; what is
longer than a passage on its own is cut at clauses, words, and at last between tokens. Tiny tails are balanced with their neighbours.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from forge_assets.corpus import sentences
from forge_assets.corpus.model import Block, Passage

PassageKind = Literal["text", "table", "code"]
MAX_TOKENS = 256
_MARKS = 2
"""[CLS] and [SEP] take two places in the window of the embedder."""
_MAX_CHARACTERS = 6_000
"""A bound for text the tokenizer sees as one unknown word (base64, endless lines)."""
_TINY = 48
"""A passage with fewer word pieces shares with its neighbour."""
_CLAUSE = re.compile(
    r"(?<=[,;:—–，；：、])\s*|(?<=\))\s+|\s+(?=\()|\s+(?=(?:and|or|but|which|that|where|while|because|und|oder|et|ou|y|и)\s)"
)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut unless it is too long on its own: a sentence, a row, a line."""

    start: int
    end: int
    tokens: int
    page: int | None
    heading: bool = False


class Ruler:
    """Counts the word pieces of any stretch of a text that was encoded once."""

    def __init__(self, text: str, encoding: Any | None = None) -> None:
        from forge_assets.corpus.tokenizer import piece_starts, tokenizer

        starts = piece_starts(text) if encoding is None else None
        if starts is None:
            encoded = tokenizer().encode(text, add_special_tokens=False) if encoding is None else encoding
            starts = [start for start, end in encoded.offsets if end > start]
        self.starts = starts

    def count(self, start: int, end: int) -> int:
        return bisect_left(self.starts, end) - bisect_left(self.starts, start)


def cut(text: str, blocks: Sequence[Block], *, max_tokens: int = MAX_TOKENS, encoding: Any | None = None) -> list[Passage]:
    """The passages of a document in order. `encoding` is the tokenizer's encoding of `text` without special tokens, if at hand."""
    budget = max_tokens - _MARKS
    ruler = Ruler(text, encoding)
    passages: list[Passage] = []
    for section, kind, members in _join_tiny(_runs(text, blocks), ruler):
        units = [unit for block in members for unit in _units(text, block, kind, budget, ruler)]
        passages += _pack(text, units, kind, section, budget, ruler)
    return passages


_Run = tuple[tuple[str, ...], PassageKind, list[Block]]


def _runs(text: str, blocks: Sequence[Block]) -> list[_Run]:
    """Blocks that may share passages: consecutive, of one section and one sort; headings open the run of what follows them."""
    runs: list[_Run] = []
    path: list[tuple[int, str]] = []
    waiting: list[Block] = []
    for number, block in enumerate(blocks):
        if block.kind in ("heading", "title"):
            if block.kind == "heading":
                path = [entry for entry in path if entry[0] < block.level] + [(block.level, text[block.start : block.end])]
            waiting.append(block)
            continue
        section = tuple(name for _, name in path)
        kind = _sort(block, blocks[number - 1] if number else None, blocks[number + 1] if number + 1 < len(blocks) else None)
        if waiting or not runs or runs[-1][:2] != (section, kind):
            runs.append((section, kind, [*waiting, block]))
            waiting = []
        else:
            runs[-1][2].append(block)
    if waiting:
        runs.append((tuple(name for _, name in path), "text", waiting))
    return runs


def _sort(block: Block, before: Block | None, after: Block | None) -> PassageKind:
    """A caption goes with the table beside it."""
    if block.kind == "caption" and any(near is not None and near.kind == "table" for near in (before, after)):
        return "table"
    return "table" if block.kind == "table" else "code" if block.kind == "code" else "text"


def _join_tiny(runs: list[_Run], ruler: Ruler) -> list[_Run]:
    """A line or two of prose before (or after) code or a table of the same section is no passage of its own: it goes with it."""
    joined: list[_Run] = []
    for section, kind, members in runs:
        last = joined[-1] if joined else None
        if last and last[0] == section and last[1] != kind and members[0].kind not in ("heading", "title"):
            if last[1] == "text" and _tokens(last[2], ruler) < _TINY:
                joined[-1] = (section, kind, [*last[2], *members])
                continue
            if kind == "text" and _tokens(members, ruler) < _TINY // 2:
                joined[-1] = (section, last[1], [*last[2], *members])
                continue
        elif last and last[:2] == (section, kind) and members[0].kind not in ("heading", "title"):
            joined[-1] = (section, kind, [*last[2], *members])
            continue
        joined.append((section, kind, members))
    return joined


def _tokens(members: list[Block], ruler: Ruler) -> int:
    return ruler.count(members[0].start, members[-1].end)


def _units(text: str, block: Block, kind: PassageKind, budget: int, ruler: Ruler) -> list[_Unit]:
    if kind != "text" and block.kind in ("table", "code"):
        spans = _lines(text, block)
    elif block.kind in ("heading", "title", "list_item", "formula"):
        spans = [(block.start, block.end)]
        if ruler.count(*spans[0]) > budget:
            spans = [(block.start + a, block.start + b) for a, b in sentences.split(text[block.start : block.end])]
    else:
        spans = [(block.start + a, block.start + b) for a, b in sentences.split(text[block.start : block.end])]
    units: list[_Unit] = []
    for start, end in spans:
        for a, b in _fit(text, start, end, budget, ruler):
            units.append(_Unit(a, b, ruler.count(a, b), block.page, block.kind in ("heading", "title")))
    return units


def _lines(text: str, block: Block) -> list[tuple[int, int]]:
    spans, start = [], block.start
    for line in text[block.start : block.end].split("\n"):
        if line.strip():
            spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def _fit(text: str, start: int, end: int, budget: int, ruler: Ruler) -> list[tuple[int, int]]:
    """Pieces of one unit that each fit: the unit itself, or cut at clauses, else at words, else between tokens."""
    pieces: list[tuple[int, int]] = []
    while ruler.count(start, end) > budget or end - start > _MAX_CHARACTERS:
        first = bisect_left(ruler.starts, start)
        limit = ruler.starts[first + budget] if first + budget < len(ruler.starts) else end
        limit = min(limit, end, start + _MAX_CHARACTERS)
        stop = _border(text, start, limit)
        piece_end = stop
        while piece_end > start and text[piece_end - 1].isspace():
            piece_end -= 1
        pieces.append((start, piece_end))
        start = stop
        while start < end and text[start].isspace():
            start += 1
    if end > start:
        pieces.append((start, end))
    return pieces


def _border(text: str, start: int, limit: int) -> int:
    """The best place to cut before `limit`: a clause in the last half, else a word in the last two thirds, else `limit` itself."""
    window = text[start:limit]
    for pattern, least in ((_CLAUSE, len(window) // 2), (_SPACE, len(window) // 3)):
        ends = [found.start() for found in pattern.finditer(window) if found.start() > least]
        if ends:
            return start + ends[-1]
    return limit


def _pack(text: str, units: list[_Unit], kind: PassageKind, section: tuple[str, ...], budget: int, ruler: Ruler) -> list[Passage]:
    """Fills passages greedily, then balances the last two if the tail is tiny; a heading never stands alone before what it announces."""
    groups: list[list[_Unit]] = []
    for unit in units:
        if groups and _fits(groups[-1], unit, budget, ruler):
            groups[-1].append(unit)
        elif groups and not unit.heading and (pieces := _beside(text, groups[-1], unit, budget, ruler)):
            groups[-1].append(pieces[0])
            groups += [[piece] for piece in pieces[1:]]
        else:
            groups.append([unit])
    if len(groups) > 1 and kind != "table" and _size(groups[-1], ruler) < _TINY:
        _balance(groups, budget, ruler)
    return [_passage(text, group, kind, section, ruler) for group in groups if group]


def _beside(text: str, headings: list[_Unit], unit: _Unit, budget: int, ruler: Ruler) -> list[_Unit]:
    """A unit that does not fit beside the headings above it, cut so that its first piece does; [] where no heading waits or no room is."""
    room = budget - ruler.count(headings[0].start, unit.start)
    if room < _TINY or not all(member.heading for member in headings):
        return []
    pieces = _fit(text, unit.start, unit.end, room, ruler)
    return [_Unit(start, end, ruler.count(start, end), unit.page) for start, end in pieces]


def _fits(group: list[_Unit], unit: _Unit, budget: int, ruler: Ruler) -> bool:
    return ruler.count(group[0].start, unit.end) <= budget and unit.end - group[0].start <= _MAX_CHARACTERS


def _size(group: list[_Unit], ruler: Ruler) -> int:
    return ruler.count(group[0].start, group[-1].end)


def _balance(groups: list[list[_Unit]], budget: int, ruler: Ruler) -> None:
    """Moves units from the passage before the last into a tiny last one until both are about equal."""
    before, last = groups[-2], groups[-1]
    total = ruler.count(before[0].start, last[-1].end)
    while len(before) > 1 and not before[-2].heading and _size(last, ruler) < total // 2:
        if ruler.count(before[-1].start, last[-1].end) > min(budget, total * 2 // 3):
            break
        last.insert(0, before.pop())


def _passage(text: str, group: list[_Unit], kind: PassageKind, section: tuple[str, ...], ruler: Ruler) -> Passage:
    start, end = group[0].start, group[-1].end
    while text[start].isspace():  # the indentation of a first line of code
        start += 1
    return Passage(start, end, kind, section, group[0].page, ruler.count(start, end))
