"""What the full-text index holds: document -> version and number of passages, in a small SQLite file beside it.

A document is written down as pending (version '') before the index commits it and with its version afterwards, so that whatever
a killed run left half done is known to the next one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

PENDING = ""
TABLES = """
CREATE TABLE IF NOT EXISTS document (
    document_id BLOB PRIMARY KEY, shard INTEGER NOT NULL, version TEXT NOT NULL, passages INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS document_shard ON document (shard);
CREATE TABLE IF NOT EXISTS shard_state (shard INTEGER PRIMARY KEY, digest TEXT NOT NULL);
"""


class Manifest:
    """Raises sqlite3.DatabaseError where the file is damaged."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        address = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        self._connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        if not read_only:
            self._connection.executescript(TABLES)

    def documents(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM document WHERE version <> ?", (PENDING,)).fetchone()[0])

    def passages(self) -> int:
        return int(self._connection.execute("SELECT coalesce(sum(passages), 0) FROM document WHERE version <> ?", (PENDING,)).fetchone()[0])

    def pending(self) -> list[bytes]:
        return [row[0] for row in self._connection.execute("SELECT document_id FROM document WHERE version = ?", (PENDING,))]

    def of_shard(self, shard: int) -> dict[bytes, str]:
        return dict(self._connection.execute("SELECT document_id, version FROM document WHERE shard = ?", (shard,)))

    def shards(self) -> set[int]:
        """Those of which the index holds, or may hold, a document."""
        return {row[0] for row in self._connection.execute("SELECT DISTINCT shard FROM document")}

    def digests(self) -> dict[int, str]:
        return dict(self._connection.execute("SELECT shard, digest FROM shard_state"))

    def announce(self, documents: Iterable[tuple[bytes, int]]) -> None:
        """These (document, shard) are about to change in the index."""
        self._many("INSERT OR REPLACE INTO document VALUES (?, ?, '', 0)", documents)

    def confirm(self, documents: Iterable[tuple[str, int, bytes]]) -> None:
        """The index has committed these (version, passages, document)."""
        self._many("UPDATE document SET version = ?, passages = ? WHERE document_id = ?", documents)

    def forget(self, documents: Iterable[bytes]) -> None:
        self._many("DELETE FROM document WHERE document_id = ?", ((d,) for d in documents))

    def set_digests(self, digests: dict[int, str]) -> None:
        self._many("INSERT OR REPLACE INTO shard_state VALUES (?, ?)", digests.items())

    def _many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(statement, rows)
        except BaseException:
            if self._connection.in_transaction:  # SQLite has rolled back itself where the disk is full
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
