"""The report of a night: what came and went, what each stage took and cost, and whether that is more than usual."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from forge_assets.corpus import stage_runs
from forge_assets.corpus.stage_runs import StageRun, Usual
from forge_resources.database import Database
from forge_resources.errors import QueryError
from forge_resources.settings import Settings

SLOW = 2.0
"""Times its median that a stage may take before the report warns."""
NOTABLE_S = 5.0
"""Seconds over its median below which nobody is warned."""
FEWEST_NIGHTS = 3
"""Earlier nights before a median means anything."""
GROWING = {"source_inventory": "listed", "parsed_papers": "documents", "works": "works", "passage_embeddings": "vectors"}


@dataclass(frozen=True, slots=True)
class Night:
    """One run, told. `between` are the seconds of checks and of Dagster itself, from the first stage to the end of the last or to `until`.

    `usual` and `before` as in stage_runs; `prices` are (machine, GPU) per hour, None where not set.
    """

    stages: list[StageRun]
    usual: dict[str, Usual]
    before: dict[str, int]
    unreachable: list[tuple[str, str]]
    pending: int
    prices: tuple[float | None, float | None]
    until: datetime | None = None

    @property
    def seconds(self) -> float:
        """From the beginning of the first stage to the end of the last, or to `until`."""
        first = self.stages[0].started.timestamp()
        last = max(stage.started.timestamp() + stage.seconds for stage in self.stages)
        return max(last, self.until.timestamp() if self.until else last) - first

    @property
    def between(self) -> float:
        return max(0.0, self.seconds - sum(stage.seconds for stage in self.stages))

    @property
    def cpu_seconds(self) -> float:
        return sum(map(cpu_seconds, self.stages))

    def count(self, name: str) -> int:
        """Documents: what is new, changed and removed is known by the inventory, what is quarantined by the parsing."""
        stage = "parsed_papers" if name == "quarantined" else "source_inventory"
        return sum(run.counts.get(name, 0) for run in self.stages if run.stage == stage)

    @property
    def unchanged(self) -> bool:
        """Whether no stage had anything to do."""
        did = ("done", "new", "changed", "removed", "quarantined")
        return not any(stage.counts.get(name) for stage in self.stages for name in did)

    def cost(self, stage: StageRun) -> float | None:
        """Money for a stage, None without a price."""
        machine, gpu = self.prices
        if machine is None and gpu is None:
            return None
        return (stage.seconds * (machine or 0.0) + stage.gpu_seconds * (gpu or 0.0)) / 3600


def cpu_seconds(stage: StageRun) -> float:
    """Of the process, its children and the embedded server."""
    return stage.cpu_seconds + (stage.server_cpu_seconds or 0.0)


def tell(db: Database, settings: Settings, run_id: str | None = None, until: datetime | None = None) -> Night:
    """The night of this run, or the last night there was. Raises QueryError where no run has been recorded."""
    stages = stage_runs.of_run(db, run_id) if run_id else []
    if not stages:
        last = stage_runs.nights(db, 1)
        if not last:
            raise QueryError("no run over all shards is recorded yet; `forge run` makes one, and so does every night under `forge up`")
        stages, until = stage_runs.of_run(db, last[0]), None
    prices = settings.price_per_hour, settings.gpu_price_per_hour
    return Night(
        stages, stage_runs.usual(db, stages), stage_runs.totals_before(db, stages), stage_runs.unreachable(db), stage_runs.pending(db),
        prices, until,
    )  # fmt: skip


def summary(night: Night) -> str:
    """One line."""
    took = f"{night.seconds:.0f} s, {night.cpu_seconds:.0f} CPU seconds"
    if night.unchanged:
        return f"nothing changed; {took}"
    counts = ", ".join(f"{night.count(name):,} {name}" for name in ("new", "changed", "removed", "quarantined"))
    return f"{counts}; {took}"


def warnings(night: Night) -> list[str]:
    """Sentences on stages that took much longer than usual."""
    found = []
    for stage in night.stages:
        usual = night.usual.get(stage.stage)
        if usual is None or usual.nights < FEWEST_NIGHTS or stage.seconds < max(SLOW * usual.seconds, usual.seconds + NOTABLE_S):
            continue
        found.append(
            f"{stage.stage} took {stage.seconds:.1f} s, {stage.seconds / max(usual.seconds, 0.001):.1f} times its median of the last "
            f"{usual.nights} nights ({usual.seconds:.1f} s), for {stage.counts.get('done', 0):,} items (median {usual.done:,.0f})"
        )
    return found


def growth(night: Night) -> str | None:
    """'documents 100 -> 120 (+20), ...' for the stages that hold another number of rows than before; None where none does.

    A stage that was never recorded before stands with its number alone."""
    parts = []
    for stage in night.stages:
        name, total = GROWING.get(stage.stage), stage.counts.get("total")
        before = night.before.get(stage.stage)
        if name and total is not None and total != before:
            parts.append(f"{name} {total:,}" if before is None else f"{name} {before:,} -> {total:,} ({total - before:+,})")
    return ", ".join(parts) or None


def told(night: Night) -> str:
    """When, why and what, in a line; then a line for each thing that a person should know."""
    first = night.stages[0]
    lines = [f"{_minute(first)} UTC, {first.cause}: {summary(night)}"]
    lines += [f"- warning: {sentence}" for sentence in warnings(night)]
    lines += [f"- source {name} could not be read to its end: {sentence}" for name, sentence in night.unreachable]
    if night.pending:
        lines.append(f"- {night.pending:,} documents are still to be fetched, by the next runs")
    if grown := growth(night):
        lines.append(f"- {grown}")
    return "\n".join(lines)


def _minute(stage: StageRun) -> str:
    return f"{stage.started.astimezone(UTC):%Y-%m-%d %H:%M}"


def row(night: Night) -> list[Any]:
    """The night in a list of nights: when, why, seconds, CPU seconds, COUNTED."""
    first = night.stages[0]
    counts = [night.count(name) for name in COUNTED]
    return [_minute(first), first.cause, round(night.seconds, 1), round(night.cpu_seconds, 1), *counts]


def markdown(night: Night) -> str:
    """As the UI shows it: what `told` says, and the table."""
    head, rows = table(night)
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1), *("| " + " | ".join(row) + " |" for row in rows)]
    return "\n".join([*told(night).splitlines(), "", *lines])


def table(night: Night) -> tuple[list[str], list[list[str]]]:
    """Head and rows: a row per stage, one for checks and Dagster, and the sum; money where there is a price."""
    priced = night.prices != (None, None)
    whole = sum(night.cost(stage) or 0.0 for stage in night.stages) if priced else night.cpu_seconds
    head = ["stage", "seconds", "median", "CPU s", "GPU s", *(["cost"] if priced else []), "share of cost", "peak MB", "done", *COUNTED]
    rows = []
    for stage in night.stages:
        usual, money = night.usual.get(stage.stage), night.cost(stage)
        share = (money if money is not None else cpu_seconds(stage)) / whole if whole else 0.0
        rows.append([
            stage.stage, f"{stage.seconds:.1f}", f"{usual.seconds:.1f}" if usual else "", f"{cpu_seconds(stage):.1f}",
            f"{stage.gpu_seconds:.1f}" if stage.gpu_seconds else "", *([f"{money:.4f}"] if priced else []), f"{share:.0%}",
            f"{stage.peak_bytes / 1e6:.0f}" if stage.peak_bytes else "",
            *(f"{stage.counts[name]:,}" if name in stage.counts else "" for name in ("done", *COUNTED)),
        ])  # fmt: skip
    blank = [""] * (len(head) - 2)
    rows.append(["checks, Dagster", f"{night.between:.1f}", *blank])
    gpu = sum(stage.gpu_seconds for stage in night.stages)
    sums = ["all", f"{night.seconds:.1f}", "", f"{night.cpu_seconds:.1f}", f"{gpu:.1f}" if gpu else ""]
    sums += [f"{whole:.4f}"] if priced else []
    rows.append(sums + [""] * (len(head) - len(sums)))
    return head, rows


COUNTED = ("new", "changed", "removed", "quarantined")


def as_dict(night: Night) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "summary": summary(night),
        "seconds": round(night.seconds, 3),
        "cpu_seconds": round(night.cpu_seconds, 3),
        **{name: night.count(name) for name in COUNTED},
        "pending": night.pending,
        "unreachable": dict(night.unreachable),
        "warnings": warnings(night),
        "growth": growth(night),
        "stages": [asdict(stage) | {"cost": night.cost(stage)} for stage in night.stages],
    }
