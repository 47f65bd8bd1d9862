"""Checks of the compatibility room; each one's name is the claim it makes."""

from collections.abc import Iterable

import dagster as dg

from forge_assets.compatibility.assets import compatibility_graph
from forge_assets.corpus.checks import none_of
from forge_resources.for_dagster import DatabaseResource
from forge_resources.settings import settings


@dg.asset_check(asset=compatibility_graph)
def every_edge_has_a_source_that_says_what_was_read(database: DatabaseResource) -> dg.AssetCheckResult:
    """Behind each edge stands a passage whose text is still what was quoted, a rule with its place, or a decision."""
    from forge_assets.compatibility.graph import lookup, store

    db = database.connect()
    edges = store.edges(db, evidence=True)
    found = list(lookup.broken(db, edges))
    description = f"{len(found)} of {len(edges)} have none, such as {found[0]}" if found else None
    return dg.AssetCheckResult(passed=not found, description=description, metadata={"edges": len(edges), "without": len(found)})


@dg.asset_check(asset=compatibility_graph)
def statistics_alone_support_nothing_but_joining(database: DatabaseResource) -> dg.AssetCheckResult:
    """An edge that no claim, rule or decision is behind is a soft `composes_with` of works that name both more often than by chance."""
    statement = """SELECT count(*) FROM graph_edge WHERE origins = '{statistics}'
        AND (relation <> 'composes_with' OR severity IS NOT NULL OR (together->>'lift')::float <= 1 OR confidence > 2.0 / 3)"""
    return none_of(database, statement, "edges that statistics cannot support")


@dg.asset_check(asset=compatibility_graph)
def hard_edges_come_from_rules_and_people_only(database: DatabaseResource) -> dg.AssetCheckResult:
    """What is certain was derived from ports or code, or decided; no number of works makes it so."""
    statement = """SELECT count(*) FROM graph_edge WHERE (severity = 'hard' OR confidence IN (0, 1))
        AND NOT origins && '{port,fact,arithmetic,override}'"""
    return none_of(database, statement, "hard edges without a rule or a decision")


@dg.asset_check(asset=compatibility_graph)
def edges_join_known_components(database: DatabaseResource) -> dg.AssetCheckResult:
    """Both ends of each edge stand in the ontology."""
    from forge_assets.compatibility.graph import store
    from forge_assets.components.ontology import load_ontology

    known = load_ontology(settings().overrides_file).components
    unknown = sorted({end for one in store.edges(database.connect()) for end in (one.key.subject, one.key.object)} - set(known))
    description = f"the ontology lacks {', '.join(unknown[:5])}" if unknown else None
    return dg.AssetCheckResult(passed=not unknown, description=description, metadata={"unknown": len(unknown)})


CHECKS: Iterable[dg.AssetChecksDefinition] = [
    every_edge_has_a_source_that_says_what_was_read,
    statistics_alone_support_nothing_but_joining,
    hard_edges_come_from_rules_and_people_only,
    edges_join_known_components,
]
