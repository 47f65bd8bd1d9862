"""Rows and cells of a markdown table, and what a cell says as a header: the parameter, and the unit its cells are counted in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from forge_assets.components.parameters.vocabulary import Vocabulary

_RULE_ROW = re.compile(r"\s*\|?\s*:?-{1,}:?\s*(?:\|\s*:?-{1,}:?\s*)*\|?\s*\Z")
_CELL_END = re.compile(r"(?<!\\)\|")
_UNIT = re.compile(
    r"\(\s*(?:in\s)?(?:#\s*)?(?P<paren>[^()]{1,24})\)|\[(?P<bracket>[^\[\]]{1,24})\]|,\s(?P<comma>[MBKTmbk]|millions?|billions?)\s*\Z"
)
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9, "t": 1e12, "trillion": 1e12}
_POWER = re.compile(r"(?:x|×|\\times|\*)?\s*\$?10\s*\^?\s*\{?\s*([-−⁻]?[\d⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})\}?\$?")
_DIRT = re.compile(r"\*\*|__|`|\$|<[^>]{1,12}>|[↑↓†‡§*]")
_NO_UNIT = frozenset({"accuracy", "%", "ms", "s", "gb", "mb", "sec"})
_RAISED = str.maketrans("⁻−⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")
_UNCERTAIN = frozenset(
    "l size weights blocks resolution width context classes categories depth tokens temperature rank momentum precision gpu memory steps"
    " step epoch iterations updates bit type hardware r seed dimensions dimension batch".split()
)


@dataclass(frozen=True, slots=True)
class Cell:
    """text[start:end] is the cell without the white space around it; `plain` is it without marks of emphasis."""

    start: int
    end: int
    plain: str


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says: the parameter, the factor of its unit ("(M)": 1e6), and whether the name is certain without its neighbours."""

    parameter: str
    factor: float
    certain: bool


def rows_of(text: str, start: int, end: int) -> list[list[Cell]]:
    """The rows of the table text[start:end] without the rule below its header."""
    rows: list[list[Cell]] = []
    position = start
    for line in text[start:end].split("\n"):
        if "|" in line and not _RULE_ROW.match(line):
            cells, begin = [], 0
            bounds = [m.start() for m in _CELL_END.finditer(line)]
            for bound in [*bounds, len(line)]:
                raw = line[begin:bound]
                stripped = raw.strip()
                at = position + begin + (len(raw) - len(raw.lstrip()))
                cells.append(Cell(at, at + len(stripped), _DIRT.sub("", stripped).strip()))
                begin = bound + 1
            if bounds and not line[: bounds[0]].strip():
                cells = cells[1:]
            if cells and bounds and not line[bounds[-1] + 1 :].strip():
                cells = cells[:-1]
            rows.append(cells)
        position += len(line) + 1
    return rows


def header_of(cell: Cell, vocabulary: Vocabulary) -> Header | None:
    """What the cell says as the header of a row or column; None where it names no parameter, or a measure of time or memory."""
    if not cell.plain or len(cell.plain) > 60:
        return None
    factor, name = 1.0, cell.plain
    if unit := _UNIT.search(name):
        said = _factor((unit["paren"] or unit["bracket"] or unit["comma"]).strip())
        if said is None:
            return None
        factor, name = said, name[: unit.start()] + name[unit.end() :]
    name = name.strip(" #:")
    parameter = None if name.lower() == "parameter" else vocabulary.header(name) or vocabulary.key(name)
    return None if parameter is None else Header(parameter, factor, name.lower() not in _UNCERTAIN)


def _factor(written: str) -> float | None:
    """1e6 of "M" and of "x 10^6"; None of a unit that no parameter has."""
    if power := _POWER.fullmatch(written):
        return float(10.0 ** int(power[1].translate(_RAISED)))
    word = written.lower().split()[0].rstrip(".") if written.split() else ""
    word = word[:-1] if word.endswith("s") and word[:-1] in _SCALES and len(word) > 2 else word
    if word in _SCALES and (len(word) > 1 or written[0].isupper() or written in ("k", "m", "b")):
        return _SCALES[word]
    return None if word in _NO_UNIT else 1.0
