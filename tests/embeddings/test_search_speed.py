"""What search remembers between queries is dropped when it no longer holds, and a filter does not keep it from the index."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from forge_assets.embeddings import dense
from forge_assets.embeddings import search as searching
from forge_assets.embeddings.lexical import LexicalIndex
from forge_assets.embeddings.search import Search
from forge_assets.embeddings.vectors import build_index
from forge_resources.database import Database
from forge_resources.embedder import Embedder
from tests.embeddings.corpus_builder import put_records
from tests.embeddings.small_corpus import RECORDS

QUERY = "tokens trained parameters learning rate"


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    """The statements that count, as they are sent."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "count(*)" in statement:
            seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def new_record(db: Database) -> None:
    put_records(db, [{**RECORDS[0], "doc_id": "t:new", "title": "A new record"}])


def test_what_does_not_change_is_counted_once(loaded: Search) -> None:
    loaded.search(QUERY)
    with counted(loaded.db) as seen:
        assert loaded.search(QUERY).note is None
        loaded.search(QUERY, mode="lexical")
        loaded.search(QUERY, mode="dense")
    assert not seen


def test_a_write_is_seen_by_the_next_search(loaded: Search, forge_home: Path) -> None:
    assert loaded.search(QUERY).note is None
    new_record(loaded.db)
    note = loaded.search(QUERY).note
    assert note is not None
    assert "full-text index holds" in note
    assert "vectors cover" in note
    LexicalIndex(forge_home / "lexical").sync(loaded.db)
    result = loaded.search("a new record", mode="lexical")
    assert result.note is None
    assert "t:new" in [hit.external_id for hit in result.hits]


def test_in_a_large_corpus_the_counts_may_lag_for_seconds_but_not_for_ever(loaded: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MANY_ROWS", 1)
    loaded.search(QUERY)
    new_record(loaded.db)
    assert loaded.search(QUERY).note is None
    monkeypatch.setattr(searching, "REMEMBERED", 0.0)
    assert loaded.search(QUERY).note is not None


def test_the_full_text_index_is_opened_once_per_commit(loaded: Search, forge_home: Path) -> None:
    first = loaded.lexical_reader()
    assert loaded.lexical_reader() is first
    new_record(loaded.db)
    LexicalIndex(forge_home / "lexical").sync(loaded.db)
    assert loaded.lexical_reader() is not first
    LexicalIndex(forge_home / "lexical").clear()
    assert loaded.lexical_reader() is None


def test_threads_share_a_search(loaded: Search) -> None:
    queries = [record["title"] for record in RECORDS] * 4
    alone = [[hit.external_id for hit in loaded.search(query, 5).hits] for query in queries]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda query: [hit.external_id for hit in loaded.search(query, 5).hits], queries))
    assert together == alone


@pytest.mark.parametrize(("given", "how"), [("year>=2017", "index"), ("id=t:adam", "exact scan")])
def test_a_filter_is_applied_to_what_the_index_finds(
    loaded: Search, minilm: Embedder, monkeypatch: pytest.MonkeyPatch, given: str, how: str
) -> None:
    exact = [hit.external_id for hit in loaded.search(QUERY, 2, "dense", [given]).hits]
    build_index(loaded.db, minilm)
    monkeypatch.setattr(dense, "SMALL", 0)
    monkeypatch.setattr(dense, "LARGEST_EF", 10)
    monkeypatch.setattr(dense, "FARTHEST", 14)
    monkeypatch.setattr(searching, "DEPTH", 2)
    found = loaded.search(QUERY, 1, "dense", [given])
    assert found.how["dense"] == how
    assert [hit.external_id for hit in found.hits] == exact[:1]
