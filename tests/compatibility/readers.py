"""Other tools as readers of diagrams: Graphviz, Mermaid's own parser, and mxGraph, the library that draw.io is built on.

The two of node are installed by npm once, under the user's cache; where npm cannot be had, the tests that need them skip and say so.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

DIAGRAMS = Path(__file__).resolve().parent / "diagrams"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "forge-tests"
SVG = "{http://www.w3.org/2000/svg}"


def by_node(script: str, text: str) -> Any:
    """What a script of diagrams/ says of the text."""
    made = subprocess.run(["node", _folder() / script], input=text, capture_output=True, text=True, check=False, timeout=300)
    assert made.returncode == 0, made.stderr[-2000:]
    return json.loads(made.stdout)


@cache
def _folder() -> Path:
    """Where the scripts lie beside what they import."""
    wanted = (DIAGRAMS / "package.json").read_text(encoding="utf-8")
    folder = CACHE / f"diagrams-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm: run tools/debian.sh as root")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for file in DIAGRAMS.iterdir():
            shutil.copy(file, folder)
        if not (folder / "installed").exists():
            command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
            made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
            if made.returncode:
                pytest.skip(f"npm cannot install what reads diagrams: {made.stderr.strip().splitlines()[-1:]}")
            (folder / "installed").touch()
    return folder


def by_graphviz(text: str) -> tuple[dict[str, str], list[tuple[str, str]], list[str]]:
    """(box -> label, (link's ends, its label), labels of clusters) as Graphviz draws them."""
    if shutil.which("dot") is None:
        pytest.skip("needs Graphviz: run tools/debian.sh as root")
    made = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=False, timeout=300)
    assert made.returncode == 0 and made.stderr == "", made.stderr
    groups = ElementTree.fromstring(made.stdout).iter(f"{SVG}g")
    found: dict[str, list[tuple[str, str]]] = {"node": [], "edge": [], "cluster": [], "graph": []}
    for group in groups:
        found[group.get("class", "graph")].append((group.findtext(f"{SVG}title") or "", _shown(group)))
    return dict(found["node"]), found["edge"], [label for _, label in found["cluster"]]


def _shown(group: ElementTree.Element) -> str:
    return "\n".join((text.text or "").replace("\N{NO-BREAK SPACE}", " ") for text in group.findall(f"{SVG}text"))
