"""`forge spec` as a person uses it, and the assets: made once per stack, published, moved by a refresh only."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from forge_app.instance import instance
from forge_assets.definitions import defs
from forge_resources.database import Database
from forge_resources.object_store import open_store
from forge_resources.settings import settings
from tests.app.test_components import Forge

pytestmark = pytest.mark.timeout(300)  # each command reads the ontology anew
ASSETS = ("tech_spec", "infrastructure_files")


@pytest.fixture
def forge(database: Database, capsys: pytest.CaptureFixture[str]) -> Forge:
    return Forge(capsys)


def made(names: tuple[str, ...]) -> dict[str, str]:
    """Runs the assets for the blueprint; asset -> data version."""
    job = defs.resolve_implicit_global_asset_job_def()
    with instance(settings()) as home:
        result = job.execute_in_process(instance=home, partition_key="small", asset_selection=[dg.AssetKey(name) for name in names])
    events = {name: result.asset_materializations_for_node(name)[0] for name in names}
    return {name: (event.tags or {})["dagster/data_version"] for name, event in events.items()}


def test_a_spec_is_shown_checked_compared_and_written(forge: Forge, tmp_path: Path) -> None:
    assert "no blueprint is called 'small'" in forge("spec", "show", "small").err
    forge("blueprint", "create", "small", "--params", "3e6", "--context", "256", "--goal", "simplicity")
    assert forge("spec", "show", "small").err == "forge: small is not solved yet; `forge stack solve small` solves it\n"
    forge("stack", "solve", "small")
    shown = forge("spec", "show", "small")
    assert shown.code == 0 and "## Batching" in shown.out and "whether a step fits is not known" in shown.out
    for form, beginning in (("yaml", "spec_version:"), ("json", "{"), ("config", "{"), ("torchtitan", "[job]"), ("nanotron", "general:"),
                            ("card", "---"), ("ml-bom", "{"), ("schema", "{")):  # fmt: skip
        assert forge("spec", "show", "small", "--as", form).out.startswith(beginning), form

    count = forge("spec", "files", "small", "--to", str(tmp_path / "out")).out
    assert (tmp_path / "out/hierarchy/training_loop.md").is_file() and count.endswith(f"files in {tmp_path / 'out'}\n")
    written = tmp_path / "out/spec.yaml"
    assert "valid, " in forge("spec", "validate", str(written), str(tmp_path / "out/spec.json")).out
    assert forge("spec", "diff", "small", str(written)).out == "no value differs\n"
    written.write_text(written.read_text().replace("value: 0.1", "value: 0.2", 1).replace("layers:\n", "layer:\n", 1))
    said = forge("spec", "validate", str(written))
    assert said.code == 2 and "architecture.layer" in said.err and said.err.count("\n") == 1
    assert "has other content" in forge("spec", "files", "small", "--to", str(tmp_path / "out")).err
    assert forge("spec", "files", "small", "--to", str(tmp_path / "out"), "--force").code == 0
    assert "cannot be read" in forge("spec", "diff", "small", str(tmp_path / "none.yaml")).err


def test_the_assets_publish_a_spec_that_only_a_refresh_moves(forge: Forge, database: Database) -> None:
    forge("blueprint", "create", "small", "--params", "3e6", "--context", "256", "--goal", "simplicity")
    forge("stack", "solve", "small")
    first = made(ASSETS)
    store = open_store()
    keys = {info.key for info in store.list("blueprints/small/")}
    assert {"blueprints/small/spec/spec.json", "blueprints/small/hierarchy/schemas/model.schema.json"} <= keys
    spec = json.loads(store.get("blueprints/small/spec/spec.json"))
    assert spec["identity"]["name"] == "small"
    store.put("blueprints/small/spec/old.txt", b"of an earlier version")
    with database.begin() as connection:  # a night has read more
        connection.exec_driver_sql("""INSERT INTO catalogue_entry (component, slot, documents, works, used, trend, years, neighbours)
            VALUES ('lion', 'optimizer', 90, 90, 90, 0.9, '{}', '[]')""")
    assert made(ASSETS) == first and {info.key for info in store.list("blueprints/small/")} == keys
    forge("blueprint", "refresh", "small")
    assert made(("tech_spec",))["tech_spec"] != first["tech_spec"]
    pins = json.loads(store.get("blueprints/small/spec/spec.json"))["identity"]["pins"]
    assert pins["evidence"] != spec["identity"]["pins"]["evidence"]
