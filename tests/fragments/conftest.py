"""Fragments that several tests look at, built once per process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forge_assets.fragments.build import build
from tests.conftest import short_folder
from tests.fragments.plans import documents, plan

Copy = Callable[[], Path]


@pytest.fixture(scope="session")
def llama() -> Iterator[Path]:
    """All nine fragments of a small Llama; not to be changed."""
    root = short_folder("ff-")
    list(build(plan("llama"), root, documents))
    yield root
    shutil.rmtree(root)


@pytest.fixture
def copied(llama: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(llama, tmp_path / "pieces")
