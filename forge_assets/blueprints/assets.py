"""The blueprints room's door: of each solved blueprint its spec, the files a team works from, diagrams and pseudocode.

Each is made once per stack."""

from typing import Any

import dagster as dg

from forge_assets.compatibility.assets import technique_stack
from forge_assets.partitions import BLUEPRINTS
from forge_assets.reporting import OWNERS, begin, global_result, lineage
from forge_resources.for_dagster import DatabaseResource, ObjectStoreResource
from forge_resources.settings import settings


def spec_version() -> str:
    from forge_assets.blueprints.spec.build import SPEC_CODE

    return SPEC_CODE


@dg.asset(
    partitions_def=BLUEPRINTS,
    deps=[technique_stack],
    code_version=spec_version(),
    group_name="blueprints",
    owners=OWNERS,
    kinds={"python", "postgres", "yaml"},
    metadata=lineage(stack=[("technique_stack", "digest")]),
    tags={"forge/stage": "blueprints"},
)
def tech_spec(context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource) -> dg.MaterializeResult[Any]:
    """The technical spec of a blueprint, each value with its evidence, formula or default; also in the formats of other tools.

    It belongs to the solved stack and stays until `forge blueprint refresh` moves the pins.
    """
    from forge_assets.blueprints.spec.build import publish, spec_files, spec_of

    meter = begin()
    db, chosen = database.connect(), settings()
    found = spec_of(db, context.partition_key, chosen.overrides_file, chosen.gpu_price_per_hour)
    files = publish(objects.connect(), context.partition_key, "spec", spec_files(found.spec))
    version = f"{spec_version()}:{found.digest}"
    extra = {"files": files, "title": found.spec.identity.title}
    return global_result(context, db, "tech_spec", 1, version, found.report, extra, meter=meter, done=int(found.made))


@dg.asset(
    partitions_def=BLUEPRINTS,
    deps=[tech_spec],
    code_version=spec_version(),
    group_name="blueprints",
    owners=OWNERS,
    kinds={"python", "yaml"},
    tags={"forge/stage": "blueprints"},
)
def infrastructure_files(
    context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource
) -> dg.MaterializeResult[Any]:
    """The spec laid out as a team works from it: tokenizer.yaml, model.yaml, training_loop.md and others, with schemas beside them."""
    from forge_assets.blueprints.hierarchy.layout import hierarchy_files
    from forge_assets.blueprints.spec.build import publish, spec_of

    meter = begin()
    db, chosen = database.connect(), settings()
    found = spec_of(db, context.partition_key, chosen.overrides_file, chosen.gpu_price_per_hour)
    files = publish(objects.connect(), context.partition_key, "hierarchy", hierarchy_files(found.spec))
    version = f"{spec_version()}:{found.digest}"
    return global_result(context, db, None, files, version, found.report, meter=meter, done=files)


def diagrams_version() -> str:
    from forge_assets.blueprints.diagrams.build import DIAGRAMS_CODE

    return f"{spec_version()}.{DIAGRAMS_CODE}"


@dg.asset(
    partitions_def=BLUEPRINTS,
    deps=[tech_spec],
    code_version=diagrams_version(),
    group_name="blueprints",
    owners=OWNERS,
    kinds={"python", "svg"},
    tags={"forge/stage": "blueprints"},
)
def architecture_diagrams(
    context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource
) -> dg.MaterializeResult[Any]:
    """The whole infrastructure, and the model at three depths (system, blocks, tensors): DOT, Mermaid, draw.io; SVG and PNG by Graphviz."""
    from forge_assets.blueprints.diagrams.build import described

    meter = begin()
    db, chosen = database.connect(), settings()
    found = described(db, context.partition_key, chosen.overrides_file, chosen.gpu_price_per_hour)
    files = found.publish_diagrams(objects.connect())
    version = f"{diagrams_version()}:{found.spec.digest}"
    return global_result(context, db, None, files, version, found.spec.report, {"drawn": found.drawn}, meter=meter, done=files)


@dg.asset(
    partitions_def=BLUEPRINTS,
    deps=[tech_spec],
    code_version=diagrams_version(),
    group_name="blueprints",
    owners=OWNERS,
    kinds={"python", "latex", "markdown"},
    tags={"forge/stage": "blueprints"},
)
def pseudocode(context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource) -> dg.MaterializeResult[Any]:
    """The model of a blueprint, and its optimizer and schedule: FDL texts, pseudocode as Markdown, algorithms as LaTeX documents."""
    from forge_assets.blueprints.diagrams.build import described

    meter = begin()
    db, chosen = database.connect(), settings()
    found = described(db, context.partition_key, chosen.overrides_file, chosen.gpu_price_per_hour)
    files = found.publish_pseudocode(objects.connect())
    version = f"{diagrams_version()}:{found.spec.digest}"
    return global_result(
        context, db, None, files, version, found.spec.report, {"rules": found.no_rules or "optimizer and schedule"}, meter=meter, done=files
    )


def scaffold_version() -> str:
    from forge_assets.blueprints.scaffold.build import SCAFFOLD_CODE

    return f"{spec_version()}.{SCAFFOLD_CODE}"


@dg.asset(
    partitions_def=BLUEPRINTS,
    deps=[tech_spec],
    code_version=scaffold_version(),
    group_name="blueprints",
    owners=OWNERS,
    kinds={"python", "pytorch"},
    tags={"forge/stage": "blueprints"},
)
def scaffold(context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource) -> dg.MaterializeResult[Any]:
    """A project that trains the blueprint's model: code, configurations, tests with requirements, texts for people and agents.

    `forge scaffold NAME --to DIR` writes it into a folder and keeps edits when it is written there again.
    """
    from forge_assets.blueprints.scaffold.build import publish_project

    meter = begin()
    db = database.connect()
    made, files = publish_project(db, objects.connect(), context.partition_key, settings())
    version = f"{scaffold_version()}:{made.digest}"
    return global_result(context, db, None, files, version, made.report, meter=meter, done=files)
