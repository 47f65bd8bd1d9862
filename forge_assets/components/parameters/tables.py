"""Values in markdown tables: a column or row whose header names a parameter; units from headers ("Params (M)"), models as subjects."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from forge_assets.components.parameters import numbers
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary

_RULE_ROW = re.compile(r"\s*\|?\s*:?-{1,}:?\s*(?:\|\s*:?-{1,}:?\s*)*\|?\s*\Z")
_CELL_END = re.compile(r"(?<!\\)\|")
_UNIT = re.compile(
    r"\(\s*(?:in\s)?(?:#\s*)?(?P<paren>[^()]{1,24})\)|\[(?P<bracket>[^\[\]]{1,24})\]|,\s(?P<comma>[MBKTmbk]|millions?|billions?)\s*\Z"
)
_SCALES = {
    "k": 1e3,
    "thousand": 1e3,
    "thousands": 1e3,
    "m": 1e6,
    "million": 1e6,
    "millions": 1e6,
    "b": 1e9,
    "billion": 1e9,
    "billions": 1e9,
    "t": 1e12,
    "trillion": 1e12,
}
_POWER = re.compile(r"(?:x|×|\\times|\*)?\s*\$?10\s*\^?\s*\{?\s*([-−⁻]?[\d⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})\}?\$?")
_DIRT = re.compile(r"\*\*|__|`|\$|<[^>]{1,12}>|[↑↓†‡§*]")
_LOG = re.compile(r"\bloss\b|\bwer\b|\bvalid", re.IGNORECASE)
_NO_UNIT = frozenset({"accuracy", "%", "ms", "s", "gb", "mb", "sec"})
_UNCERTAIN = frozenset(
    {
        "l",
        "size",
        "weights",
        "blocks",
        "resolution",
        "width",
        "context",
        "classes",
        "categories",
        "depth",
        "tokens",
        "temperature",
        "rank",
        "momentum",
        "precision",
        "gpu",
        "memory",
        "steps",
        "step",
        "epoch",
        "iterations",
        "updates",
        "bit",
        "type",
        "hardware",
        "r",
        "seed",
    }
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


def read(text: str, start: int, end: int, vocabulary: Vocabulary) -> list[ParameterValue]:
    """The values of the table text[start:end]."""
    rows = _rows(text, start, end)
    if len(rows) < 2:
        return []
    columns = [_header(cell, vocabulary) for cell in rows[0]]
    training_log = any(_LOG.search(cell.plain) for cell in rows[0])
    named = [h for h in columns if h is not None]
    certain = [h for h in named if h.certain]
    if certain or len({h.parameter for h in named}) >= 2:
        kept = [None if h is None or (training_log and h.parameter in ("epochs", "training_steps")) else h for h in columns]
        return _by_column(text, rows, kept, vocabulary)
    return _by_row(text, rows, vocabulary)


def _by_column(text: str, rows: list[list[Cell]], columns: list[Header | None], vocabulary: Vocabulary) -> list[ParameterValue]:
    out: list[ParameterValue] = []
    for row in rows[1:]:
        subject = _subject(row, columns)
        for header, cell in zip(columns, row, strict=False):
            if header is not None and (made := _value(header, cell, vocabulary, text)) is not None:
                out.append(_belonging(made, subject))
    return out


def _by_row(text: str, rows: list[list[Cell]], vocabulary: Vocabulary) -> list[ParameterValue]:
    """Tables whose first column names the parameters; the other columns are models, or the values alone."""
    headers = [_header(row[0], vocabulary) if row else None for row in rows]
    known = [header for header in headers if header is not None]
    if not known or (len({h.parameter for h in known}) < 2 and not any(h.certain for h in known)):
        return []
    out: list[ParameterValue] = []
    subjects = rows[0]
    for number, (header, row) in enumerate(zip(headers, rows, strict=True)):
        if header is None:
            continue
        for column, cell in enumerate(row[1:], start=1):
            made = _value(header, cell, vocabulary, text)
            if made is not None:
                subject = subjects[column] if number and column < len(subjects) and _names_model(subjects[column]) else None
                out.append(_belonging(made, subject))
    return out


def _rows(text: str, start: int, end: int) -> list[list[Cell]]:
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


def _header(cell: Cell, vocabulary: Vocabulary) -> Header | None:
    if not cell.plain or len(cell.plain) > 60:
        return None
    factor, name = 1.0, cell.plain
    unit = _UNIT.search(name)
    if unit:
        written = (unit["paren"] or unit["bracket"] or unit["comma"]).strip()
        word = written.lower().split()[0].rstrip(".") if written.split() else ""
        if power := _POWER.fullmatch(written):
            factor = 10.0 ** int(power[1].translate(str.maketrans("⁻−⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")))
        elif word in _SCALES and (len(word) > 1 or written[0].isupper() or written in ("k", "m", "b")):
            factor = _SCALES[word]
        elif word in _NO_UNIT:
            return None
        name = name[: unit.start()] + name[unit.end() :]
    name = name.strip(" #:")
    parameter = vocabulary.header(name) or vocabulary.key(name)
    if parameter is None:
        return None
    return Header(parameter, factor, name.lower() not in _UNCERTAIN)


def _value(header: Header, cell: Cell, vocabulary: Vocabulary, text: str) -> ParameterValue | None:
    """The value of a cell that holds one value; a cell with two, or with prose, gives none."""
    known = vocabulary.parameters[header.parameter]
    if known.kind in ("choice", "bool", "text"):
        chosen = vocabulary.choice(header.parameter, cell.plain) if known.kind == "choice" else None
        return None if chosen is None else ParameterValue(header.parameter, cell.start, cell.end, chosen, None, "table")
    found = numbers.find(text, cell.start, cell.end)
    if len(found) != 1 or found[0].small or not _LONE.fullmatch(text[cell.start : found[0].start] + "0" + text[found[0].end : cell.end]):
        return None
    quantity = found[0]
    if quantity.percent and header.parameter not in ("dropout", "mask_ratio", "warmup_ratio"):
        return None
    value = quantity.value if quantity.scaled or header.factor == 1.0 else float(f"{quantity.value * header.factor:.12g}")
    if value != value or (known.low is not None and value < known.low) or (known.high is not None and value > known.high):
        return None
    if known.kind == "integer" and value != int(value):
        return None
    return ParameterValue(header.parameter, quantity.start, quantity.end, value, known.unit, "table")


_LONE = re.compile(r"[\s*_`$~≈∼]*0[\s*_`$]*(?:tokens|params|parameters|steps|layers|heads|hours|epochs|samples)?[\s*_`$†‡]*", re.IGNORECASE)


def _subject(row: list[Cell], columns: list[Header | None]) -> Cell | None:
    """The first cell of a row that is no parameter and holds a name."""
    for header, cell in zip(columns, row, strict=False):
        if header is None and _names_model(cell):
            return cell
    return None


def _names_model(cell: Cell) -> bool:
    if not 1 < len(cell.plain) <= 80 or cell.plain.lower() in _NO_NAMES:
        return False
    return any(letter.isalpha() for letter in cell.plain) and not _MEASURE.fullmatch(cell.plain)


_MEASURE = re.compile(r"[<>~±]?\s?\d[\d.,:/±\s]*[A-Za-z%/]{0,5}")
_NO_NAMES = frozenset(
    {
        "value",
        "values",
        "setting",
        "quantity",
        "hyperparameter",
        "hyper-parameter",
        "parameter",
        "default",
        "yes",
        "no",
        "n/a",
        "none",
        "details",
    }
)


def _belonging(value: ParameterValue, subject: Cell | None) -> ParameterValue:
    if subject is None:
        return value
    return replace(value, subject=subject.plain, subject_start=subject.start, subject_end=subject.end)
