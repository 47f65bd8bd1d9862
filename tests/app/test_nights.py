"""What a night does and tells: the schedule's run goes through every stage once, and each stage writes down what it did and cost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from forge_app.corpus import corpus
from forge_app.instance import instance
from forge_app.run import materialize
from forge_assets.corpus import works
from forge_assets.corpus.sources import add_source
from forge_assets.corpus.stage_runs import StageRun, measured, nights, of_run, record
from forge_assets.definitions import defs
from forge_assets.nights.report import growth, markdown, summary, tell, warnings
from forge_resources.database import Database
from forge_resources.errors import QueryError
from forge_resources.meter import Meter
from forge_resources.settings import settings

STAGES = {
    "source_inventory", "parsed_papers", "lexical_index", "passage_embeddings", "works", "search_index", "component_mentions",
    "component_catalog",
    "topic_clusters", "topic_map", "compatibility_graph",
}  # fmt: skip


def tonight() -> dg.RunRequest:
    """What the schedule asks for."""
    schedule = defs.resolve_schedule_def("nightly_reindex")
    data = schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=datetime(2026, 1, 2, 3, tzinfo=UTC)))
    (request,) = data.run_requests or []
    assert schedule.job_name == "corpus_job"
    return request


def night() -> str:
    """Runs it as the daemon would have it run, in this process; returns the run's id."""
    with instance(settings()) as home:
        result = defs.resolve_job_def("corpus_job").execute_in_process(instance=home, tags=tonight().tags)
        assert result.success
        return result.run_id


class Automation:
    """Dagster's daemon as far as conditions go: each look remembers the one before."""

    def __init__(self) -> None:
        self._cursor: Any = None

    def looks(self, at: datetime) -> set[str]:
        """The assets it would start."""
        with instance(settings()) as home:
            seen = dg.evaluate_automation_conditions(defs=defs, instance=home, evaluation_time=at, cursor=self._cursor)
        self._cursor = seen.cursor
        return {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys() if seen.get_num_requested(key)}


@pytest.fixture
def ready(database: Database, articles: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORGE_WORKERS", "2")
    add_source(database, settings(), str(articles))
    return articles


@pytest.mark.trial
def test_automation_follows_a_change_outside_of_a_night(ready: Path) -> None:
    automation, evening = Automation(), datetime.now(UTC)
    night()
    automation.looks(evening)
    (ready / "muon.txt").write_text("Muon orthogonalises the momentum by Newton-Schulz iterations.")
    materialize(["source_inventory"])
    assert automation.looks(evening + timedelta(minutes=1)) == {"parsed_papers"}


def test_a_night_goes_through_every_stage_and_tells_and_automation_starts_nothing_beside_it(
    ready: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    automation, evening = Automation(), datetime.now(UTC)
    automation.looks(evening)
    first = night()
    assert automation.looks(evening) == set()
    stages = {run.stage: run for run in of_run(database, first)}
    assert set(stages) == STAGES and {run.cause for run in stages.values()} == {"nightly"}
    assert stages["source_inventory"].counts["new"] == stages["parsed_papers"].counts["total"] == 5
    assert stages["source_inventory"].shards == 64 and stages["works"].shards is None
    with instance(settings()) as home:
        event = home.get_latest_materialization_event(dg.AssetKey("nightly_report"))
        assert event and event.asset_materialization
        told = str(event.asset_materialization.metadata["report"].value)
    assert "nightly: 5 new, 0 changed, 0 removed, 0 quarantined" in told
    assert all(f"| {stage} |" in told for stage in STAGES)

    (ready / "muon.txt").write_text("Muon orthogonalises the momentum by Newton-Schulz iterations.")
    (ready / "rope.md").unlink()
    (ready / "empty.pdf").write_text("no pdf")
    watched, asked = works.join_works, []
    tomorrow = evening + timedelta(days=1)  # the hour of the nightly run has passed since the last look

    def watch(db: Database) -> Any:
        asked.append(automation.looks(tomorrow))  # the documents are new, the works not yet made, and the run is under way
        return watched(db)

    monkeypatch.setattr(works, "join_works", watch)
    second = night()
    assert asked == [set()]
    assert automation.looks(tomorrow + timedelta(minutes=1)) == set()
    seen = tell(database, settings(), second)
    assert [seen.count(name) for name in ("new", "changed", "removed", "quarantined")] == [1, 1, 1, 1]
    assert growth(seen) is not None and "documents 5 -> 4 (-1)" in str(growth(seen))
    assert nights(database, 9) == [second, first]
    monkeypatch.setattr(works, "join_works", watched)
    third = night()
    assert summary(tell(database, settings(), third)).startswith("nothing changed; ")


def stage(run_id: str, name: str, seconds: float, at: Meter, done: int = 0, **more: int) -> StageRun:
    made = measured(run_id, name, "nightly", 64 if name == "source_inventory" else None, at, {"done": done, "total": done, **more})
    values = {field: getattr(made, field) for field in StageRun.__slots__}
    return StageRun(**values | {"seconds": seconds, "cpu_seconds": seconds, "server_cpu_seconds": None})


def test_a_stage_that_takes_more_than_twice_its_median_is_warned_of(database: Database) -> None:
    for number in range(9):  # the first two are older than the seven it is compared with
        at = Meter()
        record(database, stage(f"n{number}", "source_inventory", 1.0, at))
        record(database, stage(f"n{number}", "works", 100.0 if number < 2 else 4.0, at))
    at = Meter()
    record(database, stage("slow", "source_inventory", 3.0, at))
    assert warnings(tell(database, settings(), "slow")) == []  # three times, but two seconds
    record(database, stage("slow", "works", 20.0, at, done=12))
    (sentence,) = warnings(tell(database, settings(), "slow"))
    assert sentence == "works took 20.0 s, 5.0 times its median of the last 7 nights (4.0 s), for 12 items (median 0)"


def test_a_stage_tried_again_replaces_what_it_had_written(database: Database) -> None:
    at = Meter()
    record(database, stage("a", "source_inventory", 1.0, at, done=1))
    record(database, stage("a", "source_inventory", 2.0, at, done=2))
    (run,) = of_run(database, "a")
    assert (run.seconds, run.counts["done"]) == (2.0, 2)


def test_cost_is_money_where_a_price_is_set_and_cpu_seconds_elsewhere(database: Database) -> None:
    record(database, stage("a", "source_inventory", 900.0, Meter()))
    record(database, stage("a", "works", 2700.0, Meter()))
    plain, priced = settings(), settings().model_copy(update={"price_per_hour": 2.0})
    assert "cost |" not in markdown(tell(database, plain, "a")).replace("share of cost", "")
    assert "| source_inventory | 900.0 |  | 900.0 |  | 25% |" in markdown(tell(database, plain, "a"))
    assert "| source_inventory | 900.0 |  | 900.0 |  | 0.5000 | 25% |" in markdown(tell(database, priced, "a"))


def test_what_could_not_be_reached_is_named(database: Database) -> None:
    record(database, stage("a", "source_inventory", 1.0, Meter()))
    with database.begin() as connection:
        connection.execute(sa.text("INSERT INTO source (name, address) VALUES ('papers', 'arxiv:cs.LG')"))
        connection.execute(sa.text("INSERT INTO harvest (source, failed_at, failure) VALUES ('papers', now(), 'it answered 503')"))
        connection.execute(
            sa.text("""INSERT INTO harvested (document_id, uri, shard, source, external_id, token, wanted)
                VALUES (gen_random_uuid(), 'arxiv:cs.LG#1', 0, 'papers', '1', 't', true)""")
        )
    told = markdown(tell(database, settings(), "a"))
    assert "- source papers could not be read to its end: it answered 503" in told
    assert "- 1 documents are still to be fetched" in told


def test_forge_corpus_nights_lists_runs_and_tells_the_last(database: Database) -> None:
    with pytest.raises(QueryError, match="no run over all shards is recorded yet"):
        tell(database, settings())
    assert "no run over all shards is recorded yet" in CliRunner().invoke(corpus, ["nights"]).output
    for run in ("a", "b"):
        record(database, stage(run, "source_inventory", 1.0, Meter(), done=3, new=3))
        record(database, stage(run, "parsed_papers", 2.0, Meter(), done=3, quarantined=1))
    output = CliRunner().invoke(corpus, ["nights"]).output
    assert output.count("nightly") == 3 and "nightly: 3 new, 0 changed, 0 removed, 1 quarantined" in output
    (only,) = json.loads(CliRunner().invoke(corpus, ["nights", "--last", "1", "--json"]).output)
    assert only["new"] == 3 and [s["stage"] for s in only["stages"]] == ["source_inventory", "parsed_papers"]


def test_a_meter_counts_children_and_the_embedded_server(made_home: Path) -> None:
    import subprocess
    import sys

    from forge_resources.settings import Settings

    busy = "import time\nwhile time.process_time() < 0.3: pass"
    meter = Meter(made_home)
    subprocess.run([sys.executable, "-c", busy], check=True)
    assert meter.read().cpu_seconds >= 0.3 and meter.read().server_cpu_seconds is None
    with Database.open(Settings(home=made_home), migrate=False) as db, db.begin() as connection:
        meter = Meter(made_home)
        connection.execute(sa.text("SELECT count(*) FROM generate_series(1, 3000000)"))
        cost = meter.read()
    assert cost.server_cpu_seconds is not None and cost.server_cpu_seconds >= 0.1
    assert cost.peak_bytes is not None and cost.peak_bytes > 10_000_000
