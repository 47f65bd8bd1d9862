"""The compatibility room's door: compatibility_graph, once per night, of claims, statistics, constraints and decisions; technique_stack,
once per blueprint."""

from typing import Any

import dagster as dg

from forge_assets.automation import NIGHTLY
from forge_assets.components.assets import component_catalog, component_mentions
from forge_assets.corpus.assets import DAILY, works
from forge_assets.partitions import BLUEPRINTS
from forge_assets.reporting import OWNERS, begin, global_result, lineage
from forge_resources.for_dagster import DatabaseResource
from forge_resources.settings import settings


def graph_version() -> str:
    from forge_assets.compatibility.graph.model import CODE_VERSION

    return CODE_VERSION


@dg.asset(
    deps=[works, component_mentions, component_catalog],
    code_version=graph_version(),
    automation_condition=NIGHTLY,
    group_name="compatibility",
    owners=OWNERS,
    kinds={"python", "postgres"},
    freshness_policy=DAILY,
    metadata=lineage(
        subject=[("component_mentions", "document_id")], supporting=[("works", "work_id")], together=[("component_catalog", "neighbours")]
    ),
    tags={"forge/stage": "compatibility"},
)
def compatibility_graph(context: dg.AssetExecutionContext, database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """Which components require, exclude, accompany, replace or beat each other, how sure that is, and the passages that say so.

    Made of what documents claim, of statistics, of the constraint base and of what people decided; made anew when any of it has changed.
    """
    from forge_assets.compatibility.constraints.base import load_constraints
    from forge_assets.compatibility.graph.build import build
    from forge_assets.components.ontology import load_ontology

    meter = begin()
    chosen, db = settings(), database.connect()
    ontology = load_ontology(chosen.overrides_file)
    constraints = load_constraints(ontology, chosen.overrides_file).constraints
    report = build(db, ontology, constraints, chosen.overrides_file, context.log.info)
    version, done = f"{graph_version()}:{report.state}", report.edges if report.made else 0
    return global_result(context, db, "graph_edge", report.edges, version, report, meter=meter, done=done)


def stack_version() -> str:
    from forge_assets.compatibility.stack.problem import SOLVER_VERSION

    return SOLVER_VERSION


@dg.asset(
    partitions_def=BLUEPRINTS,
    deps=[component_catalog, compatibility_graph],
    code_version=stack_version(),
    group_name="compatibility",
    owners=OWNERS,
    kinds={"python", "postgres"},
    metadata=lineage(evidence=[("component_catalog", "works"), ("compatibility_graph", "confidence")]),
    tags={"forge/stage": "compatibility"},
)
def technique_stack(context: dg.AssetExecutionContext, database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """The best compatible stack of a blueprint: one component per slot, under all hard constraints and the budget, with its pins.

    It is solved once. Nights and further runs leave it as it is; `forge blueprint refresh` solves it with what is known then.
    """
    from forge_assets.compatibility.stack.blueprints import solve_blueprint
    from forge_assets.compatibility.stack.told import metadata_of

    meter = begin()
    db = database.connect()
    solved = solve_blueprint(db, context.partition_key, settings().overrides_file, say=context.log.info)
    version = f"{stack_version()}:{solved.stack.digest}"
    return global_result(
        context, db, "technique_stack", 1, version, solved.report, metadata_of(solved.stack), meter=meter, done=int(solved.made)
    )
