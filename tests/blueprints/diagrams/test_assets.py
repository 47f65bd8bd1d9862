"""architecture_diagrams and pseudocode of a solved blueprint, as Dagster runs them."""

from __future__ import annotations

import shutil

import dagster as dg
import pytest

from forge_assets.blueprints import assets
from forge_assets.blueprints.diagrams.build import update_rules
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.compatibility.stack import store
from forge_assets.compatibility.stack.blueprints import solve_blueprint
from forge_assets.definitions import defs
from forge_assets.partitions import BLUEPRINTS
from forge_resources.database import Database
from forge_resources.object_store import open_store
from forge_resources.settings import settings
from tests.blueprints.spec.test_spec import spec
from tests.compatibility.stacks import asks

pytestmark = pytest.mark.timeout(300)


def test_both_are_made_of_one_model_and_the_same_again(database: Database) -> None:
    store.create(database, asks(name="base", gpu="H100"))
    solve_blueprint(database, "base")
    objects = open_store(settings().objects_url, settings())
    objects.put("blueprints/base/diagrams/old.svg", b"of an earlier model")
    versions = []
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(BLUEPRINTS.name), ["base"])
        job = defs.resolve_implicit_global_asset_job_def()
        wanted = [assets.architecture_diagrams.key, assets.pseudocode.key]
        for _ in range(2):
            result = job.execute_in_process(instance=instance, partition_key="base", asset_selection=wanted)
            made = {info.key.removeprefix("blueprints/base/"): objects.get(info.key) for info in objects.list("blueprints/base/")}
            versions.append((made, [one.tags for key in wanted for one in result.asset_materializations_for_node(key.to_user_string())]))
    (made, first), (again, second) = versions
    assert made == again
    assert [tags["dagster/data_version"] for tags in first] == [tags["dagster/data_version"] for tags in second]  # type: ignore[index]
    assert {f"pseudocode/{name}" for name in ("model.fdl", "model.md", "model.tex", "rules.fdl", "rules.md", "rules.tex")} <= set(made)
    assert "diagrams/old.svg" not in made
    endings = ("dot", "mmd", "drawio", *(("svg", "png") if shutil.which("dot") else ()))
    for picture in ("pipeline", "LM.system", "Block.block", "Block.tensor"):
        assert {f"diagrams/{picture}.{ending}" for ending in endings} <= set(made)
    page, pipeline = made["diagrams/README.md"].decode(), made["diagrams/pipeline.dot"].decode()
    assert page.startswith("# base: diagrams") and "B parameters" in pipeline and "H100" in pipeline
    stack = store.stack(database, "base")
    assert stack is not None and stack.slots["optimizer"] and "Optimizer and schedule" in pipeline
    assert made["pseudocode/model.fdl"].decode().count("model LM = ") == 1
    kinds = [unit.kind for unit in compiled(made["pseudocode/rules.fdl"].decode()).units.values()]
    assert sorted(kinds) == ["optimizer", "schedule"] and "## Optimizer" in made["pseudocode/rules.md"].decode()


def test_a_schedule_that_the_library_lacks_is_told() -> None:
    made = spec("tiny")
    lacking = made.schedule.model_copy(update={"component": made.schedule.component.model_copy(update={"value": "budgeted"})})
    found, told = update_rules(made.model_copy(update={"schedule": lacking}))
    assert not found and "no text for budgeted in the slot schedule" in told
