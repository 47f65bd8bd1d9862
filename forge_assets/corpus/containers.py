"""The dumps of a source are read streaming; new and changed records are packed per shard into the object store.

While none of a source's dumps has changed, none is opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import UUID

import sqlalchemy as sa

from forge_assets.corpus.addresses import document_id, record_uri, shard_of
from forge_assets.corpus.garbage import announce
from forge_assets.corpus.inventory_rows import InventoryRow, Progress, ScanReport, bounded, drop_rows, scratch, upsert
from forge_assets.corpus.packs import Pack
from forge_assets.corpus.readers.feeds import iter_container
from forge_assets.corpus.sources import JsonLinesSource, Listed, Listing, record_identity
from forge_assets.corpus.storable import storable
from forge_resources.database import Database
from forge_resources.errors import DocumentProblem, ObjectMissing
from forge_resources.object_store import ObjectStore

BATCH = 2000
BATCH_BYTES = 16_000_000
LONGEST_ID = 500
"""Characters an id may have; a longer one is no id but a mistake in the dump."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a dump with its address; `problem` says why it cannot become a document."""

    identity: UUID
    uri: str
    external_id: str | None
    data: bytes
    content_hash: str
    problem: str | None


class _Packer:
    """Collects changed records per shard and writes a pack with its rows whenever one is full."""

    def __init__(self, db: Database, store: ObjectStore, source: Listing, container: str) -> None:
        self._db, self._store, self._source, self._container = db, store, source.name, container
        self._packs: dict[int, Pack[InventoryRow]] = {}

    def add(self, record: Record) -> InventoryRow:
        shard = shard_of(record.identity)
        pack = self._packs.setdefault(shard, Pack())
        row = InventoryRow(record.identity, record.uri, shard, self._source, self._container, record.external_id, record.content_hash,
                           record.content_hash, len(record.data), "", len(pack.data), len(record.data), record.problem)  # fmt: skip
        pack.add(row, record.data)
        if pack.full:
            self._write([shard])
        return row

    def flush(self) -> None:
        self._write(list(self._packs))

    def _write(self, shards: list[int]) -> None:
        rows: list[InventoryRow] = []
        packed: dict[str, bytes] = {}
        for shard in shards:
            pack = self._packs.pop(shard)
            key, data = pack.packed()
            packed[key] = data
            rows += [row._replace(raw_key=key) for row in pack.rows]
        announce(self._db, packed)
        for data in packed.values():
            self._store.put_raw(data)
        with self._db.begin() as connection:
            upsert(self._db, connection, rows)


def scan_dumps(db: Database, store: ObjectStore, source: Listing, dumps: Sequence[Listed], shards: Sequence[int],
               report: ScanReport, advance: Progress) -> None:  # fmt: skip
    """Brings the inventory rows of a source's dumps up to their content, for the shards given.

    When one dump has changed all dumps of the source are read, in the order of their addresses: of several records with one id the
    first counts, so what stands in the inventory depends on the dumps alone, never on the order of past changes.
    """
    if _read_already(db, source, dumps, shards):
        return
    wanted, complete = set(shards), []
    with scratch(db) as connection:
        connection.execute(sa.text("CREATE TEMPORARY TABLE seen (document_id uuid PRIMARY KEY)"))
        for listed in sorted(dumps, key=lambda item: item.uri):
            packer, whole = _Packer(db, store, source, listed.uri), True
            for batch in batches(_records(source, listed)):
                whole = whole and all(record.uri != listed.uri for record in batch)
                mine = _first_seen(connection, [record for record in batch if shard_of(record.identity) in wanted])
                _take(connection, packer, source, listed, mine, report)
                advance(len(mine), None)
            packer.flush()
            if whole:
                complete.append(listed)
        _finish(connection, source, dumps, complete, shards, report)


def batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Records in lists that are bounded in number and in bytes."""
    return bounded(records, lambda record: len(record.data), BATCH, BATCH_BYTES)


def _read_already(db: Database, source: Listing, dumps: Sequence[Listed], shards: Sequence[int]) -> bool:
    """Whether all dumps were read to the end as they are, none has vanished, and no bytes of theirs are missing."""
    tokens = {listed.uri: listed.token for listed in dumps}
    values = {"source": source.name, "shards": list(shards), "uris": list(tokens)}
    with db.begin() as connection:
        rows = connection.execute(
            sa.text("SELECT container, token FROM container_scan WHERE source = :source AND shard = ANY(:shards)"), values
        ).all()
        amiss = connection.execute(
            sa.text("SELECT EXISTS (SELECT FROM inventory i LEFT JOIN quarantine q USING (document_id) WHERE i.source = :source "
                    "AND i.shard = ANY(:shards) AND i.container IS NOT NULL "
                    "AND (i.container <> ALL(CAST(:uris AS text[])) OR q.code = 'missing'))"), values,
        ).scalar_one()  # fmt: skip
    current = sum(tokens.get(row.container) == row.token for row in rows)
    return not amiss and current == len(dumps) * len(shards)


def _records(source: Listing, listed: Listed) -> Iterator[Record]:
    """The dump's records with their addresses; a dump that cannot be read to its end, ends with a record of the dump's own address."""
    problem = listed.problem
    if problem is None:
        try:
            with source.open(listed.uri) as stream:
                yield from _lines(source, listed, stream)
        except (OSError, ObjectMissing) as error:
            problem = f"missing: could not be read: {error}"
    if problem is not None:
        yield Record(document_id(listed.uri), listed.uri, None, b"", hashlib.sha256(problem.encode()).hexdigest(), storable(problem))


def _lines(source: Listing, listed: Listed, stream: BinaryIO) -> Iterator[Record]:
    lines = source if isinstance(source, JsonLinesSource) else None
    for number, data, record in iter_container(stream, listed.name, lines=lines is not None):
        if lines and isinstance(record, dict):
            data, record = lines.record(record, data)
        digest = hashlib.sha256(data or f"{listed.token}:{number}".encode()).hexdigest()
        anonymous = record_uri(source.address, f"{listed.name}/{digest[:16]}")
        if isinstance(record, DocumentProblem):
            uri = anonymous if data else listed.uri
            yield Record(document_id(uri), uri, None, data, digest, storable(f"{record.code}: {record}"))
            continue
        external = storable(record_identity(record))
        if external and len(external) > LONGEST_ID:
            reason = f"bad_record: its id has {len(external)} characters, more than {LONGEST_ID}"
            yield Record(document_id(anonymous), anonymous, None, data, digest, reason)
            continue
        uri = record_uri(source.address, external) if external else anonymous
        yield Record(document_id(uri), uri, external, data, digest, None)


def _first_seen(connection: sa.Connection, records: Sequence[Record]) -> dict[UUID, Record]:
    """The records of a batch whose id this scan has not met before."""
    mine: dict[UUID, Record] = {}
    for record in records:
        mine.setdefault(record.identity, record)
    new = connection.execute(
        sa.text("INSERT INTO seen SELECT * FROM unnest(CAST(:ids AS uuid[])) ON CONFLICT DO NOTHING RETURNING document_id"),
        {"ids": list(mine)},
    ).scalars()  # fmt: skip
    return {identity: mine[identity] for identity in new}


def _take(connection: sa.Connection, packer: _Packer, source: Listing, listed: Listed, records: dict[UUID, Record],
          report: ScanReport) -> None:  # fmt: skip
    """Hands the new and changed records of a batch to the packer; one that only moved between dumps keeps its bytes."""
    held: dict[UUID, Any] = {
        row.document_id: row
        for row in connection.execute(
            sa.text("SELECT document_id, i.content_hash, i.source, container, problem, q.code IS NOT DISTINCT FROM 'missing' AS missing "
                    "FROM inventory i LEFT JOIN quarantine q USING (document_id) WHERE document_id = ANY(:ids)"), {"ids": list(records)},
        )
    }  # fmt: skip
    moved = []
    for identity, record in records.items():
        old = held.get(identity)
        if old is None or (old.content_hash, old.problem) != (record.content_hash, record.problem) or old.missing:
            report.count(old and old.content_hash, packer.add(record))
        elif (old.container, old.source) != (listed.uri, source.name):
            moved.append(identity)
    if moved:
        connection.execute(
            sa.text("UPDATE inventory SET container = :uri, source = :source WHERE document_id = ANY(:ids)"),
            {"uri": listed.uri, "source": source.name, "ids": moved},
        )  # fmt: skip
    connection.commit()


def _finish(connection: sa.Connection, source: Listing, dumps: Sequence[Listed], complete: Sequence[Listed], shards: Sequence[int],
            report: ScanReport) -> None:  # fmt: skip
    """Records that no dump holds any more go, if every dump was read to its end; those that were are marked as read."""
    values = {"source": source.name, "shards": list(shards)}
    if len(complete) == len(dumps):
        connection.execute(sa.text("ANALYZE seen"))
        condition = """i.source = :source AND i.container IS NOT NULL AND i.shard = ANY(:shards)
            AND NOT EXISTS (SELECT FROM seen s WHERE s.document_id = i.document_id)"""
        report.removed += drop_rows(connection, condition, values)
    connection.execute(sa.text("DELETE FROM container_scan WHERE source = :source AND shard = ANY(:shards)"), values)
    for listed in complete:
        connection.execute(
            sa.text("INSERT INTO container_scan (source, container, shard, token) "
                    "SELECT :source, :uri, shard, :token FROM unnest(CAST(:shards AS int2[])) shard"),
            {**values, "uri": listed.uri, "token": listed.token},
        )  # fmt: skip
    connection.commit()
