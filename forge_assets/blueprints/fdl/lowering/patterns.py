"""Well-known patterns among the factors of a product: norms, GELU, SiLU. What is found becomes one operation, so that back-ends print one
efficient call.

In: the factors in order. Out: factors, of which some are `Found` in place of the ones they were made of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.lowering.products import Factor, factors, is_host

Look = Callable[[ir.Expression], ir.Expression]


@dataclass(frozen=True, slots=True)
class Found:
    """`kind` is the operation; `x` what it works on, `over` the axes of a norm, which has an `eps` and maybe weight and bias."""

    kind: str
    x: ir.Expression
    over: tuple[str, ...] = ()
    eps: ir.Expression | None = None
    weight: ir.Expression | None = None
    bias: ir.Expression | None = None

    @property
    def axes(self) -> tuple[str, ...]:
        return self.x.axes


Part = Factor | Found


def recognised(given: list[Factor], look: Look) -> list[Part]:
    """The factors with patterns put together."""
    parts: list[Part] = list(given)
    for find in (_norm, _gelu, _silu):
        found = find([one for one in parts if isinstance(one, Factor)], look)
        if found is not None:
            pattern, used = found
            first = next(number for number, one in enumerate(parts) if any(one is other for other in used))
            parts = [one for one in parts if not any(one is other for other in used)]
            parts.insert(first, pattern)
    return parts


def value_of(node: ir.Expression) -> float | None:
    """The number, where no size and no layer is in it."""
    if isinstance(node, ir.Number | ir.Constant):
        return float(node.value)
    if isinstance(node, ir.Apply) and is_host(node):
        values = [value_of(one) for one in node.arguments]
        if any(one is None for one in values):
            return None
        left, *rest = [one for one in values if one is not None]
        if node.function == "div" and not rest[0]:
            return None  # a number that is given when it runs, such as the step of an optimizer, stands here as 0
        table: dict[str, Callable[[], float]] = {
            "add": lambda: left + rest[0], "sub": lambda: left - rest[0], "mul": lambda: left * rest[0], "div": lambda: left / rest[0],
            "neg": lambda: -left, "sqrt": lambda: math.sqrt(left), "pow": lambda: left ** rest[0],
        }  # fmt: skip
        return table[node.function]() if node.function in table else None
    return None


def is_number(node: ir.Expression, wanted: float) -> bool:
    value = value_of(node)
    return value is not None and math.isclose(value, wanted, rel_tol=1e-6, abs_tol=1e-12)


def square_of(node: ir.Expression) -> ir.Expression | None:
    if isinstance(node, ir.Apply) and node.function == "mul" and node.arguments[0] == node.arguments[1]:
        return node.arguments[0]
    if isinstance(node, ir.Apply) and node.function == "pow" and is_number(node.arguments[1], 2.0):
        return node.arguments[0]
    return None


def _sum_with(node: ir.Expression, wanted: Callable[[ir.Expression], bool]) -> ir.Expression | None:
    """The other side of a sum of which one side is wanted."""
    if isinstance(node, ir.Apply) and node.function == "add":
        left, right = node.arguments
        return right if wanted(left) else left if wanted(right) else None
    return None


def _norm(given: list[Factor], look: Look) -> tuple[Found, list[Factor]] | None:
    for one in given:
        inner = look(one.value)
        if one.below or not (isinstance(inner, ir.Apply) and inner.function == "rsqrt"):
            continue
        variance = _sum_with(inner.arguments[0], is_host)
        if variance is None:
            continue
        eps = inner.arguments[0].arguments[1] if inner.arguments[0].arguments[0] is variance else inner.arguments[0].arguments[0]  # type: ignore[union-attr]
        spread = look(variance)
        if not (isinstance(spread, ir.Reduce) and spread.function == "mean"):
            continue
        x = square_of(spread.body)
        if x is None:
            continue
        for other in given:
            if (
                other is not one
                and not other.below
                and set(spread.over) <= set(x.axes)
                and (other.value == x or look(other.value) == look(x))
            ):
                return _with_weight(given, one, other, spread.over, eps, look)
    return None


def _with_weight(
    given: list[Factor], scale: Factor, x: Factor, over: tuple[str, ...], eps: ir.Expression, look: Look
) -> tuple[Found, list[Factor]]:
    centred = look(x.value)
    kind, source = "rms_norm", x.value
    if isinstance(centred, ir.Apply) and centred.function == "sub":
        mean = look(centred.arguments[1])
        if isinstance(mean, ir.Reduce) and mean.function == "mean" and mean.over == over and mean.body == centred.arguments[0]:
            kind, source = "layer_norm", centred.arguments[0]
    weight = next((one for one in given if one not in (scale, x) and not one.below and set(one.value.axes) == set(over)), None)
    used = [scale, x] if weight is None else [scale, x, weight]
    return Found(kind, source, over, eps, weight.value if weight else None), used


def _gelu(given: list[Factor], look: Look) -> tuple[Found, list[Factor]] | None:
    half = next((one for one in given if not one.below and is_number(one.value, 0.5)), None)
    if half is None:
        return None
    for one in given:
        inner = _sum_with(look(one.value), lambda side: is_number(side, 1.0))
        if inner is None or one.below or not isinstance(inner, ir.Apply) or inner.function not in ("erf", "tanh"):
            continue
        for other in given:
            if other is one or other is half or other.below:
                continue
            exact = inner.function == "erf" and _is_scaled(look(inner.arguments[0]), other.value, math.sqrt(0.5))
            if exact or (inner.function == "tanh" and _is_tanh_argument(look(inner.arguments[0]), other.value)):
                return Found("gelu" if exact else "gelu_tanh", other.value), [half, one, other]
    return None


def _is_scaled(node: ir.Expression, x: ir.Expression, scale: float) -> bool:
    """node is scale * x."""
    rest = factors(node)
    total = 1.0
    for one in rest:
        if is_host(one.value):
            value = value_of(one.value)
            if not value:
                return False
            total *= 1 / value if one.below else value
    left = [one for one in rest if not is_host(one.value)]
    return len(left) == 1 and not left[0].below and left[0].value == x and math.isclose(total, scale, rel_tol=1e-6)


def _is_tanh_argument(node: ir.Expression, x: ir.Expression) -> bool:
    """sqrt(2 / pi) * (x + 0.044715 * x**3)"""
    for one in factors(node):
        cubic = _sum_with(one.value, lambda side: side == x)
        if cubic is None:
            continue
        rest = factors(cubic)
        scale = [value_of(other.value) for other in rest if is_host(other.value)]
        powers = [other.value for other in rest if not is_host(other.value)]
        cube = powers == [x, x, x] or (len(powers) == 1 and _is_power(powers[0], x, 3.0))
        outer = [value_of(other.value) for other in factors(node) if other is not one]
        near = cube and len(scale) == len(outer) == 1 and scale[0] and outer[0]
        return bool(
            near
            and math.isclose(scale[0] or 0, 0.044715, rel_tol=1e-6)
            and math.isclose(outer[0] or 0, math.sqrt(2 / math.pi), rel_tol=1e-6)
        )
    return False


def _is_power(node: ir.Expression, x: ir.Expression, exponent: float) -> bool:
    return isinstance(node, ir.Apply) and node.function == "pow" and node.arguments[0] == x and is_number(node.arguments[1], exponent)


def _silu(given: list[Factor], look: Look) -> tuple[Found, list[Factor]] | None:
    for one in given:
        inner = look(one.value)
        if isinstance(inner, ir.Apply) and inner.function == "sigmoid" and not one.below:
            other = next((other for other in given if other is not one and not other.below and other.value == inner.arguments[0]), None)
            if other is not None:
                return Found("silu", other.value), [one, other]
    return None


def renamed(node: ir.Expression, names: dict[str, str]) -> ir.Expression | None:
    """The expression with free axes renamed; None where a bound axis is in the way."""
    if all(old == new for old, new in names.items()):
        return node
    if isinstance(node, ir.Number | ir.Constant | ir.Layer):
        return node
    if isinstance(node, ir.SizeOf):
        return ir.SizeOf(names.get(node.axis, node.axis))
    if isinstance(node, ir.Position):
        return ir.Position(names.get(node.axis, node.axis))
    axes = tuple(names.get(axis, axis) for axis in node.axes)
    if isinstance(node, ir.Apply):
        inner = [renamed(one, names) for one in node.arguments]
        return None if None in inner else ir.Apply(node.function, tuple(one for one in inner if one is not None), axes, node.dtype)
    if isinstance(node, ir.Reduce):
        if set(node.over) & (set(names) | set(names.values())):
            return None
        body = renamed(node.body, names)
        return None if body is None else ir.Reduce(node.function, node.over, body, axes, node.dtype)
    if isinstance(node, ir.Read):
        index = list(_renamed_index(node.index, names))
        return None if None in index else ir.Read(node.tensor, tuple(one for one in index if one is not None), axes, node.dtype)
    return None


def _renamed_index(index: Iterable[ir.Index], names: dict[str, str]) -> Iterable[ir.Index | None]:
    for one in index:
        if isinstance(one, ir.Plain):
            yield ir.Plain(names.get(one.axis, one.axis))
        elif isinstance(one, ir.Computed):
            value = renamed(one.value, names)
            yield None if value is None else ir.Computed(value)
        else:
            yield one
