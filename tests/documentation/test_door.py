"""The room's door: a night that changed what volumes are made of is followed by one run over all of them, and its checks hold."""

from __future__ import annotations

from typing import Any

import dagster as dg

from forge_app.instance import instance
from forge_assets.definitions import defs
from forge_assets.documentation.assets import MADE_FROM, made_from
from forge_assets.partitions import VOLUMES_SET
from forge_resources.database import Database
from forge_resources.settings import settings
from tests.documentation.written_corpus import papers, stages


def tick(home: dg.DagsterInstance, cursor: str | None) -> Any:
    return defs.resolve_sensor_def("volumes").evaluate_tick(dg.build_sensor_context(instance=home, cursor=cursor, definitions=defs))


def made(home: dg.DagsterInstance, name: str, version: str) -> None:
    home.report_runless_asset_event(dg.AssetMaterialization(name, tags={"dagster/data_version": version}))


def test_a_night_is_followed_by_one_run_over_all_volumes(database: Database) -> None:
    stages(database, papers())
    with instance(settings()) as home:
        assert tick(home, None).skip_message.startswith("waits for component_catalog")
        for name in MADE_FROM:
            made(home, name, "1")
        found = tick(home, None)
        (request,) = found.run_requests
        for one in found.dynamic_partitions_requests:
            change = home.add_dynamic_partitions if type(one).__name__.startswith("Add") else None
            if change:
                change(VOLUMES_SET, list(one.partition_keys))
        result = defs.resolve_job_def("docs_job").execute_in_process(instance=home, tags=request.tags)
        assert result.success
        events = result.asset_materializations_for_node("doc_volumes")
        assert {event.partition for event in events} == set(home.get_dynamic_partitions(VOLUMES_SET))
        assert {"adapter", "optimizer", "overview"} <= {event.partition for event in events}
        checks = result.get_asset_check_evaluations()
        assert {check.check_name: check.passed for check in checks} == {
            "every_sentence_has_a_source": True,
            "no_sentence_stands_on_two_pages": True,
        }
        assert tick(home, found.cursor).skip_message == "nothing that volumes are made of has changed"
        before = made_from(home)
        made(home, "compatibility_graph", "1")
        assert made_from(home) == before  # made again, and the same: no reason for a run
        made(home, "compatibility_graph", "2")
        assert len(tick(home, found.cursor).run_requests) == 1
