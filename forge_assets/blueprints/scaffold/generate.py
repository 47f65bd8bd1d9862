"""A spec and its model -> the template of this blueprint -> a project in a folder, new or brought up to date.

What a blueprint decides (model code, configurations, texts) is part of its template, what a user decides (the names) are copier's answers.
"""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from forge_assets.blueprints.composed import FdlModel, composed
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.scaffold.plan import plan_of
from forge_assets.blueprints.scaffold.repository import git, publish
from forge_assets.blueprints.spec.files import as_json, schema
from forge_assets.blueprints.spec.model import Spec
from forge_assets.components.ontology import Ontology
from forge_resources.errors import BlueprintError

TEMPLATE = Path(__file__).parent / "template"
PACKAGE = "project/src/{{ package }}"
ANSWERS = ".copier-answers.yml"


@dataclass(frozen=True, slots=True)
class Written:
    """`updated`: the folder held the project already; `conflicts`: files in which an update met a user's edit of the same lines."""

    folder: Path
    version: str
    updated: bool
    conflicts: tuple[str, ...] = ()


def scaffold(spec: Spec, ontology: Ontology, templates: Path, folder: Path, answers: Mapping[str, str] | None = None) -> Written:
    """Writes the project of a blueprint. `templates`: the folder of all blueprints' template repositories.

    Raises BlueprintError: no model text has the parts, or the folder holds something else.
    """
    repository = templates / spec.identity.name
    version = publish(repository, template_files(spec, composed(spec), ontology))
    if (folder / ANSWERS).is_file():
        return update(repository, version, folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BlueprintError(f"{folder} is not empty and holds no project of forge; give --to a new folder")
    copy(repository, version, folder, answers or {})
    return Written(folder, version, updated=False)


def template_files(spec: Spec, model: FdlModel, ontology: Ontology) -> dict[str, bytes]:
    """The packaged template with what is of this blueprint: name -> content."""
    program = compiled(model.text)
    (network,) = BACKENDS["torch"].print(program).values()
    files = dict(_packaged())
    plan = {"plan": {"type": "yaml", "when": False, "default": plan_of(spec, model, program, ontology)}}
    texts = {
        "plan.yml": yaml.safe_dump(plan, sort_keys=False, allow_unicode=True, width=120),
        f"{PACKAGE}/network.py": network,
        f"{PACKAGE}/model.fdl": model.text,
        "project/blueprint/spec.json": as_json(spec),
        "project/contracts/spec.schema.json": json.dumps(schema(), indent=2) + "\n",
    }
    return files | {name: text.encode() for name, text in texts.items()}


@functools.cache
def _packaged() -> tuple[tuple[str, bytes], ...]:
    return tuple(
        (file.relative_to(TEMPLATE).as_posix(), file.read_bytes())
        for file in sorted(TEMPLATE.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    )


def copy(repository: Path, version: str, folder: Path, answers: Mapping[str, str]) -> None:
    """A new project, and its first commit where git allows one."""
    import copier

    _quietly(lambda: copier.run_copy(str(repository), folder, dict(answers), vcs_ref=version, defaults=True, quiet=True, unsafe=False))
    if not _inside_git(folder):
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "-m", "The project as forge generated it")


def update(repository: Path, version: str, folder: Path) -> Written:
    """The changes between the version that the project is of and this one; a user's edits stay."""
    import copier

    if yaml.safe_load((folder / ANSWERS).read_text())["_commit"] == version:
        return Written(folder, version, updated=False)
    if not _inside_git(folder):
        raise BlueprintError(f"{folder} is in no git repository; an update needs one, so that it can be looked at: git init && git commit")
    if git(folder, "status", "--porcelain"):
        raise BlueprintError(f"{folder} has changes that are not committed; commit them first, so that the update can be told apart")
    _quietly(lambda: copier.run_update(folder, vcs_ref=version, defaults=True, overwrite=True, quiet=True, skip_answered=True))
    marked = git(folder, "diff", "--name-only", "-G", "^<<<<<<< before updating").splitlines()
    return Written(folder, version, True, tuple(marked))


def _inside_git(folder: Path) -> bool:
    from forge_resources.errors import ForgeError

    try:
        git(folder, "rev-parse", "--is-inside-work-tree")
    except ForgeError:
        return False
    return True


def _quietly(run: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run()
