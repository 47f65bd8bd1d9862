"""The hierarchy of infrastructure files: which there are, and how each is written from parts of a spec.

A later room that makes files of the same names for a whole corpus takes `PAGES`, `yaml_file` and `schema_of` from here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]
from pydantic import BaseModel

from forge_assets.blueprints.hierarchy import pages
from forge_assets.blueprints.spec import model as m
from forge_assets.blueprints.spec.model import Spec
from forge_resources.errors import BlueprintError

YAML: Mapping[str, tuple[type[BaseModel], str]] = {
    "tokenizer": (m.Tokenizer, "tokenizer"),
    "model": (m.Architecture, "architecture"),
    "optimizer": (m.Optimizer, "optimizer"),
    "schedule": (m.Schedule, "schedule"),
    "data": (m.Data, "data"),
    "batching": (m.Batching, "batching"),
    "precision": (m.Precision, "precision"),
    "parallelism": (m.Parallelism, "parallelism"),
    "checkpoints": (m.Checkpoints, "checkpoints"),
    "hardware": (m.HardwareFit, "hardware"),
}
"""File -> the block it holds. Its JSON Schema stands beside it, as schemas/<file>.schema.json."""
PAGES: Mapping[str, Callable[[Spec], str]] = {
    "README.md": pages.readme,
    "training_loop.md": pages.training_loop,
    "data_pipeline.txt": pages.data_pipeline,
    "evaluation.md": pages.evaluation,
    "compatibility.md": pages.compatibility,
}


def yaml_file(name: str, block: BaseModel) -> str:
    """A block with a line that names its schema, which editors read."""
    body = yaml.safe_dump(block.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)
    return f"# yaml-language-server: $schema=schemas/{name}.schema.json\n{body}"


def schema_of(kind: type[BaseModel]) -> str:
    content: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **kind.model_json_schema()}
    return json.dumps(content, indent=2) + "\n"


def hierarchy_files(spec: Spec) -> dict[str, str]:
    """Path below hierarchy/ -> text."""
    made = {f"{name}.yaml": yaml_file(name, getattr(spec, field)) for name, (_, field) in YAML.items()}
    made |= {f"schemas/{name}.schema.json": schema_of(kind) for name, (kind, _) in YAML.items()}
    return made | {name: write(spec) for name, write in PAGES.items()}


def written(folder: Path, made: Mapping[str, str], force: bool) -> int:
    """Writes the files; raises BlueprintError where one stands there with other content and `force` is not given."""
    changed = [file for file, text in made.items() if (folder / file).exists() and (folder / file).read_bytes() != text.encode()]
    if changed and not force:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise BlueprintError(f"{folder / changed[0]}{more} has other content; take an empty folder, or --force to write over it")
    try:
        for file, text in made.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BlueprintError(f"{folder} cannot be written: {error.strerror or error}; choose another folder") from None
    return len(made)
