"""Raw bytes nobody refers to any more are deleted from the object store, so that a removed document is really gone.

Scans that write raw objects hold a shared lock; the collection takes the exclusive one, or leaves the work to the next scan.
Keys are noted as garbage before their bytes are stored, so what a killed scan has stored and not named is collected too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from forge_assets.corpus.inventory_rows import chunks
from forge_resources.database import Database
from forge_resources.object_store import ObjectStore

LOCK = 0x464F5247  # "FORG"


@contextmanager
def writing_raw(db: Database) -> Iterator[None]:
    """Held while raw objects are written that no committed row names yet."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock_shared(:lock)"), {"lock": LOCK})
        try:
            yield
        finally:
            if not connection.invalidated:
                connection.execute(sa.text("SELECT pg_advisory_unlock_shared(:lock)"), {"lock": LOCK})


def announce(db: Database, keys: Iterable[str]) -> None:
    """Commits these keys as garbage, in one statement, before their bytes are put; rows that name them later save them."""
    noted = sorted(set(keys))
    if noted:
        with db.begin() as connection:
            statement = "INSERT INTO raw_garbage SELECT unnest(CAST(:keys AS text[])) ON CONFLICT DO NOTHING"
            connection.execute(sa.text(statement), {"keys": noted})


def collect_garbage(db: Database, store: ObjectStore) -> int:
    """Deletes what lost its last reference; returns the number of objects. Does nothing while another scan writes."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(sa.text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}).scalar():
            return 0
        try:
            keys = connection.execute(
                sa.text(
                    "SELECT raw_key FROM raw_garbage g WHERE NOT EXISTS (SELECT FROM inventory i WHERE i.raw_key = g.raw_key) "
                    "AND NOT EXISTS (SELECT FROM harvested h WHERE h.raw_key = g.raw_key)"
                )
            ).scalars().all()  # fmt: skip
            for batch in chunks(keys, 500):
                for key in batch:
                    store.delete(key)
                connection.execute(sa.text("DELETE FROM raw_garbage WHERE raw_key = ANY(:keys)"), {"keys": batch})
            for table in ("inventory", "harvested"):
                connection.execute(sa.text(f"DELETE FROM raw_garbage g USING {table} t WHERE t.raw_key = g.raw_key"))
            return len(keys)
        finally:
            if not connection.invalidated:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
