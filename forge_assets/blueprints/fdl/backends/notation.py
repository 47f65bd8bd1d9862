"""Expressions of the IR as FDL writes them, one line each: comments of printed code, labels of diagrams, pseudocode."""

from __future__ import annotations

from forge_assets.blueprints.fdl import ir

SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%", "pow": "**",
         "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "and": "and", "or": "or"}  # fmt: skip
LEVELS = {"or": 1, "and": 2, "not": 3, "lt": 4, "le": 4, "gt": 4, "ge": 4, "eq": 4, "ne": 4, "add": 5, "sub": 5,
          "mul": 6, "div": 6, "floordiv": 6, "mod": 6, "neg": 7, "pow": 8}  # fmt: skip
"""How strongly operators bind; what is no operator binds most."""
ATOM = 9


def level(node: ir.Expression) -> int:
    if isinstance(node, ir.Number) and node.value < 0:
        return LEVELS["neg"]
    return LEVELS.get(node.function, ATOM) if isinstance(node, ir.Apply) else ATOM


def number(value: int | float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}" if float(f"{value:g}") == value else repr(value)


def needs_brackets(node: ir.Apply, place: int) -> bool:
    """Whether an operand stands in brackets: it binds less, or as much on the side that is not read first."""
    mine, inner = level(node), level(node.arguments[place])
    if node.function == "pow":
        return inner <= mine if place == 0 else inner < LEVELS["neg"]
    return inner < mine or (inner == mine and place > 0 and node.function not in ("and", "or"))


def written(node: ir.Expression, in_index: bool = False) -> str:
    """As FDL text; in an index the name of an axis is the position along it."""
    if isinstance(node, ir.Number):
        return number(node.value)
    if isinstance(node, ir.Constant):
        return node.name
    if isinstance(node, ir.Position):
        return node.axis if in_index else f"pos({node.axis})"
    if isinstance(node, ir.SizeOf):
        return f"size({node.axis})"
    if isinstance(node, ir.Layer):
        return "layer"
    if isinstance(node, ir.Read):
        return indexed(node.tensor, node.index)
    if isinstance(node, ir.Previous):
        return indexed("previous", node.index)
    if isinstance(node, ir.Reduce):
        return f"{node.function}[{','.join(node.over)}]({written(node.body)})"
    if isinstance(node, ir.Cat):
        parts = ", ".join(axis for axis, _ in node.parts)
        return f"cat[{node.axis}: {parts}]({', '.join(written(part) for _, part in node.parts)})"
    return _applied(node, in_index)


def _applied(node: ir.Apply, in_index: bool) -> str:
    sides = [written(one, in_index) for one in node.arguments]
    if node.function in LEVELS:
        sides = [f"({side})" if needs_brackets(node, place) else side for place, side in enumerate(sides)]
    if node.function in SIGNS:
        return f" {SIGNS[node.function]} ".join(sides)
    if node.function in ("neg", "not"):
        return ("-" if node.function == "neg" else "not ") + sides[0]
    return f"{node.function}({', '.join(sides)})"


def indexed(name: str, index: tuple[ir.Index, ...]) -> str:
    return f"{name}[{','.join(map(index_written, index))}]" if index else name


def index_written(index: ir.Index) -> str:
    if isinstance(index, ir.Plain):
        return index.axis
    return str(index.number) if isinstance(index, ir.Fixed) else written(index.value, in_index=True)


def left(name: str, axes: tuple[str, ...]) -> str:
    return f"{name}[{','.join(axes)}]" if axes else name


def definition(one: ir.Definition) -> str:
    """The whole line; what a scan reads of itself is written with its index one step back."""
    if one.scan is None:
        return f"{left(one.name, one.axes)} = {written(one.value)}"
    back = ",".join(f"{axis} - 1" if axis == one.scan else axis for axis in one.axes)
    others = ",".join(axis for axis in one.axes if axis != one.scan)
    right = written(one.value).replace(f"previous[{others}]" if others else "previous", f"{one.name}[{back}]")
    return f"{left(one.name, one.axes)} = scan[{one.scan}]({right})"


def typed(one: ir.Tensor | ir.Parameter | ir.Result) -> str:
    if isinstance(one, ir.Parameter):
        groups = ",".join(group[0] if len(group) == 1 else f"({' '.join(group)})" for group in one.groups)
        return f"{one.name}: {one.dtype}[{groups}]"
    return f"{one.name}: {one.dtype}[{','.join(one.axes)}]"


def first_line(unit: ir.Unit) -> str:
    inputs = ", ".join(map(typed, unit.inputs))
    results = unit.results
    given = f"{results[0].dtype}[{','.join(results[0].axes)}]" if len(results) == 1 else f"({', '.join(map(typed, results))})"
    return f"{unit.kind} {unit.name}({inputs})" + (f" -> {given}" if unit.kind != "optimizer" else "")
