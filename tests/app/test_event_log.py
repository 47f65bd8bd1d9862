"""The event log whose connections stay open: the same files as Dagster's own, read by either."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent
from dagster._core.storage.event_log import SqliteEventLogStorage

from forge_app.event_log import FOLDER, KEPT, KeptEventLogStorage


@pytest.fixture
def kept(tmp_path: Path) -> KeptEventLogStorage:
    return KeptEventLogStorage.from_config_value(None, {"home": str(tmp_path)})


def _materialized(run_id: str, partition: str) -> dg.EventLogEntry:
    data = dg._core.events.StepMaterializationData(dg.AssetMaterialization("texts", partition=partition))
    event = DagsterEvent("ASSET_MATERIALIZATION", "job", event_specific_data=data)
    entry: Any = dg.EventLogEntry  # it has no types
    return cast(dg.EventLogEntry, entry(None, "debug", "", run_id, time.time(), dagster_event=event))


def _partitions(storage: SqliteEventLogStorage) -> set[str]:
    return storage.get_materialized_partitions(dg.AssetKey("texts"))


def _opened() -> list[str]:
    return [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.exists()]


def test_dagsters_own_class_reads_what_it_wrote_and_writes_what_it_reads(kept: KeptEventLogStorage, tmp_path: Path) -> None:
    kept.store_event(_materialized("one", "00"))
    own = SqliteEventLogStorage(str(tmp_path / FOLDER))
    assert _partitions(own) == {"00"}
    own.store_event(_materialized("two", "01"))
    assert _partitions(kept) == {"00", "01"}
    assert [len(kept.get_logs_for_run(run)) for run in ("one", "two")] == [1, 1]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_few_connections_stay_open_however_many_runs_are_looked_at(kept: KeptEventLogStorage, tmp_path: Path) -> None:
    for number in range(KEPT + 2):
        kept.store_event(_materialized(f"run{number}", f"{number:02x}"))
    assert len(_partitions(kept)) == KEPT + 2
    assert len([path for path in _opened() if path.startswith(str(tmp_path)) and path.endswith(".db")]) == KEPT
    kept.dispose()
    assert not [path for path in _opened() if path.startswith(str(tmp_path))]


def test_a_wiped_log_is_empty_and_goes_on(kept: KeptEventLogStorage) -> None:
    kept.store_event(_materialized("one", "00"))
    kept.wipe()
    assert kept.get_all_run_ids() == [] and _partitions(kept) == set()
    kept.store_event(_materialized("two", "01"))
    assert _partitions(kept) == {"01"}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # pytest has threads
def test_a_forked_process_uses_a_connection_of_its_own(kept: KeptEventLogStorage) -> None:
    kept.store_event(_materialized("one", "00"))
    child = os.fork()
    if child == 0:  # leaves without pytest's own end
        try:
            kept.store_event(_materialized("one", "01"))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    kept.store_event(_materialized("one", "02"))
    assert _partitions(kept) == {"00", "01", "02"}
