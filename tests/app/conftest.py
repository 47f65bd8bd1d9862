"""A home with a small corpus, and `forge` as a person calls it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from forge_resources.settings import PROJECT

ARTICLES = {
    "rope.md": "# Rotary embeddings\n\nRoPE was introduced by Su et al. in 2021. It rotates queries and keys by their position.\n",
    "muon.txt": "Muon orthogonalises the momentum of matrix parameters. It was proposed by Keller Jordan in 2024.",
    "gqa.html": "<html><head><title>Grouped-query attention</title></head>"
    "<body><p>GQA shares keys and values among query heads.</p></body></html>",
    "dump.jsonl": '{"doc_id": "arxiv:2101.00001", "title": "On learning rates", "abstract": "Warm-up helps.", "year": 2021}\n'
    '{"doc_id": "arxiv:2101.00002", "title": "On batch sizes", "abstract": "Large batches need more warm-up.", "year": 2022}\n',
}

Forge = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def forge_home(forge_home: Path, kept_ontology: Path) -> Path:
    """A home in which some `forge` has read the ontology before."""
    (forge_home / "cache").mkdir()
    shutil.copy(kept_ontology, forge_home / "cache")
    return forge_home


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, text in ARTICLES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def forge(forge_home: Path, tmp_path: Path) -> Forge:
    """Calls the command in a process of its own and returns what it printed."""

    def call(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        environ = os.environ | {"FORGE_WORKERS": "2", "PYTHONPATH": str(PROJECT)} | environment
        return subprocess.run(
            [sys.executable, "-c", "from forge_app.cli import main; main()", *map(str, arguments)],
            capture_output=True, text=True, env=environ, cwd=tmp_path, timeout=180,
        )  # fmt: skip

    return call
