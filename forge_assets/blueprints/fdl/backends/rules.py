"""What the printers of optimizers and schedules share: scalars of the call are plain numbers, constants are keyword arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import Expressions, View, folded
from forge_assets.blueprints.fdl.backends.stages import snake
from forge_assets.blueprints.fdl.lowering.lower import Line, Lowering


def alone(view: View, unit: ir.Unit) -> View:
    """The view in which the rule's sizes come with its inputs, whatever axes the models have."""
    return View(ir.Program(view.program.axes, {unit.name: unit}, {}))


def scalars(unit: ir.Unit) -> tuple[str, ...]:
    return tuple(one.name for one in unit.inputs if not one.axes)


def lines(unit: ir.Unit) -> list[Line]:
    """The rule's lines, its scalar inputs taken as numbers that are known."""
    numbers = set(scalars(unit))

    def number(node: ir.Expression) -> ir.Expression:
        return ir.Constant(node.tensor, 0.0) if isinstance(node, ir.Read) and node.tensor in numbers else node

    known = tuple(replace(one, value=ir.rebuilt(one.value, number)) for one in unit.definitions)
    return Lowering(replace(unit, definitions=known), None, {}).lines()


def signature(spell: Expressions, unit: ir.Unit) -> list[str]:
    """Inputs and states, then the constants with their values."""
    given = [spell.name(one.name) for one in (*unit.inputs, *unit.states)]
    constants = [f"{spell.name(name)}={unit.constants[name]!r}" for name in unit.own_constants]
    return [*given, *(["*", *constants] if constants else [])]


def locals_of(spell: Expressions, unit: ir.Unit) -> list[str]:
    """Lines for the constants of pieces."""
    skipped = {*unit.own_constants, *scalars(unit)}
    return [f"    {spell.name(name)} = {value!r}" for name, value in spell.used_constants.items() if name not in skipped]


def told(unit: ir.Unit) -> str:
    given = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in (*unit.inputs, *unit.states))
    return f"{given} -> {', '.join(one.name for one in unit.results)}"


def function_text(spell: Expressions, unit: ir.Unit, count: Callable[[str], str]) -> str:
    """The rule as a function. `count`: a size -> the positions 0, 1, ... in the back-end's words."""
    body: list[str] = []
    for line in lines(unit):
        body += folded("    ", spell.name(line.name), spell.text(line.low))
    sizes = [f"    n_{name} = {spell.name(spell.sources[name][0])}.shape[{spell.sources[name][1]}]" for name in spell.used_sizes]
    positions = [f"    pos_{axis} = {count(spell.axis_size(axis))}" for axis, _ in spell.used_positions]
    given = f"    return {', '.join(spell.name(one.tensor) for one in unit.results)}"
    head = ["", "", f"def {snake(unit.name)}({', '.join(signature(spell, unit))}):", f'    """{told(unit)}"""']
    return "\n".join([*head, *sizes, *positions, *locals_of(spell, unit), *body, given]) + "\n"
