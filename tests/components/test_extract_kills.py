"""kill -9 at a write: the next run finishes what was begun, does no committed document again, and leaves what an undisturbed one leaves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from forge_assets.components import extract
from forge_assets.components.extract import ExtractReport, extract_shards
from forge_assets.components.seen import stamp_of
from forge_assets.embeddings.lexical import LexicalIndex
from forge_resources.database import Database
from forge_resources.settings import settings
from tests.components.killed import BATCH, ONTOLOGIES, Killer, killer
from tests.components.readings import ALL, held, read_here, records
from tests.embeddings.corpus_builder import put_records

DOCUMENTS = 13


@pytest.fixture
def corpus(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(extract, "read_all", read_here)
    odd = {"doc_id": "x:frob", "title": "Note", "abstract": "We use a Frob with GELU.", "year": 2020}
    put_records(database, [*records(DOCUMENTS - 1), odd])
    LexicalIndex(settings().home / "lexical").sync(database)
    return database


@pytest.fixture
def forked(corpus: Database) -> Iterator[Killer]:
    with killer() as process:
        yield process


def read(db: Database, which: str) -> ExtractReport:
    return extract_shards(db, ONTOLOGIES[which], settings(), ALL)


def begin(db: Database, state: str) -> None:
    """From nothing, or from what the other ontology found."""
    with db.begin() as connection:
        connection.exec_driver_sql("TRUNCATE extraction CASCADE")
        connection.exec_driver_sql("TRUNCATE ontology_version")
    if state == "read before":
        read(db, "base")


def up_to_date(db: Database) -> set[Any]:
    statement = sa.text("SELECT document_id, xmin::text FROM extraction WHERE ontology = :stamp")
    with db.begin() as connection:
        return {tuple(row) for row in connection.execute(statement, {"stamp": stamp_of(ONTOLOGIES["more"])})}


def wait_for_the_killed(db: Database) -> None:
    """The server may still commit what a killed client had sent."""
    busy = sa.text("""SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND (state = 'active' OR backend_xid IS NOT NULL)""")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with db.begin() as connection:
            if connection.execute(busy).scalar_one() == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the server is still at work for a client that was killed a minute ago")


def trial(db: Database, forked: Killer, state: str, at: int, clean: dict[str, list[Any]]) -> None:
    begin(db, state)
    killed, count = forked.run("more", at)
    assert (killed, count) == (True, at)
    wait_for_the_killed(db)
    done = up_to_date(db)
    report = read(db, "more")
    assert report.read + report.moved == DOCUMENTS - len(done)
    assert done <= up_to_date(db), "what was committed is not written again"
    assert held(db) == clean, f"killed at write {at} from {state!r}"


def whole(db: Database, forked: Killer, state: str) -> tuple[int, dict[str, list[Any]]]:
    """Number of writes of an undisturbed run, and what it leaves."""
    begin(db, state)
    killed, count = forked.run("more")
    assert not killed and count > 4 * DOCUMENTS // BATCH
    return count, held(db)


STATES = ("nothing", "read before")


@pytest.mark.parametrize("state", STATES)
def test_a_run_killed_at_some_writes_leaves_what_a_whole_one_leaves(corpus: Database, forked: Killer, state: str) -> None:
    count, clean = whole(corpus, forked, state)
    for part in range(8):
        trial(corpus, forked, state, count * part // 8 + 1, clean)


@pytest.mark.faults
@pytest.mark.timeout(0)
@pytest.mark.parametrize("state", STATES)
def test_a_run_killed_at_every_write_leaves_what_a_whole_one_leaves(corpus: Database, forked: Killer, state: str) -> None:
    count, clean = whole(corpus, forked, state)
    for at in range(1, count + 1):
        trial(corpus, forked, state, at, clean)
