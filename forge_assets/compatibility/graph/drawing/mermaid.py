"""A picture as a Mermaid flowchart. Mermaid itself refuses more than MOST_LINKS links or MOST_CHARACTERS characters (its `maxEdges` and
`maxTextSize`): who writes for it draws less."""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.compatibility.graph.drawing.picture import Box, Link, Picture, plain

MOST_LINKS = 500
MOST_CHARACTERS = 50_000
_ENTITIES = {'"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "#": "#35;", "`": "#96;", ";": "#59;", "\\": "#92;", "\n": "<br/>"}
_TABLE = str.maketrans(_ENTITIES)
_LINES = {"solid": ("---", "-->"), "dashed": ("-.-", "-.->"), "dotted": ("-.-", "-.->")}


def mermaid(picture: Picture) -> str:
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    names = {box.id: f"n{number}" for number, box in enumerate(picture.boxes)}
    yield f"flowchart {picture.direction}"
    for number, frame in enumerate(picture.frames):
        yield f'  subgraph f{number}["{_text(frame.label)}"]'
        yield from (f"    {_box(box, names[box.id])}" for box in picture.inside(frame.id))
        yield "  end"
    yield from (f"  {_box(box, names[box.id])}" for box in picture.inside(None))
    yield from (f"  {names[link.source]} {_arrow(link)} {names[link.target]}" for link in picture.links)
    for box in picture.boxes:
        if box.fill:
            yield f"  style {names[box.id]} fill:{box.fill},color:#1c1c1a"
    if picture.frames:
        yield "  classDef frame fill:#fafafa,stroke:#9aa0a6,color:#1c1c1a"
        yield f"  class {','.join(f'f{number}' for number in range(len(picture.frames)))} frame"
    for number, link in enumerate(picture.links):
        if link.colour:
            yield f"  linkStyle {number} stroke:{link.colour}"


def _box(box: Box, name: str) -> str:
    return f'{name}["{_text(box.label)}"]'


def _arrow(link: Link) -> str:
    arrow = _LINES[link.line][link.arrow]
    return f'{arrow}|"{_text(link.label)}"|' if link.label else arrow


def _text(text: str) -> str:
    """Inside quotes, where Mermaid knows entities of the form #name; and tags. A label may not be empty."""
    return plain(text).translate(_TABLE) or " "
