"""The table of sentences fit to be quoted: which documents have to be looked through, their texts, and what was found; a batch a
transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components.store import shard_range
from forge_assets.documentation.reading import Found
from forge_assets.documentation.subjects import Name
from forge_resources.database import Database

BATCH = 2000
"""Documents of a transaction."""
READING = {"document_id": "uuid", "shard": "int2", "version": "text", "names": "text", "mark": "int8"}
SENTENCE = {
    "document_id": "uuid", "start": "int4", "end": "int4", "subject": "text", "slot": "text", "role": "text", "score": "float4",
    "others": "text[]", "open": "bool", "advice": "bool", "quote": "int8",
}  # fmt: skip
LACKING = """SELECT e.document_id, e.digest FROM extraction e LEFT JOIN doc_reading r ON r.document_id = e.document_id
        AND r.version = :version AND r.mark = e.digest AND r.names = :names
    WHERE e.document_id BETWEEN :first AND :last AND r.document_id IS NULL ORDER BY e.document_id"""
TEXTS = """SELECT d.document_id, d.text, d.blocks, d.title, d.year, d.media_type, e.digest, e.shard,
        (SELECT array_agg(ARRAY[m.start::text, m."end"::text, m.component, m.negated::text] ORDER BY m.start)
         FROM mention m WHERE m.document_id = d.document_id) AS mentions,
        (SELECT array_agg(p.start) FROM parameter_value p WHERE p.document_id = d.document_id AND p.number IS NOT NULL) AS settings
    FROM document d JOIN extraction e USING (document_id) WHERE d.document_id = ANY(:documents) ORDER BY d.document_id"""


class Read(NamedTuple):
    """A document to be looked through, with the names that the components room found in it."""

    document_id: UUID
    text: str
    blocks: list[list[Any]]
    title: str | None
    year: int | None
    media_type: str
    digest: int
    shard: int
    names: list[Name]
    settings: list[int]


def lacking(db: Database, shard: int, version: str, names: str) -> list[UUID]:
    """Documents of a shard that were not looked through as they are now."""
    first, last = shard_range(shard)
    values = {"first": first, "last": last, "version": version, "names": names}
    with db.begin() as connection:
        return [row[0] for row in connection.execute(sa.text(LACKING), values)]


def texts(db: Database, documents: Sequence[UUID]) -> Iterator[Read]:
    """What is read of these documents, in order."""
    with db.begin() as connection:
        rows = connection.execute(sa.text(TEXTS), {"documents": list(documents)}).all()
    for row in rows:
        names = [Name(int(start), int(end), component, negated == "true") for start, end, component, negated in row.mentions or ()]
        yield Read(row.document_id, row.text, row.blocks, row.title, row.year, row.media_type, row.digest, row.shard, names,
                   list(row.settings or ()))  # fmt: skip


def write(db: Database, read: Sequence[tuple[Read, list[Found]]], version: str, names: str) -> int:
    """Replaces what stands of these documents; one that has changed or gone since it was read is passed over. Returns sentences written."""
    ids = [one.document_id for one, _ in read]
    with db.begin() as connection:
        statement = "SELECT document_id, digest FROM extraction WHERE document_id = ANY(:documents) FOR KEY SHARE SKIP LOCKED"
        now = {row.document_id: row.digest for row in connection.execute(sa.text(statement), {"documents": ids})}
        kept = [(one, found) for one, found in read if now.get(one.document_id) == one.digest]
        connection.execute(sa.text("DELETE FROM doc_reading WHERE document_id = ANY(:documents)"), {"documents": ids})
        rows = ((one.document_id, one.shard, version, names, one.digest) for one, _ in kept)
        db.copy(connection, "doc_reading", list(READING), rows, list(READING.values()))
        return db.copy(connection, "doc_sentence", list(SENTENCE), (_row(one, each) for one, found in kept for each in found),
                       list(SENTENCE.values()))  # fmt: skip


def _row(read: Read, one: Found) -> tuple[Any, ...]:
    return (
        read.document_id,
        one.start,
        one.end,
        one.subject,
        one.slot,
        one.role,
        one.score,
        list(one.others),
        one.open,
        one.advice,
        one.quote,
    )
