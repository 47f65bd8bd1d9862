"""Checks of the topics room; each one's name is the claim it makes."""

from collections.abc import Iterable

import dagster as dg

from forge_assets.corpus.checks import none_of
from forge_assets.topics.assets import topic_clusters, topic_map
from forge_resources.for_dagster import DatabaseResource, ObjectStoreResource

MOST_UNASSIGNED = 0.1
"""Share of works that may wait: about 2% lie below the floor of their topic by its definition; more tell of a subject without a topic."""


@dg.asset_check(asset=topic_clusters)
def each_work_has_at_most_one_living_topic(database: DatabaseResource) -> dg.AssetCheckResult:
    """The table allows one row per work; this one also sees that no work belongs to a topic that ended or to a group."""
    statement = """SELECT count(*) FROM work_topic w JOIN topic t USING (topic_id) WHERE t.ended_fit IS NOT NULL OR t.level <> 1"""
    return none_of(database, statement, "in a topic that ended or is a group")


@dg.asset_check(asset=topic_clusters)
def few_works_are_unassigned(database: DatabaseResource) -> dg.AssetCheckResult:
    """Works that wait for a topic are a small share."""
    from forge_assets.topics.store import counts

    found = counts(database.connect())
    share = found.unassigned / max(1, found.works)
    metadata = {"unassigned": found.unassigned, "works": found.works, "share": round(share, 4)}
    return dg.AssetCheckResult(passed=share <= MOST_UNASSIGNED, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


@dg.asset_check(asset=topic_clusters)
def every_topic_has_a_label(database: DatabaseResource) -> dg.AssetCheckResult:
    """A topic whose works have titles is named by their phrases."""
    statement = "SELECT count(*) FROM topic WHERE ended_fit IS NULL AND works > 0 AND label IS NULL"
    return none_of(database, statement, "without a label", dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=topic_map)
def every_work_of_a_topic_has_a_place(database: DatabaseResource) -> dg.AssetCheckResult:
    """A place on the map, made for the topic it belongs to now."""
    statement = """SELECT count(*) FROM work_topic t LEFT JOIN work_place p USING (work_id)
        WHERE p.work_id IS NULL OR p.topic_id IS DISTINCT FROM t.topic_id"""
    return none_of(database, statement, "without a place")


@dg.asset_check(asset=topic_map)
def the_map_keeps_neighbours_better_than_two_axes(database: DatabaseResource) -> dg.AssetCheckResult:
    """Trustworthiness on a sample when the layout was made, beside that of the two principal axes."""
    from forge_assets.topics.map.store import latest

    layout = latest(database.connect())
    figures = layout.figures if layout else {}
    better = figures.get("trustworthiness", 1.0) > figures.get("trustworthiness_of_axes", 0.0)
    return dg.AssetCheckResult(passed=better, severity=dg.AssetCheckSeverity.WARN, metadata=figures)


@dg.asset_check(asset=topic_map)
def page_and_picture_are_in_the_object_store(database: DatabaseResource, objects: ObjectStoreResource) -> dg.AssetCheckResult:
    """The map that `forge topics map` shows can be read."""
    from forge_assets.topics.map.publish import latest

    drawn, store = latest(database.connect()), objects.connect()
    missing = [key for key in ((drawn.page_key, drawn.image_key) if drawn else ()) if not store.exists(key)]
    return dg.AssetCheckResult(passed=not missing, description=f"{', '.join(missing)} missing" if missing else None)


CHECKS: Iterable[dg.AssetChecksDefinition] = [
    each_work_has_at_most_one_living_topic,
    few_works_are_unassigned,
    every_topic_has_a_label,
    every_work_of_a_topic_has_a_place,
    the_map_keeps_neighbours_better_than_two_axes,
    page_and_picture_are_in_the_object_store,
]
