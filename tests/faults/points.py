"""Counts the writes of a process, and does something terrible at the k-th: by default the process kills itself with -9.

Everything is patched from here; the product knows nothing of it. A point is a statement that writes, a commit (before it, after it was
sent but not answered, after it), a block of COPY, each step of the folder store, a commit of tantivy, a statement of the manifest.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import _copy, _copy_base
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from forge_assets.embeddings.lexical import LexicalIndex
from forge_assets.embeddings.lexical_manifest import Manifest
from forge_resources.object_store import FolderStore, folder

WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "TRUNCATE", "DISCARD", "LOCK")
Doom = Callable[["Points", str, Any], None]


def die(points: Points, name: str, subject: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Points:
    """`doom` is called at point number `at` (counted from 1; 0 never) with the point's name and the connection, if one is concerned."""

    def __init__(self, at: int = 0, doom: Doom = die) -> None:
        self.at, self.doom, self.count = at, doom, 0
        self.names: list[str] = []
        self._lock = threading.Lock()
        self._dirty: set[int] = set()
        self._rows = 0

    def hit(self, name: str, subject: Any = None) -> None:
        if self.reached(name):
            self.doom(self, name, subject)

    def reached(self, name: str) -> bool:
        with self._lock:
            self.count += 1
            self.names.append(name)
            return self.count == self.at

    def install(self) -> None:
        """For the rest of this process's life."""
        self._watch_sql()
        self._watch_copy()
        self._watch_store()
        self._watch_lexical()

    # -- Postgres --------------------------------------------------------------------------------------------------------

    def _watch_sql(self) -> None:
        def before(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
            words = statement.split()
            if words[0].upper() in WRITES or words[0].upper() == "WITH" and ("INSERT" in words or "(DELETE" in words or "(INSERT" in words):
                self._dirty.add(id(cursor.connection))
                self.hit(f"before {' '.join(words[:3])}", cursor.connection)

        def after(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
            if cursor.connection.autocommit and statement.split()[0].upper() in WRITES:
                self.hit(f"after {' '.join(statement.split()[:3])}", cursor.connection)

        sa.event.listen(sa.engine.Engine, "before_cursor_execute", before)
        sa.event.listen(sa.engine.Engine, "after_cursor_execute", after)
        commit = PGDialect_psycopg.do_commit

        def do_commit(dialect: Any, proxy: Any) -> None:
            connection: psycopg.Connection[Any] = getattr(proxy, "driver_connection", proxy)
            if id(connection) not in self._dirty:
                commit(dialect, proxy)
                return
            self._dirty.discard(id(connection))
            self.hit("before COMMIT", connection)
            if self.reached("COMMIT sent"):
                connection.pgconn.send_query(b"COMMIT")
                connection.pgconn.flush()
                self.doom(self, "COMMIT sent", connection)
            commit(dialect, proxy)
            self.hit("after COMMIT", connection)

        PGDialect_psycopg.do_commit = do_commit

    def _watch_copy(self) -> None:
        """Data goes out in small blocks, each followed by a point: the server has then half of a COPY."""
        write, finish = _copy.LibpqWriter.write, _copy.LibpqWriter.finish
        _copy.BUFFER_SIZE = _copy_base.BUFFER_SIZE = 2048

        def watched_write(writer: Any, data: Any) -> None:
            write(writer, data)
            self._dirty.add(id(writer.connection))
            self.hit("in COPY", writer.connection)

        def watched_finish(writer: Any, exc: BaseException | None = None) -> None:
            self.hit("before the end of COPY", writer.connection)
            finish(writer, exc)

        _copy.LibpqWriter.write, _copy.LibpqWriter.finish = watched_write, watched_finish  # type: ignore[method-assign]

    # -- files -----------------------------------------------------------------------------------------------------------

    def _watch_store(self) -> None:
        fill, move, delete = folder._fill, FolderStore._move, FolderStore.delete

        def watched_fill(file: Any, data: Any) -> str:
            half = data[: len(data) // 2]
            file.write(half)
            file.flush()
            self.hit("half of an object")
            file.seek(0)
            return fill(file, data)

        def watched_move(store: Any, *given: Any) -> None:
            self.hit("object before its renaming")
            move(store, *given)
            self.hit("object after its renaming")

        def watched_delete(store: Any, key: str) -> None:
            self.hit("before deleting an object")
            delete(store, key)
            self.hit("after deleting an object")

        folder._fill, FolderStore._move, FolderStore.delete = watched_fill, watched_move, watched_delete  # type: ignore[method-assign]

    def _watch_lexical(self) -> None:
        opened, clear, made = LexicalIndex._open, LexicalIndex.clear, Manifest.__init__

        def watched_open(index: Any) -> Any:
            return _Index(self, opened(index))

        def watched_clear(index: Any) -> None:
            self.hit("before clearing the full-text index")
            for part in sorted((index.folder / "index").glob("*")):
                Path(part).unlink()
                self.hit("in clearing the full-text index")
            clear(index)
            self.hit("after clearing the full-text index")

        def watched_made(manifest: Any, *given: Any, **named: Any) -> None:
            made(manifest, *given, **named)
            manifest._connection.set_trace_callback(self._traced)

        LexicalIndex._open, LexicalIndex.clear, Manifest.__init__ = watched_open, watched_clear, watched_made  # type: ignore[method-assign]

    def _traced(self, statement: str) -> None:
        """Before each BEGIN and COMMIT, and before the first of each ten rows."""
        word = statement.split()[0]
        if word in ("INSERT", "UPDATE", "DELETE"):
            self._rows += 1
        if word in ("BEGIN", "COMMIT") or word in ("INSERT", "UPDATE", "DELETE") and self._rows % 10 == 1:
            self.hit(f"manifest: before {word}")


class _Index:
    """A tantivy index whose writer has points around its commits, and one in the middle."""

    def __init__(self, points: Points, real: Any) -> None:
        self._points, self._real = points, real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def writer(self, *given: Any) -> _Writer:
        return _Writer(self._points, self._real.writer(*given))


class _Writer:
    def __init__(self, points: Points, real: Any) -> None:
        self._points, self._real = points, real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def commit(self) -> Any:
        self._points.hit("before a commit of tantivy")
        for pause in (0.0, 0.001, 0.003):
            if self._points.reached("in a commit of tantivy"):
                threading.Thread(target=self._soon, args=(pause,)).start()
        done = self._real.commit()
        self._points.hit("after a commit of tantivy")
        return done

    def _soon(self, pause: float) -> None:
        time.sleep(pause)
        self._points.doom(self._points, "in a commit of tantivy", None)
