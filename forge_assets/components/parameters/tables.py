"""Values in markdown tables: a column or row whose header names a parameter; units from headers ("Params (M)"), models as subjects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from forge_assets.components.parameters import choices, configs, numbers
from forge_assets.components.parameters.cells import Cell, Header, header_of, rows_of
from forge_assets.components.parameters.literals import plausible
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary

_PROGRESS = re.compile(r"(?:training |global )?(?:epoch|step|iter(?:ation)?)s?")
_LOSS = re.compile(r"\bloss\b")
_VALUE = re.compile(r"(?:default )?(?:value|default|setting)s?", re.IGNORECASE)
_SAYS = re.compile(r"\b(?:[AHVBTL]\d{1,3}0?|RTX|TPU|GPUs?)\b|(?:FP|fp|BF|bf|INT|int)\d|float\d")
_SPLIT = re.compile(r"train(?:ing)?|test(?:ing)?|dev|val(?:id(?:ation)?)?")
_COUNTED = re.compile(
    r"(?:(?:no\.?|num(?:ber)?|n|total)(?: of)? )?(?:(?:train(?:ing)?|test|dev|val(?:id(?:ation)?)?|eval(?:uation)?) )?(?:set )?(?:samples"
    r"|examples"
    r"|instances|sentences|images|documents|docs|pairs|utterances|questions|videos|articles|size)"
)
_WHOLE = re.compile(r"~?\d{1,3}(?:[,.\s]?\d{3})*|~?\d+(?:\.\d+)?\s?[kKM]|~?\d+")
_LONGEST_CELL = 120
_AROUND = 600
_ASIDE = re.compile(r"\s\([^()]*\)\s*\Z")
_LONE = re.compile(r"[\s*_`$~≈∼]*0[\s*_`$]*(?:tokens|params|parameters|steps|layers|heads|hours|epochs|samples)?[\s*_`$†‡]*", re.IGNORECASE)
_MEASURE = re.compile(r"[<>~±]?\s?\d[\d.,:/±\s]*[A-Za-z%/]{0,5}")
_NO_NAMES = frozenset("value values setting quantity hyperparameter hyper-parameter parameter default yes no n/a none details".split())
_SHARES = frozenset({"dropout", "mask_ratio", "warmup_ratio"})


def read(text: str, start: int, end: int, vocabulary: Vocabulary) -> list[ParameterValue]:
    """The values of the table text[start:end]."""
    rows = rows_of(text, start, end)
    if len(rows) < 2 or _is_log(rows):
        return []
    out = _by_column(text, rows, vocabulary) or _by_row(text, rows, vocabulary)
    taken = {value.start for value in out}
    return out + [value for value in _within_cells(text, (start, end), rows, vocabulary) if value.start not in taken]


def _is_log(rows: list[list[Cell]]) -> bool:
    """Whether the rows are the steps of one training: a loss beside epochs or steps, or one epoch or step a row, in order."""
    names = [cell.plain.lower() for cell in rows[0]]
    steps = [column for column, name in enumerate(names) if _PROGRESS.fullmatch(name)]
    if any(_LOSS.search(name) for name in names):
        return any("epoch" in name or "step" in name or "iter" in name for name in names)
    for column in steps:
        numbers_ = [numbers.number(row[column].plain) for row in rows[1:] if column < len(row)]
        known = [number for number in numbers_ if number is not None]
        if len(known) >= 2 and known == sorted(known) and len(set(known)) > 1:
            return True
    return False


def _by_column(text: str, rows: list[list[Cell]], vocabulary: Vocabulary) -> list[ParameterValue]:
    """Tables whose first row names parameters; the rows are models or runs."""
    columns = [header_of(cell, vocabulary) or _data_header(cell, column, rows) for column, cell in enumerate(rows[0])]
    named = [header for header in columns if header is not None]
    if not any(header.certain for header in named) and len({header.parameter for header in named}) < 2:
        return []
    out: list[ParameterValue] = []
    for row in rows[1:]:
        subject = _subject(row, columns)
        for header, cell in zip(columns, row, strict=False):
            if header is not None and (made := _value(header, cell, vocabulary, text)) is not None:
                out.append(_belonging(made, subject))
    return out


def _by_row(text: str, rows: list[list[Cell]], vocabulary: Vocabulary) -> list[ParameterValue]:
    """Tables whose first column names the parameters; the other columns are models, or the values alone, or one is called "Default"."""
    headers = [header_of(row[0], vocabulary) if row else None for row in rows]
    known = [header for header in headers if header is not None]
    subjects = rows[0]
    valued = [column for column, cell in enumerate(subjects) if _VALUE.fullmatch(cell.plain)]
    if not known or not (valued or len({h.parameter for h in known}) >= 2 or any(h.certain for h in known)):
        return []
    out: list[ParameterValue] = []
    for number, (header, row) in enumerate(zip(headers, rows, strict=True)):
        if header is None:
            continue
        stated = {
            column: _value(header, cell, vocabulary, text)
            for column, cell in enumerate(row[1:], start=1)
            if cell.plain and (not valued or column in valued)
        }
        if sum(made is not None for made in stated.values()) * 2 < len(stated):
            continue
        for column, made in stated.items():
            if made is not None:
                subject = subjects[column] if number and column < len(subjects) and _names_model(subjects[column]) else None
                out.append(_belonging(made, subject))
    return out


def _within_cells(text: str, span: tuple[int, int], rows: list[list[Cell]], vocabulary: Vocabulary) -> Iterator[ParameterValue]:
    """Values that a cell states by itself: "PP=1", "8x A100", "FP8 training"."""
    for row in rows:
        for cell in row:
            if not 4 < len(cell.plain) <= _LONGEST_CELL:
                continue
            if "=" in cell.plain:
                around = max(span[0], cell.start - _AROUND), min(span[1], cell.end + _AROUND)
                yield from configs.read_inline(text, cell.start, cell.end, vocabulary, around)
            if _SAYS.search(cell.plain):
                yield from choices.read(text, cell.start, cell.end, vocabulary)


def _data_header(cell: Cell, column: int, rows: list[list[Cell]]) -> Header | None:
    """The header of a column that counts the items of data sets ("# sentences", "train" beside "test"): whole numbers, none small."""
    name = cell.plain.strip(" #:").lower()
    split = _SPLIT.fullmatch(name)
    if not split and not (_COUNTED.fullmatch(name) and ("#" in cell.plain or " " in name)):
        return None
    if split and sum(_SPLIT.fullmatch(other.plain.strip(" #:").lower()) is not None for other in rows[0]) < 2:
        return None
    written = [row[column].plain for row in rows[1:] if column < len(row) and row[column].plain not in ("", "-", "–", "—")]
    if not written or not all(_WHOLE.fullmatch(one) for one in written) or not any(len(one) > 2 for one in written):
        return None
    return Header("dataset_size", 1.0, True)


def _value(header: Header, cell: Cell, vocabulary: Vocabulary, text: str) -> ParameterValue | None:
    """The value of a cell that holds one, perhaps with something in brackets behind it; a cell with two, or with prose, gives none."""
    known = vocabulary.parameters[header.parameter]
    if known.kind in ("choice", "bool", "text"):
        chosen = vocabulary.choice(header.parameter, cell.plain) if known.kind == "choice" else None
        return None if chosen is None else ParameterValue(header.parameter, cell.start, cell.end, chosen, None, "table")
    aside = _ASIDE.search(text, cell.start, cell.end)
    end = aside.start() if aside else cell.end
    found = numbers.find(text, cell.start, end)
    if len(found) != 1 or found[0].small or not _LONE.fullmatch(text[cell.start : found[0].start] + "0" + text[found[0].end : end]):
        return None
    quantity = found[0]
    if quantity.percent and header.parameter not in _SHARES:
        return None
    value = quantity.value if quantity.scaled or header.factor == 1.0 else float(f"{quantity.value * header.factor:.12g}")
    if value != value or not plausible(vocabulary, header.parameter, value):
        return None
    return ParameterValue(header.parameter, quantity.start, quantity.end, value, known.unit, "table")


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


def _belonging(value: ParameterValue, subject: Cell | None) -> ParameterValue:
    if subject is None:
        return value
    return replace(value, subject=subject.plain, subject_start=subject.start, subject_end=subject.end)
