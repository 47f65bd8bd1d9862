"""Vectors: every passage gets one, a restart loses little, another embedder replaces all, what vanishes takes its vectors along."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa

from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.embeddings import vectors as room
from forge_assets.embeddings.hnsw import drop_index, drop_index_for_bulk, index_state
from forge_assets.embeddings.vectors import build_index, embed_shards, vectors_digest
from forge_resources.database import Database
from forge_resources.embedder import Chunk, Embedder, load_embedder
from forge_resources.errors import EmbedderError
from forge_resources.settings import Settings
from tests.embeddings.corpus_builder import put_records, remove
from tests.embeddings.small_corpus import RECORDS

ALL = range(SHARD_COUNT)


def one(db: Database, statement: str) -> int:
    with db.begin() as connection:
        return int(connection.execute(sa.text(statement)).scalar_one())


def test_every_passage_gets_the_vector_of_its_own_text(database: Database, records: list[UUID], minilm: Embedder) -> None:
    report = embed_shards(database, minilm, ALL)
    with database.begin() as connection:
        rows = connection.execute(
            sa.text("""SELECT substr(d.text, p.start + 1, p."end" - p.start), v.vector FROM passage p JOIN document d USING (document_id)
                JOIN passage_vector v USING (passage_id)""")
        ).all()
    assert report.embedded == len(rows) == one(database, "SELECT count(*) FROM passage") > len(records)
    expected = minilm.encode([row[0] for row in rows])
    stored = np.array([row[1] for row in rows], dtype=np.float32)
    assert float((stored * expected).sum(axis=1).min()) > 0.999


def test_a_second_run_embeds_nothing_and_leaves_the_digest(database: Database, records: list[UUID], minilm: Embedder) -> None:
    embed_shards(database, minilm, ALL)
    before = vectors_digest(database, ALL)
    assert embed_shards(database, minilm, ALL).embedded == 0
    assert vectors_digest(database, ALL) == before


def test_only_the_shards_asked_for_are_embedded(database: Database, records: list[UUID], minilm: Embedder) -> None:
    shard = one(database, "SELECT min(shard) FROM passage")
    embed_shards(database, minilm, [shard])
    assert one(database, "SELECT count(*) FROM passage_vector") == one(database, f"SELECT count(*) FROM passage WHERE shard = {shard}")
    assert one(database, f"SELECT count(*) FROM passage_vector WHERE shard <> {shard}") == 0


def test_progress_adds_up_to_the_total(database: Database, records: list[UUID], minilm: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "COMMIT", 4)
    monkeypatch.setattr(room, "WINDOW", 4)
    seen: list[tuple[int, int | None]] = []
    report = embed_shards(database, minilm, ALL, lambda done, total: seen.append((done, total)))
    assert sum(done for done, _ in seen) == report.embedded == seen[-1][1]
    assert len([done for done, _ in seen if done]) > 2


KILLED = """
import os, signal
from forge_assets.embeddings import vectors
from forge_resources.database import Database
from forge_resources.embedder import load_embedder
from forge_resources.settings import settings

vectors.COMMIT = vectors.WINDOW = 4
stored = 0

def progress(done, total):
    global stored
    stored += done
    if stored >= 8:
        print(stored, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

with Database.open() as db:
    vectors.embed_shards(db, load_embedder(settings().model_copy(update={"embedder_backend": "torch"})), range(64), progress)
"""


def test_a_killed_run_keeps_what_it_stored_and_the_next_one_does_the_rest(
    database: Database, records: list[UUID], minilm: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=60)
    assert killed.returncode == -9, killed.stderr
    kept = one(database, "SELECT count(*) FROM passage_vector")
    total = one(database, "SELECT count(*) FROM passage")
    assert int(killed.stdout) <= kept < total
    assert embed_shards(database, minilm, ALL).embedded == total - kept


def test_a_changed_document_is_embedded_anew_and_nothing_else(database: Database, records: list[UUID], minilm: Embedder) -> None:
    embed_shards(database, minilm, ALL)
    before = vectors_digest(database, ALL)
    put_records(database, [{**RECORDS[0], "abstract": "Rotary embeddings were rewritten."}])
    assert embed_shards(database, minilm, ALL).embedded == 1
    assert vectors_digest(database, ALL) != before


def test_deleting_a_document_removes_its_vectors(database: Database, records: list[UUID], minilm: Embedder) -> None:
    embed_shards(database, minilm, ALL)
    remove(database, records[-1])
    assert one(database, "SELECT count(*) FROM passage_vector") == one(database, "SELECT count(*) FROM passage") == len(RECORDS)


def test_another_embedder_embeds_everything_anew_and_parses_nothing(
    database: Database, records: list[UUID], minilm: Embedder, tiny_model: Path, tmp_path: Path
) -> None:
    embed_shards(database, minilm, ALL)
    build_index(database, minilm)
    parsed = "SELECT count(DISTINCT parsed_at) + sum(extract(epoch FROM parsed_at))::bigint FROM document"
    before, passages = one(database, parsed), one(database, "SELECT count(*) FROM passage")
    tiny = load_embedder(Settings(home=tmp_path, embedder=str(tiny_model)))
    report = embed_shards(database, tiny, ALL)
    assert (report.embedded, report.removed) == (passages, passages)
    assert one(database, parsed) == before
    assert one(database, "SELECT count(*) FROM embedder") == 1
    assert one(database, "SELECT vector_dims(vector) FROM passage_vector LIMIT 1") == tiny.dims == 32
    assert one(database, "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'passage_vector_hnsw%'") == 0


class Vanishing:
    """An embedder during whose work a document disappears."""

    def __init__(self, real: Embedder, db: Database, victim: UUID) -> None:
        self.name, self.dims, self.max_tokens, self.backend = real.name, real.dims, real.max_tokens, real.backend
        self._real, self._db, self._victim = real, db, victim

    def encode(self, texts: Sequence[str], *, batch_tokens: int | None = None) -> np.ndarray:
        return self._real.encode(texts, batch_tokens=batch_tokens)

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._real.encode_queries(texts)

    def stream(self, windows: Iterable[Sequence[str]], *, batch_tokens: int | None = None) -> Iterator[Chunk]:
        for chunk in self._real.stream(windows, batch_tokens=batch_tokens):
            remove(self._db, self._victim)
            yield chunk


def test_a_document_that_vanishes_meanwhile_harms_nobody(database: Database, records: list[UUID], minilm: Embedder) -> None:
    embed_shards(database, Vanishing(minilm, database, records[0]), ALL)
    assert one(database, "SELECT count(*) FROM passage_vector") == one(database, "SELECT count(*) FROM passage")
    assert one(database, "SELECT count(*) FROM document") == len(records) - 1


def test_the_index_is_built_once_and_its_state_can_be_asked(database: Database, records: list[UUID], minilm: Embedder) -> None:
    embed_shards(database, minilm, ALL)
    first, second = build_index(database, minilm), build_index(database, minilm)
    assert (first.built, second.built) == (True, False)
    assert first.digest == second.digest
    with database.begin() as connection:
        state = index_state(connection, minilm.name)
    assert state.exists
    assert state.vectors == first.vectors == one(database, "SELECT count(*) FROM passage")
    assert drop_index(database, state.embedder_id or 0)


def test_a_bulk_load_drops_the_index_and_a_small_one_keeps_it(database: Database, records: list[UUID], minilm: Embedder) -> None:
    embed_shards(database, minilm, ALL)
    build_index(database, minilm)
    number = one(database, "SELECT embedder_id FROM embedder")
    assert not drop_index_for_bulk(database, number, 100)
    assert drop_index_for_bulk(database, number, 100_000)
    assert not drop_index_for_bulk(database, number, 100_000), "there is none any more"


def test_an_embedder_with_too_many_dimensions_is_refused_before_any_work(database: Database, minilm: Embedder) -> None:
    wide = Vanishing(minilm, database, UUID(int=0))
    wide.dims = 4001
    with pytest.raises(EmbedderError, match="4001 dimensions"):
        embed_shards(database, wide, ALL)
