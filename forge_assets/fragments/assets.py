"""The fragments room's door: one asset a fragment, partitioned by blueprint. Each is built again when what it is made from changes."""

import base64
from pathlib import Path
from typing import Any

import dagster as dg

from forge_assets.blueprints.assets import tech_spec
from forge_assets.fragments.chain import CHAIN, LORA, TRAINED, Fragment
from forge_assets.partitions import BLUEPRINTS
from forge_assets.reporting import OWNERS, begin, global_result
from forge_resources.for_dagster import DatabaseResource, ObjectStoreResource
from forge_resources.settings import settings


def asset_name(fragment: str) -> str:
    return f"fragment_{fragment.replace('-', '_')}"


def fragments_version() -> str:
    from forge_assets.fragments.plan import FRAGMENTS_CODE

    return FRAGMENTS_CODE


def fragment_asset(one: Fragment) -> dg.AssetsDefinition:
    @dg.asset(
        name=asset_name(one.name),
        description=f"{one.title} of a blueprint's model: a folder that stands alone, with text, code, weights, golden numbers, card.",
        partitions_def=BLUEPRINTS,
        deps=[tech_spec, *(dg.AssetKey(asset_name(parent)) for parent in one.parents)],
        code_version=fragments_version(),
        group_name="fragments",
        owners=OWNERS,
        kinds={"python", "pytorch"},
        tags={"forge/stage": "fragments"},
    )
    def made(context: dg.AssetExecutionContext, database: DatabaseResource, objects: ObjectStoreResource) -> dg.MaterializeResult[Any]:
        from forge_assets.fragments.build import build_blueprint, figures, publish

        meter = begin()
        db = database.connect()
        (built,) = build_blueprint(db, settings(), context.partition_key, [one.name], say=context.log.info)
        published = publish(objects.connect(), context.partition_key, built.folder)
        extra = {"folder": str(built.folder), "published": published, "card": dg.MetadataValue.md((built.folder / "README.md").read_text())}
        if one.name == TRAINED:
            extra |= told_of_training(built.folder)
        if one.name == LORA:
            extra |= told_of_adapter(built.folder)
        return global_result(context, db, None, 1, built.version, figures(built), extra, meter=meter, done=int(built.made))

    return made


def told_of_training(folder: Path) -> dict[str, Any]:
    """How well the model was trained, and how fast where that was here; its curve as a picture."""
    from forge_assets.fragments.train.run import CURVE, measured

    return {**measured(folder), "curve": curve(folder / CURVE)}


def told_of_adapter(folder: Path) -> dict[str, Any]:
    """What it learnt from, and its loss on held-out answers before and after; its curve as a picture."""
    from forge_assets.fragments.lora.fragment import CURVE, measured

    return {**measured(folder), "curve": curve(folder / CURVE)}


def curve(path: Path) -> dg.MarkdownMetadataValue:
    picture = base64.b64encode(path.read_bytes()).decode()
    return dg.MetadataValue.md(f"![losses over the steps](data:image/png;base64,{picture})")


FRAGMENTS = [fragment_asset(one) for one in CHAIN.values()]
