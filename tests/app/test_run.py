"""`forge run` in one process: what changed is done, once, and only that; Dagster agrees on what is fresh."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from forge_app.instance import JOB, instance, new_run, report_killed_runs
from forge_app.run import _raise, materialize, select
from forge_assets.corpus.addresses import SHARD_KEYS, document_id, file_uri, shard_of
from forge_assets.corpus.ingest import WRITE_BATCH
from forge_assets.corpus.sources import add_source
from forge_assets.definitions import defs
from forge_resources.database import Database
from forge_resources.errors import ForgeError, SettingError
from forge_resources.settings import PROJECT, settings

PARTITIONED = ["source_inventory", "parsed_papers", "passage_embeddings"]


@pytest.fixture
def made(database: Database, articles: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Everything materialized once."""
    monkeypatch.setenv("FORGE_WORKERS", "2")
    add_source(database, settings(), str(articles))
    return materialize()


def number(database: Database, statement: str, **values: object) -> int:
    with database.begin() as connection:
        return int(connection.execute(sa.text(statement), values).scalar_one())


def parse_times(database: Database) -> dict[int, object]:
    """Shard -> when its documents were last written."""
    with database.begin() as connection:
        return {row.shard: row.at for row in connection.execute(sa.text("SELECT shard, max(parsed_at) AS at FROM document GROUP BY shard"))}


def touched(database: Database, before: dict[int, object]) -> set[int]:
    return {shard for shard, at in parse_times(database).items() if before.get(shard) != at}


def versions(asset: str) -> dict[str, str]:
    """Partition -> data version of its last materialization."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        found = {}
        for record in instance.fetch_materializations(dg.AssetKey(asset), limit=1000, ascending=True).records:
            materialization = record.asset_materialization
            assert materialization is not None
            found[record.partition_key or ""] = (materialization.tags or {})["dagster/data_version"]
        return found


def edges_of_rules() -> int:
    """Edges that need no corpus: five articles claim nothing of two components."""
    from forge_assets.compatibility.constraints.base import load_constraints
    from forge_assets.compatibility.graph.rules import rules
    from forge_assets.components.ontology import load_ontology

    ontology = load_ontology()
    found = rules(load_constraints(ontology).constraints, ontology.components)
    assert len(found) > 20
    return len(found)


def test_the_life_of_a_corpus(made: dict[str, dict[str, Any]], database: Database, articles: Path) -> None:
    """One home for all of it: to make everything takes ten seconds each time."""
    everything_is_made_from_the_sources(made, database)
    a_second_run_does_nothing_and_leaves_every_version_and_every_check_holds()
    an_edit_reprocesses_one_document_and_a_deletion_removes_everything_of_it(database, articles)
    a_shard_can_be_run_alone_and_its_version_tells(articles)


def everything_is_made_from_the_sources(made: dict[str, dict[str, Any]], database: Database) -> None:
    assert made["nightly_report"]["summary"].startswith("5 new, 0 changed, 0 removed, 0 quarantined; ")
    assert {asset: metadata["dagster/row_count"] for asset, metadata in made.items() if asset != "nightly_report"} == {
        "source_inventory": 5, "parsed_papers": 5, "works": 5, "lexical_index": 5, "passage_embeddings": 5, "search_index": 5,
        "component_mentions": 5, "component_catalog": 3, "topic_clusters": 0, "topic_map": 0,
        "compatibility_graph": edges_of_rules(), "doc_site": 0,
    }  # fmt: skip
    assert set(versions("parsed_papers")) == set(SHARD_KEYS)
    assert number(database, "SELECT count(*) FROM passage_vector") == number(database, "SELECT count(*) FROM passage") == 5


def a_second_run_does_nothing_and_leaves_every_version_and_every_check_holds() -> None:
    before = {asset: versions(asset) for asset in (*PARTITIONED, "works", "lexical_index", "search_index")}
    again = materialize()
    assert (again["source_inventory"]["new"], again["source_inventory"]["changed"], again["source_inventory"]["bytes_read"]) == (0, 0, 0)
    assert (again["parsed_papers"]["parsed"], again["passage_embeddings"]["embedded"], again["lexical_index"]["added"]) == (0, 0, 0)
    assert again["works"]["rebuilt"] is False and again["search_index"]["built"] is False
    assert {asset: versions(asset) for asset in before} == before
    checks = outcomes_of_checks()
    assert len(checks) >= 10 and all(checks.values()), checks


def an_edit_reprocesses_one_document_and_a_deletion_removes_everything_of_it(database: Database, articles: Path) -> None:
    before = parse_times(database)
    edited, gone = (document_id(file_uri(articles / name)) for name in ("muon.txt", "rope.md"))
    assert number(database, "SELECT count(*) FROM passage WHERE document_id = :id", id=gone)
    (articles / "muon.txt").write_text("Muon orthogonalises the momentum by Newton-Schulz iterations.")
    (articles / "rope.md").unlink()
    again = materialize()
    assert (again["source_inventory"]["changed"], again["source_inventory"]["removed"]) == (1, 1)
    assert (again["parsed_papers"]["parsed"], again["parsed_papers"]["removed"]) == (1, 1)
    assert (again["passage_embeddings"]["embedded"], again["lexical_index"]["added"], again["lexical_index"]["removed"]) == (1, 1, 2)
    assert touched(database, before) == {shard_of(edited)}
    assert number(database, "SELECT count(*) FROM document WHERE text LIKE '%Newton-Schulz%'") == 1
    assert number(database, "SELECT count(*) FROM passage WHERE document_id = :id", id=gone) == 0
    assert number(database, "SELECT count(*) FROM passage_vector") == number(database, "SELECT count(*) FROM passage") == 4


def a_shard_can_be_run_alone_and_its_version_tells(articles: Path) -> None:
    shard = f"{shard_of(document_id(file_uri(articles / 'muon.txt'))):02x}"
    before = versions("parsed_papers")
    (articles / "muon.txt").write_text("Muon has other words now.")
    materialize(PARTITIONED, shards=shard)
    after = versions("parsed_papers")
    assert {key for key in SHARD_KEYS if before[key] != after[key]} == {shard}


def test_selections_are_names_or_dagster_syntax() -> None:
    assert set(select(["parsed_papers+"])) == {*("parsed_papers", "works", "lexical_index", "passage_embeddings", "component_mentions")}
    assert select(["works"]) == {"works": False}
    with pytest.raises(SettingError, match="no asset is called nonsense; the assets are: source_inventory"):
        select(["nonsense"])
    with pytest.raises(SettingError, match="cannot read the selection"):
        select(["((("])


def test_a_stage_that_fails_for_a_users_reason_says_so_in_one_sentence(database: Database, articles: Path, tmp_path: Path) -> None:
    add_source(database, settings(), str(articles))
    articles.rename(tmp_path / "moved")
    with pytest.raises(ForgeError, match="does not exist; correct the path or `forge source remove articles`") as caught:
        materialize(["source_inventory"], shards="00")
    assert "\n" not in str(caught.value)


def outcomes_of_checks() -> dict[str, bool]:
    """Check name -> whether it passed at its last evaluation; False where it was never evaluated. Volumes are `forge docs build`'s."""
    import dagster as dg

    outcomes = {}
    with dg.DagsterInstance.get() as instance:
        for key in (key for checks in defs.asset_checks or [] for key in checks.check_keys):
            if key.asset_key == dg.AssetKey("doc_volumes"):
                continue
            record = instance.get_latest_asset_check_evaluation_record(key)
            event = record and record.event and record.event.dagster_event
            outcomes[key.name] = bool(event and event.asset_check_evaluation_data.passed)
    return outcomes


# -- violence ------------------------------------------------------------------------------------------------------------


HELD = """
import os, time
from pathlib import Path
from forge_app.cli import main
from forge_resources.database import Database

whole, batches = Database.copy, []

def copy(db, connection, table, *given):
    whole(db, connection, table, *given)
    batches.extend(["written"] if table == "document" else [])
    while len(batches) == 2 and not Path(os.environ["GO_ON"]).exists():
        time.sleep(0.01)

Database.copy = copy
main()
"""


@pytest.fixture
def running(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """`forge run` in a process group of its own, held in the transaction of its second batch until the file `go-on` is there."""
    monkeypatch.setenv("FORGE_WORKERS", "1")
    monkeypatch.setenv("GO_ON", str(tmp_path / "go-on"))
    lines = [{"doc_id": f"k:{n}", "title": f"Title {n}", "abstract": "Some sentence. "} for n in range(3 * WRITE_BATCH)]
    (tmp_path / "dump.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    add_source(database, settings(), str(tmp_path / "dump.jsonl"))
    command = [sys.executable, "-c", HELD, "run", "source_inventory", "parsed_papers"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=PROJECT, start_new_session=True) as process:
        while number(database, "SELECT count(*) FROM document") == 0:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
        yield process
        process.kill()


def unfinished() -> list[str]:
    import dagster as dg
    from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

    with instance(settings()) as home:
        return [run.run_id for run in home.get_runs(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES))]


def test_a_killed_run_is_reported_failed_by_the_next_one(running: subprocess.Popen[str], database: Database) -> None:
    (killed,) = unfinished()
    with instance(settings()) as home:
        assert report_killed_runs(settings().home, home) == []  # its process lives
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert unfinished() == [killed]
    materialize(["works"])
    assert unfinished() == []
    with instance(settings()) as home:
        assert home.get_run_by_id(killed).status.value == "FAILURE"
        assert any("its process was killed" in (log.dagster_event.message or "") for log in home.all_logs(killed) if log.dagster_event)
    assert list((settings().home / "runs").iterdir()) == []


def test_a_run_that_ended_keeps_its_outcome_and_one_without_a_lock_is_dead(forge_home: Path) -> None:
    import dagster as dg

    @dg.job(name=JOB)
    def nothing() -> None: ...

    with instance(settings()) as home:
        with new_run(forge_home) as run_id:
            home.create_run_for_job(job_def=nothing, run_id=run_id)
            assert report_killed_runs(forge_home, home) == []
        assert nothing.execute_in_process(instance=home).success
        assert report_killed_runs(forge_home, home) == [run_id]
        assert report_killed_runs(forge_home, home) == []


def test_forge_up_reports_killed_runs_before_dagster_starts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    import dagster as dg

    from forge_app import up

    @dg.job(name=JOB)
    def nothing() -> None: ...

    def start(*given: object) -> None:
        assert unfinished() == []
        raise ForgeError("started")

    monkeypatch.setattr(up, "require_free", lambda *given: None)
    monkeypatch.setattr(signal, "signal", lambda *given: None)
    monkeypatch.setattr(up, "_start", start)
    with instance(settings()) as home:
        run_id = home.create_run_for_job(job_def=nothing).run_id
    assert unfinished() == [run_id]
    with pytest.raises(ForgeError, match="started"):
        up.up.main([], standalone_mode=False)


def test_a_check_that_fails_says_how_many(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with database.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO document (document_id, uri, shard, source, content_hash, stage_version, media_type, text, blocks)
                VALUES (gen_random_uuid(), 'file:///a', 0, 's', 'h', '1', 'text/plain', 'Text without a passage.', '[]')""")
        )
    materialize(["parsed_papers"], shards="01")
    assert "every_document_has_a_passage: 1 without" in capsys.readouterr().err


def test_a_database_that_breaks_off_is_one_sentence(running: subprocess.Popen[str], database: Database, tmp_path: Path) -> None:
    others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
    assert number(database, others + " AND pid <> pg_backend_pid()") > 0
    (tmp_path / "go-on").touch()
    while running.poll() is None:
        number(database, others + " AND pid <> pg_backend_pid()")
    assert running.returncode == 2, running.communicate()[1]
    *_, last = running.communicate()[1].splitlines()
    assert last.startswith("forge: the database broke off in the middle of the run: ")
    assert last.endswith("; run again, what is finished is kept")


def no_space() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "raw/abc")


def no_space_for_postgres() -> None:
    try:
        raise sa.exc.OperationalError("INSERT ...", {}, psycopg.errors.DiskFull("could not extend file: No space left on device"))
    except sa.exc.OperationalError as error:
        raise RuntimeError("wrapped") from error


@pytest.mark.parametrize(
    ("fail", "sentence"),
    [
        (no_space, "the disk is full ([Errno 28] No space left on device: 'raw/abc'); make room"),
        (no_space_for_postgres, "the disk is full (could not extend file: No space left on device); make room"),
    ],
)
def test_a_full_disk_is_one_sentence(fail: Callable[[], None], sentence: str) -> None:
    with pytest.raises(ForgeError) as caught:
        _raise(step_failure(fail))
    assert str(caught.value).startswith(sentence) and "\n" not in str(caught.value)


def test_a_bug_is_shown_whole() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)a_stage failed:.*ZeroDivisionError"):
        _raise(step_failure(lambda: print(1 // 0)))


def step_failure(fail: Callable[[], None]) -> Any:
    """What Dagster hands over for a step that failed like this."""
    from dagster._utils.error import serializable_error_info_from_exc_info

    try:
        fail()
    except Exception:
        error = serializable_error_info_from_exc_info(sys.exc_info())
    return SimpleNamespace(step_key="a_stage", step_failure_data=SimpleNamespace(error=error, error_display_string=error.to_string()))
