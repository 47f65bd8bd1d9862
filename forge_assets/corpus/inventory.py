"""list sources -> compare with the inventory -> take the bytes of what is new or changed -> forget what vanished.

The comparison is SQL on a temporary table, so memory does not grow with the corpus; each batch is committed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa

from forge_assets.corpus.addresses import document_id, shard_of
from forge_assets.corpus.containers import scan_dumps
from forge_assets.corpus.garbage import collect_garbage, writing_raw
from forge_assets.corpus.inventory_rows import InventoryRow, Progress, ScanReport, chunks, drop_rows, scratch, streamed, upsert
from forge_assets.corpus.locks import shard_locks
from forge_assets.corpus.sources import Listed, Listing, load_sources
from forge_resources.database import Database
from forge_resources.errors import ObjectMissing, SourceError
from forge_resources.object_store import ObjectStore
from forge_resources.settings import Settings

LISTED = {"document_id": "uuid", "uri": "text", "shard": "int2", "source": "text", "token": "text", "size": "int8", "problem": "text"}
BATCH = 64
READERS = 8  # threads that take bytes from a folder or a bucket
SUSPICIOUS = 20  # a source that held this many documents and now lists none is taken for an unmounted disk


def scan(db: Database, store: ObjectStore, settings: Settings, shards: Sequence[int], progress: Progress | None = None) -> ScanReport:
    """Brings the inventory of these shards up to the sources. Raises SourceError before anything is changed."""
    started = time.monotonic()
    report = ScanReport()
    advance = progress or (lambda done, total: None)
    sources = load_sources(db, settings)
    for source in sources:
        source.check()
    with shard_locks(db, "inventory", shards), writing_raw(db), scratch(db) as connection:
        columns = ", ".join(f"{name} {kind}" for name, kind in LISTED.items())
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE listed ({columns}, PRIMARY KEY (document_id))"))
        containers = [found for source in sources for found in _list(db, connection, source)]
        connection.commit()
        _forget(connection, sources, shards, report)
        for source in sources:
            scan_dumps(db, store, source, [listed for owner, listed in containers if owner is source], shards, report, advance)
        _take_changed(db, connection, store, settings, {s.name: s for s in sources}, shards, report, advance)
        report.unchanged = inventory_size(connection, shards) - report.new - report.changed
    collect_garbage(db, store)
    report.seconds = time.monotonic() - started
    return report


def inventory_size(connection: sa.Connection, shards: Sequence[int]) -> int:
    statement = sa.text("SELECT count(*) FROM inventory WHERE shard = ANY(:shards)")
    return int(connection.execute(statement, {"shards": list(shards)}).scalar_one())


def _list(db: Database, connection: sa.Connection, source: Listing) -> list[tuple[Listing, Listed]]:
    """Lays the source's plain files into the temporary table; returns its containers, which are few."""
    containers: list[tuple[Listing, Listed]] = []

    def rows() -> Iterator[Sequence[Any]]:
        for item in source.list():
            if item.is_container:
                containers.append((source, item))
                continue
            identity = document_id(item.uri)
            yield identity, item.uri, shard_of(identity), source.name, item.token, item.size, item.problem

    count = db.copy(connection, "listed", list(LISTED), rows(), list(LISTED.values()))
    if not count and not containers:
        held = connection.execute(sa.text("SELECT count(*) FROM inventory WHERE source = :name"), {"name": source.name}).scalar_one()
        if held >= SUSPICIOUS:
            raise SourceError(
                f"source {source.name} ({source.address}) lists nothing, but held {held} documents: is a disk not mounted? "
                f"Nothing was changed; if they are really gone, `forge source remove {source.name}`"
            )
    return containers


def _forget(connection: sa.Connection, sources: list[Listing], shards: Sequence[int], report: ScanReport) -> None:
    """Rows of vanished files and removed sources leave the inventory; their documents follow at parsing."""
    values = {"shards": list(shards), "names": [source.name for source in sources]}
    condition = """i.shard = ANY(:shards) AND (i.source <> ALL(CAST(:names AS text[]))
        OR i.container IS NULL AND NOT EXISTS (SELECT FROM listed l WHERE l.document_id = i.document_id))"""
    report.removed += drop_rows(connection, condition, values)
    connection.execute(sa.text("DELETE FROM container_scan WHERE shard = ANY(:shards) AND source <> ALL(CAST(:names AS text[]))"), values)
    connection.commit()


def _take_changed(db: Database, connection: sa.Connection, store: ObjectStore, settings: Settings, sources: dict[str, Listing],
                  shards: Sequence[int], report: ScanReport, advance: Progress) -> None:  # fmt: skip
    """Reads the files whose token is new, stores their bytes under raw/, and upserts their rows, a batch per transaction."""
    changed = """FROM listed l LEFT JOIN inventory i USING (document_id)
        WHERE l.shard = ANY(:shards) AND (i.document_id IS NULL OR i.token <> l.token OR i.source <> l.source
              OR (i.problem IS NOT NULL AND i.raw_key IS NULL)
              OR EXISTS (SELECT FROM quarantine q WHERE q.document_id = i.document_id AND q.code = 'missing'))"""
    values = {"shards": list(shards)}
    total = connection.execute(sa.text(f"SELECT count(*) {changed}"), values).scalar_one()
    limit = int(settings.max_document_mb * 1_000_000)
    stream = connection.execute(streamed(f"SELECT l.*, i.content_hash AS old_hash {changed} ORDER BY document_id"), values)
    with ThreadPoolExecutor(READERS) as pool:
        for batch in chunks(stream, BATCH):
            rows = list(pool.map(lambda row: _take(store, sources[row.source], row, limit), batch))
            with db.begin() as transaction:
                upsert(db, transaction, rows)
            for listed, row in zip(batch, rows, strict=True):
                report.count(listed.old_hash, row)
            advance(len(batch), total)
    connection.rollback()


def _take(store: ObjectStore, source: Listing, row: Any, limit: int) -> InventoryRow:
    """The inventory row of one file, its bytes stored; what cannot be taken carries the problem instead."""
    problem, raw_key, digest = row.problem, None, hashlib.sha256(f"{row.token}:{row.problem}".encode()).hexdigest()
    if problem is None and row.size > limit:
        problem = f"too_large: {row.size / 1e6:.1f} MB, more than the {limit / 1e6:g} MB of FORGE_MAX_DOCUMENT_MB"
    if problem is None:
        try:
            with source.open(row.uri) as stream:
                data = stream.read()
            digest = hashlib.sha256(data).hexdigest()
            raw_key = store.put_raw(data)
        except FileNotFoundError:
            problem = "missing: it vanished while it was to be read"
        except ObjectMissing as error:
            problem = f"missing: {error}"
        except OSError as error:
            problem = f"unreadable: {error.strerror or error}"
    identity = document_id(row.uri)
    return InventoryRow(
        identity, row.uri, shard_of(identity), row.source, None, None, row.token, digest, row.size, raw_key, None, None, problem
    )
