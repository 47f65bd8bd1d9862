"""stale rows of the inventory -> bytes -> parser processes -> documents and passages, or quarantine; a batch per transaction.

Which rows are missing or stale is an anti-join on (content hash, stage version); killed at any point, the next run redoes one batch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import zstandard

from forge_assets.corpus.addresses import passage_id
from forge_assets.corpus.inventory_rows import Progress, chunks, streaming
from forge_assets.corpus.locks import shard_locks
from forge_assets.corpus.model import Document
from forge_assets.corpus.parse import PARSER_VERSION
from forge_assets.corpus.problems import problem
from forge_assets.corpus.readers.limits import limits_from
from forge_assets.corpus.readers.ocr import ocr_available
from forge_assets.corpus.storable import fitted, storable
from forge_assets.corpus.whole_works import whole_works
from forge_assets.corpus.workers import Job, Result, parse_all
from forge_resources.database import Database
from forge_resources.errors import DocumentProblem, ObjectMissing
from forge_resources.object_store import ObjectStore
from forge_resources.settings import Settings

WRITE_BATCH = 400  # documents per transaction
RECORDS_PER_TASK = 200
FILES_PER_TASK = 4
TASK_BYTES = 8_000_000

DOCUMENT = {
    "document_id": "uuid", "uri": "text", "shard": "int2", "source": "text", "external_id": "text", "content_hash": "text",
    "stage_version": "text", "media_type": "text", "title": "text", "authors": "text[]", "published": "text", "year": "int2",
    "language": "text", "license": "text", "venue": "text", "url": "text", "identifiers": "jsonb", "metadata": "jsonb",
    "text": "text", "blocks": "jsonb",
}  # fmt: skip
PASSAGE = {
    "passage_id": "uuid", "document_id": "uuid", "shard": "int2", "ordinal": "int4", "start": "int4", "end": "int4",
    "kind": "text", "section": "text[]", "page": "int4", "tokens": "int2",
}  # fmt: skip
QUARANTINE = {
    "document_id": "uuid", "uri": "text", "shard": "int2", "source": "text", "content_hash": "text", "stage_version": "text",
    "code": "text", "reason": "text",
}  # fmt: skip


@dataclass(slots=True)
class ParseReport:
    """What a parsing run did, in documents; `passages` counts those written."""

    parsed: int = 0
    quarantined: int = 0
    removed: int = 0
    passages: int = 0
    characters: int = 0
    seconds: float = 0.0


def quarantine_version(settings: Settings) -> str:
    """What a verdict depends on: a quarantined document is tried again when the parser, a limit or OCR changes."""
    return f"{PARSER_VERSION};max={settings.max_document_mb:g};time={settings.document_timeout_s:g};ocr={ocr_available() or 'none'}"


def parse_shards(
    db: Database, store: ObjectStore, settings: Settings, shards: Sequence[int], progress: Progress | None = None
) -> ParseReport:
    """Brings documents and passages of these shards up to the inventory."""
    started = time.monotonic()
    report = ParseReport()
    advance = progress or (lambda done, total: None)
    with shard_locks(db, "parse", shards):
        report.removed = _remove_vanished(db, shards)
        with db.engine.connect() as reader, _stale(reader, settings, shards) as (total, stale):
            results = parse_all(_tasks(store, stale), limits_from(settings), settings.workers)
            for batch in chunks(results, WRITE_BATCH):
                _write(db, batch, settings, report)
                advance(len(batch), total)
    report.seconds = time.monotonic() - started
    return report


def _remove_vanished(db: Database, shards: Sequence[int]) -> int:
    """Documents that left the inventory go, with passages, vectors and whatever else refers to them."""
    with db.begin() as connection:
        removed = 0
        for table in ("document", "quarantine"):  # a source may have been listed anew under another name
            renamed = "t.document_id = i.document_id AND t.shard = ANY(:shards) AND t.source <> i.source"
            connection.execute(
                sa.text(f"UPDATE {table} t SET source = i.source FROM inventory i WHERE {renamed}"), {"shards": list(shards)}
            )
        gone = "d.shard = ANY(:shards) AND NOT EXISTS (SELECT FROM inventory i WHERE i.document_id = d.document_id)"
        values = {"shards": list(shards)}
        with whole_works(connection, gone, values):
            removed += connection.execute(sa.text(f"DELETE FROM document d WHERE {gone}"), values).rowcount
        removed += connection.execute(sa.text(f"DELETE FROM quarantine d WHERE {gone}"), values).rowcount
    return removed


@contextmanager
def _stale(connection: sa.Connection, settings: Settings, shards: Sequence[int]) -> Iterator[tuple[int, sa.CursorResult[Any]]]:
    """Number and stream of the inventory rows without an up-to-date document or verdict, those of one pack together."""
    condition = """FROM inventory i LEFT JOIN document d USING (document_id) LEFT JOIN quarantine q USING (document_id)
        WHERE i.shard = ANY(:shards)
          AND NOT (d.document_id IS NOT NULL AND d.content_hash = i.content_hash AND d.stage_version = :parser)
          AND NOT (q.document_id IS NOT NULL AND q.code <> 'missing' AND q.content_hash = i.content_hash AND q.stage_version = :verdict
                   AND (i.problem IS NULL OR i.problem = q.code || ': ' || q.reason))"""
    values = {"shards": list(shards), "parser": PARSER_VERSION, "verdict": quarantine_version(settings)}
    total = connection.execute(sa.text(f"SELECT count(*) {condition}"), values).scalar_one()
    with streaming(connection, f"SELECT i.* {condition} ORDER BY i.raw_key, i.raw_offset, i.document_id", values) as rows:
        yield total, rows


class _Raw:
    """The bytes of inventory rows; the pack of records read last is kept, since rows come in the order of packs."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._key: str | None = None
        self._pack = b""

    def of(self, row: Any) -> bytes:
        """Raises DocumentProblem: the inventory's own, which goes before the parser's, or that the object store has lost the bytes."""
        if row.problem is not None:
            code, _, reason = row.problem.partition(": ")
            raise DocumentProblem(code, reason)
        try:
            if row.raw_offset is None:
                return self._store.get(row.raw_key)
            if row.raw_key != self._key:
                self._pack = zstandard.decompress(self._store.get(row.raw_key))
                self._key = row.raw_key
        except ObjectMissing:
            raise problem(
                "missing", f"its bytes ({row.raw_key}) are no longer in the object store; touch the file to have it read again"
            ) from None
        return self._pack[row.raw_offset : row.raw_offset + row.raw_length]


def _tasks(store: ObjectStore, stale: sa.CursorResult[Any]) -> Iterator[list[Job]]:
    """Groups of documents for one parser process: many records, or a few files; bytes are fetched as late as possible."""
    task: list[Job] = []
    raw, size = _Raw(store), 0
    for row in stale:
        try:
            data, known = raw.of(row), None
        except DocumentProblem as found:
            data, known = b"", found
        is_record = row.raw_offset is not None and data[:1] == b"{"  # otherwise an entry of a feed, which is XML
        full = len(task) >= (RECORDS_PER_TASK if is_record else FILES_PER_TASK) or size + len(data) > TASK_BYTES
        if task and (full or task[0].is_record != is_record):
            yield task
            task, size = [], 0
        task.append(Job((row, known), data, row.external_id or row.uri, is_record))
        size += len(data)
    if task:
        yield task


def _verdict(row: Any, known: DocumentProblem | None, answer: Document | DocumentProblem) -> Document | DocumentProblem:
    """What was known before parsing goes first; a reason stands beside the address, so it need not repeat it."""
    if known is not None:
        return known
    if isinstance(answer, DocumentProblem):
        return DocumentProblem(answer.code, str(answer).removeprefix(row.external_id or row.uri).lstrip(" :"))
    return answer


def _write(db: Database, results: Sequence[Result], settings: Settings, report: ParseReport) -> None:
    """One transaction: old documents and verdicts of these addresses go, the new ones come."""
    answers = [(row, _verdict(row, known, answer)) for (row, known), answer in results]
    documents = [(row, answer) for row, answer in answers if isinstance(answer, Document)]
    problems = [(row, answer) for row, answer in answers if isinstance(answer, DocumentProblem)]
    passages = [values for row, document in documents for values in _passage_rows(row, document)]
    verdict = quarantine_version(settings)
    with db.begin() as connection:
        ids = {"ids": [row.document_id for row, _ in answers]}
        with whole_works(connection, "d.document_id = ANY(:ids)", ids):
            connection.execute(sa.text("DELETE FROM document WHERE document_id = ANY(:ids)"), ids)
        connection.execute(sa.text("DELETE FROM quarantine WHERE document_id = ANY(:ids)"), ids)
        rows = [_document_row(row, document) for row, document in documents]
        db.copy(connection, "document", list(DOCUMENT), rows, list(DOCUMENT.values()))
        db.copy(connection, "passage", list(PASSAGE), passages, list(PASSAGE.values()))
        verdicts = [
            (row.document_id, row.uri, row.shard, row.source, row.content_hash, verdict, p.code, storable(str(p))) for row, p in problems
        ]
        db.copy(connection, "quarantine", list(QUARANTINE), verdicts, list(QUARANTINE.values()))
    report.parsed += len(documents)
    report.quarantined += len(problems)
    report.passages += len(passages)
    report.characters += sum(len(document.text) for _, document in documents)


def _document_row(row: Any, document: Document) -> list[Any]:
    parsed = document.parsed
    year = int(parsed.published[:4]) if parsed.published and parsed.published[:4].isdigit() else None
    values = [
        row.document_id, row.uri, row.shard, row.source, row.external_id, row.content_hash, PARSER_VERSION, parsed.media_type,
        parsed.title, parsed.authors, parsed.published, year, parsed.language, parsed.license, parsed.venue, parsed.url,
        parsed.identifiers, parsed.metadata, document.text, [[b.kind, b.start, b.end, b.level, b.page] for b in document.blocks],
    ]  # fmt: skip
    return [fitted(kind, value) for kind, value in zip(DOCUMENT.values(), values, strict=True)]


def _passage_rows(row: Any, document: Document) -> Iterator[list[Any]]:
    for ordinal, p in enumerate(document.passages):
        identity = passage_id(row.document_id, row.content_hash, PARSER_VERSION, p.start, p.end)
        yield [identity, row.document_id, row.shard, ordinal, p.start, p.end, p.kind, storable(p.section), p.page, p.tokens]
