"""The same document twice, two runs at once on the same shards, and a clock that goes back: what stands at the end is the same."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from forge_assets.corpus.sources import add_source
from forge_resources.database import Database
from forge_resources.settings import Settings
from tests.faults.conftest import World
from tests.faults.pipeline import ALL, SMALL, run_all
from tests.faults.small_world import lines, note, record
from tests.faults.state import digests, violations

DAY = 86_400


@pytest.fixture
def chosen(database_url: str, forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for module, name, value in SMALL:
        monkeypatch.setattr(module, name, value)
    return Settings(home=forge_home, database_url=database_url, workers=1)


def number(db: Database, statement: str) -> int:
    with db.begin() as connection:
        return int(connection.execute(sa.text(statement)).scalar_one())


# -- delivered twice -----------------------------------------------------------------------------------------------------------


def test_the_same_document_from_two_places(database: Database, chosen: Settings, tmp_path: Path) -> None:
    """Two files of the same bytes, a record twice in a dump, in two dumps, and in two sources: one raw object, one work."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.md").write_text(note(1))
        (tmp_path / name / "a.jsonl").write_text(lines([record(1), record(2), record(1)]))
        (tmp_path / name / "b.jsonl").write_text(lines([record(2) | {"abstract": "Later."}, record(3)]))
        add_source(database, chosen, str(tmp_path / name), name)
    run_all(database, chosen)
    assert number(database, "SELECT count(*) FROM document") == 2 + 2 * 3
    assert number(database, "SELECT count(DISTINCT raw_key) FROM inventory WHERE uri LIKE '%same.md'") == 1
    assert number(database, "SELECT count(*) FROM document WHERE text LIKE '%Later.%'") == 0
    members = "work_document JOIN document USING (document_id) WHERE external_id LIKE '%.00001'"
    assert number(database, f"SELECT count(DISTINCT work_id) FROM {members}") == 1
    (tmp_path / "one" / "same.md").unlink()
    run_all(database, chosen)
    assert violations(database, chosen) == []  # the other file's bytes are still there
    before = digests(database, chosen)
    assert run_all(database, chosen)["parsed"] == 0
    assert digests(database, chosen) == before


# -- two runs at once ----------------------------------------------------------------------------------------------------------


BOTH_ORDERS = [pytest.param(pair, marks=pytest.mark.faults) for pair in [(range(40), range(24, 64)), (range(24, 64), range(40))]]


@pytest.mark.timeout(0)
@pytest.mark.parametrize("ranges", [(range(64), range(64)), *BOTH_ORDERS])
def test_two_runs_over_the_same_shards(world: World, database: Database, chosen: Settings, ranges: tuple[range, range]) -> None:
    world.name_sources(database, chosen)
    failures: list[BaseException] = []

    def one(shards: range) -> None:
        try:
            with Database.open(chosen, migrate=False) as db:
                run_all(db, chosen, shards)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(shards,)) for shards in ranges]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert violations(database, chosen, world.versions) == []
    run_all(database, chosen, ALL)
    assert world.differences(digests(database, chosen)) == []


# -- clocks --------------------------------------------------------------------------------------------------------------------


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_a_clock_set_back_a_day_between_runs_and_during_one(
    world: World, database: Database, chosen: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of this process and of the server: its now() is one that a table of the test tells."""
    with database.begin() as connection:
        name = sa.make_url(database_url).database
        connection.exec_driver_sql("CREATE SCHEMA shifted")
        connection.exec_driver_sql(
            "CREATE FUNCTION shifted.now() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT pg_catalog.now() - interval '1 day' $$"
        )
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET search_path = shifted, public, pg_catalog')
    world.name_sources(database, chosen)
    run_all(database, chosen, range(20))
    database.engine.dispose()
    true_time, calls = time.time, 0

    def earlier() -> float:
        nonlocal calls
        calls += 1
        return true_time() - (DAY if calls > 3 else 0)

    monkeypatch.setattr(time, "time", earlier)
    assert number(database, "SELECT count(*) FROM document") > 0
    run_all(database, chosen)
    monkeypatch.setattr(time, "time", true_time)
    run_all(database, chosen)
    assert world.differences(digests(database, chosen)) == []
    assert violations(database, chosen, world.versions) == []


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_file_times_of_the_past_and_the_future_and_an_edit_that_hides(database: Database, chosen: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, when in (("past", 0), ("future", int(time.time()) + 400 * DAY), ("now", int(time.time()))):
        (folder / f"{name}.md").write_text(note(1))
        os.utime(folder / f"{name}.md", (when, when))
    add_source(database, chosen, str(folder))
    assert run_all(database, chosen)["parsed"] == 3
    assert run_all(database, chosen)["parsed"] == 0
    for path in sorted(folder.iterdir()):
        before = path.stat()
        path.write_text(note(1).replace("experiment 10-0", "experiment 77-0"))  # as long as before
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    done = run_all(database, chosen)
    assert (done["changed"], done["parsed"]) == (3, 3)
    shutil.copy2(folder / "past.md", folder / "copy.md")  # keeps the old time
    assert run_all(database, chosen)["new"] == 1
    assert number(database, "SELECT count(*) FROM document WHERE text LIKE '%experiment 77-0%'") == 4
