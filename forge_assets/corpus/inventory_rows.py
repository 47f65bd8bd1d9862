"""Rows of the table `inventory`: written by COPY and merge, dropped by condition, counted into the scan's report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import sqlalchemy as sa

from forge_resources.database import Database

T = TypeVar("T")
Progress = Callable[[int, int | None], None]
"""Called with (items just finished, items in all or None where unknown)."""

TYPES = ["uuid", "text", "int2", "text", "text", "text", "text", "text", "int8", "text", "int4", "int4", "text"]


class InventoryRow(NamedTuple):
    """One document as the inventory holds it; the order of fields is the order of the COPY."""

    document_id: UUID
    uri: str
    shard: int
    source: str
    container: str | None
    external_id: str | None
    token: str
    content_hash: str
    size: int
    raw_key: str | None
    raw_offset: int | None
    raw_length: int | None
    problem: str | None


@dataclass(slots=True)
class ScanReport:
    """What a scan found, in documents; `unchanged` had the same bytes as before. Of feeds: documents they told of, fetched now, still to
    be fetched; `unreachable` says in sentences which of them failed."""

    new: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    problems: int = 0
    bytes_read: int = 0
    seconds: float = 0.0
    harvested: int = 0
    fetched: int = 0
    pending: int = 0
    unreachable: list[str] = field(default_factory=list)

    def count(self, old_hash: str | None, row: InventoryRow) -> None:
        if old_hash is None:
            self.new += 1
        elif old_hash != row.content_hash:
            self.changed += 1
        self.problems += row.problem is not None
        self.bytes_read += row.size


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def bounded(items: Iterable[T], weigh: Callable[[T], int], number: int, weight: int) -> Iterator[list[T]]:
    """Lists of at most `number` items, together no heavier than `weight`; an item heavier than that comes alone."""
    batch: list[T] = []
    heavy = 0
    for item in items:
        coming = weigh(item)
        if batch and (len(batch) >= number or heavy + coming > weight):
            yield batch
            batch, heavy = [], 0
        batch.append(item)
        heavy += coming
    if batch:
        yield batch


@contextmanager
def scratch(db: Database) -> Iterator[sa.Connection]:
    """A connection for temporary tables, which are gone when it goes back to the pool, whatever happened."""
    with db.engine.connect() as connection:
        try:
            yield connection
        finally:
            if not connection.invalidated:
                connection.rollback()
                connection.execute(sa.text("DISCARD TEMP"))
                connection.commit()


def streamed(statement: str) -> sa.TextClause:
    """A query whose rows are fetched as they are read, so that memory does not grow with the corpus."""
    return sa.text(statement).execution_options(stream_results=True, max_row_buffer=1000)


@contextmanager
def streaming(connection: sa.Connection, statement: str, values: dict[str, Any]) -> Iterator[sa.CursorResult[Any]]:
    """The rows of `streamed`; the server's cursor is closed at the end of the block, also where it breaks off."""
    rows = connection.execute(streamed(statement), values)
    try:
        yield rows
    finally:
        rows.close()


def upsert(db: Database, connection: sa.Connection, rows: Sequence[InventoryRow]) -> None:
    """Writes rows; the last of several with one id wins. Raw objects that lose a reference are noted as garbage."""
    last = {row.document_id: row for row in rows}
    connection.execute(sa.text("CREATE TEMPORARY TABLE IF NOT EXISTS arriving (LIKE inventory INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"))
    db.copy(connection, "arriving", InventoryRow._fields, last.values(), TYPES)
    connection.execute(
        sa.text(
            "INSERT INTO raw_garbage SELECT DISTINCT i.raw_key FROM inventory i JOIN arriving a USING (document_id) "
            "WHERE i.raw_key IS NOT NULL AND i.raw_key IS DISTINCT FROM a.raw_key ON CONFLICT DO NOTHING"
        )
    )
    names = ", ".join(InventoryRow._fields)
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*InventoryRow._fields[1:], "seen_at"))
    connection.execute(
        sa.text(
            f"INSERT INTO inventory ({names}, seen_at) SELECT {names}, seen_at FROM arriving "
            f"ON CONFLICT (document_id) DO UPDATE SET {updates}"
        )
    )


def drop_rows(connection: sa.Connection, condition: str, values: dict[str, Any]) -> int:
    """Deletes the inventory rows `i` that meet the condition; returns how many."""
    count: int = connection.execute(
        sa.text(
            f"WITH gone AS (DELETE FROM inventory i WHERE {condition} RETURNING raw_key), "
            "noted AS (INSERT INTO raw_garbage SELECT DISTINCT raw_key FROM gone WHERE raw_key IS NOT NULL ON CONFLICT DO NOTHING) "
            "SELECT count(*) FROM gone"
        ),
        values,
    ).scalar_one()
    return count
