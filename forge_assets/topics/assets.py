"""The topics room's door: topic_clusters, once per night over all works, and topic_map, which shows them."""

from typing import Any

import dagster as dg

from forge_assets.automation import NIGHTLY
from forge_assets.corpus.assets import DAILY, works
from forge_assets.embeddings.assets import passage_embeddings
from forge_assets.reporting import OWNERS, begin, global_result, lineage
from forge_resources.for_dagster import DatabaseResource, ObjectStoreResource
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


def map_version() -> str:
    from forge_assets.topics.map.follow import METHOD
    from forge_assets.topics.map.publish import VERSION

    return f"{METHOD}.{VERSION}"


@dg.asset(
    deps=[works, topic_clusters],
    code_version=map_version(),
    automation_condition=NIGHTLY,
    group_name="topics",
    owners=OWNERS,
    kinds={"python", "html"},
    freshness_policy=DAILY,
    metadata=lineage(topic_id=[("topic_clusters", "topic_id")], work_id=[("works", "work_id")]),
    tags={"forge/stage": "topics"},
)
def topic_map(context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource) -> dg.MaterializeResult[Any]:
    """All works on a plane, as a picture and as an interactive page in one file; `forge topics map` copies both.

    A night places what is new; a refit moves anchors with their topics, so that the map stays the map.
    """
    from forge_assets.topics.map.follow import follow
    from forge_assets.topics.map.publish import publish

    meter = begin()
    db, store = database.connect(), objects.connect()
    report = follow(db)
    map_ = publish(db, store)
    context.log.info("%d works placed, layout: %s, drawn: %s", report.placed, report.laid_out or "as it was", bool(map_ and map_.drawn))
    extra: dict[str, Any] = {}
    if map_ is not None:
        extra = {"page": dg.MetadataValue.path(f"{store.address}/{map_.page_key}"),
                  "picture": dg.MetadataValue.path(f"{store.address}/{map_.image_key}"), **map_.figures}  # fmt: skip
    version = f"{map_version()}:{map_.state if map_ else 'none'}"
    rows = map_.figures["works"] if map_ else 0
    return global_result(context, db, "work_place", rows, version, report, extra, meter=meter, done=report.placed)
