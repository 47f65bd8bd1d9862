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
    """Whether an operand stands in brackets: it binds less, or as much on the side where the order counts."""
    mine, inner = level(node), level(node.arguments[place])
    weak_side = 0 if node.function == "pow" else 1
    return inner < mine or (inner == mine and place == weak_side and (mine != LEVELS["add"] or node.function == "sub")
                            and node.function != "mul" and mine not in (1, 2))  # fmt: skip


def written(node: ir.Expression) -> str:
    """As FDL text."""
    if isinstance(node, ir.Number):
        return number(node.value)
    if isinstance(node, ir.Constant):
        return node.name
    if isinstance(node, ir.SizeOf | ir.Position):
        return f"{'size' if isinstance(node, ir.SizeOf) else 'pos'}({node.axis})"
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
    return _applied(node)


def _applied(node: ir.Apply) -> str:
    sides = [f"({written(one)})" if node.function in LEVELS and needs_brackets(node, place) else written(one)
             for place, one in enumerate(node.arguments)]  # fmt: skip
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
    return str(index.number) if isinstance(index, ir.Fixed) else _positions(written(index.value))


def _positions(text: str) -> str:
    """In an index the name of an axis is the position along it."""
    return text.replace("pos(", "").rstrip(")") if text.startswith("pos(") and text.count("(") == 1 and text.endswith(")") else text


def left(name: str, axes: tuple[str, ...]) -> str:
    return f"{name}[{','.join(axes)}]" if axes else name


def definition(one: ir.Definition) -> str:
    """The whole line."""
    right = written(one.value)
    if one.scan is not None:
        right = f"scan[{one.scan}]({right})".replace("previous[", f"{one.name}[{one.scan} - 1; ")
    return f"{left(one.name, one.axes)} = {right}"


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
