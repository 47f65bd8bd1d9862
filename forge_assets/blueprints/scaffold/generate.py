"""A spec and its model -> the template of this blueprint -> a project in a folder, new or brought up to date.

What a blueprint decides (model code, configurations, texts) is part of its template, what a user decides (the names) are copier's answers.
"""

from __future__ import annotations

import functools
import json
import keyword
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml  # type: ignore[import-untyped, unused-ignore]

from forge_assets.blueprints.composed import FdlModel, composed
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.scaffold.plan import plan_of
from forge_assets.blueprints.scaffold.repository import git, inside_git, publish
from forge_assets.blueprints.spec.files import as_json, schema
from forge_assets.blueprints.spec.model import Spec
from forge_assets.components.ontology import Ontology
from forge_resources.errors import BlueprintError

TEMPLATE = Path(__file__).parent / "template"
PACKAGE = "project/src/{{ package }}"
ANSWERS = ".copier-answers.yml"
TEMPLATES = "scaffolds"
"""The folder of all blueprints' template repositories, below FORGE_HOME."""
TAKEN = frozenset(
    {*sys.stdlib_module_names, "torch", "numpy", "yaml", "safetensors", "tokenizers", "jsonschema", "pytest", "conftest", "tests"}
)
"""What code and tests of a project import."""
NOT_IN_TITLES = frozenset('"\\{}<>`')
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Written:
    """`conflicts`: files in which an update met a user's edit of the same lines."""

    folder: Path
    version: str
    change: Literal["new", "updated", "none"]
    conflicts: tuple[str, ...] = ()


def scaffold(spec: Spec, ontology: Ontology, templates: Path, folder: Path, answers: Mapping[str, str], *, history: bool = True) -> Written:
    """Writes the project of a blueprint. `templates`: where template repositories lie; `history`: a new project gets a first commit.

    Raises BlueprintError: the model cannot be composed, or the folder holds something else.
    """
    version = publish(templates / spec.identity.name, template_files(spec, composed(spec), ontology))
    named = {"package": package_of(answers.get("project_name") or spec.identity.name), **answers}
    try:
        if (folder / ANSWERS).is_file():
            if answers:
                raise BlueprintError(f"{folder} holds a project already; its names stand in {ANSWERS} and are changed by `copier update`")
            return update(templates / spec.identity.name, version, folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BlueprintError(f"{folder} is not empty and holds no project of forge; give --to a new folder")
        copy(templates / spec.identity.name, version, folder, named)
    except OSError as error:
        raise BlueprintError(f"{folder} cannot be written: {error.strerror or error}; give --to a folder that you can write to") from None
    if history and not inside_git(folder):
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "-m", "The project as forge generated it")
    return Written(folder, version, "new")


def answered(given: Mapping[str, str | None]) -> dict[str, str]:
    """The answers that were given. Raises BlueprintError for names that cannot be used."""
    found = {name: text for name, text in given.items() if text is not None}
    package, title = found.get("package"), found.get("project_name")
    if package is not None and not _usable(package):
        told = "expected a name of lower-case letters that Python can import and nothing else here has, such as small_model"
        raise BlueprintError(f"--package is {package!r:.80}; {told}")
    if title is not None and not (title.isprintable() and any(one.isascii() and one.isalpha() for one in title) and len(title) <= 100):
        raise BlueprintError(f"--title is {title!r:.120}; expected a line of up to 100 characters with a letter, such as Small model")
    if title is not None and (sign := next((one for one in title if one in NOT_IN_TITLES), None)):
        raise BlueprintError(f"--title is {title!r}; {sign} would mean something in code and texts of the project, leave it out")
    return found


def package_of(title: str) -> str:
    """The package's name that a title gives: `Small model 2` is small_model_2. What others are called gets `_model` behind it."""
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    name = f"m{name}" if name[:1].isdigit() else name
    return name if _usable(name) else f"{name}_model".strip("_")


def _usable(package: str) -> bool:
    """Python imports it, and means no other package by it."""
    plain = package.isidentifier() and package.isascii() and package == package.lower() and not package.startswith("_")
    return plain and len(package) <= LONGEST_NAME and not keyword.iskeyword(package) and package not in TAKEN


def template_files(spec: Spec, model: FdlModel, ontology: Ontology) -> dict[str, bytes]:
    """The packaged template with what is of this blueprint: name -> content."""
    program = compiled(model.text)
    (network,) = BACKENDS["torch"].print(program).values()
    plan = {"plan": {"type": "yaml", "when": False, "default": plan_of(spec, model, program, ontology)}}
    texts = {
        "plan.yml": yaml.safe_dump(plan, sort_keys=False, allow_unicode=True, width=120),
        f"{PACKAGE}/network.py": network,
        f"{PACKAGE}/model.fdl": model.text,
        "project/blueprint/spec.json": as_json(spec),
        "project/contracts/spec.schema.json": json.dumps(schema(), indent=2) + "\n",
    }
    return dict(_packaged()) | {name: text.encode() for name, text in texts.items()}


@functools.cache
def _packaged() -> tuple[tuple[str, bytes], ...]:
    files = (file for file in sorted(TEMPLATE.rglob("*")) if file.is_file() and "__pycache__" not in file.parts)
    return tuple((file.relative_to(TEMPLATE).as_posix(), file.read_bytes()) for file in files)


def copy(repository: Path, version: str, folder: Path, answers: Mapping[str, str]) -> None:
    import copier

    _quietly(lambda: copier.run_copy(str(repository), folder, dict(answers), vcs_ref=version, defaults=True, quiet=True))


def update(repository: Path, version: str, folder: Path) -> Written:
    """The changes between the version that the project is of and this one; a user's edits stay. Raises BlueprintError."""
    import copier

    kept = _kept(folder / ANSWERS)
    if kept["_src_path"] != str(repository):
        raise BlueprintError(
            f"{folder} was generated from {kept['_src_path']}, this blueprint's template is {repository}; "
            f"set _src_path in {ANSWERS} to it and commit that, if it is the same blueprint"
        )
    if kept["_commit"] == version:
        return Written(folder, version, "none")
    if not inside_git(folder):
        raise BlueprintError(f"{folder} is in no git repository; an update needs one, so that it can be looked at: git init, then commit")
    if git(folder, "status", "--porcelain", "--", "."):
        raise BlueprintError(f"{folder} has changes that are not committed; commit them first, so that the update can be told apart")
    _quietly(lambda: copier.run_update(folder, vcs_ref=version, defaults=True, overwrite=True, quiet=True, skip_answered=True))
    marked = git(folder, "grep", "--name-only", "--untracked", "-e", "^<<<<<<< before updating", "--", ".", ok=(0, 1))
    return Written(folder, version, "updated", tuple(marked.splitlines()))


def _kept(file: Path) -> dict[str, str]:
    """The answers of a project. Raises BlueprintError where the file is not as copier wrote it."""
    try:
        kept = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError):
        kept = None
    if not isinstance(kept, dict) or not {"_src_path", "_commit"} <= kept.keys():
        told = "is not as copier wrote it, with _src_path and _commit"
        raise BlueprintError(f"{file} {told}; bring it back from the project's history, or give --to a new folder")
    return kept


def _quietly(run: Callable[[], object]) -> None:
    """Copier warns of template repositories that are not clean, which these always are, and of tags that are no releases."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run()
