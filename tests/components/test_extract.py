"""Readings follow documents, rules and ontology: what is unchanged is not read, what breaks is told, a kill costs a batch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from forge_assets.components import extract, reader_process, store
from forge_assets.components.extract import ExtractReport, extract_shards
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.readers import read_all
from forge_assets.corpus.addresses import shard_of
from forge_resources.database import Database
from forge_resources.settings import PROJECT, settings
from tests.components.readings import ALL, held, ontology, records, versions
from tests.embeddings.corpus_builder import put_records, remove

SMALL = ontology()
PROCESS = reader_process.__name__


@pytest.fixture(autouse=True)
def _two_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_WORKERS", "2")
    monkeypatch.setattr(extract, "WORTH", 1)  # few documents are worth a process too


def read(db: Database, by: Ontology = SMALL, shards: Any = ALL) -> ExtractReport:
    return extract_shards(db, by, settings(), shards)


def number(db: Database, statement: str, **values: object) -> int:
    with db.begin() as connection:
        return int(connection.execute(sa.text(statement), values).scalar_one())


def test_every_document_is_read_once(database: Database) -> None:
    put_records(database, records(300))
    told: list[tuple[int, int | None]] = []
    report = extract_shards(database, SMALL, settings(), ALL, lambda done, total: told.append((done, total)))
    assert (report.read, report.quarantined, report.moved) == (300, 0, 0)
    assert sum(done for done, _ in told) == 300 and {total for _, total in told} == {300}
    for table, counted in (
        ("mention", report.mentions), ("new_name", report.names), ("parameter_value", report.values), ("relation", report.relations),
    ):  # fmt: skip
        assert number(database, f"SELECT count(*) FROM {table}") == counted > 0
    spans = 'SELECT count(*) FROM mention m JOIN document d USING (document_id) WHERE substr(d.text, start + 1, "end" - start) = :surface'
    assert number(database, spans, surface="BERT") == number(database, "SELECT count(*) FROM mention WHERE component = 'bert'") > 20
    before = versions(database)
    again = read(database)
    assert (again.read, again.mentions, versions(database)) == (0, 0, before) and again.seconds < 2


def test_a_run_reads_its_own_shards_only(database: Database) -> None:
    documents = put_records(database, records(200))
    mine = sorted({shard_of(document) for document in documents})[:5]
    assert read(database, shards=mine).read == sum(shard_of(document) in mine for document in documents)
    assert read(database).read == sum(shard_of(document) not in mine for document in documents)


def test_a_changed_document_is_read_again_and_nobody_else(database: Database) -> None:
    made = records(40)
    documents = put_records(database, made)
    read(database)
    before, digest = versions(database), store.digest(database, ALL)
    put_records(database, [made[3] | {"abstract": "Nothing but a LayerNorm."}])
    assert read(database).read == 1
    after = versions(database)
    assert [document for document in after if after[document] != before.get(document)] == [documents[3]]
    assert number(database, "SELECT count(*) FROM mention WHERE document_id = :d", d=documents[3]) == 1
    assert store.digest(database, ALL) != digest


def test_a_removed_document_takes_its_readings_along(database: Database) -> None:
    documents = put_records(database, records(20))
    read(database)
    remove(database, documents[3])
    for table in ("extraction", "mention", "new_name", "parameter_value", "relation"):
        assert number(database, f"SELECT count(*) FROM {table} WHERE document_id = :d", d=documents[3]) == 0
    assert read(database).read == 0


def test_another_version_of_the_rules_reads_all_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(database, records(30))
    read(database)
    before = held(database)
    monkeypatch.setattr(extract, "RULES_VERSION", "next")
    assert read(database).read == 30
    after = held(database)
    assert {row.version for row in after["extraction"]} == {"next"}
    assert {table: rows for table, rows in after.items() if table != "extraction"} == {
        table: rows for table, rows in before.items() if table != "extraction"
    }


def test_readings_do_not_depend_on_processes_order_or_hash_seeds(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    put_records(database, records(260))
    found = []
    for workers, batch, seed in ((1, 256, "0"), (3, 50, "1"), (2, 7, "4242")):
        with database.begin() as connection:
            connection.exec_driver_sql("TRUNCATE extraction CASCADE")
        monkeypatch.setenv("FORGE_WORKERS", str(workers))
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setattr(extract, "COMMIT", batch)
        monkeypatch.setattr(extract, "TASK", batch)
        assert read(database).read == 260
        found.append((held(database), store.digest(database, ALL)))
    assert found[0] == found[1] == found[2]


def test_a_document_parsed_anew_while_it_was_read_is_left_to_the_next_run(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    made = records(6)
    documents = put_records(database, made)
    whole = store.write

    def late(*given: Any) -> Any:
        monkeypatch.setattr(store, "write", whole)
        put_records(database, [made[2] | {"abstract": "LayerNorm, further back."}])
        remove(database, documents[4])
        return whole(*given)

    monkeypatch.setattr(store, "write", late)
    assert read(database).read == 4
    assert number(database, "SELECT count(*) FROM extraction") == 4
    assert read(database).read == 1
    with database.begin() as connection:
        rows = connection.execute(sa.text('SELECT start, "end" FROM mention WHERE document_id = :d'), {"d": documents[2]}).all()
        text = connection.execute(sa.text("SELECT text FROM document WHERE document_id = :d"), {"d": documents[2]}).scalar_one()
    assert [text[start:end] for start, end in rows] == ["LayerNorm"]


KILLED = """
import os, signal
from forge_assets.components import extract
from forge_resources.database import Database
from forge_resources.settings import settings
from tests.components.readings import ALL, ontology

whole, batches = Database.copy, []

def copy(db, connection, table, *given):
    whole(db, connection, table, *given)
    batches.extend(["written"] if table == "extraction" else [])
    if len(batches) == 2:
        os.killpg(0, signal.SIGKILL)

Database.copy = copy
extract.extract_shards(Database.open(), ontology(), settings(), ALL)
"""
"""Ends itself in the transaction of its second batch."""


def test_a_run_killed_in_the_middle_goes_on_where_it_was(database: Database) -> None:
    count = 3 * extract.COMMIT
    put_records(database, records(count))
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=PROJECT, start_new_session=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert number(database, "SELECT count(*) FROM extraction") == extract.COMMIT
    before = versions(database)
    assert read(database).read == count - extract.COMMIT
    after = versions(database)
    assert all(after[document] == transaction for document, transaction in before.items())


# -- documents that break a rule, and the processes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("raise ZeroDivisionError('by nought')", "a rule failed: ZeroDivisionError at sitecustomize.py:"),
        ("raise RecursionError", "a rule failed: RecursionError"),
        ("import os; os.kill(os.getpid(), 11)", "ended the process that read it (signal 11)"),
        ("import os; os._exit(3)", "ended the process that read it (exit status 3)"),
        ("print('noise'); import time; time.sleep(60)", "took longer than the 6 s of FORGE_DOCUMENT_TIMEOUT_S to read"),
    ],
)
def test_a_document_that_breaks_a_rule_is_told_and_its_neighbours_are_read(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, statement: str, reason: str
) -> None:
    made = records(30)
    documents = put_records(database, [*made, {"doc_id": "r:bad", "title": "Poison", "abstract": "We use Adam."}])
    monkeypatch.setenv("FORGE_DOCUMENT_TIMEOUT_S", "6" if "sleep" in statement else "60")  # a busy machine may take seconds
    with monkeypatch.context() as poisoned:
        plant(poisoned, tmp_path, statement)
        report = read(database)
    assert (report.read, report.quarantined) == (31, 1)
    (problem,) = store.problems(database)
    assert problem["uri"].endswith("r:bad") and problem["reason"].startswith(reason)
    assert number(database, "SELECT count(*) FROM mention WHERE document_id = :d", d=documents[-1]) == 0
    assert number(database, "SELECT count(*) FROM extraction WHERE problem IS NULL") == 30
    assert read(database).read == 0, "it is not tried again while nothing has changed"
    monkeypatch.setattr(extract, "RULES_VERSION", "mended")
    assert (read(database).quarantined, store.problems(database)) == (0, [])


def plant(monkeypatch: pytest.MonkeyPatch, folder: Path, statement: str) -> None:
    """Lets the reader processes run a statement for the document that is called Poison, by a sitecustomize of the test's own."""
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        f"if any({PROCESS!r} in word for word in sys.orig_argv):\n"
        "    import forge_assets.components.extraction as e\n"
        "    whole = e.Extractor.read\n"
        "    def read(extractor, reading):\n"
        "        if reading.title == 'Poison':\n"
        f"            {statement}\n"
        "        return whole(extractor, reading)\n"
        "    e.Extractor.read = read\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{PROJECT}")


def test_no_reader_process_outlives_an_abandoned_run(database: Database) -> None:
    put_records(database, records(60))
    tasks = [store.texts(database, [document]) for shard in ALL for document, _ in store.stale(database, shard, "1", "o")]
    running = read_all(tasks, SMALL, 2, 60.0)
    next(running)
    assert alive()
    running.close()
    deadline = time.monotonic() + 10
    while alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive()


def alive() -> list[str]:
    children = [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]
    return [pid for pid in children if PROCESS.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_second_run_waits_for_the_first(database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    put_records(database, records(10))
    inside, go = threading.Event(), threading.Event()
    whole = store.write

    def slow(*given: Any) -> Any:
        inside.set()
        go.wait(30)
        return whole(*given)

    monkeypatch.setattr(store, "write", slow)
    reports: list[ExtractReport] = []
    runs = [threading.Thread(target=lambda: reports.append(read(database))) for _ in range(2)]
    runs[0].start()
    assert inside.wait(30)
    runs[1].start()
    deadline = time.monotonic() + 30
    while "another run works on extract" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.02)
    go.set()
    for run in runs:
        run.join(60)
    assert "another run works on extract" in caplog.text
    assert sorted(report.read for report in reports) == [0, 10]
