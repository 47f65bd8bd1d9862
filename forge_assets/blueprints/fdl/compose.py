"""Models: units in sequence, `Embed ; Block * L prefix "model.layers.{i}." ; Head`.

In: the model lines and the checked units. Out: `ir.Model` with its inputs and results, once it is sure that what a stage gives is what
the next one takes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl import syntax as s
from forge_assets.blueprints.fdl.expressions import fail, near, polynomial
from forge_assets.blueprints.fdl.sizes import Size, product
from forge_assets.blueprints.fdl.units import well_named

MOST_STEPS = 10_000


@dataclass(slots=True)
class _Flow:
    """What has been computed so far on the way through a model."""

    units: dict[str, ir.Unit]
    models: dict[str, tuple[ir.Stage, ...]]
    named: dict[str, ir.Result] = field(default_factory=dict)
    stream: ir.Result | None = None
    inputs: dict[str, ir.Tensor] = field(default_factory=dict)


def composed(lines: list[s.Model], units: dict[str, ir.Unit]) -> dict[str, ir.Model]:
    """Raises FdlError where stages do not fit each other."""
    stages: dict[str, tuple[ir.Stage, ...]] = {}
    models: dict[str, ir.Model] = {}
    for line in lines:
        flow = _Flow(units, stages)
        made = tuple(stage for one in line.stages for stage in _stage(one, flow, "", False))
        stages[line.name] = made
        _stored_once(made, units, line)
        last = list(ir.steps(made))[-1]
        models[line.name] = ir.Model(line.name, made, tuple(flow.inputs.values()), units[last.unit].results)
    return models


def _stored_once(stages: tuple[ir.Stage, ...], units: dict[str, ir.Unit], line: s.Model) -> None:
    """Raises FdlError where one stored name would have two shapes, or lie inside another."""
    found: dict[str, tuple[list[Size], str]] = {}
    for step in ir.steps(stages):
        for one in units[step.unit].parameters:
            shape = [product(units[step.unit].size(axis) for axis in group) for group in one.groups]
            name = step.prefix + one.stored
            if not well_named(name):
                raise fail(
                    f'a parameter of {step.unit} would be stored under "{name}"; mend the prefix, such as "model.layers.{{i}}."', line.place
                )
            known, other = found.setdefault(name, (shape, step.unit))
            if known != shape:
                told = f'{other} and {step.unit} both have a parameter stored under "{name}", but with different shapes'
                raise fail(f"{told}; tied parameters have one shape, others need another name", line.place)
    for name in found:
        parts = name.split(".")
        above = next((head for end in range(1, len(parts)) if (head := ".".join(parts[:end])) in found), None)
        if above is not None:
            told = f'"{name}" would lie inside "{above}", which is a parameter itself'
            raise fail(f"{told}; give one of them another name, or another prefix", line.place)


def _stage(stage: s.Stage, flow: _Flow, prefix: str, inside: bool) -> list[ir.Stage]:
    prefix = prefix + (stage.prefix or "")
    inside = inside or stage.count is not None
    if stage.prefix and stage.prefix.replace("{i}", "").count("{") + stage.prefix.replace("{i}", "").count("}"):
        raise fail(f'the prefix "{stage.prefix}" has a bracket that is not {{i}}; {{i}} is the number of the layer', stage.place)
    if inside and "{i}" in (stage.prefix or "") and stage.prefix and not stage.prefix.endswith("."):
        raise fail(f'the prefix "{stage.prefix}" of a repeated stage has to end with a point, such as "model.layers.{{i}}."', stage.place)
    if stage.count is not None and "{i}" not in prefix and _has_parameters(stage, flow):
        raise fail('a repeated stage has its own parameters in each layer; give it a prefix with {i}, such as "layers.{i}."', stage.place)
    if not inside and "{i}" in prefix:
        raise fail(f'the prefix "{prefix}" has {{i}}, but the stage is not repeated; write `* L` before the prefix', stage.place)
    if stage.name is None:
        body = tuple(made for one in stage.group for made in _stage(one, flow, prefix, inside))
    else:
        body = _named(stage, flow, prefix)
    if stage.count is None:
        return list(body)
    _again(body, flow, stage)
    _one_place(body, flow, stage)
    return [ir.Repeat(_count(stage.count), body)]


def _has_parameters(stage: s.Stage, flow: _Flow) -> bool:
    if stage.name is None:
        return any(_has_parameters(one, flow) and "{i}" not in (one.prefix or "") for one in stage.group)
    return stage.name in flow.units and bool(flow.units[stage.name].parameters)


def _named(stage: s.Stage, flow: _Flow, prefix: str) -> tuple[ir.Stage, ...]:
    assert stage.name is not None
    if stage.name in flow.models:
        body = _prefixed(flow.models[stage.name], prefix)
        for step in ir.steps(body):
            _run(flow.units[step.unit], flow, stage)
        return body
    unit = flow.units.get(stage.name)
    if unit is None:
        known = [*(name for name, one in flow.units.items() if one.kind == "fragment"), *flow.models]
        raise fail(f"there is no fragment or model {stage.name}{near(stage.name, known)}", stage.place)
    if unit.kind != "fragment":
        kind = f"{'an' if unit.kind == 'optimizer' else 'a'} {unit.kind}"
        raise fail(f"{stage.name} is {kind}; a model is made of fragments and models", stage.place)
    _run(unit, flow, stage)
    return (ir.Step(stage.name, prefix),)


def _prefixed(stages: tuple[ir.Stage, ...], prefix: str) -> tuple[ir.Stage, ...]:
    return tuple(
        ir.Repeat(one.count, _prefixed(one.stages, prefix)) if isinstance(one, ir.Repeat) else ir.Step(one.unit, prefix + one.prefix)
        for one in stages
    )


def _run(unit: ir.Unit, flow: _Flow, stage: s.Stage) -> None:
    """Feeds the unit with what there is; its results take their place."""
    for number, wanted in enumerate(unit.inputs):
        found: ir.Result | ir.Tensor | None
        if number == 0 and flow.stream is not None:
            found = flow.stream
        else:
            found = flow.named.get(wanted.name) or flow.inputs.get(wanted.name)
        if found is None:
            flow.inputs[wanted.name] = wanted
        elif (found.dtype, found.axes) != (wanted.dtype, wanted.axes):
            given, told = (f"{one.dtype}[{','.join(one.axes)}]" for one in (found, wanted))
            raise fail(f"{unit.name} takes {wanted.name} as {told}, but what comes to it is {given}; make them the same", stage.place)
    for result in unit.results:
        flow.named[result.name] = result
    flow.stream = unit.results[0]


def _again(body: tuple[ir.Stage, ...], flow: _Flow, stage: s.Stage) -> None:
    """A repeated body takes what it gives."""
    first, last = next(ir.steps(body)), list(ir.steps(body))[-1]
    wanted, given = flow.units[first.unit].inputs[0], flow.units[last.unit].results[0]
    if (wanted.dtype, wanted.axes) != (given.dtype, given.axes):
        told = f"{given.dtype}[{','.join(given.axes)}]"
        takes = f"{wanted.dtype}[{','.join(wanted.axes)}]"
        message = f"a repeated stage must give what it takes: {last.unit} gives {told}, {first.unit} takes {takes}"
        raise fail(message, stage.place)


def _one_place(body: tuple[ir.Stage, ...], flow: _Flow, stage: s.Stage) -> None:
    """Layers are told apart by their fragment, so each has one prefix."""
    prefixes: dict[str, str] = {}
    for step in ir.steps(body):
        if prefixes.setdefault(step.unit, step.prefix) != step.prefix and flow.units[step.unit].parameters:
            told = f'{step.unit} stands in the repeated stages under "{prefixes[step.unit]}" and "{step.prefix}"'
            raise fail(f"{told}; give both one prefix, {{i}} tells them apart, or write the second as a fragment of its own", stage.place)


def _count(node: s.Expression) -> Size:
    size = polynomial(node)
    if size.constant is not None and not 0 <= size.constant <= MOST_STEPS:
        raise fail(f"a stage is repeated {size.constant} times; 0 to {MOST_STEPS:,} is possible", node.place)
    return size
