"""The topics room's door: topic_clusters, once per night over all works."""

from typing import Any

import dagster as dg

from forge_assets.automation import NIGHTLY
from forge_assets.corpus.assets import DAILY, works
from forge_assets.embeddings.assets import passage_embeddings
from forge_assets.reporting import OWNERS, begin, global_result, lineage
from forge_resources.for_dagster import DatabaseResource
from forge_resources.settings import settings


def topics_version() -> str:
    from forge_assets.topics.describe import LABELS_VERSION
    from forge_assets.topics.nights import METHOD

    return f"{METHOD}.{LABELS_VERSION}"


@dg.asset(
    deps=[works, passage_embeddings],
    code_version=topics_version(),
    automation_condition=NIGHTLY,
    group_name="topics",
    owners=OWNERS,
    kinds={"python", "postgres"},
    freshness_policy=DAILY,
    metadata=lineage(centroid=[("passage_embeddings", "vector")], works=[("works", "work_id")]),
    tags={"forge/stage": "topics"},
)
def topic_clusters(context: dg.AssetExecutionContext, database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """Works in topics of two levels whose ids persist.

    A night assigns what is new; a fit every FORGE_TOPICS_REFIT_DAYS moves the centroids.
    """
    from forge_assets.components.ontology import load_ontology
    from forge_assets.topics import store
    from forge_assets.topics.describe import describe
    from forge_assets.topics.nights import cluster

    meter = begin()
    db, chosen = database.connect(), settings()
    report = cluster(db, refit_days=chosen.topics_refit_days)
    report.labelled = describe(db, load_ontology(chosen.overrides_file))
    context.log.info(
        "%d topics of %d works, %d unassigned, fitted: %s", report.topics, report.works, report.unassigned, report.fitted or "no"
    )
    version = f"{topics_version()}:{store.state(db)}"
    return global_result(context, db, "topic", report.topics, version, report, meter=meter, done=report.done)
