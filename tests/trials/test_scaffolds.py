"""Projects of three different blueprints: every command of their texts runs, and each requirement that is broken turns a test red."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blueprints.scaffold.projects import BLUEPRINTS, MUTANTS, Place, commands, content, goes_red, project

pytestmark = pytest.mark.trial


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One virtual environment serves all three."""
    return Place.made(tmp_path_factory.mktemp("place") / "venv")


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_a_project_works_as_its_texts_say(name: str, place: Place, tmp_path: Path) -> None:
    folder = project(name, tmp_path / "home", tmp_path / name)
    texts = [(folder / file).read_text() for file in ("AGENTS.md", "specs/001-pretraining/quickstart.md")]
    for line in dict.fromkeys(line for text in texts for line in commands(text)):
        place.passes(line, folder)
    again = content(project(name, tmp_path / "home", tmp_path / "again" / name))
    assert all(content(folder)[file] == text for file, text in again.items())


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_each_broken_requirement_turns_its_test_red(name: str, place: Place, tmp_path: Path) -> None:
    folder = project(name, tmp_path / "home", tmp_path / name)
    place.passes("python -m pytest -q", folder)
    for mutant in MUTANTS:
        goes_red(mutant, folder, place)
