"""The tensors: every line of a fragment as a box with its formula, in frames of what belongs together; weights stand beside their use."""

from __future__ import annotations

import textwrap

from forge_assets.blueprints.diagrams.kinds import COLOURS, kind_of
from forge_assets.blueprints.diagrams.parts import parts_of, shown
from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.markdown import Readable
from forge_assets.blueprints.fdl.backends.notation import groups, heading
from forge_assets.compatibility.graph.drawing import Box, Frame, Link, Picture

WIDTH, MOST_LINES = 46, 3  # of a formula in a box


def tensor_picture(unit: ir.Unit) -> Picture:
    boxes = [Box(one.name, f"{shown(one.name, one.axes)}\ninput", fill=COLOURS["data"]) for one in (*unit.inputs, *unit.states)]
    links: list[Link] = []
    frames: list[Frame] = []
    drawn: set[str] = set()
    weights = {one.name: one for one in unit.parameters}
    for number, part in enumerate(parts_of(unit, heading)):
        frame = f"f{number}" if part.title else None
        if frame:
            frames.append(Frame(frame, part.title))
        for line in part.lines:
            for name in dict.fromkeys(read.tensor for read in ir.reads(line.value)):
                if name in weights and name not in drawn:
                    drawn.add(name)
                    boxes.append(Box(name, f"{name}[{groups(weights[name])}]\n{weights[name].stored}", frame, COLOURS["weight"]))
                links.append(Link(name, line.name))
            boxes.append(Box(line.name, f"{shown(line.name, line.axes)}\n{_formula(line)}", frame, COLOURS[kind_of(unit, line)]))
    for result in unit.results:
        id_ = f"result {result.name}"
        boxes.append(Box(id_, f"{shown(result.name, result.axes)}\nresult", fill=COLOURS["data"]))
        links.append(Link(result.tensor, id_))
    return Picture(f"{unit.name}: tensor by tensor", tuple(boxes), tuple(links), tuple(frames), "TB")


def _formula(line: ir.Definition) -> str:
    text = Readable(line).of(line.value)
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join([*lines[:MOST_LINES], "..."] if len(lines) > MOST_LINES else lines)
