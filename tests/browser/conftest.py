"""One browser for the tests of a file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_ui import ARGUMENTS, CHROMIUM


@pytest.fixture
def forge_home(forge_home: Path, kept_ontology: Path) -> Path:
    """A home in which some `forge` has read the ontology before."""
    (forge_home / "cache").mkdir()
    shutil.copy(kept_ontology, forge_home / "cache")
    return forge_home


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()
