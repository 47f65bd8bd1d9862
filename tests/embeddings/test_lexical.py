"""The full-text index: finds words and identifiers, follows the corpus in place, survives kills and damage; no query is malformed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from forge_assets.embeddings.filters import parse_filters
from forge_assets.embeddings.lexical import LexicalIndex, LexicalIndexMissing, LexicalReader
from forge_assets.embeddings.lexical_text import analyser, prepared
from forge_resources.database import Database
from tests.embeddings.corpus_builder import put_records, remove
from tests.embeddings.small_corpus import LONG, RECORDS

NAMES = [str(record["doc_id"]) for record in [*RECORDS, LONG]]


@pytest.fixture
def index(forge_home: Path) -> LexicalIndex:
    return LexicalIndex(forge_home / "lexical")


def found(reader: LexicalReader, records: list[UUID], query: str, *filters: str) -> list[str]:
    return [NAMES[records.index(hit.document_id)] for hit in reader.search(query, 20, parse_filters(filters))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("rotary embeddings", "t:rope"),
        ("ADAPTING step sizes", "t:adam"),
        ("GPT-2", "t:gpt2"),
        ("gpt2", "t:gpt2"),
        ("Llama-3.1", "t:rope"),
        ("β2", "t:adam"),
        ("注意力", "t:zh"),
        ("神经网络", "t:zh"),
        ("quartermaster", "t:long"),
        ('"inner product of a query"', "t:rope"),
        ('"random activations"', "t:dropout"),
    ],
)
def test_the_document_is_found_first(database: Database, records: list[UUID], index: LexicalIndex, query: str, expected: str) -> None:
    index.sync(database)
    assert found(index.reader(), records, query)[0] == expected


def test_a_quoted_phrase_must_stand_together(database: Database, records: list[UUID], index: LexicalIndex) -> None:
    index.sync(database)
    reader = index.reader()
    assert found(reader, records, "product inner") != []
    assert found(reader, records, '"product inner"') == []


def test_the_passage_that_matches_is_named(database: Database, records: list[UUID], index: LexicalIndex) -> None:
    index.sync(database)
    (hit, *_) = index.reader().search("quartermaster", 5)
    assert hit.ordinal > 0
    assert hit.document_id == records[-1]


def test_filters_narrow_the_result(database: Database, records: list[UUID], index: LexicalIndex) -> None:
    index.sync(database)
    reader = index.reader()
    assert set(found(reader, records, "tokens", "year>=2022")) == {"t:alibi"}
    assert set(found(reader, records, "tokens", "year<2022")) == {"t:rope"}
    assert set(found(reader, records, "parameters", "license=mit")) == {"t:rope", "t:lora"}
    assert "t:lora" not in found(reader, records, "parameters", "license!=MIT")
    assert found(reader, records, "表示", "language=zh") == ["t:zh"]
    assert found(reader, records, "Adam", "external_id=t:adam", "source=articles") == ["t:adam"]
    assert found(reader, records, "Adam", "source=elsewhere") == []


@tries(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=80) | st.text(alphabet='"()[]{}+-*/\\:^~?!&|<>=GPTand2β深 ', max_size=40))
def test_no_query_is_malformed(searchable: LexicalReader, query: str) -> None:
    hits = searchable.search(query, 5)
    assert len(hits) <= 5
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.fixture
def searchable(database: Database, records: list[UUID], index: LexicalIndex) -> LexicalReader:
    index.sync(database)
    return index.reader()


def test_a_long_description_is_answered_and_its_quotes_demand_nothing(searchable: LexicalReader, records: list[UUID]) -> None:
    text = (
        'A method that "never occurs verbatim" and freezes pretrained weights while it learns the product of two thin matrices '
        + "of x_1 and words " * 200
    )
    assert found(searchable, records, text)[0] == "t:lora"


def test_an_unchanged_corpus_costs_nothing_and_keeps_its_digest(database: Database, records: list[UUID], index: LexicalIndex) -> None:
    first = index.sync(database)
    second = index.sync(database)
    assert (first.added, first.documents) == (len(records), len(records))
    assert (second.added, second.removed, second.digest, second.note) == (0, 0, first.digest, None)


def test_changes_are_taken_over_in_place(database: Database, records: list[UUID], index: LexicalIndex) -> None:
    before = index.sync(database)
    put_records(database, [{**RECORDS[0], "abstract": "Now it is about zebras."}])
    remove(database, records[1])
    report = index.sync(database)
    reader = index.reader()
    assert (report.added, report.removed, report.documents) == (1, 2, len(records) - 1)
    assert report.digest != before.digest
    assert found(reader, records, "zebras") == ["t:rope"]
    assert found(reader, records, '"angle that grows"') == []
    assert found(reader, records, "linear biases") == []


def test_readers_see_the_last_commit_while_a_sync_runs(database: Database, records: list[UUID], index: LexicalIndex) -> None:
    index.sync(database)
    reader = index.reader()
    remove(database, records[2])
    index.sync(database)
    assert found(reader, records, "Adam")[0] == "t:adam", "an open reader keeps what it opened"
    assert "t:adam" not in found(index.reader(), records, "Adam")


def test_without_an_index_the_reader_says_what_to_run(index: LexicalIndex) -> None:
    with pytest.raises(LexicalIndexMissing, match="forge run lexical_index"):
        index.reader()


def test_a_lost_folder_is_built_anew(database: Database, records: list[UUID], index: LexicalIndex) -> None:
    index.sync(database)
    shutil.rmtree(index.folder)
    assert index.sync(database).added == len(records)
    assert found(index.reader(), records, "dropout")[0] == "t:dropout"


@pytest.mark.parametrize("damage", ["segment", "meta", "manifest", "version", "half"])
def test_a_damaged_index_is_built_anew_with_a_note(database: Database, records: list[UUID], index: LexicalIndex, damage: str) -> None:
    index.sync(database)
    if damage == "segment":
        for path in (index.folder / "index").glob("*.idx"):
            path.write_bytes(b"x")
    elif damage == "meta":
        (index.folder / "index" / "meta.json").write_text("{")
    elif damage == "manifest":
        (index.folder / "manifest.sqlite").write_bytes(b"no database" * 500)
    elif damage == "version":
        (index.folder / "version").write_text("0")
    else:
        shutil.rmtree(index.folder / "index")
    report = index.sync(database)
    assert report.added == len(records)
    assert "built anew" in (report.note or "")
    assert found(index.reader(), records, "dropout")[0] == "t:dropout"


KILLED = """
import os, signal, sys
from pathlib import Path
from forge_assets.embeddings import lexical, lexical_sync
from forge_assets.embeddings.lexical_manifest import Manifest
from forge_resources.database import Database
from forge_resources.settings import settings

lexical_sync.READ, lexical_sync.COMMIT_PASSAGES = 2, 3
where, calls = sys.argv[1], 0

def dying(name):
    real = getattr(Manifest, name)
    def call(self, *arguments):
        global calls
        calls += 1
        if calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, *arguments)
    setattr(Manifest, name, call)

dying(where)
with Database.open() as db:
    lexical.LexicalIndex(settings().home / "lexical").sync(db)
"""


@pytest.mark.parametrize("where", ["announce", "confirm"])
def test_a_killed_sync_is_continued_without_doubles_or_orphans(
    database: Database, records: list[UUID], index: LexicalIndex, where: str
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, where], capture_output=True, text=True, timeout=60)
    assert killed.returncode == -9, killed.stderr
    for record in records[:5]:  # those may stand in the index already
        remove(database, record)
    report = index.sync(database)
    assert report.note is None
    assert report.documents == len(records) - 5
    assert index.sync(database).added == 0
    reader = index.reader()
    assert reader.documents == len(records) - 5
    assert found(reader, records, "Adam rotary momentum dropout linear biases") == []
    assert len(found(reader, records, "byte pair")) == 1


def test_a_second_writer_waits_for_the_first(
    database: Database, records: list[UUID], index: LexicalIndex, caplog: pytest.LogCaptureFixture
) -> None:
    started, go_on = threading.Event(), threading.Event()

    def hold(done: int, total: int | None) -> None:
        started.set()
        go_on.wait(20)

    first = threading.Thread(target=index.sync, args=(database, hold))
    first.start()
    assert started.wait(20)
    second = threading.Thread(target=index.sync, args=(database,))
    second.start()
    second.join(0.3)
    assert second.is_alive(), "it must wait"
    go_on.set()
    first.join(20)
    second.join(20)
    assert not second.is_alive()
    assert "waiting" in caplog.text


def test_the_analyser_takes_identifiers_apart_and_pairs_cjk_characters() -> None:
    analyse = analyser().analyze
    assert analyse("GPT-2 and GPT2") == ["gpt", "2", "and", "gpt", "2"]
    assert analyse("naïve Networks β2") == ["naiv", "network", "β", "2"]
    assert prepared("用深度学习做").split() == ["用深", "深度", "度学", "学习", "习做"]
