"""The blocks: what a fragment is made of, one box for each piece it calls, and the tensors that go from one to the next."""

from __future__ import annotations

from forge_assets.blueprints.diagrams.kinds import COLOURS, kind_of, kind_of_group
from forge_assets.blueprints.diagrams.parts import Part, parts_of, shown
from forge_assets.blueprints.fdl import ir
from forge_assets.compatibility.graph.drawing import Box, Link, Picture

MOST_WEIGHTS = 4  # named in a box; the others are counted


def block_picture(unit: ir.Unit) -> Picture:
    boxes = [Box(f"in.{one.name}", f"{shown(one.name, one.axes)}\ninput", fill=COLOURS["data"]) for one in (*unit.inputs, *unit.states)]
    home = {one.name: f"in.{one.name}" for one in (*unit.inputs, *unit.states)}
    links: list[Link] = []
    tensors = unit.tensors
    for number, part in enumerate(parts_of(unit, lambda one: _title(unit, one))):
        id_ = f"p{number}"
        boxes.append(Box(id_, _label(unit, part), fill=COLOURS[_kind(unit, part)]))
        for name in part.reads:
            links.append(Link(home[name], id_, shown(name, tensors[name].axes)))
        home |= {one.name: id_ for one in part.lines}
    for result in unit.results:
        boxes.append(Box(f"out.{result.name}", f"{shown(result.name, result.axes)}\nresult", fill=COLOURS["data"]))
        links.append(Link(home[result.tensor], f"out.{result.name}"))
    return Picture(f"{unit.name}: its blocks", tuple(boxes), tuple(links), (), "TB")


def _kind(unit: ir.Unit, part: Part) -> str:
    return kind_of(unit, part.lines[0]) if len(part.lines) == 1 else kind_of_group(unit, part.lines)


def _title(unit: ir.Unit, one: ir.Definition) -> str:
    """The piece the fragment itself calls; else the section, in which a sum of streams is a box of its own."""
    if one.origin:
        return one.origin[0].replace("_", " ")
    return f"{one.section}: add".removeprefix(": ") if kind_of(unit, one) == "residual" else one.section


def _label(unit: ir.Unit, part: Part) -> str:
    weights = [one.stored.removesuffix(".weight") for one in part.weights]
    told = [part.title or part.lines[0].name, *weights[:MOST_WEIGHTS]]
    if len(weights) > MOST_WEIGHTS:
        told.append(f"and {len(weights) - MOST_WEIGHTS} more weights")
    return "\n".join(told)
