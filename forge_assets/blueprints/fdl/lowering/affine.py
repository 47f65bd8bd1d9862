"""Computed indices that are sums of positions times sizes: slices, windows and flattened axes are told from true gathers."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.sizes import Size

ZERO, ONE = Size.of(0), Size.of(1)


@dataclass(frozen=True, slots=True)
class Affine:
    """`start` + the sum of `steps[axis]` * position(axis)."""

    start: Size
    steps: dict[str, Size]

    def inside(self, size: Size, unit: ir.Unit) -> bool:
        """Surely between 0 and size - 1 at every position."""
        least, most = self.start, self.start
        for axis, step in self.steps.items():
            span = (unit.size(axis) - ONE) * step
            if step.never_negative:
                most += span
            elif (-step).never_negative:
                least += span
            else:
                return False
        return at_least_zero(least) and at_least_zero(size - ONE - most)


def at_least_zero(size: Size) -> bool:
    """Every size is at least 1: putting 1 + n for each name, no coefficient may be negative."""
    shifted = ZERO
    for names, count in size.terms:
        product = Size.of(count)
        for name in names:
            product *= Size.of(name) + ONE
        shifted += product
    return shifted.never_negative


def affine(node: ir.Expression, unit: ir.Unit) -> Affine | None:
    """None where the index is no such sum."""
    if isinstance(node, ir.Number | ir.Constant):
        return Affine(Size.of(node.value), {}) if isinstance(node.value, int) else None
    if isinstance(node, ir.SizeOf):
        return Affine(unit.size(node.axis), {})
    if isinstance(node, ir.Position):
        return Affine(ZERO, {node.axis: ONE})
    if not isinstance(node, ir.Apply) or node.function not in ("add", "sub", "mul", "neg"):
        return None
    parts = [affine(one, unit) for one in node.arguments]
    if any(one is None for one in parts):
        return None
    left = parts[0]
    assert left is not None
    if node.function == "neg":
        return _times(left, Size.of(-1))
    right = parts[1]
    assert right is not None
    if node.function == "mul":
        if left.steps and right.steps:
            return None
        return _times(left, right.start) if left.steps else _times(right, left.start)
    right = right if node.function == "add" else _times(right, Size.of(-1))
    steps = dict(left.steps)
    for axis, step in right.steps.items():
        steps[axis] = steps.get(axis, ZERO) + step
    return Affine(left.start + right.start, {axis: step for axis, step in steps.items() if step != ZERO})


def _times(one: Affine, size: Size) -> Affine:
    return Affine(one.start * size, {axis: step * size for axis, step in one.steps.items()})


def flattened(one: Affine, unit: ir.Unit) -> tuple[str, ...] | None:
    """The axes, outermost first, whose flattening the index walks along: c*size(j) + j gives (c, j)."""
    left, wanted, found = dict(one.steps), ONE, []
    while left:
        axis = next((axis for axis, step in left.items() if step == wanted), None)
        if axis is None:
            return None
        found.append(axis)
        del left[axis]
        wanted = wanted * unit.size(axis)
    return tuple(reversed(found))
