"""What each run of a stage did and cost, one row of `stage_run` per run and stage; nights are runs that looked at all sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from forge_assets.corpus.addresses import SHARD_COUNT
from forge_resources.database import Database
from forge_resources.meter import Meter

FIGURES = ("new", "changed", "removed", "quarantined", "unchanged", "passages", "pending")
"""Fields of a stage's report that are kept under their own name."""
COMPARED = 7
"""Earlier nights that a night is compared with."""


@dataclass(frozen=True, slots=True)
class StageRun:
    """One stage of one run. `counts`: `done` (documents or passages worked on), `total` (rows afterwards), and FIGURES.

    `shards` is None for a stage without shards; the costs are those of forge_resources.meter.Cost.
    """

    run_id: str
    stage: str
    cause: str
    shards: int | None
    started: datetime
    seconds: float
    cpu_seconds: float
    server_cpu_seconds: float | None
    gpu_seconds: float
    peak_bytes: int | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Usual:
    """A stage in earlier nights: median seconds and median number of items worked on, over so many nights."""

    seconds: float
    done: float
    nights: int


def measured(run_id: str, stage: str, cause: str, shards: int | None, meter: Meter, counts: Mapping[str, int],
             gpu_seconds: float = 0.0) -> StageRun:  # fmt: skip
    """The row of a stage that has just finished."""
    cost, started = meter.read(), datetime.fromtimestamp(meter.started, UTC)
    return StageRun(run_id, stage, cause, shards, started, cost.seconds, cost.cpu_seconds, cost.server_cpu_seconds, gpu_seconds,
                    cost.peak_bytes, counts)  # fmt: skip


def counts_of(report: Any, done: int, total: int) -> dict[str, int]:
    """What a stage's report says, under the names that all stages share."""
    kept = {name: getattr(report, name, None) for name in FIGURES}
    return {"done": done, "total": total} | {name: value for name, value in kept.items() if isinstance(value, int)}


def record(db: Database, run: StageRun) -> None:
    """Writes the row; a stage that a run tries again replaces its own."""
    values = asdict(run)
    names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    updates = ", ".join(f"{name} = excluded.{name}" for name in values if name not in ("run_id", "stage"))
    statement = sa.text(f"INSERT INTO stage_run ({names}) VALUES ({places}) ON CONFLICT (run_id, stage) DO UPDATE SET {updates}")
    with db.begin() as connection:
        connection.execute(statement.bindparams(sa.bindparam("counts", type_=JSONB)), values)


def of_run(db: Database, run_id: str) -> list[StageRun]:
    """The stages of a run in the order in which they began."""
    with db.begin() as connection:
        rows = connection.execute(sa.text(f"SELECT {COLUMNS} FROM stage_run WHERE run_id = :run ORDER BY started, stage"), {"run": run_id})
        return [StageRun(*row) for row in rows]


COLUMNS = ", ".join(StageRun.__slots__)
NIGHTS = f"SELECT run_id, started FROM stage_run WHERE stage = 'source_inventory' AND shards = {SHARD_COUNT}"


def nights(db: Database, last: int) -> list[str]:
    """Ids of the last runs that looked at all sources, the latest first."""
    with db.begin() as connection:
        return list(
            connection.execute(sa.text(f"SELECT run_id FROM ({NIGHTS}) AS n ORDER BY started DESC LIMIT :n"), {"n": last}).scalars()
        )


def usual(db: Database, stages: Sequence[StageRun]) -> dict[str, Usual]:
    """Stage -> what it took in the last nights before this run, as far as there were any."""
    statement = f"""SELECT stage, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce((counts->>'done')::bigint, 0)) AS done, count(*) AS nights
        FROM (SELECT r.*, row_number() OVER (PARTITION BY r.stage ORDER BY r.started DESC) AS back
              FROM stage_run r JOIN ({NIGHTS}) AS n USING (run_id)
              WHERE n.started < :before AND r.run_id <> :run AND (r.shards IS NULL OR r.shards = {SHARD_COUNT})) AS earlier
        WHERE back <= {COMPARED} GROUP BY stage"""
    values = {"run": stages[0].run_id, "before": stages[0].started}
    with db.begin() as connection:
        return {row.stage: Usual(row.seconds, row.done, row.nights) for row in connection.execute(sa.text(statement), values)}


def totals_before(db: Database, stages: Sequence[StageRun]) -> dict[str, int]:
    """Stage -> rows it held after the last run before this one, whatever that run was for."""
    statement = """SELECT DISTINCT ON (stage) stage, (counts->>'total')::bigint AS total FROM stage_run
        WHERE started < :before AND run_id <> :run ORDER BY stage, started DESC"""
    values = {"run": stages[0].run_id, "before": stages[0].started}
    with db.begin() as connection:
        return {row.stage: row.total for row in connection.execute(sa.text(statement), values) if row.total is not None}


def unreachable(db: Database) -> list[tuple[str, str]]:
    """(source, sentence) of the feeds whose last harvest broke off."""
    with db.begin() as connection:
        rows = connection.execute(sa.text("SELECT source, failure FROM harvest WHERE failure IS NOT NULL ORDER BY source"))
        return [(row.source, row.failure) for row in rows]


def pending(db: Database) -> int:
    """Documents that feeds have told of and whose bytes are still to be fetched."""
    with db.begin() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM harvested WHERE wanted")).scalar_one())
