"""harvest feeds; list sources -> compare with the inventory -> take the bytes of what is new or changed -> forget what vanished.

The comparison is SQL on a temporary table, so memory does not grow with the corpus; each batch is committed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import sqlalchemy as sa

from forge_assets.corpus.addresses import document_id, shard_of
from forge_assets.corpus.containers import scan_dumps
from forge_assets.corpus.garbage import announce, collect_garbage, writing_raw
from forge_assets.corpus.harvest import harvest
from forge_assets.corpus.inventory_rows import InventoryRow, Progress, ScanReport, bounded, drop_rows, scratch, streaming, upsert
from forge_assets.corpus.locks import shard_locks
from forge_assets.corpus.sources import Feed, Listed, Listing, is_feed, load_sources
from forge_resources.database import Database
from forge_resources.errors import DocumentProblem, ObjectMissing, SourceError
from forge_resources.object_store import ObjectStore, raw_key
from forge_resources.settings import Settings

LISTED = {"document_id": "uuid", "uri": "text", "shard": "int2", "source": "text", "token": "text", "size": "int8", "problem": "text"}
BATCH = 64
BATCH_BYTES = 64_000_000  # of files held in memory at once, or one larger file
READERS = 8  # threads that take bytes from a folder or a bucket
SUSPICIOUS = 20  # a source that held this many documents and now lists none is taken for an unmounted disk


def scan(db: Database, store: ObjectStore, settings: Settings, shards: Sequence[int], progress: Progress | None = None) -> ScanReport:
    """Brings the inventory of these shards up to the sources. Raises SourceError before anything is changed."""
    started = time.monotonic()
    report = ScanReport()
    advance = progress or (lambda done, total: None)
    listings, feeds = _reached(load_sources(db, settings))
    for feed in feeds:
        _harvest(db, store, feed, settings, report, advance)
    with shard_locks(db, "inventory", shards), writing_raw(db), scratch(db) as connection:
        columns = ", ".join(f"{name} {kind}" for name, kind in LISTED.items())
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE listed ({columns}, PRIMARY KEY (document_id))"))
        containers = [found for source in listings for found in _list(db, connection, source)]
        connection.commit()
        _forget(connection, listings, feeds, shards, report)
        for source in listings:
            scan_dumps(db, store, source, [listed for owner, listed in containers if owner is source], shards, report, advance)
        _take_changed(db, connection, store, settings, {s.name: s for s in listings}, shards, report, advance)
        for shard in shards if feeds else ():
            take_harvested(db, shard, report)
        report.unchanged = inventory_size(connection, shards) - report.new - report.changed
    collect_garbage(db, store)
    report.seconds = time.monotonic() - started
    return report


def _reached(sources: Sequence[Listing | Feed]) -> tuple[list[Listing], list[Feed]]:
    """Listings, each of them reached, and feeds, which are asked later and may fail alone."""
    listings: list[Listing] = []
    feeds: list[Feed] = []
    for source in sources:
        if is_feed(source):
            feeds.append(source)
        else:
            source.check()
            listings.append(cast(Listing, source))
    return listings, feeds


def _harvest(db: Database, store: ObjectStore, feed: Feed, settings: Settings, report: ScanReport, advance: Progress) -> None:
    found = harvest(db, store, feed, settings, advance)
    report.harvested += found.told
    report.fetched += found.fetched
    report.pending += found.pending
    if found.failure:
        report.unreachable.append(f"source {feed.name} ({feed.address}): {found.failure}")


def take_harvested(db: Database, shard: int, report: ScanReport) -> None:
    """Brings the inventory of one shard up to what the feeds have told: one statement, one transaction."""
    fields = ", ".join(InventoryRow._fields)
    compared = "content_hash, {0}.raw_key, {0}.raw_offset, {0}.problem, {0}.source"
    statement = f"""
        WITH fresh AS (
            SELECT h.document_id, h.uri, h.shard, h.source, s.address AS container, h.external_id, h.token, h.content_hash, h.size,
                   h.raw_key, h.raw_offset, h.raw_length, h.problem, i.content_hash AS old_hash, i.raw_key AS old_key
            FROM harvested h JOIN source s ON s.name = h.source LEFT JOIN inventory i ON i.document_id = h.document_id AND i.shard = :shard
            WHERE h.shard = :shard AND h.content_hash IS NOT NULL
              AND (i.document_id IS NULL OR (i.{compared.format("i")}) IS DISTINCT FROM (h.{compared.format("h")}))),
        noted AS (INSERT INTO raw_garbage SELECT DISTINCT old_key FROM fresh WHERE old_key IS NOT NULL AND old_key IS DISTINCT FROM raw_key
                  ORDER BY 1 ON CONFLICT DO NOTHING),
        written AS (INSERT INTO inventory ({fields}) SELECT {fields} FROM fresh ON CONFLICT (document_id) DO UPDATE
                    SET {", ".join(f"{field} = excluded.{field}" for field in (*InventoryRow._fields[1:], "seen_at"))})
        SELECT count(*) FILTER (WHERE old_hash IS NULL) AS new, count(*) FILTER (WHERE old_hash <> content_hash) AS changed,
               count(problem) AS problems, coalesce(sum(size), 0) AS bytes FROM fresh"""
    with db.begin() as connection:
        row = connection.execute(sa.text(statement), {"shard": shard}).one()
    report.new += row.new
    report.changed += row.changed
    report.problems += row.problems
    report.bytes_read += int(row.bytes)


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


def _forget(
    connection: sa.Connection, listings: Sequence[Listing], feeds: Sequence[Feed], shards: Sequence[int], report: ScanReport
) -> None:
    """Rows of vanished files and removed sources leave the inventory; their documents follow at parsing."""
    values = {"shards": list(shards), "listings": [source.name for source in listings], "feeds": [feed.name for feed in feeds]}
    unknown = "NOT EXISTS (SELECT FROM source s WHERE s.name = {0}.source)"  # as of now: a harvest may have taken hours
    condition = f"""i.shard = ANY(:shards) AND ({unknown.format("i")}
        OR i.source = ANY(CAST(:listings AS text[])) AND i.container IS NULL
           AND NOT EXISTS (SELECT FROM listed l WHERE l.document_id = i.document_id)
        OR i.source = ANY(CAST(:feeds AS text[])) AND NOT EXISTS (SELECT FROM harvested h WHERE h.document_id = i.document_id))"""
    report.removed += drop_rows(connection, condition, values)
    connection.execute(sa.text(f"DELETE FROM container_scan c WHERE shard = ANY(:shards) AND {unknown.format('c')}"), values)
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
    statement = f"SELECT l.*, i.content_hash AS old_hash {changed} ORDER BY document_id"
    with ThreadPoolExecutor(READERS) as pool, streaming(connection, statement, values) as stream:
        for batch in _batches(stream, limit):
            taken = list(pool.map(lambda row: _take(sources[row.source], row, limit), batch))
            rows = [row for row, _ in taken]
            announce(db, [row.raw_key for row in rows if row.raw_key])
            list(pool.map(store.put_raw, [data for row, data in taken if row.raw_key]))
            with db.begin() as transaction:
                upsert(db, transaction, rows)
            for listed, row in zip(batch, rows, strict=True):
                report.count(listed.old_hash, row)
            advance(len(batch), total)
    connection.rollback()


def _batches(stream: Iterable[Any], limit: int) -> Iterator[list[Any]]:
    """Files in lists that are bounded in number and in bytes; those above the limit are not read."""
    return bounded(stream, lambda row: row.size if row.size <= limit else 0, BATCH, BATCH_BYTES)


def _take(source: Listing, row: Any, limit: int) -> tuple[InventoryRow, bytes]:
    """The inventory row of one file and its bytes, which are still to be stored; what cannot be taken carries the problem instead."""
    problem, key, data, digest = row.problem, None, b"", hashlib.sha256(f"{row.token}:{row.problem}".encode()).hexdigest()
    if problem is None and row.size > limit:
        problem = f"too_large: {row.size / 1e6:.1f} MB, more than the {limit / 1e6:g} MB of FORGE_MAX_DOCUMENT_MB"
    if problem is None:
        try:
            with source.open(row.uri) as stream:
                data = stream.read(limit + 1)
            if len(data) > limit:  # it grew since it was listed
                raise DocumentProblem("too_large", f"more than the {limit / 1e6:g} MB of FORGE_MAX_DOCUMENT_MB")
            digest, key = hashlib.sha256(data).hexdigest(), raw_key(data)
        except FileNotFoundError:
            problem = "missing: it vanished while it was to be read"
        except ObjectMissing as error:
            problem = f"missing: {error}"
        except DocumentProblem as error:
            problem, data = f"{error.code}: {error}", b""
        except OSError as error:
            problem = f"unreadable: {error.strerror or error}"
    identity = document_id(row.uri)
    return InventoryRow(
        identity, row.uri, shard_of(identity), row.source, None, None, row.token, digest, row.size, key, None, None, problem
    ), data
