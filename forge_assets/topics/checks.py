"""Checks of the topics room; each one's name is the claim it makes."""

from collections.abc import Iterable

import dagster as dg

from forge_assets.corpus.checks import none_of
from forge_assets.topics.assets import topic_clusters
from forge_resources.for_dagster import DatabaseResource

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


CHECKS: Iterable[dg.AssetChecksDefinition] = [
    each_work_has_at_most_one_living_topic,
    few_works_are_unassigned,
    every_topic_has_a_label,
]
