"""What was found in a document as rows of the tables mention, new_name, parameter_value and relation; without the document's id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forge_assets.components.extraction import Extraction
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.text import Reading

Row = tuple[Any, ...]
Rows = Mapping[str, Sequence[Row]]

TABLES = {
    "mention": {"start": "int4", "end": "int4", "component": "text", "role": "text", "stance": "text", "negated": "bool", "via": "text"},
    "new_name": {"start": "int4", "end": "int4", "name": "text", "long_form": "text", "kind": "text", "head": "text"},
    "parameter_value": {
        "start": "int4", "end": "int4", "parameter": "text", "number": "float8", "word": "text", "unit": "text", "component": "text",
        "subject": "text", "subject_start": "int4", "subject_end": "int4", "condition": "text", "source": "text", "quote_hash": "text",
    },
    "relation": {
        "start": "int4", "end": "int4", "subject": "text", "relation": "text", "object": "text", "pattern": "text", "metric": "text",
        "delta": "float8", "unit": "text", "polarity": "bool", "quote_hash": "text",
    },
}  # fmt: skip
"""Table -> its columns behind document_id, with their types, in the order of the rows."""
KEYS = {"mention": (0, 2), "new_name": (0, 4, 2), "parameter_value": (0, 1, 2), "relation": (0, 2, 3, 4)}
"""Table -> the places of its primary key in a row."""


def rows_of(reading: Reading, found: Extraction) -> Rows:
    """The rows by table, in order, each key once."""
    components = {(mention.start, mention.end): mention.component for mention in found.mentions}
    made: dict[str, Iterable[Row]] = {
        "mention": ((m.start, m.end, m.component, m.role, m.stance, m.negated, m.via) for m in found.mentions),
        "new_name": ((n.start, n.end, n.name, n.long_form, n.kind, n.head) for n in found.names),
        "parameter_value": (_value(reading.text, value, components) for value in found.values),
        "relation": (
            (r.start, r.end, r.subject, r.relation, r.object, r.pattern, r.metric, r.delta, r.unit, r.polarity, r.quote_hash)
            for r in found.relations
        ),
    }
    return {table: _distinct(rows, KEYS[table]) for table, rows in made.items()}


def digest_of(mark: str, rows: Rows) -> int:
    """64 bits, signed, of the version of a document and of all that was found in it."""
    content = repr((mark, [(table, list(rows.get(table, ()))) for table in TABLES]))
    return int.from_bytes(hashlib.sha256(content.encode()).digest()[:8], "big", signed=True)


def quote_hash(text: str, start: int, end: int) -> str:
    """SHA-256 (hex) of text[start:end]: tells later whether a span still holds what it held."""
    return hashlib.sha256(text[start:end].encode()).hexdigest()


def _value(text: str, value: ParameterValue, components: Mapping[tuple[int, int], str]) -> Row:
    """A subject is written down as the text has it; where it is a mention of a component, the component stands beside it."""
    number = None if isinstance(value.value, str | bool) else float(value.value)
    word = None if number is not None else value.value if isinstance(value.value, str) else str(value.value).lower()
    component, subject = None, value.subject
    if value.subject_start is not None and value.subject_end is not None:
        mentioned = components.get((value.subject_start, value.subject_end))
        if mentioned == subject:
            component, subject = mentioned, text[value.subject_start : value.subject_end]
    return (
        value.start, value.end, value.parameter, number, word, value.unit, component, subject, value.subject_start, value.subject_end,
        value.condition, value.source, quote_hash(text, value.start, value.end),
    )  # fmt: skip


def _distinct(rows: Iterable[Row], key: tuple[int, ...]) -> list[Row]:
    kept: dict[Row, Row] = {}
    for row in rows:
        kept.setdefault(tuple(row[place] for place in key), row)
    return list(kept.values())
