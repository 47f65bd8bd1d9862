"""`forge scaffold` as a person uses it, and the asset that keeps the project in the object store."""

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


@pytest.fixture
def forge(database: Database, capsys: pytest.CaptureFixture[str]) -> Forge:
    return Forge(capsys)


def test_a_project_is_written_told_to_be_up_to_date_and_kept_in_the_store(forge: Forge, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    forge("blueprint", "create", "small", "--params", "3e6", "--context", "256", "--goal", "simplicity")
    assert forge("scaffold", "small", "--to", str(folder)).err == "forge: small is not solved yet; `forge stack solve small` solves it\n"
    forge("stack", "solve", "small")
    assert "--package is 'small-model'" in forge("scaffold", "small", "--to", str(folder), "--package", "small-model").err
    said = forge("scaffold", "small", "--to", str(folder), "--title", "Small model")
    assert said.code == 0 and said.out.startswith(f"{folder} holds the project of small; begin with its AGENTS.md")
    assert (folder / "src/small_model/network.py").is_file() and (folder / "README.md").read_text().startswith("# Small model\n")
    told = json.loads(forge("scaffold", "small", "--to", str(folder), "--json").out)
    assert told == {"folder": str(folder), "version": "v1", "change": "none", "conflicts": []}

    job = defs.resolve_implicit_global_asset_job_def()
    with instance(settings()) as home:
        assert job.execute_in_process(instance=home, partition_key="small", asset_selection=[dg.AssetKey("scaffold")]).success
    keys = {info.key for info in open_store().list("blueprints/small/scaffold/")}
    assert {"blueprints/small/scaffold/AGENTS.md", "blueprints/small/scaffold/src/small/network.py"} <= keys
    assert not any("/.git/" in key for key in keys)
