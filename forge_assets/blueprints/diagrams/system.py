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
            self._stage(stage, None, "")
        results = [self.stream, *(self.named[one.name] for one in self.model.results[1:])]
        for found in results:
            assert found is not None
            source, result = found
            self.boxes.append(Box(f"out.{result.name}", f"{shown(result.name, result.axes)}\nresult", fill=COLOURS["data"]))
            self.links.append(Link(source, f"out.{result.name}"))
        return Picture(f"{self.model.name}: the system", tuple(self.boxes), tuple(self.links), tuple(self.frames), "TB")

    def _stage(self, stage: ir.Stage, frame: str | None, often: str) -> None:
        """The outermost repeat is a frame; what is repeated inside it says so in its box."""
        if isinstance(stage, ir.Step):
            self._step(stage, frame, often)
            return
        count = stage.count.text()
        if frame is None:
            frame = f"f{len(self.frames)}"
            self.frames.append(Frame(frame, f"{count} times"))
        else:
            often = f"{often} × {count}" if often else count
        for one in stage.stages:
            self._stage(one, frame, often)

    def _step(self, step: ir.Step, frame: str | None, often: str) -> None:
        unit = self.program.units[step.unit]
        id_ = f"{step.unit}.{len(self.boxes)}"
        weights = f"\n{_parameters(unit)}" if unit.parameters else ""
        kinds = [line for part in parts_of(unit, lambda one: "all") for line in part.lines]
        self.boxes.append(
            Box(id_, f"{step.unit}{f' ({often} in a row)' * bool(often)}{weights}", frame, COLOURS[kind_of_group(unit, kinds)])
        )
        for number, one in enumerate(unit.inputs):
            source = self.stream if number == 0 and self.stream is not None else self.named.get(one.name)
            if source is not None:
                self.links.append(Link(source[0], id_, shown(source[1].name, source[1].axes)))
        for parameter in unit.parameters:
            name = step.prefix + parameter.stored
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
    return f"{many}\n{text} numbers" if len(text) <= 60 else many
