"""The documentation room's door: doc_volumes, a partition for each volume, and doc_site; both after a night that changed their evidence."""

from typing import Any

import dagster as dg

from forge_assets.compatibility.assets import compatibility_graph
from forge_assets.components.assets import component_catalog, component_mentions
from forge_assets.corpus.assets import works
from forge_assets.partitions import VOLUMES, VOLUMES_SET
from forge_assets.reporting import OWNERS, begin, global_result, lineage
from forge_assets.topics.assets import topic_clusters
from forge_resources.for_dagster import DatabaseResource, ObjectStoreResource
from forge_resources.settings import settings


def pages_version() -> str:
    from forge_assets.documentation.version import PAGES_VERSION, RULES_VERSION

    return f"{RULES_VERSION}.{PAGES_VERSION}"


@dg.asset(
    partitions_def=VOLUMES,
    deps=[works, component_mentions, component_catalog, topic_clusters, compatibility_graph],
    backfill_policy=dg.BackfillPolicy.single_run(),
    code_version=pages_version(),
    group_name="documentation",
    owners=OWNERS,
    kinds={"python", "postgres"},
    metadata=lineage(pages=[("component_catalog", "component"), ("topic_clusters", "label")], sources=[("works", "work_id")]),
    tags={"forge/stage": "documentation"},
)
def doc_volumes(context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource) -> dg.MaterializeResult[Any]:
    """Volumes of cited, verbatim sentences: a page per component, comparisons, surveys, guides, parameters, timelines, open problems.

    Sentences are looked for in new and changed documents only, and a page is made again only where its evidence changed; a volume that
    comes out as it is stays untouched. Files lie in the object store under volumes/<volume>/.
    """
    from forge_assets.documentation.build import build

    meter = begin()
    chosen, db = settings(), database.connect()
    report = build(db, objects.connect(), chosen.overrides_file, chosen.home / "lexical", context.partition_keys, context.log.info)
    for volume, pages in report.counts.items():
        context.add_asset_metadata({"dagster/partition_row_count": pages}, partition_key=volume)
    return global_result(
        context, db, "doc_volume", report.volumes, f"{pages_version()}:{report.state}", report, meter=meter, done=report.made
    )


def site_version() -> str:
    from forge_assets.documentation.version import SITE_VERSION

    return SITE_VERSION


@dg.asset(
    deps=[doc_volumes],
    code_version=site_version(),
    group_name="documentation",
    owners=OWNERS,
    kinds={"python", "html"},
    tags={"forge/stage": "documentation"},
)
def doc_site(context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource) -> dg.MaterializeResult[Any]:
    """The volumes as a site of plain files under FORGE_HOME/site: pages with their sources, search, a light and a dark theme.

    A volume's folder is made again only where the volume, or a page that it links to, has changed. `forge docs open` shows it.
    """
    from forge_assets.documentation.shelf import make_site

    meter = begin()
    db = database.connect()
    report = make_site(db, objects.connect(), settings().home, context.log.info)
    return global_result(context, db, None, report.pages, f"{site_version()}:{report.state}", report, meter=meter, done=report.written)


docs_job = dg.define_asset_job(
    "docs_job",
    selection=dg.AssetSelection.groups("documentation"),
    description="All volumes of the documentation: pages whose evidence changed are made anew.",
    tags={"forge/job": "docs"},
)
MADE_FROM = ("component_catalog", "topic_clusters", "compatibility_graph")


@dg.sensor(job=docs_job, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def volumes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """After a night: volumes that can be now get a partition, those that cannot any more lose it, and one run brings all up to date."""
    from forge_assets.components.ontology import load_ontology
    from forge_assets.documentation.build import volume_ids
    from forge_resources.database import Database

    state = made_from(context.instance)
    if state is None:
        return dg.SkipReason(f"waits for {', '.join(MADE_FROM)}")
    if state == context.cursor:
        return dg.SkipReason("nothing that volumes are made of has changed")
    if context.instance.get_runs_count(dg.RunsFilter(statuses=UNFINISHED)):
        return dg.SkipReason("waits for the runs in progress")
    with Database.open(settings()) as db:
        wanted = volume_ids(db, load_ontology(settings().overrides_file))
    standing = context.instance.get_dynamic_partitions(VOLUMES_SET)
    gone, new = [one for one in standing if one not in wanted], [one for one in wanted if one not in standing]
    ordered = [*(one for one in standing if one in wanted), *new]
    tags = {"dagster/asset_partition_range_start": ordered[0], "dagster/asset_partition_range_end": ordered[-1], "forge/cause": "on change"}
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"volumes-{state}", tags=tags)],
        dynamic_partitions_requests=[VOLUMES.build_add_request(new), VOLUMES.build_delete_request(gone)],
        cursor=state,
    )


def made_from(instance: dg.DagsterInstance) -> str | None:
    """The data versions of what volumes are made of; None while one of them has never been made."""
    import hashlib

    versions = []
    for name in MADE_FROM:
        event = instance.get_latest_materialization_event(dg.AssetKey(name))
        if event is None or event.asset_materialization is None:
            return None
        versions.append((event.asset_materialization.tags or {}).get("dagster/data_version", event.run_id))
    return hashlib.sha256(repr((pages_version(), versions)).encode()).hexdigest()[:32]


UNFINISHED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
