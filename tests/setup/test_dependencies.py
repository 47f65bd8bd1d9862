"""What the code imports is declared, so that it does not hang on what some other package happens to bring."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.setup.conftest import PROJECT

SETTINGS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
OURS = {"forge_app", "forge_assets", "forge_resources", "tests", "tools", "bench"}
BROUGHT = {
    "botocore": "boto3",  # its errors and settings
    "httpcore": "httpx",  # its connections, which the guard makes itself
    "pyo3_runtime": "tantivy",  # the module of its panics, made at run time
}


PEERS = PROJECT / "bench" / "peers"
"""Run in virtual environments of their own, which their bench describes."""
BESIDE = {file.stem for file in (PROJECT / "bench").glob("*.py")}
"""Benches are scripts, which import one another from their own folder."""
CHECKER = "tools/verify_volume.py"
"""Is no part of the set-up: whoever has volumes and a database runs it beside any psycopg."""
OPTIONAL = {"hnswlib"}
"""A bench measures it where it is installed, and says so where it is not."""


def imported(folders: list[str]) -> dict[str, str]:
    """Top-level module -> one file that imports it, anywhere in it."""
    found: dict[str, str] = {}
    files = [file for folder in folders for file in sorted((PROJECT / folder).rglob("*.py")) if PEERS not in file.parents]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            found |= {name.partition(".")[0]: str(file.relative_to(PROJECT)) for name in names}
    return {module: file for module, file in found.items() if module not in OURS | BESIDE | sys.stdlib_module_names}


def undeclared(folders: list[str], requirements: list[str]) -> dict[str, str]:
    declared = {canonicalize_name(Requirement(line).name) for line in requirements}
    owners = metadata.packages_distributions()
    missing: dict[str, str] = {}
    for module, file in imported(folders).items():
        names = [BROUGHT[module]] if module in BROUGHT else owners.get(module, [module])
        if not declared & {canonicalize_name(name) for name in names}:
            missing[module] = file
    return missing


def test_the_product_imports_only_what_it_declares() -> None:
    extras = [line for name, lines in SETTINGS["optional-dependencies"].items() if name != "test" for line in lines]
    assert undeclared(["forge_app", "forge_assets", "forge_resources"], SETTINGS["dependencies"] + extras) == {}


def test_tests_and_benches_import_only_what_is_declared() -> None:
    everything = [line for lines in SETTINGS["optional-dependencies"].values() for line in lines]
    assert undeclared(["tests", "bench"], SETTINGS["dependencies"] + everything).keys() <= OPTIONAL


def test_the_set_up_needs_nothing_but_the_standard_library() -> None:
    assert {module: file for module, file in imported(["tools"]).items() if file != CHECKER} == {}


def test_an_undeclared_import_is_seen() -> None:
    assert Path(undeclared(["tests"], [])["pytest"]).name.endswith(".py")
