"""The full-text index: BM25 over all passages by tantivy, a folder beside Postgres, derived from it and rebuilt from it when lost.

`sync` compares versions (never texts) with Postgres, adds and deletes in place and commits in batches; one writer at a time.
`LexicalReader` searches the last commit.
"""

from __future__ import annotations

import fcntl
import logging
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from forge_assets.embeddings.filters import Filter, to_tantivy
from forge_assets.embeddings.lexical_documents import joined, schema
from forge_assets.embeddings.lexical_manifest import Manifest
from forge_assets.embeddings.lexical_sync import LEXICAL_VERSION, LexicalReport, Sync
from forge_assets.embeddings.lexical_text import ANALYSER, QueryWriter, analyser
from forge_resources.database import Database
from forge_resources.errors import ForgeError

log = logging.getLogger(__name__)


Progress = Callable[[int, int | None], None]


class LexicalIndexMissing(ForgeError):
    """There is no usable full-text index in this home yet."""


@dataclass(frozen=True, slots=True)
class LexicalHit:
    """The best passage of a document by BM25."""

    document_id: UUID
    ordinal: int
    score: float


class LexicalIndex:
    """The index in one folder. Its parts: `index/` (tantivy), `manifest.sqlite`, `lock`, `version`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sync(self, db: Database, progress: Progress | None = None) -> LexicalReport:
        """Brings the index up to Postgres. A second caller waits for the first."""
        started = time.monotonic()
        with self._only_writer():
            note = self._set_aside_unusable()
            with self._manifest() as manifest:
                report = Sync(db, self._open(), manifest, progress).run()
        report.note = note
        report.seconds = time.monotonic() - started
        return report

    def reader(self) -> LexicalReader:
        """Raises LexicalIndexMissing."""
        if not self._version_fits() or not (self.folder / "index" / "meta.json").is_file():
            raise LexicalIndexMissing("there is no full-text index yet; `forge run lexical_index` builds it")
        try:
            with closing(Manifest(self.folder / "manifest.sqlite", read_only=True)) as manifest:
                return LexicalReader(self._open(), manifest.documents())
        except Exception as error:
            raise LexicalIndexMissing(
                f"the full-text index in {self.folder} is damaged ({error}); `forge run lexical_index` builds it anew"
            ) from None

    def state(self) -> object | None:
        """Differs after every commit: what `reader` gave before the change still searches the old one. None where there is no index."""
        try:
            files = [(self.folder / name).stat() for name in ("version", "manifest.sqlite", "index/meta.json")]
        except OSError:
            return None
        return tuple((file.st_ino, file.st_size, file.st_mtime_ns) for file in files)

    def _open(self) -> Any:
        import tantivy

        folder = self.folder / "index"
        folder.mkdir(parents=True, exist_ok=True)
        index = tantivy.Index(schema(), str(folder))
        index.register_tokenizer(ANALYSER, analyser())
        return index

    def _manifest(self) -> closing[Manifest]:
        return closing(Manifest(self.folder / "manifest.sqlite"))

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.warning("another run writes the full-text index; waiting for it to end")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _version_fits(self) -> bool:
        try:
            return (self.folder / "version").read_text() == LEXICAL_VERSION
        except OSError:
            return False

    def _set_aside_unusable(self) -> str | None:
        """Empties the folder where what lies there cannot be continued, and says why. A killed sync is no such case."""
        empty = not (self.folder / "index").exists() and not (self.folder / "manifest.sqlite").exists()
        reason = None if empty else self._fault()
        if empty or reason:
            self.clear()
            (self.folder / "version").write_text(LEXICAL_VERSION)
        if reason:
            log.warning("the full-text index is built anew: %s", reason)
            return f"built anew: {reason}"
        return None

    def clear(self) -> None:
        """Removes everything but the lock."""
        shutil.rmtree(self.folder / "index", ignore_errors=True)
        for name in ("manifest.sqlite", "manifest.sqlite-journal", "version"):
            (self.folder / name).unlink(missing_ok=True)

    def _fault(self) -> str | None:
        if not self._version_fits():
            return "it is of another version"
        try:
            with self._manifest() as manifest:
                expected, unsure = manifest.passages(), manifest.pending()
                searcher = self._open().searcher()
                found = searcher.num_docs
                if found:
                    import tantivy

                    searcher.search(tantivy.Query.term_query(schema(), "body", "model"), 1)
        except (Exception, _panic()) as error:
            return f"it is damaged ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        return None if unsure or found == expected else f"it holds {found} passages instead of {expected}"


def _panic() -> type[BaseException]:
    """What a panic inside tantivy raises; it is no Exception."""
    try:
        from pyo3_runtime import PanicException  # type: ignore[import-not-found]
    except ImportError:
        return OSError
    found: type[BaseException] = PanicException
    return found


class LexicalReader:
    """Searches the last commit of the index."""

    def __init__(self, index: Any, documents: int) -> None:
        self.documents = documents
        """How many documents the index holds."""
        self._schema = index.schema
        self._searcher = index.searcher()
        self._writer = QueryWriter(self._schema, self._searcher)

    def rarity(self, text: str) -> dict[str, float]:
        """The telling words of a text, as the index spells them, with their weights: log(1 + passages / passages that hold the word)."""
        return {
            word: math.log1p(self._searcher.num_docs / max(1, self._searcher.doc_freq("body", word))) for word in self._writer.telling(text)
        }

    def search(self, text: str, k: int, filters: Sequence[Filter] = ()) -> list[LexicalHit]:
        """The k best documents, each with its best passage. No text is malformed; one without words finds nothing."""
        query = self._writer.write(text, to_tantivy(filters, self._schema))
        if query is None:
            return []
        limit = 2 * k + 50
        while True:
            found = self._searcher.search(query, limit, count=False).hits
            best = self._by_document(found, k)
            if len(best) >= k or len(found) < limit:
                return best
            limit *= 4

    def holders(self, word: str) -> frozenset[tuple[int, int]]:
        """All documents, as `halves`, that hold a word (as the analyser gives it) in a passage, a heading or the title."""
        from tantivy import Query

        holding: set[tuple[int, int]] = set()
        for field in ("body", "title"):
            most = self._searcher.doc_freq(field, word)
            query = Query.term_query(self._schema, field, word, "basic")
            addresses = [address for _, address in self._searcher.search(query, most, count=False).hits] if most else []
            if addresses:
                holding.update(zip(*(self._searcher.fast_field_values(half, addresses) for half in ("high", "low")), strict=True))
        return frozenset(holding)

    def _by_document(self, found: list[tuple[float, Any]], k: int) -> list[LexicalHit]:
        addresses = [address for _, address in found]
        high, low, ordinals = (self._searcher.fast_field_values(field, addresses) for field in ("high", "low", "ordinal"))
        best: dict[tuple[int, int], LexicalHit] = {}
        for (score, _), upper, lower, ordinal in zip(found, high, low, ordinals, strict=True):
            if (upper, lower) not in best:
                best[upper, lower] = LexicalHit(joined(upper, lower), ordinal, score)
                if len(best) == k:
                    break
        return list(best.values())
