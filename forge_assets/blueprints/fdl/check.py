"""The typed checker: the tree of a text becomes a Program of ir.py, or the first thing that does not fit is told with line, column and
axis.

parse.py -> inline.py (calls of pieces) -> a unit at a time here, its expressions in expressions.py -> compose.py (models).
"""

from __future__ import annotations

import keyword
import math
import operator
from collections.abc import Mapping
from dataclasses import replace

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl import syntax as s
from forge_assets.blueprints.fdl.compose import composed
from forge_assets.blueprints.fdl.expressions import Scope, axis_names, fail, near, polynomial, typed
from forge_assets.blueprints.fdl.functions import FUNCTIONS, REDUCTIONS
from forge_assets.blueprints.fdl.inline import inlined, rewritten
from forge_assets.blueprints.fdl.parse import RESERVED, parse
from forge_assets.blueprints.fdl.sizes import Size
from forge_resources.errors import FdlError

BUILT_IN = frozenset({*FUNCTIONS, *REDUCTIONS, "pos", "size", "cat", "scan", "layer"})
INITS = {"normal": 0.02, "zeros": 0.0, "ones": 1.0, "constant": 0.0}
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
              "**": operator.pow}  # fmt: skip
FLAT = "n"  # the axis that `..` is in an optimizer, whose tensors are seen flat


def compiled(text: str, constants: Mapping[str, float] | None = None) -> ir.Program:
    """The checked program of a text; `constants` gives other values to constants, by name or by unit.name. Raises FdlError."""
    return check(with_constants(parse(text), constants or {}))


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


def check(text: s.Text) -> ir.Program:
    """Raises FdlError with line, column and a suggestion."""
    names: dict[str, str] = {}
    for item in text.items:
        kind = "axis" if isinstance(item, s.Axis) else item.kind if isinstance(item, s.Unit) else "model"
        spelled = f"axis {item.name}" if kind == "axis" else item.name
        if item.name in BUILT_IN:
            raise fail(f"{item.name} is a function of the language; give the {kind} another name", item.place)
        if spelled in names:
            raise fail(f"{item.name} is defined twice; the {kind} before it has the same name, rename one", item.place)
        names[spelled] = kind
    axes = _axes([one for one in text.items if isinstance(one, s.Axis)])
    pieces = {one.name: one for one in text.items if isinstance(one, s.Unit) and one.kind == "piece"}
    others = {one.name: f"a {one.kind if isinstance(one, s.Unit) else 'model'}" for one in text.items if not isinstance(one, s.Axis)}
    units: dict[str, ir.Unit] = {}
    needs: dict[str, int] = {}
    for unit in (one for one in text.items if isinstance(one, s.Unit)):
        if unit.kind == "piece" and len(unit.results) != 1:
            raise fail(f"piece {unit.name} gives exactly one tensor; write `-> f32[...]` after its arguments", unit.place)
        made = _unit(inlined(unit, pieces), axes, pieces, others, needs, _sections(text))
        if unit.kind != "piece":
            own = tuple(line.name for line in unit.body if isinstance(line, s.Constant))
            units[unit.name] = replace(made, own_constants=own)
    known = dict(axes)
    for unit_ in units.values():
        for axis, size in unit_.axis_sizes.items():
            known.setdefault(axis, ir.Axis(axis, size, ""))
    models = composed([one for one in text.items if isinstance(one, s.Model)], units)
    return ir.Program(known, units, models, {axis: need for axis, need in needs.items() if axis in known})


def _axes(lines: list[s.Axis]) -> dict[str, ir.Axis]:
    declared = {one.name: one for one in lines}
    known: dict[str, ir.Axis] = {}

    def size_of(name: str, place: s.Place, above: tuple[str, ...]) -> Size:
        if name in above:
            raise fail(f"the size of axis {name} is made of itself ({' -> '.join((*above, name))})", place)
        line = declared.get(name)
        if line is None or line.size is None:
            return Size.of(name)
        return polynomial(line.size, lambda inner, at: size_of(inner, at, (*above, name)))

    for line in lines:
        if keyword.iskeyword(line.name):
            raise fail(f"axis {line.name} would be a word of Python in printed code; give it another name", line.place)
        size = size_of(line.name, line.place, ())
        if size.constant is not None and size.constant < 1:
            raise fail(f"axis {line.name} has the size {size.constant}; a size is at least 1", line.place)
        known[line.name] = ir.Axis(line.name, size, line.description)
    return known


def _sections(text: s.Text) -> dict[int, str]:
    """Each line's section: the nearest comment above it that has a line of its own, inside the same unit."""
    starts = {one.place.line for one in text.items}
    alone = {line: said for line, (column, said) in text.comments.items() if column > 1}
    sections, current = {}, ""
    last = max([0, *starts, *alone, *(st.place.line for one in text.items if isinstance(one, s.Unit) for st in one.body)])
    code = {st.place.line for one in text.items if isinstance(one, s.Unit) for st in one.body}
    for line in range(1, last + 1):
        if line in starts:
            current = ""
        if line in alone and line not in code:
            current = alone[line].lstrip("# ").rstrip()
        sections[line] = current
    return sections


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


def _unit(
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
        made.scope.constants[statement.name] = _constant(statement.value, made.scope)
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
    if not statement.stored.strip() or any(letter.isspace() for letter in statement.stored):
        raise fail(f'parameter {statement.name} is stored under "{statement.stored}"; a name without spaces is needed', statement.place)
    made.tensor(statement.name, statement.type, statement.place)
    groups = made.groups(statement.type)
    many = sum(map(len, groups)) > 1
    name, value = statement.init or ("normal" if many else "ones" if statement.stored.endswith("weight") else "zeros", None)
    if name not in INITS:
        raise fail(f"there is no init {name}{near(name, INITS)}; the inits are {', '.join(INITS)}", statement.place)
    if statement.type.dtype != "f32":
        raise fail(f"parameter {statement.name} is {statement.type.dtype}; parameters are f32", statement.type.place)
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
    for axis in axes:
        scope.used.setdefault(axis, statement.place)
    own = name
    if again:
        if scope.tensors[name].axes != axes:
            raise fail(f"{name} keeps its axes {','.join(scope.tensors[name].axes)}; found {','.join(axes)}", statement.place)
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


def _constant(node: s.Expression, scope: Scope) -> int | float:
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
            return _worked_out(node.operator, [_constant(one, scope) for one in node.operands])
        if isinstance(node, s.Function) and node.name in ("exp", "log", "sqrt", "sin", "cos", "tan", "floor", "ceil", "max", "min"):
            values = [_constant(one, scope) for one in node.arguments]
            function = {"max": max, "min": min}.get(node.name) or getattr(math, node.name)
            return float(function(*values))
    except (ArithmeticError, ValueError, TypeError) as error:
        raise fail(f"the constant cannot be worked out: {error}", node.place) from None
    raise fail("a constant is made of numbers, constants above it, + - * / ** and functions such as sqrt", node.place)


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
