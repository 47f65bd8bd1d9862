"""One run per stage and shard: a Postgres advisory lock on each, taken in order, so that two runs cannot deadlock.

The second run waits, and says so; the lock goes with its connection, so a killed run leaves none behind.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from zlib import crc32

import sqlalchemy as sa

from forge_resources.database import Database

log = logging.getLogger(__name__)


@contextmanager
def shard_locks(db: Database, stage: str, shards: Sequence[int]) -> Iterator[None]:
    """Holds (stage, shard) for every shard given, waiting for another run that holds one of them."""
    key = crc32(stage.encode()) - 2**31  # Postgres takes a signed 32-bit class
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            for shard in sorted(shards):
                pair = {"key": key, "shard": shard}
                if not connection.execute(sa.text("SELECT pg_try_advisory_lock(:key, :shard)"), pair).scalar():
                    log.warning("another run works on %s of shard %02x; waiting for it to end", stage, shard)
                    connection.execute(sa.text("SELECT pg_advisory_lock(:key, :shard)"), pair)
            yield
        finally:
            if not connection.invalidated:  # otherwise the locks went with it
                connection.execute(sa.text("SELECT pg_advisory_unlock_all()"))
