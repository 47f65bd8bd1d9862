"""All pictures as files: DOT, Mermaid and draw.io of each, SVG and PNG where Graphviz is installed, and a page that shows them in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from forge_assets.blueprints.diagrams.pictures import pictures
from forge_assets.blueprints.diagrams.rendering import can_draw, drawn
from forge_assets.blueprints.fdl import ir
from forge_assets.compatibility.graph import drawing
from forge_assets.compatibility.graph.drawing import Picture


def diagram_files(name: str, program: ir.Program, pipeline: Picture) -> dict[str, bytes]:
    """By file name, README.md first. `name` is the blueprint's."""
    shown = {"pipeline": pipeline} | pictures(program)
    files: dict[str, bytes] = {}
    for file, picture in shown.items():
        files[f"{file}.dot"] = drawing.dot(picture).encode()
        files[f"{file}.drawio"] = drawing.drawio(picture, drawing.layered(picture)).encode()
        flowchart = drawing.mermaid(picture)
        if len(flowchart) <= drawing.MOST_CHARACTERS and len(picture.links) <= drawing.MOST_LINKS:  # Mermaid itself refuses more
            files[f"{file}.mmd"] = flowchart.encode()
        if can_draw():
            files |= {f"{file}.svg": drawn(picture, "svg"), f"{file}.png": drawn(picture, "png")}
    return {"README.md": ("\n".join(_page(name, shown, files)) + "\n").encode()} | files


def _page(name: str, shown: Mapping[str, Picture], files: Mapping[str, bytes]) -> Iterator[str]:
    yield f"# {name}: diagrams"
    yield from ("", "The training infrastructure, then the model at three depths: the system, the blocks of each fragment, their tensors.")
    if not can_draw():
        yield from ("", "Graphviz was not installed when these were made: there are no SVG and PNG files, the .dot files draw them.")
    for file, picture in shown.items():
        yield from ("", f"## {picture.title}", "")
        if f"{file}.svg" in files:
            yield from (f"![{picture.title}]({file}.svg)", "")
        yield (
            "Also as "
            + ", ".join(f"[{ending}]({file}.{ending})" for ending in ("png", "dot", "mmd", "drawio") if f"{file}.{ending}" in files)
            + "."
        )
