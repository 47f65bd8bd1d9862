"""From index notation to loops: each definition becomes statements that C++ prints one by one.

In: a unit's definitions. Out: `Statement`s. What would be computed again and again inside a loop (a sum, an exponential that lacks
one of the loop's axes) gets an array of its own; sums of products become contractions, which run as matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.lowering.products import Factor, factors, is_host

COSTLY = frozenset({"exp", "log", "log1p", "sin", "cos", "tan", "tanh", "erf", "sqrt", "rsqrt", "sigmoid", "silu", "softplus", "pow"})
Kind = Literal["each", "contract", "softmax", "cumsum", "rank", "cat", "scan"]


@dataclass(frozen=True, slots=True)
class Statement:
    """`each`: value at every point of the axes; `contract`: of two reads; `softmax`, `cumsum`: in place over axes, after an `each`;
    `rank`: of the read `value`; `cat`: of reads, one after the other; `scan`: value step by step, `inner` computed in each step."""

    kind: Kind
    name: str
    dtype: str
    axes: tuple[str, ...]
    value: ir.Expression | None = None
    operands: tuple[ir.Read, ...] = ()
    over: tuple[str, ...] = ()
    inner: tuple[Statement, ...] = ()


@dataclass(slots=True)
class Loops:
    """The statements of one definition. `taken`: names that are in use; new ones are added."""

    taken: set[str]
    parameters: frozenset[str]
    target: str = ""
    statements: list[Statement] = field(default_factory=list)
    scan: str | None = None
    inner: list[Statement] = field(default_factory=list)

    def definition(self, one: ir.Definition) -> list[Statement]:
        self.target, self.statements, self.inner = one.name, [], []
        self.scan = one.scan
        if one.scan is None:
            self._into(one.name, one.dtype, one.axes, one.value)
        else:
            value = self._inline(one.value, one.axes)
            self.statements.append(Statement("scan", one.name, one.dtype, one.axes, value, over=(one.scan,), inner=tuple(self.inner)))
        return self.statements

    def _steps(self, node: ir.Expression) -> bool:
        """Whether it needs the scan's value of the step before, so that it belongs inside the scan's loop."""
        inside = {one.name for one in self.inner}
        return self.scan is not None and any(
            isinstance(one, ir.Previous) or (isinstance(one, ir.Read) and one.tensor in inside) for one in ir.walk(node)
        )

    def _put(self, statement: Statement, *of: ir.Expression) -> None:
        inside = any(map(self._steps, of)) or any(statement.name == one.name for one in self.inner)
        (self.inner if inside else self.statements).append(statement)

    def _into(self, name: str, dtype: str, axes: tuple[str, ...], node: ir.Expression) -> None:
        """Statements that fill the array `name`."""
        if isinstance(node, ir.Reduce) and (operands := self._operands(node)) is not None:
            self._put(Statement("contract", name, dtype, axes, operands=operands, over=node.over), *operands)
        elif isinstance(node, ir.Reduce) and node.function == "rank":
            body = self._own(node.body, axes, "values")
            self._put(Statement("rank", name, dtype, axes, body, over=node.over), body)
        elif isinstance(node, ir.Reduce) and node.function in ("softmax", "cumsum"):
            self._into(name, dtype, axes, node.body)
            self._put(Statement("softmax" if node.function == "softmax" else "cumsum", name, dtype, axes, over=node.over), node)
        elif isinstance(node, ir.Cat):
            at = axes.index(node.axis)
            parts = tuple(self._own(part, (*axes[:at], axis, *axes[at + 1 :]), "part", node.dtype) for axis, part in node.parts)
            self._put(Statement("cat", name, dtype, axes, operands=parts, over=(node.axis,)), *parts)
        else:
            value = self._inline(node, axes)
            self._put(Statement("each", name, dtype, axes, value), value)

    def _own(self, node: ir.Expression, axes: tuple[str, ...], purpose: str, dtype: str | None = None) -> ir.Read:
        """The expression as an array of its own."""
        name = base = f"{self.target}_{purpose}"
        number = 1
        while name in self.taken:
            number += 1
            name = f"{base}_{number}"
        self.taken.add(name)
        if self._steps(node):
            axes = tuple(axis for axis in axes if axis != self.scan)
        self._into(name, dtype or node.dtype, axes, node)
        return ir.Read(name, tuple(ir.Plain(axis) for axis in axes), axes, dtype or node.dtype)

    def _inline(self, node: ir.Expression, axes: tuple[str, ...]) -> ir.Expression:
        """The expression as it can stand in a loop over `axes`."""
        if isinstance(node, ir.Read):
            return replace(node, index=tuple(self._index(one, axes) for one in node.index))
        if isinstance(node, ir.Apply):
            if node.function in COSTLY and self._lacks(node, axes):
                return self._own(node, ordered(node.axes, axes), node.function)
            return replace(node, arguments=tuple(self._inline(one, axes) for one in node.arguments))
        if isinstance(node, ir.Reduce):
            if node.function in ir.KEEPING or self._lacks(node, axes) or self._contracts(node) is not None:
                return self._own(node, ordered(node.axes, axes), node.function)
            return replace(node, body=self._inline(node.body, (*(axis for axis in axes if axis not in node.over), *node.over)))
        if isinstance(node, ir.Cat):
            return self._own(node, ordered(node.axes, axes), "cat")
        return node

    def _index(self, index: ir.Index, axes: tuple[str, ...]) -> ir.Index:
        """What is computed from positions alone stays whole: a value with an array of its own would look like data, which has to lie
        inside."""
        if not isinstance(index, ir.Computed):
            return index
        of_positions = not any(isinstance(one, ir.Read | ir.Reduce | ir.Cat) for one in ir.walk(index.value))
        return index if of_positions else ir.Computed(self._inline(index.value, axes))

    def _lacks(self, node: ir.Expression, axes: tuple[str, ...]) -> bool:
        """Whether it is the same along some of the loops. A scan's own loop runs around whatever belongs inside it."""
        around = {self.scan} if self._steps(node) else set()
        return set(node.axes) - around != set(axes) - around

    def _contracts(self, node: ir.Reduce) -> tuple[list[Factor], list[Factor]] | None:
        return _sides(node, self.parameters) if node.function == "sum" and not self._steps(node) else None

    def _operands(self, node: ir.Reduce) -> tuple[ir.Read, ir.Read] | None:
        sides = self._contracts(node)
        if sides is None:
            return None
        left, right = (self._operand(side, node) for side in sides)
        return left, right

    def _operand(self, side: list[Factor], node: ir.Reduce) -> ir.Read:
        first = side[0].value
        alone = len(side) == 1 and not side[0].below and isinstance(first, ir.Read) and first.dtype == "f32"
        if alone and not any(isinstance(one, ir.Computed) for one in first.index):  # type: ignore[union-attr]
            return first  # type: ignore[return-value]
        value: ir.Expression = ir.Number(1.0)
        for one in sorted(side, key=lambda factor: factor.below):
            if value == ir.Number(1.0) and not one.below:
                value = one.value
            else:
                axes = tuple(dict.fromkeys((*value.axes, *one.value.axes)))
                value = ir.Apply("div" if one.below else "mul", (value, one.value), axes, "f32")
        return self._own(value, ordered(value.axes, (*node.axes, *node.over)), "factor", "f32")


def ordered(axes: tuple[str, ...], like: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(axes, key=lambda axis: like.index(axis) if axis in like else len(like)))


def _sides(node: ir.Reduce, parameters: frozenset[str]) -> tuple[list[Factor], list[Factor]] | None:
    """The product below a sum as two factors of a matrix product, weights last: each has axes of its own, and both have what is summed."""
    found = factors(node.body)
    wide = [one for one in found if not one.below and not is_host(one.value) and set(one.value.axes) & set(node.over)]
    if len(wide) < 2 or node.dtype != "f32":
        return None

    def is_weight(one: Factor) -> bool:
        return isinstance(one.value, ir.Read) and one.value.tensor in parameters

    over, out = set(node.over), set(node.axes)
    right = max(wide, key=lambda one: (len(set(one.value.axes) & over), is_weight(one), len(one.value.axes)))
    left = max((one for one in wide if one is not right), key=lambda one: len(set(one.value.axes) - set(right.value.axes)))
    if is_weight(left) and not is_weight(right):
        left, right = right, left
    sides = ([left], [right])
    axes = [set(left.value.axes), set(right.value.axes)]
    for one in found:
        if one is left or one is right:
            continue
        mine = set(one.value.axes)
        side = 0 if not mine & (axes[1] - axes[0]) else 1 if mine <= axes[1] else 2
        if side == 2:
            return None
        sides[side].append(one)
        axes[side] |= mine
    fits = over <= axes[0] and over <= axes[1] and out & (axes[0] - axes[1]) and out & (axes[1] - axes[0])
    return sides if fits else None
