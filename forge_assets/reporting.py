"""What an asset tells of a run: to the UI one data version, row counts per shard, the table's schema, figures to plot over time; to the
table `stage_run` what the stage did and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg

from forge_assets.corpus.columns import columns, row_count
from forge_assets.corpus.stage_runs import counts_of, measured, record
from forge_resources.database import Database
from forge_resources.meter import Meter
from forge_resources.settings import settings

OWNERS = ["team:forge"]


def schema_of(db: Database, table: str) -> dg.TableSchema:
    """The table's columns as Postgres has them."""
    return dg.TableSchema(
        [
            dg.TableColumn(name, kind, description=comment, constraints=dg.TableColumnConstraints(nullable=nullable))
            for name, kind, nullable, comment in columns(db, table)
        ]
    )


def per_second(count: float, seconds: float) -> float:
    return round(count / seconds, 2) if seconds > 0 else 0.0


def figures(report: Any) -> dict[str, Any]:
    """The fields of a report as metadata; numbers become plots in the UI."""
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(report).items() if value is not None}


def begin() -> Meter:
    """Called first by every stage: measures what it costs, the embedded server's part included."""
    chosen = settings()
    return Meter(chosen.home if chosen.embedded else None)


def cause_of(tags: Mapping[str, str]) -> str:
    """Why a run was started, from its tags."""
    if "forge/cause" in tags:
        return tags["forge/cause"]
    if "dagster/backfill" in tags or "dagster/asset_partition_range_start" in tags:
        return "backfill"
    return "on change" if "dagster/from_automation_condition" in tags else "by hand"


def _record(context: dg.AssetExecutionContext, db: Database, meter: Meter, counts: Mapping[str, int], shards: int | None,
            gpu_seconds: float = 0.0) -> None:  # fmt: skip
    stage = context.asset_key.to_user_string()
    record(db, measured(context.run.run_id, stage, cause_of(context.run.tags), shards, meter, counts, gpu_seconds))


def shard_result(context: dg.AssetExecutionContext, db: Database, table: str, counts: Mapping[int, int], version: str, report: Any,
                 extra: Mapping[str, Any] | None = None, *, meter: Meter, done: int, gpu_seconds: float = 0.0,
                 ) -> dg.MaterializeResult[Any]:  # fmt: skip
    """The result of a run over one or more shards: row counts go to each partition, the rest to the run. `done` counts items worked on."""
    for key in context.partition_keys:
        context.add_asset_metadata({"dagster/partition_row_count": counts[int(key, 16)]}, partition_key=key)
    total = row_count(db, table)
    _record(context, db, meter, counts_of(report, done, total), len(counts), gpu_seconds)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(version),
        metadata={
            "dagster/row_count": total,
            "dagster/table_name": f"public.{table}",
            "dagster/column_schema": schema_of(db, table),
            "shards": len(counts),
            **figures(report),
            **(extra or {}),
        },
    )


def global_result(context: dg.AssetExecutionContext, db: Database, table: str | None, rows: int, version: str, report: Any,
                  extra: Mapping[str, Any] | None = None, *, meter: Meter, done: int) -> dg.MaterializeResult[Any]:  # fmt: skip
    """The result of a stage without partitions."""
    _record(context, db, meter, counts_of(report, done, rows), None)
    of_table: dict[str, Any] = {"dagster/table_name": f"public.{table}", "dagster/column_schema": schema_of(db, table)} if table else {}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(version),
        metadata={"dagster/row_count": rows, **of_table, **figures(report), **(extra or {})},
    )


def lineage(**columns_of: list[tuple[str, str]]) -> dict[str, dg.TableColumnLineage]:
    """Definition metadata: column -> the (asset, column) pairs it is made from."""
    return {
        "dagster/column_lineage": dg.TableColumnLineage(
            {
                name: [dg.TableColumnDep(asset_key=dg.AssetKey(asset), column_name=column) for asset, column in deps]
                for name, deps in columns_of.items()
            }
        )
    }
