"""Fragments that several tests look at, built once per process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import short_folder
from tests.fragments.plans import made

Copy = Callable[[], Path]


@pytest.fixture(scope="session")
def llama() -> Iterator[Path]:
    """The fragments of a small Llama up to 10-trained; not to be changed."""
    root = short_folder("ff-")
    list(made("llama", root))
    yield root
    shutil.rmtree(root)


@pytest.fixture
def copied(llama: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(llama, tmp_path / "pieces")
