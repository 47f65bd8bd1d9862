"""A picture as an uncompressed draw.io file (mxfile > diagram > mxGraphModel > root > mxCell). Boxes stand in columns, a frame to each,
or where a layout puts them; draw.io's own layouts rearrange them."""

from __future__ import annotations

import html
from collections.abc import Iterator
from xml.etree import ElementTree

from forge_assets.compatibility.graph.drawing.layers import FRAME_HEAD, Layout, Spot
from forge_assets.compatibility.graph.drawing.picture import Box, Frame, Link, Picture, plain

WIDTH, HEIGHT, GAP, HEAD = 180, 44, 16, 30
PER_COLUMN = 12
"""Boxes below each other before a frame grows sideways."""
_BOX = "rounded=1;whiteSpace=wrap;html=1;"
_FRAME = f"swimlane;html=1;startSize={HEAD};rounded=1;"
_LINK = "html=1;rounded=1;"


def drawio(picture: Picture, layout: Layout | None = None) -> str:
    file = ElementTree.Element("mxfile", host="forge")
    diagram = ElementTree.SubElement(file, "diagram", id="page-1", name=plain(picture.title))
    model = ElementTree.SubElement(diagram, "mxGraphModel", grid="1", gridSize="10", page="0", math="0", shadow="0")
    root = ElementTree.SubElement(model, "root")
    ElementTree.SubElement(root, "mxCell", id="0")
    ElementTree.SubElement(root, "mxCell", {"id": "1", "parent": "0"})
    names = {box.id: f"b{number}" for number, box in enumerate(picture.boxes)}
    if layout is None:
        _columns(root, picture, names)
    else:
        _placed(root, picture, names, layout)
    for number, link in enumerate(picture.links):
        _link(root, link, names, f"l{number}", layout.bends.get(number) if layout else None)
    ElementTree.indent(file)
    return ElementTree.tostring(file, encoding="unicode") + "\n"


def _columns(root: ElementTree.Element, picture: Picture, names: dict[str, str]) -> None:
    left = GAP
    for number, frame in enumerate((*picture.frames, None)):
        boxes = picture.inside(frame.id if frame else None)
        if frame or boxes:
            left += _column(root, boxes, names, left, frame, f"f{number}") + 4 * GAP


def _placed(root: ElementTree.Element, picture: Picture, names: dict[str, str], layout: Layout) -> None:
    """Boxes in a frame are placed from its corner."""
    for number, frame in enumerate(picture.frames):
        if frame.id in layout.frames:
            spot = layout.frames[frame.id]
            style = _FRAME.replace(f"startSize={HEAD}", f"startSize={FRAME_HEAD - 8}") + "fillColor=#f1f3f4;swimlaneFillColor=#fafafa;"
            cell = _cell(root, id=f"f{number}", value=_label(frame.label), style=style, vertex="1", parent="1")
            _place(cell, spot.x, spot.y, spot.width, spot.height)
    parents = {frame.id: f"f{number}" for number, frame in enumerate(picture.frames)}
    for box in picture.boxes:
        spot = layout.boxes[box.id]
        corner = layout.frames[box.frame] if box.frame else Spot(0, 0, 0, 0)
        cell = _cell(
            root, id=names[box.id], value=_label(box.label), style=_style(box), vertex="1", parent=parents[box.frame] if box.frame else "1"
        )
        _place(cell, spot.x - corner.x, spot.y - corner.y, spot.width, spot.height)


def _style(box: Box) -> str:
    return _BOX + (f"fillColor={box.fill};fontColor=#1c1c1a;" if box.fill else "")


def _column(root: ElementTree.Element, boxes: list[Box], names: dict[str, str], left: int, frame: Frame | None, name: str) -> int:
    """Draws a frame and the boxes in it, or boxes in no frame; returns the width."""
    columns, rows = max(1, -(-len(boxes) // PER_COLUMN)), min(max(1, len(boxes)), PER_COLUMN)
    width, height = columns * (WIDTH + GAP) + GAP, HEAD + rows * (HEIGHT + GAP) + GAP
    parent = "1"
    if frame:
        cell = _cell(root, id=name, value=_label(frame.label), style=_FRAME, vertex="1", parent="1")
        _place(cell, left, GAP, width, height)
        parent = name
    for (x, y), box in zip(_places(len(boxes)), boxes, strict=True):
        cell = _cell(root, id=names[box.id], value=_label(box.label), style=_style(box), vertex="1", parent=parent)
        _place(cell, x + (0 if frame else left), y + (0 if frame else GAP), WIDTH, HEIGHT)
    return width


def _places(count: int) -> Iterator[tuple[int, int]]:
    for number in range(count):
        column, row = divmod(number, PER_COLUMN)
        yield GAP + column * (WIDTH + GAP), HEAD + GAP + row * (HEIGHT + GAP)


def _place(cell: ElementTree.Element, x: int, y: int, width: int, height: int) -> None:
    given = {"x": x, "y": y, "width": width, "height": height}
    ElementTree.SubElement(cell, "mxGeometry", {key: str(value) for key, value in given.items()} | {"as": "geometry"})


def _link(root: ElementTree.Element, link: Link, names: dict[str, str], name: str, bends: list[tuple[int, int]] | None) -> None:
    style = _LINK + ("" if link.arrow else "endArrow=none;") + (f"strokeColor={link.colour};" if link.colour else "")
    style += {"solid": "", "dashed": "dashed=1;", "dotted": "dashed=1;dashPattern=1 3;"}[link.line]
    ends = {"source": names[link.source], "target": names[link.target]}
    style += "exitX=0.5;exitY=1;entryX=0.5;entryY=0;labelBackgroundColor=#ffffff;" if bends else ""
    cell = _cell(root, id=name, value=_label(link.label), style=style, edge="1", parent="1", **ends)
    geometry = ElementTree.SubElement(cell, "mxGeometry", {"relative": "1", "as": "geometry"})
    if bends:
        points = ElementTree.SubElement(geometry, "Array", {"as": "points"})
        for x, y in bends:
            ElementTree.SubElement(points, "mxPoint", x=str(x), y=str(y))


def _cell(root: ElementTree.Element, **given: str) -> ElementTree.Element:
    return ElementTree.SubElement(root, "mxCell", given)


def _label(text: str) -> str:
    """Labels are HTML."""
    return html.escape(plain(text)).replace("\n", "<br>")
