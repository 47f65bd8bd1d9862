"""Checks one fragment, piece, optimizer or schedule, a line at a time; its expressions are typed in expressions.py.

In: the unit's tree without calls of pieces, the axes and what else the text names. Out: an `ir.Unit`. Raises FdlError.
"""

from __future__ import annotations

import keyword
from dataclasses import replace

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl import syntax as s
from forge_assets.blueprints.fdl.constants import constant
from forge_assets.blueprints.fdl.expressions import Scope, axis_names, fail, near, typed
from forge_assets.blueprints.fdl.functions import FUNCTIONS, REDUCTIONS
from forge_assets.blueprints.fdl.parse import LARGEST, RESERVED
from forge_assets.blueprints.fdl.sizes import Size, product

BUILT_IN = frozenset({*FUNCTIONS, *REDUCTIONS, "pos", "size", "cat", "scan", "layer"})
INITS = {"normal": 0.02, "zeros": 0.0, "ones": 1.0, "constant": 0.0}
MOST_AXES = 26  # of one line; array libraries name them by letters
FLAT = "n"  # the axis that `..` is in an optimizer, whose tensors are seen flat


class _Unit:
    """The unit being checked."""

    def __init__(self, unit: s.Unit, axes: dict[str, ir.Axis], pieces: dict[str, s.Unit], others: dict[str, str]) -> None:
        self.unit = unit
        self.scope = Scope({}, {}, {name: axis.size for name, axis in axes.items()}, pieces=frozenset(pieces), others=others)
        self.places: dict[str, s.Place] = {}
        self.inputs: list[ir.Tensor] = []
        self.parameters: list[ir.Parameter] = []
        self.states: list[ir.Tensor] = []
        self.definitions: list[ir.Definition] = []
        self.returned: s.Return | None = None

    def new_name(self, name: str, place: s.Place) -> None:
        if name in BUILT_IN or name in RESERVED:
            raise fail(f"{name} is a word of the language; choose another name", place)
        if name in self.places:
            raise fail(f"{name} is defined a second time (first in line {self.places[name].line}); give it another name", place)
        self.places[name] = place

    def groups(self, type_: s.Type) -> tuple[tuple[str, ...], ...]:
        """The axes of a type, by stored dimension; their sizes become known."""
        if len(type_.axes) > MOST_AXES:
            raise fail(f"a tensor has at most {MOST_AXES} axes, found {len(type_.axes)}; make one axis of several", type_.place)
        groups: list[tuple[str, ...]] = []
        for group in type_.groups:
            for axis in group:
                if isinstance(axis, s.Dots):
                    if self.unit.kind not in ("optimizer", "piece"):
                        raise fail("'..' stands for any axes in pieces and optimizers only; name the axes here", axis.place)
                    continue
                if keyword.iskeyword(axis.name):
                    raise fail(f"axis {axis.name} would be a word of Python in printed code; give it another name", axis.place)
                self.scope.sizes.setdefault(axis.name, Size.of(axis.name))
            groups.append(tuple(FLAT if isinstance(axis, s.Dots) else axis.name for axis in group))
        flat = [axis for group in groups for axis in group]
        for name in flat:
            if flat.count(name) > 1:
                place = next(one.place for one in type_.axes[::-1] if getattr(one, "name", FLAT) == name)
                told = f"{type_.dtype}[{','.join(flat)}]"
                raise fail(f"axis {name} stands twice in {told}; give the second a name of its own, `axis {name}2 = {name}`", place)
        if FLAT in flat and any(isinstance(axis, s.Dots) for axis in type_.axes):
            self.scope.sizes.setdefault(FLAT, Size.of(FLAT))
        return tuple(groups)

    def tensor(self, name: str, type_: s.Type, place: s.Place) -> ir.Tensor:
        self.new_name(name, place)
        tensor = ir.Tensor(name, type_.dtype, tuple(axis for group in self.groups(type_) for axis in group))
        self.scope.tensors[name] = tensor
        return tensor


def checked_unit(
    unit: s.Unit,
    axes: dict[str, ir.Axis],
    pieces: dict[str, s.Unit],
    others: dict[str, str],
    needs: dict[str, int],
    sections: dict[int, str],
) -> ir.Unit:
    made = _Unit(unit, axes, pieces, others)
    scope = made.scope
    for argument in unit.arguments:
        made.inputs.append(made.tensor(argument.name, argument.type, argument.place))
    for statement in unit.body:
        if isinstance(statement, s.Parameter | s.State):
            made.groups(statement.type)
    result_types = [tuple(axis for group in made.groups(one.type) for axis in group) for one in unit.results]
    for statement in unit.body:
        if made.returned is not None:
            raise fail("nothing may follow `return`; put this line above it", statement.place)
        _statement(statement, made, sections)
    results = _results(made, result_types)
    _look_over(made)
    sizes = {axis: scope.sizes[scope.root(axis)] for axis in _axes_in_use(made, scope)}
    for axis, need in scope.needs.items():
        root = scope.root(axis)
        needs[root] = max(needs.get(root, 0), need)
    constants = dict(scope.constants)
    aliases = {alias: root for alias, root in scope.aliases.items() if alias in sizes}
    return ir.Unit(
        unit.kind, unit.name, tuple(made.inputs), tuple(made.parameters), tuple(made.states), constants, tuple(made.definitions), results,
        aliases, {scope.root(axis): size for axis, size in sizes.items()}, unit.place,
    )  # fmt: skip


def well_named(stored: str) -> bool:
    """A dotted name that every language can print in quotes and every checkpoint can have."""
    return all(stored.split(".")) and stored.isprintable() and " " not in stored and "\\" not in stored


def _look_over(made: _Unit) -> None:
    """What no back-end could print."""
    unit = made.unit
    if unit.kind == "fragment" and not made.inputs:
        raise fail(f"fragment {unit.name} takes no tensor; give it one, or make it a piece that a fragment calls", unit.place)
    if unit.kind == "schedule":
        tensors: list[ir.Tensor | ir.Definition] = [*made.inputs, *made.definitions]
        for one in tensors:
            if one.axes:
                raise fail(f"{one.name} has axes, but schedule {unit.name} is made of single numbers", made.places[one.name])
    names = [one.name for one in unit.results if one.name]
    for number, result in enumerate(unit.results):
        if result.name in names[:number]:
            raise fail(f"{unit.name} gives two results of the name {result.name}; rename one", result.place)
    stored: dict[str, ir.Parameter] = {}
    for parameter in made.parameters:
        place = made.places[parameter.name]
        other = stored.setdefault(parameter.stored, parameter)
        if _shape(other, made) != _shape(parameter, made):
            told = f'{other.name} and {parameter.name} are both stored under "{parameter.stored}", but with different shapes'
            raise fail(f"{told}; give one of them another name", place)
    for name, parameter in stored.items():
        above = next((one for one in stored if name.startswith(one + ".")), None)
        if above is not None:
            told = f'"{name}" would lie inside "{above}", which is a parameter itself; give one of them another name'
            raise fail(told, made.places[parameter.name])


def _shape(parameter: ir.Parameter, made: _Unit) -> list[Size]:
    """The sizes it is stored with."""
    scope = made.scope
    return [product(scope.sizes[scope.root(axis)] for axis in group) for group in parameter.groups]


def _axes_in_use(made: _Unit, scope: Scope) -> list[str]:
    """Every axis the unit names; each must have a size."""
    tensors: list[ir.Tensor | ir.Parameter | ir.Definition] = [*made.inputs, *made.parameters, *made.states, *made.definitions]
    named = [axis for one in tensors for axis in one.axes]
    for axis, place in [*scope.used.items(), *((axis, one.place) for one in made.definitions for axis in one.axes)]:
        if scope.root(axis) not in scope.sizes:
            message = f"the size of axis {axis} is not known: no type names it, and no tensor is read with it{near(axis, scope.sizes)}"
            raise fail(f"{message}; or declare `axis {axis} = ...` above", place)
        named.append(axis)
    return list(dict.fromkeys(named))


def _statement(statement: s.Statement, made: _Unit, sections: dict[int, str]) -> None:
    if isinstance(statement, s.Constant):
        made.new_name(statement.name, statement.place)
        made.scope.constants[statement.name] = constant(statement.value, made.scope)
    elif isinstance(statement, s.Parameter):
        _parameter(statement, made)
    elif isinstance(statement, s.State):
        if made.unit.kind != "optimizer":
            raise fail(f"only an optimizer has states; {made.unit.name} is a {made.unit.kind}", statement.place)
        made.states.append(made.tensor(statement.name, statement.type, statement.place))
    elif isinstance(statement, s.Define):
        _define(statement, made, sections.get(statement.place.line, ""))
    else:
        made.returned = statement


def _parameter(statement: s.Parameter, made: _Unit) -> None:
    if made.unit.kind in ("optimizer", "schedule"):
        raise fail(
            f"{made.unit.name} is {'an' if made.unit.kind == 'optimizer' else 'a'} {made.unit.kind} and has no parameters", statement.place
        )
    stored = statement.stored
    if not stored.strip() or any(letter.isspace() for letter in stored):
        raise fail(f'parameter {statement.name} is stored under "{stored}"; a name without spaces is needed', statement.place)
    if not well_named(stored):
        needed = 'a name without \\, of parts that are not empty, is needed, such as "norm.weight"'
        raise fail(f'parameter {statement.name} is stored under "{stored}"; {needed}', statement.place)
    made.tensor(statement.name, statement.type, statement.place)
    groups = made.groups(statement.type)
    many = sum(map(len, groups)) > 1
    name, value = statement.init or ("normal" if many else "ones" if statement.stored.endswith("weight") else "zeros", None)
    if name not in INITS:
        raise fail(f"there is no init {name}{near(name, INITS)}; the inits are {', '.join(INITS)}", statement.place)
    if statement.type.dtype != "f32":
        raise fail(f"parameter {statement.name} is {statement.type.dtype}; parameters are f32", statement.type.place)
    if value is not None and (name in ("zeros", "ones") or value >= LARGEST):
        told = f"{name} takes no number" if name in ("zeros", "ones") else f"{value:g} is larger than any number of f32"
        raise fail(f"init {name}({value:g}): {told}", statement.place)
    init = (name, INITS[name] if value is None else value)
    made.parameters.append(ir.Parameter(statement.name, statement.type.dtype, groups, statement.stored, init))


def _define(statement: s.Define, made: _Unit, section: str) -> None:
    """One definition; in an optimizer an input or state may be given a new value, under a name of its own."""
    scope, name = made.scope, statement.name
    again = made.unit.kind == "optimizer" and name in scope.tensors and name in {one.name for one in (*made.inputs, *made.states)}
    axes = () if statement.axes is None else tuple(FLAT if isinstance(one, s.Dots) else one.name for one in statement.axes)
    value, scan = statement.value, None
    if isinstance(value, s.Over) and value.name == "scan":
        scan = _scan_axis(value, axes)
        value = value.arguments[0]
    if not again:
        made.new_name(name, statement.place)
        scope.scan = (name, axes, scan or "")
    found = typed(_flat(value), scope)
    scope.scan = None
    _fits(statement, axes, found, scan)
    everywhere = {axis for node in ir.walk(found) for axis in node.axes}
    if len(everywhere) > MOST_AXES:
        told = f"{name} is made of {len(everywhere)} axes at once, at most {MOST_AXES} are possible; sum over some in a line before"
        raise fail(told, statement.place)
    for axis in axes:
        scope.used.setdefault(axis, statement.place)
    own = name
    if again:
        if scope.tensors[name].axes != axes:
            raise fail(f"{name} keeps its axes {','.join(scope.tensors[name].axes)}; found {','.join(axes)}", statement.place)
        if scope.tensors[name].dtype != found.dtype:
            raise fail(f"{name} is {scope.tensors[name].dtype} and gets {found.dtype}; make both the same", statement.place)
        own = name + "_new"
        while own in made.places:
            own += "_"
        made.places[own] = statement.place
    made.definitions.append(ir.Definition(own, found.dtype, axes, found, statement.place, scan, statement.origin, section))
    scope.tensors[name] = ir.Tensor(own, found.dtype, axes)


def _flat(node: s.Expression) -> s.Expression:
    """`..` as the one axis an optimizer or a piece by itself is checked with."""
    if isinstance(node, s.Dots):
        return s.Name(FLAT, node.place)
    if isinstance(node, s.Access):
        return replace(node, indices=tuple(map(_flat, node.indices)))
    if isinstance(node, s.Function):
        return replace(node, arguments=tuple(map(_flat, node.arguments)))
    if isinstance(node, s.Over):
        return replace(node, axes=tuple(map(_flat, node.axes)), arguments=tuple(map(_flat, node.arguments)))
    if isinstance(node, s.Operation):
        return replace(node, operands=tuple(map(_flat, node.operands)))
    return node


def _scan_axis(node: s.Over, axes: tuple[str, ...]) -> str:
    names = axis_names(node)
    if len(names) != 1 or node.parts or len(node.arguments) != 1:
        raise fail("scan runs over one axis and works on one expression: scan[t](...)", node.place)
    if names[0] not in axes:
        raise fail(f"scan runs over axis {names[0]}, which the left side does not have (it has {', '.join(axes) or 'none'})", node.place)
    return names[0]


def _fits(statement: s.Define, axes: tuple[str, ...], found: ir.Expression, scan: str | None) -> None:
    """Left and right side have the same axes."""
    for axis in axes:
        if axes.count(axis) > 1:
            raise fail(f"axis {axis} stands twice on the left side of {statement.name}", statement.place)
    for axis in found.axes:
        if axis not in axes:
            left = f"{statement.name}[{','.join(axes)}]"
            message = f"axis {axis} of the right side is not on the left side, {left}; add it there or remove it by sum[{axis}](...)"
            raise fail(message, statement.place)
    for axis in axes:
        if axis not in found.axes and axis != scan:
            there = ", ".join(found.axes) or "none"
            message = f"axis {axis} of {statement.name} is not on the right side (it has {there}){near(axis, found.axes)}"
            raise fail(message, statement.place)


def _results(made: _Unit, types: list[tuple[str, ...]]) -> tuple[ir.Result, ...]:
    unit, scope = made.unit, made.scope
    if unit.kind == "optimizer":
        return _updates(made)
    if made.returned is None:
        last = made.definitions[-1].name if made.definitions else "x"
        raise fail(f"{unit.kind} {unit.name} returns nothing; end it with `return {last}`", unit.place)
    names = made.returned.names
    if len(names) != len(unit.results):
        message = f"{unit.name} returns {len(names)} tensors, its first line says {len(unit.results)}; write `-> (x: f32[b,t,d], y: ...)`"
        raise fail(message, made.returned.place)
    results = []
    for name, said, axes in zip(names, unit.results, types, strict=True):
        tensor = scope.tensors.get(name.name)
        if tensor is None:
            raise fail(f"nothing is named {name.name} here{near(name.name, scope.tensors)}", name.place)
        roots = [scope.root(axis) for axis in tensor.axes]
        if roots != [scope.root(axis) for axis in axes] or tensor.dtype != said.type.dtype:
            told = f"{tensor.dtype}[{','.join(tensor.axes)}]"
            raise fail(
                f"{name.name} is {told}, but {unit.name} promises {said.type.dtype}[{','.join(axes)}]; change one of them", name.place
            )
        results.append(ir.Result(said.name or name.name, tensor.name, tensor.dtype, tensor.axes))
    return tuple(results)


def _updates(made: _Unit) -> tuple[ir.Result, ...]:
    """An optimizer gives the new value of its first input and of every state."""
    if made.returned is not None or made.unit.results:
        raise fail("an optimizer returns nothing by name; it assigns new values to its first input and its states", made.unit.place)
    if not made.inputs:
        raise fail(f"optimizer {made.unit.name} needs the weight and its gradient as inputs", made.unit.place)
    results = []
    for one in (made.inputs[0], *made.states):
        now = made.scope.tensors[one.name]
        if now.name == one.name:
            raise fail(f"{one.name} gets no new value; write a line `{one.name}[{','.join(one.axes)}] = ...`", made.places[one.name])
        results.append(ir.Result(one.name, now.name, now.dtype, now.axes))
    return tuple(results)
