"""Rows of the table `harvested`: what a feed has told of its documents, and the bytes that came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from forge_assets.corpus.addresses import document_id, record_uri, shard_of
from forge_assets.corpus.garbage import announce
from forge_assets.corpus.packs import Pack
from forge_assets.corpus.sources import Cursor, Feed, Found
from forge_assets.corpus.storable import storable
from forge_resources.database import Database
from forge_resources.object_store import ObjectStore


class HarvestedRow(NamedTuple):
    """One document of a feed; the order of fields is the order of the COPY."""

    document_id: UUID
    uri: str
    shard: int
    source: str
    external_id: str
    token: str
    sweep: int | None = None
    location: str | None = None
    validator: str | None = None
    wanted: bool = False
    tries: int = 0
    retry_at: datetime | None = None
    content_hash: str | None = None
    size: int = 0
    raw_key: str | None = None
    raw_offset: int | None = None
    raw_length: int | None = None
    problem: str | None = None

    def settled(self) -> HarvestedRow:
        """The row when nothing is to be fetched any more."""
        return self._replace(wanted=False, tries=0, retry_at=None)

    def troubled(self, problem: str) -> HarvestedRow:
        """The row of a document whose bytes cannot be had; those of an earlier version are given up."""
        told = storable(problem)
        mark = hashlib.sha256(f"{self.token}:{told}".encode()).hexdigest()
        return self.settled()._replace(
            content_hash=mark, size=0, raw_key=None, raw_offset=None, raw_length=None, validator=None, problem=told
        )


TYPES = ["uuid", "text", "int2", "text", "text", "text", "int8", "text", "text", "bool", "int2", "timestamptz", "text", "int8", "text",
         "int4", "int4", "text"]  # fmt: skip
COLUMNS = ", ".join(HarvestedRow._fields)


def told(old: HarvestedRow | None, blank: HarvestedRow, found: Found, sweep: int | None, limit: int) -> tuple[HarvestedRow, bytes | None]:
    """The row after the feed has told of the document, and its bytes where they are to be stored."""
    row = (old or blank)._replace(token=blank.token, sweep=sweep if sweep is not None else old and old.sweep, location=blank.location)
    if found.problem is not None:
        return row.troubled(found.problem), None
    if found.data is not None:
        if len(found.data) > limit:
            return row.troubled(too_large(len(found.data), limit)), None
        digest = hashlib.sha256(found.data).hexdigest()
        if old and old.content_hash == digest and old.raw_key and old.problem is None:
            return row.settled(), None
        return row.settled()._replace(content_hash=digest, size=len(found.data), problem=None, validator=None), found.data
    if found.location is None:
        return row.troubled("missing: its source names it, but neither sends its bytes nor says where they are"), None
    if old and old.token == row.token and (old.wanted or old.raw_key or old.problem):
        return row, None
    return row._replace(wanted=True, tries=0, retry_at=None), None


def too_large(size: int, limit: int) -> str:
    return f"too_large: {size / 1e6:.1f} MB, more than the {limit / 1e6:g} MB of FORGE_MAX_DOCUMENT_MB"


def blank_row(feed: Feed, found: Found) -> HarvestedRow:
    """A row that says no more than what is found and where."""
    external: str = storable(found.external_id)
    uri = record_uri(feed.address, external)
    identity = document_id(uri)
    return HarvestedRow(identity, uri, shard_of(identity), feed.name, external, storable(found.token), location=storable(found.location))


def rows_of(connection: sa.Connection, identities: Collection[UUID]) -> dict[UUID, HarvestedRow]:
    statement = sa.text(f"SELECT {COLUMNS} FROM harvested WHERE document_id = ANY(:ids)")
    return {row[0]: HarvestedRow(*row) for row in connection.execute(statement, {"ids": list(identities)})}


def store_packed(db: Database, store: ObjectStore, coming: Iterable[tuple[HarvestedRow, bytes]]) -> list[HarvestedRow]:
    """Stores documents in packs, those of one shard side by side; returns their rows with the place of the bytes."""
    packs: list[Pack[HarvestedRow]] = []
    for row, data in sorted(coming, key=lambda pair: (pair[0].shard, pair[0].document_id)):
        if not packs or packs[-1].full:
            packs.append(Pack())
        packs[-1].add(row._replace(raw_offset=len(packs[-1].data), raw_length=len(data)), data)
    packed = [(pack, *pack.packed()) for pack in packs]
    announce(db, [key for _, key, _ in packed])
    for _, _, data in packed:
        store.put_raw(data)
    return [row._replace(raw_key=key) for pack, key, _ in packed for row in pack.rows]


def still_ours(connection: sa.Connection, feed: Feed, cursor: Cursor | None) -> bool:
    """Holds the harvest's row for this transaction; False when the source was removed, or another run has moved its cursor."""
    statement = sa.text("SELECT 1 FROM harvest WHERE source = :source AND cursor IS NOT DISTINCT FROM CAST(:cursor AS jsonb) FOR UPDATE")
    values = {"source": feed.name, "cursor": None if cursor is None else json.dumps(cursor)}
    return connection.execute(statement, values).first() is not None


def write_rows(db: Database, connection: sa.Connection, rows: Sequence[HarvestedRow]) -> None:
    """Inserts or replaces rows; raw objects that lose a reference are noted as garbage."""
    if not rows:
        return
    connection.execute(sa.text("CREATE TEMPORARY TABLE IF NOT EXISTS told (LIKE harvested INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"))
    db.copy(connection, "told", HarvestedRow._fields, rows, TYPES)
    connection.execute(
        sa.text(
            "INSERT INTO raw_garbage SELECT DISTINCT h.raw_key FROM harvested h JOIN told t USING (document_id) "
            "WHERE h.raw_key IS NOT NULL AND h.raw_key IS DISTINCT FROM t.raw_key ORDER BY 1 ON CONFLICT DO NOTHING"
        )
    )
    updates = ", ".join(f"{field} = excluded.{field}" for field in HarvestedRow._fields[1:])
    connection.execute(
        sa.text(f"INSERT INTO harvested ({COLUMNS}) SELECT {COLUMNS} FROM told ON CONFLICT (document_id) DO UPDATE SET {updates}")
    )


def drop_harvested(connection: sa.Connection, condition: str, values: Mapping[str, Any]) -> int:
    """Deletes the rows `h` that meet the condition; returns how many."""
    count: int = connection.execute(
        sa.text(
            f"WITH gone AS (DELETE FROM harvested h WHERE {condition} RETURNING raw_key), "
            "noted AS (INSERT INTO raw_garbage SELECT DISTINCT raw_key FROM gone WHERE raw_key IS NOT NULL ON CONFLICT DO NOTHING) "
            "SELECT count(*) FROM gone"
        ),
        values,
    ).scalar_one()
    return count
