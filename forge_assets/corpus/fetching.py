"""Fetches the bytes that a feed's pages only point to: as many per run as the feed allows, what failed later and later again."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import sqlalchemy as sa

from forge_assets.corpus.garbage import announce, writing_raw
from forge_assets.corpus.harvested import COLUMNS, HarvestedRow, drop_harvested, rows_of, too_large, write_rows
from forge_assets.corpus.inventory_rows import Progress, chunks
from forge_assets.corpus.sources import Feed
from forge_assets.corpus.storable import storable
from forge_resources.database import Database
from forge_resources.errors import DocumentProblem, FetchError, ObjectStoreError
from forge_resources.object_store import ObjectStore, raw_key

log = logging.getLogger(__name__)
THREADS = 4
BATCH = 16
IN_A_ROW = 5
"""Documents that may fail one after the other before the host is taken to be down."""
LONGEST_WAIT = timedelta(days=7)
DUE = "(retry_at <= now() OR retry_at > now() + interval '8 days')"  # the second: the clock was set back since


class _Streaks:
    """Counts failures in a row per host, over all threads. A host that failed IN_A_ROW times is not asked again in this run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._last: dict[str, str] = {}

    def failed(self, host: str, reason: str) -> None:
        with self._lock:
            self._counts[host] = self._counts.get(host, 0) + 1
            self._last[host] = reason

    def answered(self, host: str) -> None:
        with self._lock:
            if not self.broken(host):
                self._counts.pop(host, None)

    def broken(self, host: str) -> bool:
        return self._counts.get(host, 0) >= IN_A_ROW

    def told(self) -> str | None:
        """A sentence about the hosts that are down."""
        down = [
            f"{IN_A_ROW} documents in a row could not be fetched, the last: {self._last[host]}"
            for host in self._counts
            if self.broken(host)
        ]
        more = f" (and {len(down) - 3} more hosts)" if len(down) > 3 else ""
        return "; ".join(down[:3]) + more if down else None


def fetch_wanted(db: Database, store: ObjectStore, feed: Feed, limit: int, advance: Progress) -> tuple[int, str | None]:
    """Fetches what is due; returns how many documents were answered for, and which hosts are down (None where none is)."""
    streaks, answered = _Streaks(), 0
    with ThreadPoolExecutor(THREADS) as pool:
        for batch in chunks(_due(db, feed), BATCH):
            with writing_raw(db):
                fetched = list(pool.map(partial(_fetch, db, store, feed, limit, streaks), batch))
                answered += _write(db, feed, batch, fetched)
            advance(len(batch), None)
    return answered, streaks.told()


def _due(db: Database, feed: Feed) -> list[HarvestedRow]:
    """At most `fetches_per_run` rows: those that wait for another try (half of them, while there are new ones), then the newest."""
    most = feed.fetches_per_run
    statement = f"SELECT {COLUMNS} FROM harvested WHERE source = :source AND wanted AND"
    values = {"source": feed.name, "most": most}
    with db.begin() as connection:
        again = connection.execute(sa.text(f"{statement} {DUE} ORDER BY retry_at LIMIT :most"), values).all()
        new = connection.execute(sa.text(f"{statement} retry_at IS NULL ORDER BY token DESC, external_id DESC LIMIT :most"), values).all()
    chosen = [*again[: max(most // 2, most - len(new))], *new][:most]
    return [HarvestedRow(*row) for row in chosen]


def _fetch(db: Database, store: ObjectStore, feed: Feed, limit: int, streaks: _Streaks, row: HarvestedRow) -> HarvestedRow | None:
    """The row as it is after the fetch; None for a document that is gone. Of a host that is down nothing is asked."""
    host = urlsplit(row.location or "").netloc
    if streaks.broken(host):
        return row._replace(retry_at=datetime.now(UTC) + timedelta(hours=1))
    try:
        fetched = feed.fetch(row.external_id, row.location or "", row.validator if row.raw_key else None)
    except DocumentProblem as problem:
        streaks.answered(host)
        return row.troubled(f"{problem.code}: {problem}")
    except FetchError as error:
        if error.transient:
            streaks.failed(host, str(error))
            return _later(row)
        streaks.answered(host)
        return row.troubled(f"missing: {error}") if row.raw_key is None else _later(row._replace(tries=9))
    except ObjectStoreError:
        raise
    except Exception as error:  # a connector's mistake must not keep the other sources from being read
        log.exception("source %s: fetching %s failed", feed.name, row.external_id)
        streaks.failed(host, f"{type(error).__name__}: {error}")
        return _later(row)
    streaks.answered(host)
    if fetched.gone:
        return None if row.raw_key else row.troubled("missing: its source names it, but it is not there")
    if fetched.data is None:
        return row.settled() if row.raw_key else row.troubled("missing: its source sent nothing")
    if len(fetched.data) > limit:
        return row.troubled(too_large(len(fetched.data), limit))
    return _stored(db, store, row, fetched.data, storable(fetched.validator))


def _stored(db: Database, store: ObjectStore, row: HarvestedRow, data: bytes, validator: str | None) -> HarvestedRow:
    key = raw_key(data)
    announce(db, [key])
    store.put_raw(data)
    digest = hashlib.sha256(data).hexdigest()
    return row.settled()._replace(
        content_hash=digest, size=len(data), raw_key=key, raw_offset=None, raw_length=None, validator=validator, problem=None
    )


def _later(row: HarvestedRow) -> HarvestedRow:
    """To be tried again, after twice the time each time."""
    tries = min(row.tries + 1, 1000)
    return row._replace(tries=tries, retry_at=datetime.now(UTC) + min(timedelta(hours=2 ** min(tries, 8)), LONGEST_WAIT))


def _write(db: Database, feed: Feed, before: Sequence[HarvestedRow], after: Sequence[HarvestedRow | None]) -> int:
    """One transaction; rows that changed or went meanwhile (the source was removed) stay as they are. Returns how many changed."""
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if new != old]
    with db.begin() as connection:
        connection.execute(sa.text("SELECT 1 FROM harvest WHERE source = :source FOR UPDATE"), {"source": feed.name})
        current = rows_of(connection, [old.document_id for old, _ in pairs])
        ours = [(old, new) for old, new in pairs if current.get(old.document_id) == old]
        write_rows(db, connection, [new for _, new in ours if new is not None])
        drop_harvested(connection, "document_id = ANY(:ids)", {"ids": [old.document_id for old, new in ours if new is None]})
    return sum(new is None or not new.wanted for _, new in ours)
