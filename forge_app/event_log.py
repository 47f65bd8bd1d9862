"""Dagster's event log on SQLite, with connections that stay open.

Dagster's own class makes an engine for every event it writes: SQLAlchemy then compiles each statement anew, and SQLite takes its log apart
whenever the last connection closes. A run of 64 shards writes 700 events. Files, tables and guarantees are Dagster's.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData

FOLDER = Path("history") / "runs"
"""In Dagster's home; where its own class keeps the events, so a home can change between the two."""
KEPT = 8
"""Open databases: the index and the newest runs that somebody looked at."""


class KeptEventLogStorage(SqliteEventLogStorage):
    """`home`: Dagster's home. One connection a database, behind the lock that Dagster's class takes for each use."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, sa.Engine] = OrderedDict()
        self._process = os.getpid()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> Any:
        from dagster import StringSource

        return {"home": StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> KeptEventLogStorage:
        return cls(str(Path(config_value["home"]) / FOLDER), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(self._made(shard, poolclass=sa.NullPool))  # it takes two connections at a time
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _engine(self, shard: str) -> sa.Engine:
        if self._process != os.getpid():  # a connection does not survive a fork
            self._engines.clear()
            self._process = os.getpid()
        engine = self._engines.pop(shard, None)
        if engine is None:
            engine = self._made(shard, poolclass=sa.QueuePool, pool_size=1, max_overflow=0)
        self._engines[shard] = engine
        if len(self._engines) > KEPT:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def _made(self, shard: str, **pool: Any) -> sa.Engine:
        engine = sa.create_engine(self.conn_string_for_shard(shard), connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}, **pool)
        sa.event.listen(engine, "connect", _not_each_to_the_disk)
        return engine

    def _close(self) -> None:
        while self._engines:
            self._engines.popitem()[1].dispose()

    def wipe(self) -> None:
        with self._db_lock:
            self._close()
        super().wipe()

    def dispose(self) -> None:
        super().dispose()
        with self._db_lock:
            self._close()


def _not_each_to_the_disk(connection: Any, _: Any) -> None:
    """A kill loses nothing; a power failure may lose the events of the last moments, whose effects the next run finds again."""
    connection.execute("PRAGMA synchronous = NORMAL").close()
