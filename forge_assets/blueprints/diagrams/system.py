"""The system: a model's stages in order, what flows between them, which layers are repeated and which weights are shared."""

from __future__ import annotations

from forge_assets.blueprints.diagrams.kinds import COLOURS, kind_of_group
from forge_assets.blueprints.diagrams.parts import parts_of, shown
from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.sizes import Size
from forge_assets.compatibility.graph.drawing import Box, Frame, Link, Picture


def system_picture(program: ir.Program, model: ir.Model) -> Picture:
    return _System(program, model).picture()


class _System:
    def __init__(self, program: ir.Program, model: ir.Model) -> None:
        self.program, self.model = program, model
        self.boxes: list[Box] = []
        self.links: list[Link] = []
        self.frames: list[Frame] = []
        self.named: dict[str, tuple[str, ir.Result | ir.Tensor]] = {}
        self.stream: tuple[str, ir.Result] | None = None
        self.stored: dict[str, str] = {}

    def picture(self) -> Picture:
        for one in self.model.inputs:
            self.boxes.append(Box(f"in.{one.name}", f"{shown(one.name, one.axes)}\ninput", fill=COLOURS["data"]))
            self.named[one.name] = (f"in.{one.name}", one)
        for stage in self.model.stages:
            self._stage(stage, None, ())
        results = [self.stream, *(self.named[one.name] for one in self.model.results[1:])]
        for found in results:
            assert found is not None
            source, result = found
            self.boxes.append(Box(f"out.{result.name}", f"{shown(result.name, result.axes)}\nresult", fill=COLOURS["data"]))
            self.links.append(Link(source, f"out.{result.name}"))
        return Picture(self.model.name, tuple(self.boxes), tuple(self.links), tuple(self.frames), "TB")

    def _stage(self, stage: ir.Stage, frame: str | None, counts: tuple[Size, ...]) -> None:
        if isinstance(stage, ir.Step):
            self._step(stage, frame)
            return
        counts = (*counts, stage.count)
        if any(isinstance(one, ir.Step) for one in stage.stages):
            frame = f"f{len(self.frames)}"
            self.frames.append(Frame(frame, "layers, " + " × ".join(one.text() for one in counts) + " times"))
        first = len(self.boxes)
        for one in stage.stages:
            self._stage(one, frame, counts)
        if len(self.boxes) - first > 1 and len(counts) == 1:
            self.links.append(Link(self.boxes[-1].id, self.boxes[first].id, "again", line="dashed", colour="#80868b"))

    def _step(self, step: ir.Step, frame: str | None) -> None:
        unit = self.program.units[step.unit]
        id_ = f"{step.unit}.{len(self.boxes)}"
        weights = f"\n{_parameters(unit)}" if unit.parameters else ""
        kinds = [line for part in parts_of(unit, lambda one: "all") for line in part.lines]
        self.boxes.append(Box(id_, f"{step.unit}{weights}", frame, COLOURS[kind_of_group(unit, kinds)]))
        for number, one in enumerate(unit.inputs):
            source = self.stream if number == 0 and self.stream is not None else self.named.get(one.name)
            if source is not None:
                self.links.append(Link(source[0], id_, shown(source[1].name, source[1].axes)))
        for one in unit.parameters:
            name = step.prefix + one.stored
            if name in self.stored and self.stored[name] != id_ and "{i}" not in name:
                self.links.append(Link(self.stored[name], id_, "same weight", arrow=False, line="dotted", colour="#b06000"))
            self.stored.setdefault(name, id_)
        for result in unit.results:
            self.named[result.name] = (id_, result)
        self.stream = (id_, unit.results[0])


def _parameters(unit: ir.Unit) -> str:
    """How many numbers its weights have, as a formula."""
    total = Size.of(0)
    for one in unit.parameters:
        product = Size.of(1)
        for axis in one.axes:
            product *= unit.size(axis)
        total += product
    text = total.text().replace(" * ", "·")
    many = f"{len(unit.parameters)} weight{'s' * (len(unit.parameters) > 1)}"
    return f"{many}, {text} numbers" if len(text) <= 40 else many
