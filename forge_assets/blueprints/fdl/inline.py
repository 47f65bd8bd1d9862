"""Replaces calls of pieces by their bodies: `h[b,t,d] = rmsnorm(x[b,t,d], eps = 1e-6, prefix "norm.")`.

In: a unit's tree and all pieces. Out: the unit's tree without calls. The piece's axes become those of the arguments, `..` any number of
them; its names get the
target's name in front, its parameters the call's prefix; a keyword sets a constant of the piece or renames an axis of it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from forge_assets.blueprints.fdl import syntax as s
from forge_assets.blueprints.fdl.functions import FUNCTIONS
from forge_resources.errors import FdlError

DEEPEST, MOST_LINES = 32, 3_000  # calls within calls, and lines of a unit with all calls in it


@dataclass(slots=True)
class _Body:
    """The body being built: its statements, the names taken, the pieces we are inside of."""

    pieces: dict[str, s.Unit]
    taken: set[str]
    statements: list[s.Statement] = field(default_factory=list)


def inlined(unit: s.Unit, pieces: dict[str, s.Unit]) -> s.Unit:
    """The unit with every call of a piece replaced. Raises FdlError."""
    taken = {one.name for one in (*unit.arguments, *(one for one in unit.body if not isinstance(one, s.Return)))} | set(pieces)
    body = _Body(pieces, taken)
    for statement in unit.body:
        if isinstance(statement, s.Define):
            _define(statement, body, ())
        else:
            body.statements.append(statement)
    return replace(unit, body=tuple(body.statements))


def _define(statement: s.Define, body: _Body, calls: tuple[str, ...]) -> None:
    value = statement.value
    if isinstance(value, s.Function) and value.name in body.pieces and statement.axes is not None:
        called = _call(value, body, calls, statement.name, statement)
        if called is None:
            return
        value = called
    else:
        value = rewritten(value, lambda call: _called(call, body, calls, statement.name))
    body.statements.append(replace(statement, value=value, origin=calls))


def _called(call: s.Function, body: _Body, calls: tuple[str, ...], target: str) -> s.Expression | None:
    return _call(call, body, calls, target, None) if call.name in body.pieces else None


def rewritten(node: s.Expression, change: Callable[[s.Function], s.Expression | None]) -> s.Expression:
    """The expression with functions replaced where `change` says so, from the inside out."""

    def again(one: s.Expression) -> s.Expression:
        return rewritten(one, change)

    if isinstance(node, s.Access):
        return replace(node, indices=tuple(map(again, node.indices)))
    if isinstance(node, s.Over):
        return replace(node, arguments=tuple(map(again, node.arguments)))
    if isinstance(node, s.Operation):
        return replace(node, operands=tuple(map(again, node.operands)))
    if isinstance(node, s.Function):
        node = replace(node, arguments=tuple(map(again, node.arguments)))
        changed = change(node)
        return node if changed is None else changed
    return node


@dataclass(slots=True)
class _Naming:
    """How the names of a piece are spelled at the place of a call."""

    axes: dict[str, str]
    dots: tuple[s.Name, ...]
    tensors: dict[str, str]
    actual: dict[str, s.Access]  # formal argument -> what was passed


def _call(call: s.Function, body: _Body, calls: tuple[str, ...], target: str, whole: s.Define | None) -> s.Expression | None:
    """Puts the piece's statements into the body; the expression that stands for its result, or None where `whole` is already defined by
    it."""
    piece = body.pieces[call.name]
    if call.name in calls:
        raise FdlError(
            f"piece {call.name} calls itself ({' -> '.join((*calls, call.name))}); a piece cannot recur", call.place.line, call.place.column
        )
    if len(calls) >= DEEPEST:
        told = f"calls of pieces within pieces are more than {DEEPEST} deep here, at {call.name}; call it from the fragment"
        raise FdlError(told, call.place.line, call.place.column)
    if len(body.statements) > MOST_LINES:
        told = f"the calls of pieces make more than {MOST_LINES:,} lines of this unit; call fewer, or spread them over several fragments"
        raise FdlError(told, call.place.line, call.place.column)
    naming = _matched(call, piece, body, target)
    constants = _keywords(call, piece, naming)
    returned = next((one for one in piece.body if isinstance(one, s.Return)), None)
    if returned is None or len(returned.names) != 1 or len(piece.results) != 1:
        raise FdlError(
            f"piece {piece.name} must return exactly one tensor; write `return x` as its last line", piece.place.line, piece.place.column
        )
    _keep_apart(piece, naming)
    result_axes = _spelled(piece.results[0].type.axes, naming)
    last = returned.names[0].name
    _fresh_names(piece, naming, body, target)
    direct = whole is not None and last not in naming.actual and _same(whole.axes or (), result_axes)
    if direct:
        naming.tensors[last] = target
    for statement in piece.body:
        _put(statement, piece, naming, constants, body, (*calls, call.name), call.prefix or "")
    if direct:
        return None
    if last in naming.actual:
        return naming.actual[last]
    return s.Access(naming.tensors[last], result_axes, call.place)


def _keep_apart(piece: s.Unit, naming: _Naming) -> None:
    """A second axis of the piece's own, such as s beside t, gets another name where the call already uses its name."""
    used = set(naming.axes.values()) | {one.name for one in naming.dots if isinstance(one, s.Name)}
    typed = {axis.name for one in piece.body if isinstance(one, s.Parameter) for axis in one.type.axes if isinstance(axis, s.Name)}
    own = {axis.name for one in piece.body if isinstance(one, s.Define) for axis in one.axes or () if isinstance(axis, s.Name)}
    for name in own - typed - set(naming.axes):
        spelled = name
        while spelled in used:
            spelled += "_"
        if spelled != name:
            naming.axes[name] = spelled


def _same(axes: Iterable[s.Name | s.Dots], others: Iterable[s.Expression]) -> bool:
    return [getattr(one, "name", "..") for one in axes] == [getattr(one, "name", "..") for one in others]


def _fresh_names(piece: s.Unit, naming: _Naming, body: _Body, target: str) -> None:
    own = [one.name for one in piece.body if not isinstance(one, s.Return)]
    base = next(base for base in _bases(target, piece.name) if not any(base + name in body.taken for name in own))
    naming.tensors.update({name: base + name for name in own})
    body.taken.update(naming.tensors.values())


def _bases(target: str, piece: str) -> Iterable[str]:
    yield f"{target}_"
    yield f"{target}_{piece}_"
    number = 2
    while True:
        yield f"{target}_{piece}{number}_"
        number += 1


def _matched(call: s.Function, piece: s.Unit, body: _Body, target: str) -> _Naming:
    """Formal axes against the axes of what was passed."""
    if len(call.arguments) != len(piece.arguments):
        wanted = ", ".join(one.name for one in piece.arguments)
        message = f"piece {piece.name} takes {len(piece.arguments)} tensors ({wanted}), found {len(call.arguments)}"
        raise FdlError(message, call.place.line, call.place.column)
    naming = _Naming({}, (), {}, {})
    for formal, given in zip(piece.arguments, call.arguments, strict=True):
        if isinstance(given, s.Name):
            given = s.Access(given.name, (), given.place)
        if not isinstance(given, s.Access):
            message = (
                f"what is passed to {piece.name} as {formal.name} must be a tensor such as x[b,t,d]; give the expression a line of its own"
            )
            raise FdlError(message, call.place.line, call.place.column)
        names = [one for one in given.indices if isinstance(one, s.Name | s.Dots)]
        if any(not isinstance(one, s.Name | s.Dots | s.Number) for one in given.indices):
            raise FdlError(f"{given.name} is passed with a computed index; give it a line of its own", given.place.line, given.place.column)
        _match_axes(formal, names, given, naming, piece)
        naming.actual[formal.name] = given
    return naming


def _match_axes(formal: s.Argument, names: list[s.Name | s.Dots], given: s.Access, naming: _Naming, piece: s.Unit) -> None:
    axes = formal.type.axes
    where = next((number for number, one in enumerate(axes) if isinstance(one, s.Dots)), None)
    if (where is None and len(names) != len(axes)) or len(names) < len(axes) - 1:
        told = ",".join(getattr(one, "name", "..") for one in axes)
        message = (
            f"{given.name} is passed to {piece.name} with {len(names)} axes, but {formal.name} is {formal.type.dtype}[{told}]; pass as many"
        )
        raise FdlError(message, given.place.line, given.place.column)
    if where is not None:
        extra = len(names) - len(axes) + 1
        dots = tuple(names[where : where + extra])
        naming.dots = naming.dots or dots  # type: ignore[assignment]
        names = [*names[:where], s.Dots(given.place), *names[where + extra :]]
    for axis, name in zip(axes, names, strict=True):
        if isinstance(axis, s.Dots) or isinstance(name, s.Dots):
            continue
        known = naming.axes.setdefault(axis.name, name.name)
        if known != name.name:
            message = f"axis {axis.name} of {piece.name} is {known} in one argument and {name.name} in another; they must be one axis"
            raise FdlError(message, name.place.line, name.place.column)


def _keywords(call: s.Function, piece: s.Unit, naming: _Naming) -> dict[str, s.Expression]:
    constants: dict[str, s.Expression] = {}
    own_constants = {one.name for one in piece.body if isinstance(one, s.Constant)}
    own_axes = {axis.name for one in piece.body if isinstance(one, s.Parameter) for axis in one.type.axes if isinstance(axis, s.Name)}
    own_axes |= {axis.name for one in piece.results for axis in one.type.axes if isinstance(axis, s.Name)}
    for name, value in call.keywords:
        if [given for given, _ in call.keywords].count(name) > 1:
            raise FdlError(f"{name} is given twice to {piece.name}; leave one out", call.place.line, call.place.column)
        if name in own_constants:
            constants[name] = value
        elif name in own_axes and isinstance(value, s.Name):
            naming.axes[name] = value.name
        else:
            near = difflib.get_close_matches(name, own_constants | own_axes, 1)
            known = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(own_constants | own_axes)) or 'none'}"
            raise FdlError(f"piece {piece.name} has no constant and no axis {name}; {known}", call.place.line, call.place.column)
    return constants


def _put(
    statement: s.Statement,
    piece: s.Unit,
    naming: _Naming,
    constants: dict[str, s.Expression],
    body: _Body,
    calls: tuple[str, ...],
    prefix: str,
) -> None:
    """One statement of the piece, spelled for this call."""
    if isinstance(statement, s.Constant):
        value = constants.get(statement.name)
        body.statements.append(
            replace(statement, name=naming.tensors[statement.name], value=_respelled(statement.value, naming) if value is None else value)
        )
    elif isinstance(statement, s.Parameter):
        groups = tuple(tuple(_spelled(group, naming)) for group in statement.type.groups)
        type_ = replace(statement.type, groups=groups)
        body.statements.append(replace(statement, name=naming.tensors[statement.name], type=type_, stored=prefix + statement.stored))
    elif isinstance(statement, s.Define):
        axes = None if statement.axes is None else _spelled(statement.axes, naming)
        spelled = replace(statement, name=naming.tensors[statement.name], axes=axes, value=_respelled(statement.value, naming, prefix))
        _define(spelled, body, calls)
    elif isinstance(statement, s.State):
        raise FdlError(f"piece {piece.name} has a state; only an optimizer has states", statement.place.line, statement.place.column)


def _spelled(axes: Iterable[s.Name | s.Dots], naming: _Naming) -> tuple[s.Name | s.Dots, ...]:
    found: list[s.Name | s.Dots] = []
    for axis in axes:
        if isinstance(axis, s.Dots):
            found += naming.dots
        else:
            found.append(replace(axis, name=naming.axes.get(axis.name, axis.name)))
    return tuple(found)


def _respelled(node: s.Expression, naming: _Naming, prefix: str = "") -> s.Expression:
    """An expression of the piece with the names of the call."""

    def again(one: s.Expression) -> s.Expression:
        return _respelled(one, naming, prefix)

    def several(nodes: tuple[s.Expression, ...]) -> tuple[s.Expression, ...]:
        return tuple(new for one in nodes for new in (naming.dots if isinstance(one, s.Dots) else (again(one),)))

    if isinstance(node, s.Name):
        if node.name in naming.actual:
            return _actual(naming.actual[node.name], (), node)
        return replace(node, name=naming.tensors.get(node.name) or naming.axes.get(node.name, node.name))
    if isinstance(node, s.Access):
        indices = tuple(new for one in node.indices for new in (naming.dots if isinstance(one, s.Dots) else (_index(one, naming, again),)))
        if node.name in naming.actual:
            return _actual(naming.actual[node.name], indices, node)
        return replace(node, name=naming.tensors.get(node.name, node.name), indices=indices)
    if isinstance(node, s.Function):
        keywords = tuple((name, again(value)) for name, value in node.keywords)
        inner = node.prefix if node.name in FUNCTIONS else prefix + (node.prefix or "") or None
        arguments = tuple(_axis_name(one, naming) for one in node.arguments) if node.name in ("pos", "size") else several(node.arguments)
        return replace(node, arguments=arguments, keywords=keywords, prefix=inner)
    if isinstance(node, s.Over):
        axes = tuple(new for one in node.axes for new in (naming.dots if isinstance(one, s.Dots) else (_axis_name(one, naming),)))
        parts = tuple(replace(one, name=naming.axes.get(one.name, one.name)) for one in node.parts)
        return replace(node, axes=axes, parts=parts, arguments=several(node.arguments))
    if isinstance(node, s.Operation):
        return replace(node, operands=several(node.operands))
    return node


def _index(one: s.Expression, naming: _Naming, again: Callable[[s.Expression], s.Expression]) -> s.Expression:
    return _axis_name(one, naming) if isinstance(one, s.Name) and one.name not in naming.tensors else again(one)


def _axis_name(one: s.Expression, naming: _Naming) -> s.Expression:
    return replace(one, name=naming.axes.get(one.name, one.name)) if isinstance(one, s.Name) else one


def _actual(given: s.Access, indices: tuple[s.Expression, ...], node: s.Expression) -> s.Expression:
    """The passed tensor, read with the piece's indices; literal indices of the call stay where they are."""
    rest = iter(indices)
    spelled = [one if isinstance(one, s.Number) else next(rest, None) for one in given.indices]
    left = list(rest)
    if None in spelled or left:
        raise FdlError(
            f"{given.name} is read in a piece with another number of axes than it is passed with", node.place.line, node.place.column
        )
    kept = tuple(one for one in spelled if one is not None)
    return s.Access(given.name, kept, given.place) if kept or not isinstance(node, s.Name) else s.Name(given.name, given.place)
