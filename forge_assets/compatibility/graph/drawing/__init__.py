"""Pictures of boxes and arrows, written as DOT, Mermaid or draw.io: `Picture` in, text out. The same picture gives the same text."""

from __future__ import annotations

from forge_assets.compatibility.graph.drawing.dot import dot
from forge_assets.compatibility.graph.drawing.drawio import drawio
from forge_assets.compatibility.graph.drawing.layers import Layout, layered
from forge_assets.compatibility.graph.drawing.mermaid import MOST_CHARACTERS, MOST_LINKS, mermaid
from forge_assets.compatibility.graph.drawing.picture import Box, Frame, Link, Picture, plain

__all__ = ["MOST_CHARACTERS", "MOST_LINKS", "Box", "Frame", "Layout", "Link", "Picture", "dot", "drawio", "layered", "mermaid", "plain"]
