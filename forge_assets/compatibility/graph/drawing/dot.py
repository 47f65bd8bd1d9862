"""A picture in the DOT language of Graphviz (graphviz.org/doc/info/lang.html). Labels are shown as they are; boxes keep their ids, in which
a backslash, which DOT cannot write before a quote or at the end, is doubled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from forge_assets.compatibility.graph.drawing.picture import Box, Picture, plain


def dot(picture: Picture) -> str:
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    yield f"digraph {_id(picture.title)} {{"
    yield f"  graph [rankdir={picture.direction}, label={_label(picture.title)}, labelloc=t, fontname=Helvetica, fontsize=18];"
    yield '  node [shape=box, style="rounded,filled", fillcolor=white, color="#5f6368", fontname=Helvetica, fontsize=13];'
    yield '  edge [fontname=Helvetica, fontsize=10, color="#5f6368", arrowsize=0.7];'
    for number, frame in enumerate(picture.frames):
        yield f"  subgraph cluster_{number} {{"
        yield f'    graph [label={_label(frame.label)}, style="rounded,filled", fillcolor="#fafafa", color="#9aa0a6", fontsize=13];'
        yield from (f"    {_box(box)}" for box in picture.inside(frame.id))
        yield "  }"
    yield from (f"  {_box(box)}" for box in picture.inside(None))
    for link in picture.links:
        given = {"label": _label(link.label) if link.label else "", "style": "" if link.line == "solid" else link.line}
        given |= {"dir": "" if link.arrow else "none", "color": _id(link.colour) if link.colour else ""}
        yield f"  {_id(link.source)} -> {_id(link.target)}{_attributes(given)};"
    yield "}"


def _box(box: Box) -> str:
    return _id(box.id) + _attributes({"label": _label(box.label), "fillcolor": _id(box.fill) if box.fill else ""}) + ";"


def _attributes(given: Mapping[str, str]) -> str:
    said = ", ".join(f"{name}={value}" for name, value in given.items() if value)
    return f" [{said}]" if said else ""


def _id(text: str) -> str:
    """A quoted id; the quote is the only sign that DOT knows an escape of."""
    return '"' + plain(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label(text: str) -> str:
    """Labels know escapes (\\n, \\N, ...) and HTML entities."""
    return '"' + plain(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
