"""The corpus room's door: source_inventory -> parsed_papers -> works."""

from datetime import timedelta
from typing import Any

import dagster as dg

from forge_assets.automation import NIGHTLY, ON_CHANGE
from forge_assets.corpus.addresses import shard_numbers
from forge_assets.corpus.works import WORKS_VERSION
from forge_assets.partitions import SHARDS
from forge_assets.reporting import OWNERS, begin, global_result, lineage, per_second, shard_result
from forge_resources.for_dagster import DatabaseResource, ObjectStoreResource
from forge_resources.settings import settings

INVENTORY_VERSION = "1"
DAILY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=50), warn_window=timedelta(hours=26))


@dg.asset(
    partitions_def=SHARDS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    code_version=INVENTORY_VERSION,
    group_name="corpus",
    owners=OWNERS,
    kinds={"python", "postgres", "s3"},
    freshness_policy=DAILY,
    tags={"forge/stage": "corpus"},
)
def source_inventory(
    context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource
) -> dg.MaterializeResult[Any]:
    """What the sources hold: the address and version of every document, its bytes kept under `raw/<sha256>`.

    Only what changed since the last look is read again; what vanished is forgotten.
    """
    from forge_assets.corpus.catalogue import digest, shard_counts
    from forge_assets.corpus.inventory import scan
    from forge_assets.progress import reporter

    meter = begin()
    db, shards = database.connect(), shard_numbers(context.partition_keys)
    report = scan(db, objects.connect(), settings(), shards, reporter("source_inventory", context.log.info))
    counts = shard_counts(db, "inventory", shards)
    version = f"{INVENTORY_VERSION}:{digest(db, 'inventory', shards)}"
    return shard_result(context, db, "inventory", counts, version, report, meter=meter, done=report.new + report.changed)


def parser_version() -> str:
    from forge_assets.corpus.parse import PARSER_VERSION

    return PARSER_VERSION


@dg.asset(
    partitions_def=SHARDS,
    deps=[source_inventory],
    backfill_policy=dg.BackfillPolicy.single_run(),
    code_version=parser_version(),
    automation_condition=ON_CHANGE,
    group_name="corpus",
    owners=OWNERS,
    kinds={"python", "unstructured", "postgres"},
    freshness_policy=DAILY,
    metadata=lineage(
        uri=[("source_inventory", "uri")], content_hash=[("source_inventory", "content_hash")], text=[("source_inventory", "raw_key")]
    ),
    tags={"forge/stage": "corpus"},
)
def parsed_papers(context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource) -> dg.MaterializeResult[Any]:
    """Documents with their canonical text, cut into passages of at most 256 word pieces with true character offsets.

    What cannot be read is quarantined with its reason, and its neighbours go on.
    """
    from forge_assets.corpus.catalogue import digest, problem_counts, sample_document, shard_counts
    from forge_assets.corpus.ingest import parse_shards
    from forge_assets.corpus.sample import as_markdown
    from forge_assets.progress import reporter

    meter = begin()
    db, shards = database.connect(), shard_numbers(context.partition_keys)
    report = parse_shards(db, objects.connect(), settings(), shards, reporter("parsed_papers", context.log.info))
    extra = {
        "documents_per_second": per_second(report.parsed + report.quarantined, report.seconds),
        "quarantined_by_reason": dg.MetadataValue.json(problem_counts(db, shards)),
        "sample": dg.MetadataValue.md(as_markdown(sample_document(db, shards))),
    }
    version = f"{parser_version()}:{digest(db, 'document', shards)}"
    counts = shard_counts(db, "document", shards)
    return shard_result(context, db, "document", counts, version, report, extra, meter=meter, done=report.parsed)


@dg.asset(
    deps=[parsed_papers],
    code_version=WORKS_VERSION,
    automation_condition=NIGHTLY,
    group_name="corpus",
    owners=OWNERS,
    kinds={"postgres", "sql"},
    metadata=lineage(title=[("parsed_papers", "title")], main_document=[("parsed_papers", "document_id")]),
    tags={"forge/stage": "corpus"},
)
def works(context: dg.AssetExecutionContext, database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """Documents joined into works: the same paper as abstract, PDF and LaTeX and in two venues counts once."""
    from forge_assets.corpus.catalogue import digest
    from forge_assets.corpus.works import join_works

    meter = begin()
    db = database.connect()
    report = join_works(db)
    context.log.info("%d works of %d documents, %d changed", report.works, report.documents, report.changed)
    version = f"{WORKS_VERSION}:{digest(db, 'work', [])}"
    return global_result(context, db, "work", report.works, version, report, meter=meter, done=report.changed)
