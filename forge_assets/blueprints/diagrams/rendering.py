"""Pictures drawn by Graphviz, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from typing import Literal

from forge_assets.compatibility.graph.drawing import Picture, dot
from forge_resources.errors import ForgeError

PNG_DPI = 110
MOST_SECONDS = 120


class DrawingError(ForgeError):
    """Graphviz cannot draw."""


def can_draw() -> bool:
    return shutil.which("dot") is not None


def drawn(picture: Picture, format_: Literal["svg", "png"]) -> bytes:
    """Raises DrawingError."""
    if not can_draw():
        raise DrawingError("Graphviz is not installed, so there are no SVG and PNG; install it (Debian: apt-get install graphviz)")
    command = ["dot", f"-T{format_}", *([f"-Gdpi={PNG_DPI}"] if format_ == "png" else [])]
    made = subprocess.run(command, input=dot(picture).encode(), capture_output=True, timeout=MOST_SECONDS, check=False)
    if made.returncode or not made.stdout:
        raise DrawingError(f"Graphviz could not draw {picture.title}: {made.stderr.decode(errors='replace').strip()[:300]}")
    return made.stdout
