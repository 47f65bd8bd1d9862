"""feed -> pages of what changed -> table `harvested`, a page and its cursor per transaction -> the bytes that pages only point to.

One run per source at a time. Killed anywhere, the next harvest asks for at most one page again, and fetches at most one batch again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.corpus.fetching import fetch_wanted
from forge_assets.corpus.garbage import writing_raw
from forge_assets.corpus.harvested import HarvestedRow, blank_row, drop_harvested, rows_of, still_ours, store_packed, told, write_rows
from forge_assets.corpus.inventory_rows import Progress
from forge_assets.corpus.sources import Cursor, Feed, Found, Page
from forge_resources.database import Database
from forge_resources.errors import ForgeError, SourceError
from forge_resources.object_store import ObjectStore
from forge_resources.settings import Settings

log = logging.getLogger(__name__)
SUSPICIOUS = 20  # a source that held this many documents and now names none is taken for one that is out of order


@dataclass(slots=True)
class HarvestReport:
    """What a feed told, in documents. `pending` are still to be fetched, on another night; `failure` says what it broke off by."""

    told: int = 0
    gone: int = 0
    fetched: int = 0
    pending: int = 0
    failure: str | None = None
    busy: bool = False


class _SupersededError(Exception):
    """The source was removed, or another run has taken its harvest over."""


def harvest(db: Database, store: ObjectStore, feed: Feed, settings: Settings, progress: Progress | None = None) -> HarvestReport:
    """Asks the feed for what changed, then for the bytes that are wanted and due. A feed that fails is reported, not raised."""
    report, advance = HarvestReport(), progress or (lambda done, total: None)
    with db.advisory_lock(f"harvest of {feed.name}", wait=False) as held:
        if not held:
            log.warning("source %s: another run harvests it; this one takes what is there", feed.name)
            report.busy = True
            return report
        with db.begin() as connection:
            known = sa.text("INSERT INTO harvest (source) SELECT name FROM source WHERE name = :name ON CONFLICT DO NOTHING")
            connection.execute(known, {"name": feed.name})
        try:
            _mend(db, store, feed)
            limit = int(settings.max_document_mb * 1_000_000)
            report.failure = _ask(db, store, feed, limit, report, advance)
            finished = report.failure is None
            report.fetched, trouble = fetch_wanted(db, store, feed, limit, advance)
            report.failure = report.failure or trouble
            report.pending = _conclude(db, feed, finished, report.failure)
        except _SupersededError:
            log.warning("source %s was removed, or another run harvests it; this harvest ends", feed.name)
    return report


def _ask(db: Database, store: ObjectStore, feed: Feed, limit: int, report: HarvestReport, advance: Progress) -> str | None:
    """Commits page after page; returns why the feed broke off, None when it told all."""
    with db.begin() as connection:
        cursor: Cursor | None = connection.execute(
            sa.text("SELECT cursor FROM harvest WHERE source = :source"), {"source": feed.name}
        ).scalar()
    pages: Iterator[Page] | None = None
    while True:
        try:
            pages = pages if pages is not None else feed.changes(cursor)
            page = next(pages, None)
        except ForgeError as error:
            return str(error)
        except Exception as error:  # a connector's mistake must not keep the other sources from being read
            log.exception("source %s: the connector failed", feed.name)
            return f"the connector failed: {type(error).__name__}: {error}"
        if page is None:
            return None
        try:
            report.gone += _commit(db, store, feed, page, cursor, limit)
        except SourceError as error:
            return str(error)
        report.told += len(page.found)
        cursor = page.cursor
        advance(len(page.found), None)


def _commit(db: Database, store: ObjectStore, feed: Feed, page: Page, cursor: Cursor | None, limit: int) -> int:
    """One page and the cursor that follows it; returns how many documents are gone."""
    latest: dict[UUID, tuple[HarvestedRow, Found]] = {}
    for found in page.found:
        row = blank_row(feed, found)
        latest[row.document_id] = row, found
    deleted = [identity for identity, (_, found) in latest.items() if found.deleted]
    with writing_raw(db):
        with db.begin() as connection:
            held = rows_of(connection, latest)
        rows, coming = [], []
        for identity, (blank, found) in latest.items():
            if found.deleted:
                continue
            row, data = told(held.get(identity), blank, found, page.sweep, limit)
            if data is not None:
                coming.append((row, data))
            elif row != held.get(identity):
                rows.append(row)
        rows += store_packed(db, store, coming)
        with db.begin() as connection:
            if not still_ours(connection, feed, cursor):
                raise _SupersededError
            write_rows(db, connection, rows)
            gone = drop_harvested(connection, "document_id = ANY(:ids)", {"ids": deleted})
            if page.ends_sweep:
                gone += _end_sweep(connection, feed, page.sweep)
            save = sa.text("UPDATE harvest SET cursor = CAST(:cursor AS jsonb) WHERE source = :source")
            connection.execute(save, {"source": feed.name, "cursor": json.dumps(page.cursor)})
    return gone


def _end_sweep(connection: sa.Connection, feed: Feed, sweep: int | None) -> int:
    """Documents that the full listing has not named go. Raises SourceError where it named none of many."""
    values = {"source": feed.name, "sweep": sweep}
    count = sa.text("SELECT count(*) FILTER (WHERE sweep = :sweep), count(*) FROM harvested WHERE source = :source")
    named, held = connection.execute(count, values).one()
    if not named and held >= SUSPICIOUS:
        raise SourceError(
            f"lists nothing, but held {held} documents; nothing was changed; if they are really gone, `forge source remove {feed.name}`"
        )
    return drop_harvested(connection, "h.source = :source AND h.sweep IS DISTINCT FROM :sweep", values)


def _mend(db: Database, store: ObjectStore, feed: Feed) -> None:
    """Asks again for what the object store has lost, and for what a person wants tried again (`forge corpus retry`)."""
    suspects = sa.text("""SELECT DISTINCT h.raw_key FROM quarantine q JOIN harvested h USING (document_id)
        WHERE q.code = 'missing' AND h.source = :source AND h.raw_key IS NOT NULL""")
    with db.begin() as connection:
        keys = list(connection.execute(suspects, {"source": feed.name}).scalars())
    lost = [key for key in keys if not store.exists(key)]
    values: dict[str, Any] = {"source": feed.name, "lost": lost}
    with db.begin() as connection:
        inline = connection.execute(
            sa.text("""WITH lost AS (UPDATE harvested SET content_hash = NULL, raw_key = NULL, raw_offset = NULL, raw_length = NULL,
                size = 0, validator = NULL, tries = 0, retry_at = NULL, wanted = location IS NOT NULL
                WHERE source = :source AND raw_key = ANY(CAST(:lost AS text[])) RETURNING location)
                SELECT count(*) FROM lost WHERE location IS NULL"""), values,
        ).scalar_one()  # fmt: skip
        if inline:
            log.warning("source %s: the bytes of %d documents are lost; it is harvested from its beginning", feed.name, inline)
            connection.execute(sa.text("UPDATE harvest SET cursor = NULL WHERE source = :source"), values)
        connection.execute(
            sa.text("""UPDATE harvested h SET wanted = true, tries = 0, retry_at = NULL FROM inventory i
                WHERE h.source = :source AND h.problem IS NOT NULL AND h.location IS NOT NULL AND NOT h.wanted
                AND i.document_id = h.document_id AND i.problem = h.problem
                AND NOT EXISTS (SELECT FROM quarantine q WHERE q.document_id = h.document_id)"""), values,
        )  # fmt: skip


def _conclude(db: Database, feed: Feed, finished: bool, failure: str | None) -> int:
    """Notes how the harvest went; returns how many documents are still to be fetched."""
    values = {"source": feed.name, "finished": finished, "failure": failure}
    if failure is not None:
        log.warning("source %s (%s): %s", feed.name, feed.address, failure)
    with db.begin() as connection:
        connection.execute(
            sa.text("""UPDATE harvest SET finished_at = CASE WHEN :finished THEN now() ELSE finished_at END, failure = :failure,
                failed_at = CASE WHEN CAST(:failure AS text) IS NOT NULL THEN now() END WHERE source = :source"""), values,
        )  # fmt: skip
        pending: int = connection.execute(sa.text("SELECT count(*) FROM harvested WHERE source = :source AND wanted"), values).scalar_one()
    return pending
