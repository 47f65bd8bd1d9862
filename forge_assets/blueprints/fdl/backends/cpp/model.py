"""Sizes and models in C++: a model holds its units, runs them in order, and keeps a cache for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.cpp.names import TYPES, array_type, quoted, safe, size_text
from forge_assets.blueprints.fdl.backends.cpp.unit import has_cache
from forge_assets.blueprints.fdl.cache import Plan, plan, time_axis
from forge_assets.blueprints.fdl.sizes import Size
from forge_resources.errors import FdlError


def sizes_text(program: ir.Program) -> str:
    """What a caller gives. Sizes along which data comes, such as batch and time, are taken from the inputs."""
    lines = ["// The sizes of axes, and how often layers are repeated.", "struct Sizes {"]
    for name in program.free_sizes:
        said = program.axes[name].description if name in program.axes else "number of repeats"
        lines.append(f"  i64 {safe(name)} = 0;" + (f"  // {said}" if said else ""))
    lines += ["", "  void set(const std::string& name, i64 value) {"]
    for number, name in enumerate(program.free_sizes):
        lines.append(f"    {'else ' * (number > 0)}if (name == {quoted(name)}) {safe(name)} = value;")
    lines += ['    else fail("there is no size " + name);' if program.free_sizes else '    fail("there is no size " + name);', "  }", "};"]
    return "\n".join(lines) + "\n"


def plans(program: ir.Program) -> dict[str, Plan]:
    """By unit, where all models that use it can be computed step by step."""
    found: dict[str, Plan] = {}
    refused: set[str] = set()
    for model in program.models.values():
        units = {step.unit for step in ir.steps(model.stages)}
        time = time_axis(program, model)
        try:
            made = {name: plan(program.units[name], time) for name in units} if time else {}
        except FdlError:
            made = {}
        refused |= units if not made else {name for name, one in made.items() if name in found and found[name] != one}
        found |= made
    return {name: one for name, one in found.items() if name not in refused}


@dataclass(slots=True)
class _Flow:
    """The variables of `forward` on the way through the stages."""

    stream: str = ""
    named: dict[str, str] = field(default_factory=dict)


class ModelPrinter:
    def __init__(self, program: ir.Program, model: ir.Model, found: dict[str, Plan]) -> None:
        self.program, self.model = program, model
        self.plans = found if all(step.unit in found for step in ir.steps(model.stages)) else {}
        self.members: dict[int, str] = {}
        self.inside = {id(step) for one in ir.repeats(model.stages) for step in ir.steps((one,))}
        taken: set[str] = set()
        for step in ir.steps(model.stages):
            base = name = safe(step.unit[0].lower() + step.unit[1:] + "s" * (id(step) in self.inside))
            number = 1
            while name in taken or name == safe(step.unit):
                number += 1
                name = f"{base}{number}"
            taken.add(name)
            self.members[id(step)] = name

    def text(self) -> str:
        return "\n".join(self._struct()) + "\n"

    @property
    def cached(self) -> bool:
        return bool(self.plans)

    def _struct(self) -> Iterator[str]:
        name = safe(self.model.name)
        yield f"// model {self.model.name}"
        yield f"struct {name} {{"
        yield "  Sizes sizes;"
        for step in ir.steps(self.model.stages):
            kind = safe(step.unit)
            yield f"  {f'std::vector<{kind}>' if id(step) in self.inside else kind} {self.members[id(step)]};"
        yield ""
        yield f"  {name}(Safetensors& file, const Sizes& given) : sizes(given) {{"
        if self.inside:
            yield "    [[maybe_unused]] i64 layer = 0;"
        yield from (f"    {line}" for line in self._made(self.model.stages, 0))
        yield "  }"
        if self.cached:
            yield from self._cache()
        if len(self.model.results) != 1:
            members = " ".join(f"{array_type(one.dtype, len(one.axes))} {safe(one.name)};" for one in self.model.results)
            yield f"  struct Output {{ {members} }};"
        yield from self._forward()
        yield "};"

    def _made(self, stages: tuple[ir.Stage, ...], depth: int) -> Iterator[str]:
        """Reads the parameters, in the order in which units run."""
        for stage in stages:
            if isinstance(stage, ir.Repeat):
                yield f"for (i64 n{depth} = 0; n{depth} < {size_text(stage.count)}; ++n{depth}) {{"
                yield from (f"  {line}" for line in self._made(stage.stages, depth + 1))
                yield "}"
                continue
            unit, member, inside = self.program.units[stage.unit], self.members[id(stage)], id(stage) in self.inside
            prefix = " + std::to_string(layer) + ".join(quoted(part) for part in stage.prefix.split("{i}"))
            prefix = prefix.replace(' + ""', "") if "{i}" in stage.prefix else prefix
            if unit.parameters:
                told = f"file, sizes, {prefix}" if stage.prefix else "file, sizes"
                yield f"{member}.emplace_back({told});" if inside else f"{member} = {safe(stage.unit)}({told});"
            elif inside:
                yield f"{member}.emplace_back();"
            if inside:
                yield "++layer;"

    def _cache(self) -> Iterator[str]:
        yield ""
        yield "  // What one sequence, or batch of sequences, has been through so far; a new one is empty."
        yield "  struct Cache {"
        for step in ir.steps(self.model.stages):
            if self._keeps(step):
                kind = f"{safe(step.unit)}::Cache"
                yield f"    {f'std::vector<{kind}>' if id(step) in self.inside else kind} {self.members[id(step)]};"
        yield "  };"

    def _keeps(self, step: ir.Step) -> bool:
        return has_cache(self.program.units[step.unit], self.plans.get(step.unit))

    def _forward(self) -> Iterator[str]:
        inputs = [
            f"const {array_type(one.dtype, len(one.axes))}& {safe(one.name)}" if one.axes else f"{TYPES[one.dtype]} {safe(one.name)}"
            for one in self.model.inputs
        ]
        results = self.model.results
        kind = array_type(results[0].dtype, len(results[0].axes)) if len(results) == 1 else "Output"
        cache = ["[[maybe_unused]] Cache* cache = nullptr"] * self.cached
        yield ""
        yield f"  {kind} forward({', '.join([*inputs, *cache])}) const {{"
        yield "    Sizes at = sizes;"
        yield from (f"    {line}" for line in self._sizes_of_inputs())
        flow = _Flow("", {one.name: safe(one.name) for one in self.model.inputs})
        yield from (f"    {line}" for line in self._variables())
        if self.inside:
            yield "    [[maybe_unused]] i64 layer = 0;"
        yield from (f"    {line}" for line in self._run(self.model.stages, flow, 0))
        last = [flow.stream, *(self._kept_name(one) for one in results[1:])]
        yield f"    return {last[0]};" if len(results) == 1 else f"    return {{{', '.join(last)}}};"
        yield "  }"

    def _sizes_of_inputs(self) -> Iterator[str]:
        """Sizes only inputs have are theirs; others must agree."""
        known = {name for step in ir.steps(self.model.stages) for one in self.program.units[step.unit].parameters
                 for axis in one.axes for name in self.program.units[step.unit].size(axis).names}  # fmt: skip
        done: set[str] = set()
        for one in self.model.inputs:
            for number, axis in enumerate(one.axes):
                size = self._size(axis)
                if size.names == (axis,) and axis not in known and axis not in done:
                    done.add(axis)
                    yield f"at.{safe(axis)} = {safe(one.name)}.size({number});"
                else:
                    wrong = quoted(f"{one.name} has another size along {axis} than expected")
                    yield f"if ({safe(one.name)}.size({number}) != {size_text(size, 'at')}) fail({wrong});"

    def _size(self, axis: str) -> Size:
        return self.program.axes[axis].size

    def _later(self) -> dict[str, ir.Result]:
        """Results that a stage after the next one, or the caller, asks for by name."""
        wanted = {one.name for step in ir.steps(self.model.stages) for one in self.program.units[step.unit].inputs[1:]}
        first = self.program.units[next(ir.steps(self.model.stages)).unit].inputs
        wanted |= {one.name for one in self.model.results[1:]} | {one.name for one in first}
        return {
            self._kept_name(one): one
            for step in ir.steps(self.model.stages)
            for one in self.program.units[step.unit].results
            if one.name in wanted
        }

    def _kept_name(self, one: ir.Result) -> str:
        return safe(f"named_{one.name}_{one.dtype}_{len(one.axes)}")

    def _stream_name(self, one: ir.Result | ir.Tensor) -> str:
        """One variable for each type the stream has on its way."""
        types = list(dict.fromkeys((self.program.units[step.unit].results[0].dtype, len(self.program.units[step.unit].results[0].axes))
                                   for step in ir.steps(self.model.stages)))  # fmt: skip
        taken = {safe(one.name) for one in self.model.inputs}
        number = types.index((one.dtype, len(one.axes)))
        name = "x" if number == 0 else f"x{number + 1}"
        return f"{name}_stream" if name in taken else name

    def _variables(self) -> Iterator[str]:
        made: set[str] = set()
        for step in ir.steps(self.model.stages):
            first = self.program.units[step.unit].results[0]
            name = self._stream_name(first)
            if name not in made:
                made.add(name)
                yield f"{array_type(first.dtype, len(first.axes))} {name}{'' if first.axes else ' = 0'};"
        for name, one in self._later().items():
            yield f"{array_type(one.dtype, len(one.axes))} {name}{'' if one.axes else ' = 0'};"
        for step in ir.steps(self.model.stages):
            if id(step) in self.inside:
                yield f"std::size_t next_{self.members[id(step)]} = 0;"
                if self._keeps(step):
                    yield f"if (cache) cache->{self.members[id(step)]}.resize({self.members[id(step)]}.size());"

    def _run(self, stages: tuple[ir.Stage, ...], flow: _Flow, depth: int) -> Iterator[str]:
        for stage in stages:
            if isinstance(stage, ir.Repeat):
                yield from self._begun(stage, flow)
                yield f"for (i64 n{depth} = 0; n{depth} < {size_text(stage.count)}; ++n{depth}) {{"
                yield from (f"  {line}" for line in self._run(stage.stages, flow, depth + 1))
                yield "}"
            else:
                yield from self._step(stage, flow)

    def _begun(self, stage: ir.Repeat, flow: _Flow) -> Iterator[str]:
        """Layers that a model begins with read its input once, and then each other: the stream starts as the input."""
        first = self.program.units[next(ir.steps((stage,))).unit].inputs[0]
        kinds = {(one.dtype, len(one.axes)) for step in ir.steps((stage,)) for one in self.program.units[step.unit].results[:1]}
        if not flow.stream and (first.dtype, len(first.axes)) in kinds:
            flow.stream = self._stream_name(first)
            yield f"{flow.stream} = {flow.named[first.name]};"

    def _step(self, step: ir.Step, flow: _Flow) -> Iterator[str]:
        unit, inside = self.program.units[step.unit], id(step) in self.inside
        given = ["at"]
        for number, one in enumerate(unit.inputs):
            given.append(flow.stream if number == 0 and flow.stream else flow.named[one.name])
        if unit.uses_layer:
            given.append("layer" if inside else "0")
        member = self.members[id(step)]
        place = f"[next_{member}]" if inside else ""
        if self._keeps(step):
            given.append(f"cache ? &cache->{member}{place} : nullptr")
        call = f"{member}{place}.forward({', '.join(given)})"
        flow.stream = self._stream_name(unit.results[0])
        later = self._later()
        if len(unit.results) == 1:
            yield f"{flow.stream} = {call};"
        else:
            yield f"const auto out_{member} = {call};"
            yield f"{flow.stream} = out_{member}.{safe(unit.results[0].name)};"
        for number, result in enumerate(unit.results):
            name = self._kept_name(result)
            if name in later:
                flow.named[result.name] = name
                yield f"{name} = {flow.stream if number == 0 else f'out_{member}.{safe(result.name)}'};"
        if inside:
            yield f"++next_{member}, ++layer;"
