"""Prints a text in the one way it is written: two spaces, aligned types, the fewest brackets; comments and single empty lines stay where
they are.

In: FDL text. Out: FDL text with the same meaning; formatting it again changes nothing. Raises FdlError for a text the grammar refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from forge_assets.blueprints.fdl import syntax as s
from forge_assets.blueprints.fdl.parse import parse

LEVELS = {
    "or": 1,
    "and": 2,
    "not": 3,
    "<": 4,
    "<=": 4,
    ">": 4,
    ">=": 4,
    "==": 4,
    "!=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "//": 6,
    "%": 6,
    "**": 8,
}
SIGN, ATOM = 7, 9


def formatted(text: str) -> str:
    """The text as it should look."""
    tree = parse(text)
    source = text.split("\n")
    lines = [one for item in tree.items for one in _item(item)]
    return _with_comments(sorted(lines, key=lambda line: line[0]), tree.comments, source)


Line = tuple[int, str]  # the source line it came from, and what it says now


def _item(item: s.Axis | s.Unit | s.Model) -> Iterator[Line]:
    if isinstance(item, s.Axis):
        size = f" = {expression(item.size)}" if item.size is not None else ""
        yield item.place.line, f"axis {item.name}{size}" + (f' "{item.description}"' if item.description else "")
    elif isinstance(item, s.Model):
        yield item.place.line, f"model {item.name} = {' ; '.join(map(_stage, item.stages))}"
    else:
        yield item.place.line, _head(item)
        yield from ((statement.place.line, f"  {one}") for statement, one in zip(item.body, _body(item.body), strict=True))


def _head(unit: s.Unit) -> str:
    given = ", ".join(f"{one.name}: {_type(one.type)}" for one in unit.arguments)
    results = [f"{one.name}: {_type(one.type)}" if one.name else _type(one.type) for one in unit.results]
    named = bool(unit.results and unit.results[0].name)
    gives = "" if not results else f" -> ({', '.join(results)})" if named else f" -> {results[0]}"
    return f"{unit.kind} {unit.name}({given}){gives}:"


def _body(body: tuple[s.Statement, ...]) -> Iterator[str]:
    """Parameters that follow each other have their `from` below each other."""
    width = 0
    for number, one in enumerate(body):
        if not isinstance(one, s.Parameter):
            width = 0
            yield _statement(one)
            continue
        if not width:
            width = max(len(f"param {other.name}: {_type(other.type)}") for other in _run(body[number:]))
        init = "" if one.init is None else f" init {one.init[0]}" + ("" if one.init[1] is None else f"({one.init[1]!r})")
        yield f"param {one.name}: {_type(one.type)}".ljust(width) + f' from "{one.stored}"{init}'


def _run(body: tuple[s.Statement, ...]) -> Iterator[s.Parameter]:
    for one in body:
        if not isinstance(one, s.Parameter):
            return
        yield one


def _statement(one: s.Statement) -> str:
    if isinstance(one, s.Constant):
        return f"const {one.name} = {expression(one.value)}"
    if isinstance(one, s.State):
        return f"state {one.name}: {_type(one.type)}"
    if isinstance(one, s.Return):
        return f"return {', '.join(name.name for name in one.names)}"
    assert isinstance(one, s.Define)
    return f"{one.name}{'' if one.axes is None else _bracketed(one.axes)} = {expression(one.value)}"


def _bracketed(axes: Iterable[s.Name | s.Dots]) -> str:
    return f"[{','.join(map(_axis, axes))}]"


def _axis(axis: s.Name | s.Dots) -> str:
    return axis.name if isinstance(axis, s.Name) else ".."


def _type(one: s.Type) -> str:
    groups = [_axis(group[0]) if len(group) == 1 else f"({' '.join(map(_axis, group))})" for group in one.groups]
    return f"{one.dtype}[{','.join(groups)}]"


def _stage(one: s.Stage) -> str:
    what = one.name or f"({' ; '.join(map(_stage, one.group))})"
    count = ""
    if one.count is not None:
        count = f" * {expression(one.count)}" if isinstance(one.count, s.Number | s.Name) else f" * ({expression(one.count)})"
    return what + count + ("" if one.prefix is None else f' prefix "{one.prefix}"')


def expression(node: s.Expression, level: int = 0) -> str:
    """In FDL, with brackets where an operator that binds at `level` needs them."""
    if isinstance(node, s.Number):
        return node.text
    if isinstance(node, s.Name):
        return node.name
    if isinstance(node, s.Dots):
        return ".."
    if isinstance(node, s.Access):
        return f"{node.name}[{','.join(map(expression, node.indices))}]"
    if isinstance(node, s.Over):
        parts = f": {', '.join(one.name for one in node.parts)}" if node.parts else ""
        return f"{node.name}[{','.join(map(expression, node.axes))}{parts}]({', '.join(map(expression, node.arguments))})"
    if isinstance(node, s.Function):
        given = [*map(expression, node.arguments), *(f"{name} = {expression(value)}" for name, value in node.keywords)]
        if node.prefix is not None:
            given.append(f'prefix "{node.prefix}"')
        return f"{node.name}({', '.join(given)})"
    return _operation(node, level)


def _operation(node: s.Operation, level: int) -> str:
    if len(node.operands) == 1:
        own = LEVELS["not"] if node.operator == "not" else SIGN
        text = f"{node.operator}{' ' if node.operator == 'not' else ''}{expression(node.operands[0], own)}"
    else:
        own = LEVELS[node.operator]
        left, right = node.operands
        power = node.operator == "**"
        comparing = own == LEVELS["<"]
        text = f"{expression(left, ATOM if power else own + comparing)} {node.operator} {expression(right, SIGN if power else own + 1)}"
    return f"({text})" if own < level else text


def _with_comments(lines: list[Line], comments: dict[int, tuple[int, str]], source: list[str]) -> str:
    """Puts comments back: behind the line they stood behind, or on a line of their own with the indent of what follows."""
    code = {number for number, _ in lines}
    starts = sorted(code)
    alone: dict[int, str] = {}
    behind: dict[int, str] = {}
    for number, (_, said) in comments.items():
        said = "# " + said.lstrip("#").strip() if said.strip("# ") else "#"
        (behind if _is_behind(source[number - 1]) else alone)[number] = said
    written: list[tuple[int, str]] = []
    for number, text in lines:
        tail = [
            behind[one] for one in sorted(behind) if one == number or (one > number and not any(number < start <= one for start in starts))
        ]
        written.append((number, text + ("  " + "  ".join(tail) if tail else "")))
    indents = {number: text[: len(text) - len(text.lstrip())] for number, text in lines}
    for number, said in alone.items():
        after = next((start for start in starts if start > number), None)
        indented = source[number - 1].startswith(" ")
        written.append((number, (indents.get(after or 0, "") or ("  " if indented else "")) + said if indented or after is None else said))
    written.sort(key=lambda line: line[0])
    return _spaced(written, source)


def _is_behind(line: str) -> bool:
    return not line.lstrip().startswith("#")


def _spaced(written: list[Line], source: list[str]) -> str:
    """Single empty lines stay, a unit has one before it."""
    out: list[str] = []
    last = 0
    kinds = ("fragment ", "piece ", "optimizer ", "schedule ")
    for number, text in written:
        empty = last and any(not source[one - 1].strip() for one in range(last + 1, number))
        opens = text.startswith(kinds) and out and not out[-1].startswith("#")
        if out and (empty or opens):
            out.append("")
        out.append(text)
        last = number
    return "\n".join(out) + "\n" if out else ""
