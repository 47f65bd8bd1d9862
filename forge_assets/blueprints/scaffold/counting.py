"""What a model's text says of its parameters without running it: how many there are, and which no gradient reaches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from forge_assets.blueprints.fdl import ir

NO_GRADIENT = frozenset({"stop", "<", "<=", ">", ">=", "==", "!=", "floor", "ceil", "int", "rank"})


def parameters(program: ir.Program, model: ir.Model, sizes: Mapping[str, int]) -> int:
    """Elements of all tensors; two parameters of one stored name are one. Raises KeyError for an axis that `sizes` lacks."""
    tensors: dict[str, int] = {}
    for layer, step in _steps(model.stages, sizes):
        unit = program.units[step.unit]
        for one in unit.parameters:
            stored = step.prefix.replace("{i}", str(layer)) + one.stored
            tensors[stored] = math.prod(unit.size(axis).value(sizes) for axis in one.axes)
    return sum(tensors.values())


def _steps(stages: tuple[ir.Stage, ...], sizes: Mapping[str, int]) -> Iterator[tuple[int, ir.Step]]:
    """(layer, step) as often as each runs; the layer counts steps within repeats."""
    layer = 0

    def run(some: tuple[ir.Stage, ...], inside: bool) -> Iterator[tuple[int, ir.Step]]:
        nonlocal layer
        for stage in some:
            if isinstance(stage, ir.Repeat):
                for _ in range(stage.count.value(sizes)):
                    yield from run(stage.stages, True)
            else:
                yield layer, stage
                layer += inside

    return run(stages, False)


def frozen(program: ir.Program) -> list[str]:
    """Stored names of parameters that no gradient reaches, such as a bias that takes part in choosing experts only."""
    found = set()
    for unit in program.units.values():
        learned = {name for line in unit.definitions for name in _reached(line.value)}
        found |= {one.stored for one in unit.parameters if one.name not in learned}
    return sorted(found)


def _reached(node: ir.Expression) -> Iterator[str]:
    """Names of tensors that a gradient of this expression flows to."""
    match node:
        case ir.Read():
            yield node.tensor
        case ir.Apply() if node.function not in NO_GRADIENT:
            for one in node.arguments:
                yield from _reached(one)
        case ir.Reduce() if node.function not in NO_GRADIENT:
            yield from _reached(node.body)
        case ir.Cat():
            for _, one in node.parts:
                yield from _reached(one)
