"""One synchronisation of the full-text index with Postgres: which documents are new, changed or gone, and their way into the index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.embeddings.lexical_documents import document_rows, halves, passage_documents
from forge_assets.embeddings.lexical_manifest import Manifest
from forge_resources.database import Database

LEXICAL_VERSION = "1"
"""Raise it with every change of schema or analyser: the index is then built anew."""
READ = 500  # documents per query to Postgres
COMMIT_PASSAGES = 50_000  # per commit of the index
COMMIT_CHARACTERS = 100_000_000
WRITER_BYTES = 100_000_000

SHARD_STATE = """SELECT shard, count(*) AS documents,
    coalesce(sum(hashtextextended(document_id::text || content_hash || stage_version, 0)::numeric), 0) AS total
    FROM document GROUP BY shard"""
VERSIONS = "SELECT document_id, content_hash || ';' || stage_version FROM document WHERE shard = :shard"


@dataclass(slots=True)
class LexicalReport:
    """`added` and `removed` count documents, a changed one in both; `documents` and `passages` what the index holds now."""

    added: int = 0
    removed: int = 0
    documents: int = 0
    passages: int = 0
    seconds: float = 0.0
    digest: str = ""
    note: str | None = None


class Sync:
    """Reads only what differs: whole shards by digest, then documents by version, then the texts of those."""

    def __init__(self, db: Database, index: Any, manifest: Manifest, progress: Callable[[int, int | None], None] | None) -> None:
        self._db, self._index, self._manifest = db, index, manifest
        self._progress = progress or (lambda done, total: None)
        self._report = LexicalReport()

    def run(self) -> LexicalReport:
        digests = shard_digests(self._db)
        stale, gone, shards = self._differences(digests)
        if stale or gone:
            writer = self._index.writer(WRITER_BYTES, 1)
            try:
                self._remove(writer, gone)
                self._write(writer, stale)
            except BaseException:
                with suppress(Exception):
                    writer.wait_merging_threads()  # gives its lock back, though a traceback may keep the writer alive
                raise
            writer.wait_merging_threads()
        self._manifest.set_digests({shard: digests.get(shard, "0") for shard in shards})
        self._report.documents, self._report.passages = self._manifest.documents(), self._manifest.passages()
        self._report.digest = f"{LEXICAL_VERSION}-{hash_of(digests)}"
        return self._report

    def _differences(self, digests: dict[int, str]) -> tuple[dict[UUID, int], list[bytes], list[int]]:
        """Documents to be written (with their shard), documents to be removed, and the shards that were compared."""
        known = self._manifest.digests()
        unsure = {document[0] >> 2 for document in self._manifest.pending()}
        shards = [
            s for s in sorted(digests.keys() | known.keys() | self._manifest.shards()) if known.get(s) != digests.get(s, "0") or s in unsure
        ]
        stale: dict[UUID, int] = {}
        gone: list[bytes] = []
        for shard in shards:
            held = self._manifest.of_shard(shard)
            with self._db.begin() as connection:
                wanted = {row[0]: row[1] for row in connection.execute(sa.text(VERSIONS), {"shard": shard})}
            stale |= {document: shard for document, version in wanted.items() if held.get(document.bytes) != version}
            gone += [document for document in held if UUID(bytes=document) not in wanted]
        return stale, gone, shards

    def _remove(self, writer: Any, gone: Sequence[bytes]) -> None:
        self._manifest.announce((document, document[0] >> 2) for document in gone)
        for document in gone:
            self._delete(writer, UUID(bytes=document))
        if gone:
            writer.commit()
            self._manifest.forget(gone)
            self._report.removed += len(gone)

    def _delete(self, writer: Any, document: UUID) -> None:
        from tantivy import Occur, Query

        schema = self._index.schema
        high, low = halves(document)
        both = [(Occur.Must, Query.term_query(schema, field, value)) for field, value in (("high", high), ("low", low))]
        writer.delete_documents_by_query(Query.boolean_query(both))

    def _write(self, writer: Any, stale: dict[UUID, int]) -> None:
        """Commits when enough has come together, so that a killed run loses little and a bulk load makes few segments."""
        held = self._held(stale)
        written: list[tuple[str, int, bytes]] = []
        passages = characters = 0
        for batch in _batches(list(stale), READ):
            self._manifest.announce((document.bytes, stale[document]) for document in batch)
            with self._db.begin() as connection:
                rows, cut = document_rows(connection, batch)
            for row in rows:
                if row.document_id in held:
                    self._delete(writer, row.document_id)
                for one in passage_documents(row, cut.get(row.document_id, [])):
                    writer.add_document(one)
                count = len(cut.get(row.document_id, []))
                written.append((row.version, count, row.document_id.bytes))
                passages, characters = passages + count, characters + len(row.text)
            self._progress(len(batch), len(stale))
            if passages >= COMMIT_PASSAGES or characters >= COMMIT_CHARACTERS:
                self._commit(writer, written)
                written, passages, characters = [], 0, 0
        self._commit(writer, written)
        self._report.added += len(stale)
        self._report.removed += len(held)

    def _held(self, stale: dict[UUID, int]) -> set[UUID]:
        """Those of the stale documents that the index may hold in an older version: known ones, and those of a killed run."""
        held: set[UUID] = set()
        for shard in set(stale.values()):
            held |= {UUID(bytes=document) for document in self._manifest.of_shard(shard)}
        return held & stale.keys()

    def _commit(self, writer: Any, written: list[tuple[str, int, bytes]]) -> None:
        if written:
            writer.commit()
            self._manifest.confirm(written)


def shard_digests(db: Database) -> dict[int, str]:
    """Shard -> hash of the documents it holds and their versions, as the manifest notes it after a sync."""
    with db.begin() as connection:
        rows = connection.execute(sa.text(SHARD_STATE)).all()
    return {row.shard: f"{row.documents}-{int(row.total) % 2**64:016x}" for row in rows}


def hash_of(digests: dict[int, str]) -> str:
    return sha256(repr(sorted(digests.items())).encode()).hexdigest()[:16]


def _batches(items: list[UUID], size: int) -> Iterator[list[UUID]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
