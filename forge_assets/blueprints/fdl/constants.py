"""Constants: what a `const` line is worth, worked out while the text is checked, and other values given from outside."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import replace

from forge_assets.blueprints.fdl import syntax as s
from forge_assets.blueprints.fdl.expressions import Scope, fail, near
from forge_assets.blueprints.fdl.functions import FUNCTIONS
from forge_assets.blueprints.fdl.inline import rewritten
from forge_assets.blueprints.fdl.parse import LARGEST, LARGEST_WHOLE
from forge_resources.errors import FdlError

ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
              "**": operator.pow}  # fmt: skip


def with_constants(text: s.Text, constants: Mapping[str, float]) -> s.Text:
    """The tree with other values of constants. Raises FdlError for a name that no `const` line has."""
    left = set(constants)

    def other(unit: str, name: str, place: s.Place) -> s.Expression | None:
        key = next((key for key in (f"{unit}.{name}", name) if key in constants), None)
        if key is None:
            return None
        left.discard(key)
        number = s.Number(repr(abs(constants[key])), place)
        return number if constants[key] >= 0 else s.Operation("-", (number,), place)

    def called(call: s.Function) -> s.Function:  # a call may set the constant anew
        keywords = tuple((name, other(call.name, name, call.place) or value) for name, value in call.keywords)
        return replace(call, keywords=keywords)

    def changed(unit: s.Unit, line: s.Statement) -> s.Statement:
        if isinstance(line, s.Constant):
            return replace(line, value=other(unit.name, line.name, line.place) or line.value)
        return replace(line, value=rewritten(line.value, called)) if isinstance(line, s.Define) else line

    items = [replace(one, body=tuple(changed(one, line) for line in one.body)) if isinstance(one, s.Unit) else one for one in text.items]
    if left:
        known = {line.name for one in text.items if isinstance(one, s.Unit) for line in one.body if isinstance(line, s.Constant)}
        name = min(left)
        raise FdlError(f"no line `const {name.rpartition('.')[2]} = ...` is in the text{near(name, known)}")
    return replace(text, items=tuple(items))


def constant(node: s.Expression, scope: Scope) -> int | float:
    """A constant's value, worked out now."""
    if isinstance(node, s.Number):
        return node.value
    if isinstance(node, s.Name):
        if node.name in scope.constants:
            return scope.constants[node.name]
        raise fail(
            f"a constant is made of numbers and constants above it, not of {node.name}{near(node.name, scope.constants)}", node.place
        )
    try:
        if isinstance(node, s.Operation):
            return _in_range(_worked_out(node.operator, [constant(one, scope) for one in node.operands]))
        if isinstance(node, s.Function) and node.name in ("exp", "log", "sqrt", "sin", "cos", "tan", "floor", "ceil", "max", "min"):
            _takes(node)
            values = [constant(one, scope) for one in node.arguments]
            function = {"max": max, "min": min}.get(node.name) or getattr(math, node.name)
            return _in_range(float(function(*values)))
    except (ArithmeticError, ValueError, TypeError) as error:
        raise fail(f"the constant cannot be worked out: {error}", node.place) from None
    raise fail("a constant is made of numbers, constants above it, + - * / ** and functions such as sqrt", node.place)


def _takes(node: s.Function) -> None:
    """Raises FdlError where the function is given something else than its number of arguments."""
    wanted = FUNCTIONS[node.name]
    if node.keywords or node.prefix is not None:
        raise fail(f"{node.name} is a function of the language and takes neither keywords nor a prefix", node.place)
    if len(node.arguments) != wanted:
        raise fail(f"{node.name} takes {wanted} argument{'s' * (wanted > 1)}, found {len(node.arguments)}", node.place)


def _in_range(value: int | float) -> int | float:
    if abs(value) >= (LARGEST_WHOLE if isinstance(value, int) else LARGEST):
        raise ValueError(f"it is larger than any number of {'i64; write it with a point' if isinstance(value, int) else 'f32'}")
    return value


def _worked_out(sign: str, values: list[int | float]) -> int | float:
    if len(values) == 1:
        return -values[0] if sign == "-" else values[0]
    left, right = values
    if sign == "**" and abs(right) > 1000:
        raise ValueError("the exponent is above 1,000")
    done = ARITHMETIC.get(sign)
    if done is None:
        raise ValueError(f"'{sign}' is no arithmetic")
    value: int | float = done(left, right)
    if isinstance(value, complex) or not math.isfinite(value):
        raise ValueError("it is no finite number")
    return value
