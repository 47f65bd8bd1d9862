"""What the documents promise is so: the command reference is the help, links and commands of the README exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forge_app.cli import COMMANDS
from forge_app.cli_reference import reference
from forge_resources.settings import PROJECT

DOCUMENTS = [PROJECT / "README.md", PROJECT / "AGENTS.md", PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").rglob("*.md"))]


def test_the_command_reference_is_what_help_prints() -> None:
    written = (PROJECT / "docs" / "reference" / "cli.md").read_text()
    assert written == reference(), "run: python -m forge_app.cli_reference > docs/reference/cli.md"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_lead_somewhere(document: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", document.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", prose)
    assert [t for t in targets if not t.startswith("http") and not (document.parent / t).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_commands_that_are_named_exist(document: Path) -> None:
    named = set(re.findall(r"(?:^|`)forge ([a-z]+)\b", document.read_text(), re.MULTILINE))
    assert named <= set(COMMANDS), f"{document.name} names commands that do not exist: {named - set(COMMANDS)}"


def test_the_readmes_file_tree_is_true() -> None:
    block = (PROJECT / "README.md").read_text().split("## The house")[1].split("```")[1]
    listed = [line.split()[0] for line in block.splitlines() if line and not line.startswith(" ")]
    assert listed and [name for name in listed if not (PROJECT / name).exists()] == []
