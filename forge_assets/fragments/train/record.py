"""run.json: the training run that made a model, by whose SHA-256 every trained piece names it as a parent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forge_resources.errors import FragmentError

RUN_FILE = "run.json"


def lines(path: Path) -> list[dict[str, Any]]:
    """Of a log, one JSON a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def check_run(folder: Path, config: Mapping[str, Any]) -> None:
    """Raises FragmentError where the folder's run.json is not the run that its configuration names."""
    path = folder / RUN_FILE
    if not path.is_file():
        raise FragmentError(f"{path} is missing; trained weights carry the run that made them: fetch the fragment again")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != config["run"]:
        raise FragmentError(f"{path} is another run: expected {config['run'][:16]}..., found {found[:16]}...; one of the two is swapped")
