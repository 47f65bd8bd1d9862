"""Fragments at length: the whole contract of every piece of six stacks, a kill at every fragment, and classes of transformers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from forge_assets.fragments.assembled import check_loads
from forge_assets.fragments.verify import verify
from tests.conftest import short_folder
from tests.fragments.kills import built, killed
from tests.fragments.plans import CLASSES, STACKS, TO_TRAINED, made, tree

pytestmark = [pytest.mark.trial, pytest.mark.timeout(900)]


@pytest.fixture(scope="module", params=STACKS)
def stack(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    root = short_folder("ff-")
    list(made(request.param, root))
    yield request.param, root
    shutil.rmtree(root)


def test_transformers_loads_the_smallest_class_and_gives_the_same_logits(stack: tuple[str, Path]) -> None:
    name, root = stack
    assert json.loads((root / "09-assembled" / "config.json").read_text())["architectures"] == [CLASSES[name]]
    assert check_loads(root / "09-assembled") < 1e-5 and len(verify(root)) == len(TO_TRAINED)


@pytest.mark.parametrize("fragment", TO_TRAINED)
def test_the_contract_holds_in_torch_jax_and_cpp(stack: tuple[str, Path], fragment: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_contract.py"]
    ran = subprocess.run(command, cwd=stack[1] / fragment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("hash_seed", [1, 2])
def test_two_processes_write_the_same_bytes(stack: tuple[str, Path], hash_seed: int, tmp_path: Path) -> None:
    name, root = stack
    for left in root.rglob("__pycache__"):
        shutil.rmtree(left)
    built(name, tmp_path, hash_seed)
    assert tree(tmp_path) == tree(root)


def test_a_build_killed_at_every_fragment_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    built("llama", tmp_path / "whole")
    for number, fragment in enumerate(TO_TRAINED):
        killed("llama", tmp_path / "killed", fragment, files=number % 4)
    built("llama", tmp_path / "killed")
    assert tree(tmp_path / "killed") == tree(tmp_path / "whole")
