"""Expressions taken apart into factors and terms, which patterns are told by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from forge_assets.blueprints.fdl import ir


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of a product, `below` the line or above it."""

    value: ir.Expression
    below: bool = False


def is_host(node: ir.Expression) -> bool:
    """A number that is known before any array is there."""
    if isinstance(node, ir.Number | ir.Constant | ir.SizeOf | ir.Layer):
        return True
    return isinstance(node, ir.Apply) and all(map(is_host, node.arguments))


def factors(node: ir.Expression, below: bool = False) -> list[Factor]:
    """The product's factors, in order; a minus is the factor -1."""
    if isinstance(node, ir.Apply) and not is_host(node):
        if node.function == "mul":
            return [one for argument in node.arguments for one in factors(argument, below)]
        if node.function == "div":
            return [*factors(node.arguments[0], below), *factors(node.arguments[1], not below)]
        if node.function == "neg":
            return [Factor(ir.Number(-1.0), below), *factors(node.arguments[0], below)]
        if node.function == "sub" and node.arguments[0] in (ir.Number(0.0), ir.Number(0)):
            return [Factor(ir.Number(-1.0), below), *factors(node.arguments[1], below)]
    return [Factor(node, below)]


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a sum: host factors times `value`."""

    scale: tuple[tuple[str, ir.Expression], ...]
    value: ir.Expression


def terms(node: ir.Expression, look_in: Callable[[ir.Expression], ir.Expression]) -> list[Term]:
    """The sum's terms, host factors distributed over them; `look_in` may put a definition in place of its name."""
    node = look_in(node)
    if isinstance(node, ir.Apply) and not is_host(node):
        if node.function in ("add", "sub"):
            left, right = (terms(one, look_in) for one in node.arguments)
            return [*left, *(right if node.function == "add" else [_scaled(one, ("mul", ir.Number(-1.0))) for one in right])]
        if node.function == "neg":
            return [_scaled(one, ("mul", ir.Number(-1.0))) for one in terms(node.arguments[0], look_in)]
        if node.function == "mul" and any(map(is_host, node.arguments)):
            first, second = node.arguments
            scale, rest = (first, second) if is_host(first) else (second, first)
            return [_scaled(one, ("mul", scale)) for one in terms(rest, look_in)]
        if node.function == "div" and is_host(node.arguments[1]):
            return [_scaled(one, ("div", node.arguments[1])) for one in terms(node.arguments[0], look_in)]
    if isinstance(node, ir.Reduce) and node.function == "sum":  # host factors come out of a sum
        inner = factors(node.body)
        out = tuple(("div" if one.below else "mul", one.value) for one in inner if is_host(one.value))
        left_in = [one for one in inner if not is_host(one.value)]
        if out and left_in and not left_in[0].below:
            body = left_in[0].value
            for one in left_in[1:]:
                axes = tuple(dict.fromkeys((*body.axes, *one.value.axes)))
                body = ir.Apply("div" if one.below else "mul", (body, one.value), axes, "f32")
            return [Term(out, ir.Reduce("sum", node.over, body, node.axes, node.dtype))]
    return [Term((), node)]


def _scaled(one: Term, by: tuple[str, ir.Expression]) -> Term:
    return Term((*one.scale, by), one.value)


def rescaled(one: Term) -> ir.Expression:
    """The term as one expression again."""
    node = one.value
    for function, scale in one.scale:
        node = ir.Apply(function, (node, scale), node.axes, "f32")
    return node
