"""The neighbours of a component in the compatibility graph as an SVG drawing, where Graphviz is installed; else there is no drawing."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from forge_assets.compatibility.graph.drawing import dot
from forge_assets.compatibility.graph.model import Edge
from forge_assets.compatibility.graph.scoring import NO_OPINION
from forge_assets.compatibility.graph.view import of, picture
from forge_assets.components.ontology.model import Ontology
from forge_assets.documentation.volume import Figure

MOST, FEWEST = 10, 2
"""Edges that are drawn."""
PATIENCE = 20.0
_PROLOG = re.compile(r"<\?xml.*?\?>|<!DOCTYPE[^>]*>|<!--.*?-->", re.S)


@cache
def _program() -> str | None:
    return shutil.which("dot")


def neighbourhood(component: str, edges: Sequence[Edge], ontology: Ontology) -> Figure | None:
    """The surest edges of a component that more than statistics speak for."""
    shown = [
        edge for edge in edges
        if set(edge.origins) - {"statistics"} and edge.confidence > NO_OPINION
        and {edge.key.subject, edge.key.object} <= set(ontology.components)
    ][:MOST]  # fmt: skip
    if component not in ontology.components or len(shown) < FEWEST or _program() is None:
        return None
    name = ontology.components[component].name
    drawn = picture(of(shown, ontology), f"{name} and its neighbours")
    source = dot(replace(drawn, frames=(), boxes=tuple(replace(box, frame=None) for box in drawn.boxes)))
    svg = svg_of(source)
    if svg is None:
        return None
    said = "; ".join(f"{edge.said} ({edge.confidence:.2f})" for edge in shown)
    return Figure(
        caption=f"{name} in the compatibility graph: the surest of what is claimed, derived or decided", alt=said, svg=svg, dot=source
    )


def svg_of(source: str) -> str | None:
    """The drawing, without prolog and document type, which have no place inside a page; None where Graphviz cannot draw it."""
    program = _program()
    if program is None:
        return None
    try:
        made = subprocess.run([program, "-Tsvg"], input=source.encode(), capture_output=True, timeout=PATIENCE, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return _PROLOG.sub("", made.stdout.decode()).strip()
