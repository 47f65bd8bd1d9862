"""Both assets of the room as Dagster runs them: what they tell, and that every check holds."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from forge_app.run import materialize
from forge_assets.topics.assets import map_version, topics_version
from forge_resources.database import Database
from forge_resources.settings import settings
from tests.topics.planted import SUBJECTS, around, directions, put_works


def version(asset: str) -> str:
    with dg.DagsterInstance.get() as instance:
        (record,) = instance.fetch_materializations(dg.AssetKey(asset), limit=1).records
        assert record.asset_materialization is not None
        return (record.asset_materialization.tags or {})["dagster/data_version"]


def outcomes() -> dict[str, bool]:
    from forge_assets.topics.checks import CHECKS

    keys = [spec.key for check in CHECKS for spec in check.check_specs]
    with dg.DagsterInstance.get() as instance:
        found = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        return {key.name: found[key].event.asset_check_evaluation.passed for key in keys}  # type: ignore[union-attr]


@pytest.fixture
def corpus(database: Database) -> Database:
    for n in range(4):
        put_works(database, SUBJECTS[n], around(directions(8)[n], 55, n))
    return database


def test_topics_and_their_map_are_made_and_a_second_run_changes_no_version(corpus: Database) -> None:
    made = materialize(["topic_clusters", "topic_map"])
    clusters, map_ = made["topic_clusters"], made["topic_map"]
    assert (clusters["dagster/row_count"], clusters["works"]) == (4, 220)
    assert (map_["dagster/row_count"], map_["placed"], map_["laid_out"]) == (220, 220, "anew")
    assert map_["trustworthiness"] > map_["trustworthiness_of_axes"] > 0.5
    picture, page = (Path(map_[name]) for name in ("picture", "page"))
    assert picture.is_relative_to(settings().home) and picture.read_bytes()[:4] == b"\x89PNG"
    assert page.stat().st_size == map_["page_bytes"]
    checks = outcomes()
    assert len(checks) == 6 and all(checks.values()), checks
    before = {asset: version(asset) for asset in made}
    assert before["topic_clusters"].startswith(topics_version()) and before["topic_map"].startswith(map_version())
    again = materialize(["topic_clusters", "topic_map"])
    assert again["topic_map"]["placed"] == 0 and {asset: version(asset) for asset in made} == before
    put_works(corpus, SUBJECTS[1], around(directions(8)[1], 3, 99, spread=0.2), first=500)
    third = materialize(["topic_clusters", "topic_map"])
    assert (third["topic_clusters"]["assigned"], third["topic_map"]["placed"]) == (3, 3)
    assert all(version(asset) != before[asset] for asset in made) and not picture.exists()
