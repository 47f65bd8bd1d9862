"""Prints pseudocode for people: a Markdown page with the flow, the axes, and for each fragment its weights and its numbered lines."""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import notation

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
WIDEST = 110  # columns of a line of pseudocode


class Readable(notation.Notation):
    """Signs that need no explanation: Σ, ·, √, ≤."""

    signs = notation.SIGNS | {"mul": "·", "le": "≤", "ge": "≥", "ne": "≠", "eq": "=", "pow": "^", "sub": "−", "neg": "−", "mod": "mod"}

    def number(self, value: int | float) -> str:
        return super().number(value).replace("-", "−")

    def position(self, node: ir.Position) -> str:
        return node.axis

    def size_of(self, node: ir.SizeOf) -> str:
        return f"|{node.axis}|"

    def reduction(self, node: ir.Reduce) -> str:
        over, body = ",".join(node.over), self.of(node.body)
        if node.function == "sum":
            return f"Σ_{over if len(node.over) == 1 else f'({over})'} ({body})"
        return f"{node.function}[over {over}]({body})"

    def apply(self, node: ir.Apply, in_index: bool) -> str:
        if node.function == "pow" and isinstance(node.arguments[1], ir.Number) and isinstance(node.arguments[1].value, int):
            base = self.of(node.arguments[0], in_index)
            base = f"({base})" if notation.needs_brackets(node, 0) else base
            return base + str(node.arguments[1].value).translate(SUPERSCRIPTS)
        return super().apply(node, in_index)

    def call(self, function: str, arguments: list[str]) -> str:
        if function == "where":
            return f"({arguments[1]} if {arguments[0]} else {arguments[2]})"
        if function in ("sqrt", "rsqrt"):
            return "1 / " * (function == "rsqrt") + f"√({arguments[0]})"
        return super().call(function, arguments)


def print_markdown(program: ir.Program) -> dict[str, str]:
    """pseudocode.md"""
    return {"pseudocode.md": "\n".join(_page(program)) + "\n"}


def _page(program: ir.Program) -> Iterator[str]:
    yield f"# {', '.join([*program.models] or [*program.units])}: pseudocode"
    for model in program.models.values():
        yield ""
        yield f"**{model.name}** takes {_told(model.inputs)} and gives {_told(model.results)}: {_stages(model.stages)}."
    yield from ("", "Each line holds for all values of the indices on its left; Σ_d sums over the axis d.", "")
    yield from ("## Axes", "", "| axis | size | what it is |", "|---|---|---|")
    for axis in program.axes.values():
        size = axis.size.text()
        yield f"| {axis.name} | {'given' if size == axis.name else size} | {cell(axis.description)} |"
    for unit in program.units.values():
        yield from _unit(unit)


def _stages(stages: tuple[ir.Stage, ...]) -> str:
    told = []
    for stage in stages:
        if isinstance(stage, ir.Step):
            told.append(stage.unit)
        else:
            inner = _stages(stage.stages)
            told.append(f"{inner if len(stage.stages) == 1 else f'({inner})'} {stage.count.text()} times")
    return ", then ".join(told)


def _told(tensors: tuple[ir.Tensor, ...] | tuple[ir.Result, ...]) -> str:
    *first, last = [f"`{notation.Notation().element(one.name, list(one.axes))}`" for one in tensors] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _unit(unit: ir.Unit) -> Iterator[str]:
    yield from ("", f"## {unit.kind.capitalize()} {unit.name}", "")
    given = _told((*unit.inputs, *unit.states)) or "nothing"
    yield f"Takes {given}, gives {_told(unit.results)}."
    if unit.constants:
        yield from (
            "",
            "Constants: " + ", ".join(f"`{name} = {notation.Notation().number(value)}`" for name, value in unit.constants.items()) + ".",
        )
    if unit.parameters:
        yield from ("", "| weight | axes | stored as |", "|---|---|---|")
        yield from (f"| `{one.name}` | `[{notation.groups(one)}]` | `{one.stored}` |" for one in unit.parameters)
    yield from ("", "```text")
    yield from _lines(unit)
    yield "```"


def _lines(unit: ir.Unit) -> Iterator[str]:
    section, width = "", len(str(len(unit.definitions)))
    for number, one in enumerate(unit.definitions, 1):
        if notation.heading(one) != section:
            section = notation.heading(one)
            yield from ([""] if number > 1 else []) + ([f"{' ' * width}  # {section}"] if section else [])
        spelled = Readable(one)
        left = spelled.element(one.name, list(one.axes))
        yield from wrapped(f"{number:>{width}}  {left} ← {spelled.of(one.value)}", " " * (width + 6))
        if one.scan:
            yield f"{' ' * (width + 6)}for {one.scan} = 0, 1, 2, ...; before the start it is 0"
    yield from ("", f"{' ' * width}  return {', '.join(one.tensor for one in unit.results)}")


def wrapped(line: str, indent: str) -> Iterator[str]:
    """A long line in several, broken before operators and after commas, at the outermost brackets first."""
    while len(line) > WIDEST:
        places = [
            n
            for n in range(len(indent) + 20, WIDEST)
            if line[n] == " " and (line[n - 1] == "," or line[n + 1] in "+−·/" or line[n + 1 : n + 4] in ("if ", "els"))
        ]
        if not places:
            break
        at = min(places, key=lambda n: (_depth(line[:n]), -n))
        yield line[:at]
        line = indent + line[at + 1 :]
    yield line


def _depth(text: str) -> int:
    return text.count("(") - text.count(")")


def cell(text: str) -> str:
    """As it can stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")
