"""Expressions of the IR written out, as FDL itself: comments of printed code, labels of diagrams.

Back-ends for people spell them in their own way.
"""

from __future__ import annotations

from forge_assets.blueprints.fdl import ir

SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%", "pow": "**",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "and": "and", "or": "or", "neg": "-", "not": "not ",
}  # fmt: skip
LEVELS = {
    "or": 1, "and": 2, "not": 3, "lt": 4, "le": 4, "gt": 4, "ge": 4, "eq": 4, "ne": 4, "add": 5, "sub": 5,
    "mul": 6, "div": 6, "floordiv": 6, "mod": 6, "neg": 7, "pow": 8,
}  # fmt: skip
"""How strongly operators bind; what is no operator binds most."""
ATOM = 9


def level(node: ir.Expression) -> int:
    if isinstance(node, ir.Number) and node.value < 0:
        return LEVELS["neg"]
    return LEVELS.get(node.function, ATOM) if isinstance(node, ir.Apply) else ATOM


def needs_brackets(node: ir.Apply, place: int) -> bool:
    """Whether an operand stands in brackets: it binds less, or as much on the side that is not read first."""
    mine, inner = level(node), level(node.arguments[place])
    if node.function == "pow":
        return inner <= mine if place == 0 else inner < LEVELS["neg"]
    return inner < mine or (inner == mine and place > 0 and node.function not in ("and", "or"))


class Notation:
    """FDL's own spelling; `scan` is the definition whose earlier value a Previous reads."""

    signs = SIGNS

    def __init__(self, scan: ir.Definition | None = None) -> None:
        self.scan = scan

    def of(self, node: ir.Expression, in_index: bool = False) -> str:
        """An expression; in an index the name of an axis is the position along it."""
        if isinstance(node, ir.Number):
            return self.number(node.value)
        if isinstance(node, ir.Constant):
            return self.constant(node)
        if isinstance(node, ir.Position):
            return self.index_position(node) if in_index else self.position(node)
        if isinstance(node, ir.SizeOf):
            return self.size_of(node)
        if isinstance(node, ir.Layer):
            return self.layer()
        if isinstance(node, ir.Read):
            return self.element(node.tensor, [self.index(one) for one in node.index])
        if isinstance(node, ir.Previous):
            return self.previous()
        if isinstance(node, ir.Reduce):
            return self.reduction(node)
        return self.cat(node) if isinstance(node, ir.Cat) else self.apply(node, in_index)

    def number(self, value: int | float) -> str:
        return str(value) if isinstance(value, int) else f"{value:g}" if float(f"{value:g}") == value else repr(value)

    def constant(self, node: ir.Constant) -> str:
        return node.name

    def position(self, node: ir.Position) -> str:
        return f"pos({node.axis})"

    def index_position(self, node: ir.Position) -> str:
        return node.axis

    def size_of(self, node: ir.SizeOf) -> str:
        return f"size({node.axis})"

    def layer(self) -> str:
        return "layer"

    def element(self, name: str, indices: list[str]) -> str:
        return f"{name}[{','.join(indices)}]" if indices else name

    def index(self, index: ir.Index) -> str:
        if isinstance(index, ir.Plain):
            return self.axis(index.axis)
        return str(index.number) if isinstance(index, ir.Fixed) else self.of(index.value, in_index=True)

    def axis(self, name: str) -> str:
        return name

    def previous(self) -> str:
        assert self.scan is not None
        one = self.scan
        return self.element(one.name, [f"{self.axis(axis)} - 1" if axis == one.scan else self.axis(axis) for axis in one.axes])

    def reduction(self, node: ir.Reduce) -> str:
        return f"{node.function}[{','.join(node.over)}]({self.of(node.body)})"

    def cat(self, node: ir.Cat) -> str:
        parts = ", ".join(axis for axis, _ in node.parts)
        return f"cat[{node.axis}: {parts}]({', '.join(self.of(part) for _, part in node.parts)})"

    def apply(self, node: ir.Apply, in_index: bool) -> str:
        sides = [self.of(one, in_index) for one in node.arguments]
        if node.function not in LEVELS:
            return self.call(node.function, sides)
        sides = [f"({side})" if needs_brackets(node, place) else side for place, side in enumerate(sides)]
        sign = self.signs[node.function]
        return sign + sides[0] if len(sides) == 1 else f" {sign} ".join(sides)

    def call(self, function: str, arguments: list[str]) -> str:
        return f"{function}({', '.join(arguments)})"


def definition(one: ir.Definition) -> str:
    """The whole line, as FDL."""
    spelled = Notation(one)
    right = spelled.of(one.value)
    return f"{spelled.element(one.name, list(one.axes))} = " + (right if one.scan is None else f"scan[{one.scan}]({right})")


def heading(one: ir.Definition) -> str:
    """What a line belongs to: the comment above it, else the piece it comes from."""
    return one.section or (one.origin[-1].replace("_", " ") if one.origin else "")


def typed(one: ir.Tensor | ir.Parameter | ir.Result) -> str:
    if isinstance(one, ir.Parameter):
        return f"{one.name}: {one.dtype}[{groups(one)}]"
    return f"{one.name}: {one.dtype}[{','.join(one.axes)}]"


def groups(one: ir.Parameter) -> str:
    return ",".join(group[0] if len(group) == 1 else f"({' '.join(group)})" for group in one.groups)


def first_line(unit: ir.Unit) -> str:
    inputs = ", ".join(map(typed, unit.inputs))
    results = unit.results
    given = f"{results[0].dtype}[{','.join(results[0].axes)}]" if len(results) == 1 else f"({', '.join(map(typed, results))})"
    return f"{unit.kind} {unit.name}({inputs})" + (f" -> {given}" if unit.kind != "optimizer" else "")


def flow(stages: tuple[ir.Stage, ...]) -> str:
    """A model's stages in a line, without prefixes: `Embed ; Block * L ; Head`."""
    told = []
    for stage in stages:
        if isinstance(stage, ir.Step):
            told.append(stage.unit)
            continue
        inner, count = flow(stage.stages), stage.count.text()
        told.append(f"{inner if len(stage.stages) == 1 else f'({inner})'} * {count if len(stage.count.terms) < 2 else f'({count})'}")
    return " ; ".join(told)
