"""The project of a stored blueprint: its spec -> a folder of the user's, or files of the object store."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from forge_assets.blueprints.scaffold.generate import TEMPLATES, Written, answered, scaffold
from forge_assets.blueprints.spec.build import MadeSpec, publish, spec_of
from forge_assets.components.ontology import load_ontology
from forge_resources.database import Database
from forge_resources.object_store import ObjectStore
from forge_resources.settings import Settings

SCAFFOLD_CODE = "2"
"""Raised whenever the same spec gives another project."""


def write_project(db: Database, name: str, settings: Settings, folder: Path, answers: Mapping[str, str | None]) -> Written:
    """Raises BlueprintError where the blueprint is not solved, or the folder cannot be used."""
    spec = spec_of(db, name, settings.overrides_file, settings.gpu_price_per_hour).spec
    return scaffold(spec, load_ontology(settings.overrides_file), settings.home / TEMPLATES, folder, answered(answers))


def publish_project(db: Database, objects: ObjectStore, name: str, settings: Settings) -> tuple[MadeSpec, int]:
    """Puts a fresh project below blueprints/<name>/scaffold/; returns its spec and how many files."""
    made = spec_of(db, name, settings.overrides_file, settings.gpu_price_per_hour)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        scaffold(made.spec, load_ontology(settings.overrides_file), settings.home / TEMPLATES, folder, {}, history=False)
        files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
        return made, publish(objects, name, "scaffold", files)
