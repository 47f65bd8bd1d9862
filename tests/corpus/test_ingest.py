"""Documents follow the inventory: one edit is one document parsed, a problem stays with its document, nothing is parsed twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from forge_assets.corpus import ingest, worker
from forge_assets.corpus.addresses import SHARD_COUNT, document_id, file_uri
from forge_assets.corpus.catalogue import digest, problem_counts, problems
from forge_assets.corpus.ingest import ParseReport, parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.model import Document
from forge_assets.corpus.readers.limits import Limits
from forge_assets.corpus.sources import add_source
from forge_assets.corpus.workers import Job, parse_all
from forge_assets.corpus.works import join_works
from forge_resources.database import Database
from forge_resources.errors import DocumentProblem
from forge_resources.object_store import ObjectStore, open_store
from forge_resources.settings import PROJECT, settings

ALL = range(SHARD_COUNT)
ARTICLE = "# Rotary embeddings\n\nRoPE was introduced by Su et al. in 2021. It rotates queries and keys.\n\n"
ARTICLE += "## Settings\n\nLLaMA uses theta = 10000.\n"


@pytest.fixture(autouse=True)
def _two_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_WORKERS", "2")


@pytest.fixture
def store(forge_home: Path) -> ObjectStore:
    return open_store(settings().objects_url, settings())


@pytest.fixture
def folder(database: Database, tmp_path: Path) -> Path:
    root = tmp_path / "articles"
    root.mkdir()
    (root / "rope.md").write_text(ARTICLE)
    (root / "alibi.txt").write_text("ALiBi adds a linear bias to attention scores. It was introduced by Press et al. in 2021.")
    (root / "empty.txt").write_text("")
    add_source(database, settings(), str(root))
    return root


def ingested(database: Database, store: ObjectStore) -> ParseReport:
    scan(database, store, settings(), ALL)
    return parse_shards(database, store, settings(), ALL)


def number(database: Database, statement: str, **values: object) -> int:
    with database.begin() as connection:
        return int(connection.execute(sa.text(statement), values).scalar_one())


def test_documents_have_text_and_passages_whose_offsets_are_true(database: Database, store: ObjectStore, folder: Path) -> None:
    report = ingested(database, store)
    assert (report.parsed, report.quarantined) == (2, 1)
    with database.begin() as connection:
        row = connection.execute(sa.text("SELECT * FROM document WHERE uri = :uri"), {"uri": file_uri(folder / "rope.md")}).one()
        passages = connection.execute(
            sa.text("SELECT * FROM passage WHERE document_id = :id ORDER BY ordinal"), {"id": row.document_id}
        ).all()
    assert row.title == "Rotary embeddings"
    assert [kind for kind, *_ in row.blocks] == ["title", "paragraph", "heading", "paragraph"]
    assert "".join(row.text[p.start : p.end] for p in passages).count("theta = 10000") == 1
    assert passages[-1].section == ["Settings"] or len(passages) == 1


def test_an_empty_file_is_quarantined_and_its_neighbours_go_on(database: Database, store: ObjectStore, folder: Path) -> None:
    ingested(database, store)
    (found,) = problems(database)
    assert (found["code"], found["uri"]) == ("empty", file_uri(folder / "empty.txt"))


def test_a_second_run_parses_nothing(database: Database, store: ObjectStore, folder: Path) -> None:
    ingested(database, store)
    before = digest(database, "document", ALL)
    report = ingested(database, store)
    assert (report.parsed, report.quarantined, report.removed) == (0, 0, 0)
    assert digest(database, "document", ALL) == before


def test_an_edit_parses_one_document_and_replaces_its_passages(database: Database, store: ObjectStore, folder: Path) -> None:
    ingested(database, store)
    (folder / "rope.md").write_text(ARTICLE.replace("10000", "500000"))
    report = ingested(database, store)
    assert (report.parsed, report.quarantined, report.removed) == (1, 0, 0)
    assert number(database, "SELECT count(*) FROM document WHERE text LIKE '%theta = 500000%'") == 1
    assert number(database, "SELECT count(*) FROM document WHERE text LIKE '%theta = 10000%'") == 0


def test_a_document_that_breaks_leaves_quarantine_only_when_mended(database: Database, store: ObjectStore, folder: Path) -> None:
    ingested(database, store)
    (folder / "rope.md").write_bytes(b"")
    ingested(database, store)
    assert problem_counts(database) == {"empty": 2}
    assert number(database, "SELECT count(*) FROM document WHERE uri = :uri", uri=file_uri(folder / "rope.md")) == 0
    (folder / "rope.md").write_text(ARTICLE)
    ingested(database, store)
    assert problem_counts(database) == {"empty": 1}


def test_a_deleted_file_takes_its_document_and_passages_with_it(database: Database, store: ObjectStore, folder: Path) -> None:
    ingested(database, store)
    (folder / "rope.md").unlink()
    (folder / "empty.txt").unlink()
    assert ingested(database, store).removed == 2
    gone = document_id(file_uri(folder / "rope.md"))
    assert number(database, "SELECT count(*) FROM passage WHERE document_id = :id", id=gone) == 0
    assert number(database, "SELECT count(*) FROM document") == 1


def test_another_parser_version_parses_again(database: Database, store: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingested(database, store)
    monkeypatch.setattr(ingest, "PARSER_VERSION", "next")
    report = ingested(database, store)
    assert (report.parsed, report.quarantined) == (2, 1)


def test_a_larger_limit_tries_the_quarantined_again_and_nobody_else(
    database: Database, store: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingested(database, store)
    monkeypatch.setenv("FORGE_DOCUMENT_TIMEOUT_S", "240")
    report = ingested(database, store)
    assert (report.parsed, report.quarantined) == (0, 1)


def test_records_of_a_dump_become_documents_with_their_own_ids(database: Database, store: ObjectStore, tmp_path: Path) -> None:
    lines = [
        {"doc_id": f"arxiv:2101.{n:05}", "title": f"On method {n}", "abstract": f"We show result {n}.", "year": 2021} for n in range(450)
    ]
    (tmp_path / "dump.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"doc_id": "x:none"}]))
    add_source(database, settings(), str(tmp_path / "dump.jsonl"))
    report = ingested(database, store)
    assert (report.parsed, report.quarantined) == (450, 1)
    with database.begin() as connection:
        row = connection.execute(sa.text("SELECT * FROM document WHERE external_id = 'arxiv:2101.00007'")).one()
    assert (row.title, row.year, row.identifiers["arxiv"]) == ("On method 7", 2021, "2101.00007")
    assert row.text == "On method 7\n\nWe show result 7."


def test_feeds_and_arrays_of_records_count_as_many_documents(database: Database, store: ObjectStore, folder: Path) -> None:
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/2101.0000{n}v2</id><title>Feed title {n}</title><summary>Summary {n}.</summary>"
        f"<published>2021-01-0{n}T00:00:00Z</published><author><name>Author {n}</name></author></entry>"
        for n in (1, 2, 3)
    )
    (folder / "query.xml").write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>')
    (folder / "array.json").write_text(json.dumps([{"doc_id": f"x:{n}", "title": f"Array title {n}", "abstract": "Text."} for n in (1, 2)]))
    (folder / "plain.json").write_text('{"learning_rate": 0.1}')
    report = ingested(database, store)
    assert report.parsed + report.quarantined == 3 + 3 + 2 + 1
    with database.begin() as connection:
        rows = {row.external_id: row for row in connection.execute(sa.text("SELECT * FROM document WHERE external_id IS NOT NULL"))}
    assert set(rows) == {"arxiv:2101.00001", "arxiv:2101.00002", "arxiv:2101.00003", "x:1", "x:2"}
    first = rows["arxiv:2101.00001"]
    assert (first.title, first.authors, first.published) == ("Feed title 1", ["Author 1"], "2021-01-01")
    assert first.identifiers["arxiv"] == "2101.00001"
    assert first.text == "Feed title 1\n\nSummary 1."


BAD_RECORDS = [
    '{"doc_id": "cut", "title": "D',
    '{"doc_id": "deep", "title": "T", "abstract": "x", "more": ' + "[" * 50_000 + "]" * 50_000 + "}",
    '{"modelId": "o/bad", "card": "# c\\ntext", "arxiv_ids": 5, "url": 5}',
    '{"doc_id": "sur:\\ud800x", "title": "Surrogate \\ud800", "abstract": "x \\ud800 y"}',
    '{"doc_id": "nul:\\u0000a", "title": "Nul \\u0000", "abstract": "x \\u0000 y", "keywords": {"a": [NaN]}}',
    '{"doc_id": 7, "title": ["a", "list"], "abstract": {"a": 1}, "year": "many", "venue": 3, "authors": "nobody"}',
]


def test_no_record_can_harm_its_neighbours_or_end_the_run(database: Database, store: ObjectStore, tmp_path: Path) -> None:
    good = [json.dumps({"doc_id": f"g:{n}", "title": f"Title {n}", "abstract": "Text."}) for n in range(120)]
    (tmp_path / "dump.jsonl").write_text("\n".join([*good[:60], *BAD_RECORDS, *good[60:]]) + "\n")
    add_source(database, settings(), str(tmp_path / "dump.jsonl"))
    report = ingested(database, store)
    assert number(database, "SELECT count(*) FROM document WHERE external_id LIKE 'g:%'") == 120
    assert report.parsed + report.quarantined == 120 + len(BAD_RECORDS)
    assert "bad_record" in problem_counts(database)


def test_reasons_are_true_for_white_space_and_for_bytes_that_are_gone(database: Database, store: ObjectStore, folder: Path) -> None:
    (folder / "space.txt").write_text("  \n")
    scan(database, store, settings(), ALL)
    with database.begin() as connection:
        key = connection.execute(sa.text("SELECT raw_key FROM inventory WHERE uri LIKE '%alibi.txt'")).scalar_one()
    store.delete(key)
    parse_shards(database, store, settings(), ALL)
    codes = {problem["uri"].rsplit("/", 1)[1]: problem["code"] for problem in problems(database)}
    assert codes == {"empty.txt": "empty", "space.txt": "empty", "alibi.txt": "missing"}


def test_the_same_work_in_two_documents_is_one_work(database: Database, store: ObjectStore, folder: Path, tmp_path: Path) -> None:
    record = {"doc_id": "acl:1", "title": "A rather distinctive title of a paper", "abstract": "Text."}
    (tmp_path / "dump.jsonl").write_text(json.dumps(record) + "\n")
    (folder / "paper.md").write_text("# A Rather Distinctive Title of a Paper\n\nThe full text of the paper is longer.\n")
    add_source(database, settings(), str(tmp_path / "dump.jsonl"))
    ingested(database, store)
    report = join_works(database)
    assert (report.documents, report.works, report.joined, report.rebuilt) == (4, 3, 1, True)
    assert (
        number(database, "SELECT count(*) FROM work w JOIN document d ON d.document_id = w.main_document WHERE d.uri LIKE '%paper.md'") == 1
    )
    assert not join_works(database).rebuilt
    (folder / "paper.md").unlink()
    ingested(database, store)
    assert (join_works(database).works, number(database, "SELECT count(*) FROM work")) == (3, 3)


KILLED = """
import os, signal, sys
from forge_assets.corpus import ingest
from forge_resources.database import Database
from forge_resources.object_store import open_store
from forge_resources.settings import settings

whole, batches = Database.copy, []

def copy(db, connection, table, *given):
    whole(db, connection, table, *given)
    batches.extend(["written"] if table == "document" else [])
    if len(batches) == 3:
        os.killpg(0, signal.SIGKILL)

Database.copy, ingest.WRITE_BATCH = copy, int(sys.argv[1])
ingest.parse_shards(Database.open(), open_store(settings().objects_url, settings()), settings(), range(64))
"""
"""Ends itself in the transaction of its third batch."""


def test_a_run_killed_in_the_middle_goes_on_where_it_was(database: Database, store: ObjectStore, tmp_path: Path) -> None:
    count, batch = 400, 50
    lines = [{"doc_id": f"k:{n}", "title": f"Title {n}", "abstract": "This is a sentence of the text. " * 40} for n in range(count)]
    (tmp_path / "dump.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    add_source(database, settings(), str(tmp_path / "dump.jsonl"))
    scan(database, store, settings(), ALL)
    done = subprocess.run([sys.executable, "-c", KILLED, str(batch)], start_new_session=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert number(database, "SELECT count(*) FROM document") == 2 * batch
    assert parse_shards(database, store, settings(), ALL).parsed == count - 2 * batch


# -- the parser processes ----------------------------------------------------------------------------------------------


def jobs(*names: str, data: bytes = b"A sentence of text.") -> list[Job]:
    return [Job(name, data, name, False) for name in names]


def test_a_document_that_kills_its_process_is_a_problem_and_its_neighbours_are_parsed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _plant(monkeypatch, tmp_path, "if name == 'bad.txt': import os; os.kill(os.getpid(), 11)")
    results = dict(parse_all([jobs("a.txt", "bad.txt", "b.txt"), jobs("c.txt")], Limits(), workers=1))
    bad = results.pop("bad.txt")
    assert isinstance(bad, DocumentProblem) and bad.code == "crashed" and "signal 11" in str(bad)
    assert set(results) == {"a.txt", "b.txt", "c.txt"} and all(isinstance(r, Document) for r in results.values())


def test_a_document_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _plant(monkeypatch, tmp_path, "if name == 'bad.txt': import time; time.sleep(60)")
    monkeypatch.setattr("forge_assets.corpus.workers.GRACE_S", 0.5)
    started = time.monotonic()
    results = dict(parse_all([jobs("bad.txt", "b.txt")], Limits(timeout_s=5), workers=1))
    bad = results["bad.txt"]
    assert isinstance(bad, DocumentProblem) and bad.code == "timeout"
    assert isinstance(results["b.txt"], Document)
    assert time.monotonic() - started < 30


def test_a_document_that_needs_too_much_memory_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _plant(monkeypatch, tmp_path, "if name == 'bad.txt': bytearray(3_000_000_000)")
    results = dict(parse_all([jobs("bad.txt", "b.txt")], Limits(), workers=1))
    bad = results["bad.txt"]
    assert isinstance(bad, DocumentProblem) and bad.code == "too_complex"
    assert isinstance(results["b.txt"], Document)


def test_one_record_that_kills_its_process_is_found_among_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _plant(monkeypatch, tmp_path, "if name == 'r:7': import os; os.kill(os.getpid(), 11)")
    records = [
        Job(f"r:{n}", json.dumps({"id": f"r:{n}", "title": f"Title {n}", "abstract": "Text."}).encode(), f"r:{n}", True) for n in range(12)
    ]
    results = dict(parse_all([records], Limits(), workers=1))
    assert [key for key, answer in results.items() if isinstance(answer, DocumentProblem)] == ["r:7"]
    assert len(results) == 12


def test_parsing_has_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _plant(monkeypatch, tmp_path, "import socket; socket.create_connection(('127.0.0.1', 9))")
    ((_, answer),) = parse_all([jobs("a.txt")], Limits(), workers=1)
    assert isinstance(answer, DocumentProblem) and "parsing has no network" in str(answer)


def test_no_parser_process_outlives_an_abandoned_run() -> None:
    running = parse_all([jobs("a.txt"), jobs("b.txt"), jobs("c.txt")], Limits(), workers=2)
    next(running)
    running.close()
    deadline = time.monotonic() + 10
    while _workers_alive() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _workers_alive()


def _workers_alive() -> list[str]:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [pid for pid in children if worker.__name__.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _plant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, statement: str) -> None:
    """Lets the parser processes run a statement for each document, by a sitecustomize of the test's own."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "if '-m' in sys.orig_argv and 'forge_assets.corpus.worker' in sys.orig_argv:\n"
        "    import forge_assets.corpus.parse as p\n"
        "    def watched(whole):\n"
        "        def read(*given):\n"
        "            name = given[1]\n"
        f"            {statement}\n"
        "            return whole(*given)\n"
        "        return read\n"
        "    p.read, p.read_record = watched(p.read), watched(p.read_record)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{PROJECT}")
