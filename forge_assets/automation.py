"""When assets run by themselves: named conditions, the nightly schedule, the inbox sensor, and the jobs they start."""

from __future__ import annotations

import warnings

import dagster as dg

from forge_assets.corpus.inbox import NOTHING, look
from forge_assets.partitions import FIRST_SHARD, LAST_SHARD
from forge_resources.settings import settings

warnings.filterwarnings("ignore", category=dg.BetaWarning)  # backfill policies and freshness are what this design rests on

WHOLE_CORPUS = {"dagster/asset_partition_range_start": FIRST_SHARD, "dagster/asset_partition_range_end": LAST_SHARD}
"""Tags of one run over all shards: cheaper by far than 64 runs, and an unchanged shard costs milliseconds."""

# A shard runs when what it is made from holds other data, or its code is another; not whenever it was materialized again.
ON_CHANGE = (
    dg.AutomationCondition.eager().replace(
        "any_deps_updated", dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())
    )
    | dg.AutomationCondition.code_version_changed()
).with_label("on_change")

# A global stage that has to follow at once, such as the lexical index: as soon as no shard is being worked on.
AFTER_LOAD = (
    dg.AutomationCondition.any_deps_updated().since_last_handled()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
).with_label("after_load")

# A global stage that may wait: once per night, when anything changed.
NIGHTLY = (
    dg.AutomationCondition.cron_tick_passed(settings().nightly_cron).since_last_handled()  # type: ignore[misc]
    & dg.AutomationCondition.any_deps_updated().since_last_handled()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.any_deps_missing()
    & ~dg.AutomationCondition.in_progress()  # the nightly run itself joins them, some time after it has parsed
).with_label("nightly")

corpus_job = dg.define_asset_job(
    "corpus_job",
    selection=dg.AssetSelection.groups("corpus", "embeddings", "components", "topics", "compatibility", "nights")
    - dg.AssetSelection.assets("technique_stack"),  # of a blueprint, which nights leave as it was solved
    description="Sources to an understood corpus: inventory, parsing, works, indexes, vectors, components, topics, graph, report.",
    tags={"forge/job": "corpus"},
)
parse_job = dg.define_asset_job(
    "parse_job",
    selection=dg.AssetSelection.assets("source_inventory", "parsed_papers"),
    description="Inventory and parsing only; what follows is started by its automation condition.",
    tags={"forge/job": "parse"},
)


@dg.schedule(
    job=corpus_job,
    cron_schedule=settings().nightly_cron,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: what the sources hold that is new, changed or gone, through the whole corpus pipeline, in one run.",
)
def nightly_reindex(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"nightly-{context.scheduled_execution_time:%Y-%m-%dT%H:%M}", tags={**WHOLE_CORPUS, "forge/cause": "nightly"}
    )


@dg.sensor(job=parse_job, minimum_interval_seconds=15, default_status=dg.DefaultSensorStatus.RUNNING)
def inbox(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Files laid into the inbox folder are taken in; one that is still being written is left for the next look."""
    state, seen = look(settings().inbox_folder), context.cursor or NOTHING
    if state.still_written:
        return dg.SkipReason(f"{state.still_written} files are still being written")
    if state.mark == seen:
        return dg.SkipReason(f"nothing new in {settings().inbox_folder}")
    context.update_cursor(state.mark)
    return dg.RunRequest(
        run_key=f"inbox-{seen}-{state.mark}", tags={**WHOLE_CORPUS, "forge/cause": "inbox", "forge/files": str(state.files)}
    )
