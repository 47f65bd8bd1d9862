"""Types one expression of a unit: names are resolved, axes and dtypes worked out, and what does not fit is told with its place.

In: an expression's tree and the unit's `Scope`. Out: an expression of ir.py. Raises FdlError.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl import syntax as s
from forge_assets.blueprints.fdl.functions import FUNCTIONS, OPERATORS, REDUCTIONS, WrongDtype, dtype_of
from forge_assets.blueprints.fdl.sizes import LARGEST, MOST_FACTORS, MOST_TERMS, Size
from forge_resources.errors import FdlError


@dataclass(slots=True)
class Scope:
    """What an expression may name: tensors as they are now, constants, axes with their sizes."""

    tensors: dict[str, ir.Tensor]  # by the name in the text; the tensor's own name differs for what is assigned a second time
    constants: dict[str, int | float]
    sizes: dict[str, Size]  # of axes that types of the unit or axis lines name
    aliases: dict[str, str] = field(default_factory=dict)
    used: dict[str, s.Place] = field(default_factory=dict)  # index names and where they stand first
    needs: dict[str, int] = field(default_factory=dict)
    pieces: frozenset[str] = frozenset()
    others: dict[str, str] = field(default_factory=dict)  # what other names of the text are, for messages
    scan: tuple[str, tuple[str, ...], str] | None = None  # name, axes and scan axis of the definition being typed

    def root(self, axis: str) -> str:
        return self.aliases.get(axis, axis)


def fail(message: str, place: s.Place) -> FdlError:
    return FdlError(message, place.line, place.column)


def near(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """`; did you mean x?` where something is close."""
    found = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f"; did you mean {found[0]}?" if found else otherwise


def joined(*axes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(axis for some in axes for axis in some))


def typed(node: s.Expression, scope: Scope) -> ir.Expression:
    """The expression as a value. Raises FdlError."""
    if isinstance(node, s.Number):
        return ir.Number(node.value)
    if isinstance(node, s.Name):
        return _name(node, scope)
    if isinstance(node, s.Access):
        return _read(node, scope)
    if isinstance(node, s.Function):
        return _function(node, scope)
    if isinstance(node, s.Over):
        return _over(node, scope)
    if isinstance(node, s.Operation):
        return _operation(node, scope)
    raise fail("'..' stands only between the brackets of a tensor or of a reduction", node.place)


def _name(node: s.Name, scope: Scope) -> ir.Expression:
    if node.name in scope.constants:
        return ir.Constant(node.name, scope.constants[node.name])
    if node.name == "layer":
        return ir.Layer()
    if node.name in scope.tensors:
        tensor = scope.tensors[node.name]
        if tensor.axes:
            raise fail(f"{node.name} has the axes {','.join(tensor.axes)}; write {node.name}[{','.join(tensor.axes)}]", node.place)
        return ir.Read(tensor.name, (), (), tensor.dtype)
    if scope.scan and node.name == scope.scan[0]:
        raise _self_reference(node.name, scope, node.place)
    if node.name in scope.sizes or node.name in scope.used:
        raise fail(f"{node.name} is an axis and not a value; write pos({node.name}) for the position or size({node.name})", node.place)
    raise _unknown(node.name, scope, node.place)


def _unknown(name: str, scope: Scope, place: s.Place) -> FdlError:
    if name in scope.others:
        return fail(f"{name} is {scope.others[name]} and cannot stand here", place)
    known = [*scope.tensors, *scope.constants]
    return fail(f"nothing is named {name} here{near(name, known, '; define it in a line above')}", place)


def _self_reference(name: str, scope: Scope, place: s.Place) -> FdlError:
    return fail(f"{name} is used in its own definition; only scan[t](...) may read it, one step back, such as {name}[b,t - 1]", place)


def _read(node: s.Access, scope: Scope) -> ir.Expression:
    if scope.scan and node.name == scope.scan[0]:
        return _previous(node, scope)
    tensor = scope.tensors.get(node.name)
    if tensor is None:
        if node.name in REDUCTIONS:
            raise fail(f"{node.name}[...] needs what it works on in brackets, such as {node.name}[d](x[b,t,d])", node.place)
        raise _unknown(node.name, scope, node.place)
    if len(node.indices) != len(tensor.axes):
        told = f"{node.name}[{','.join(tensor.axes)}]" if tensor.axes else node.name
        message = f"{node.name} has {len(tensor.axes)} axes, {told}, and is read with {len(node.indices)}; give one index for each axis"
        raise fail(message, node.place)
    found: list[ir.Index] = []
    for one, axis in zip(node.indices, tensor.axes, strict=True):
        index = _index(one, axis, tensor, scope)
        found.append(ir.Computed(ir.Position(index.axis)) if isinstance(index, ir.Plain) and index in found else index)  # a diagonal
    return ir.Read(tensor.name, tuple(found), joined(*map(_axes_of, found)), tensor.dtype)


def _axes_of(index: ir.Index) -> tuple[str, ...]:
    if isinstance(index, ir.Plain):
        return (index.axis,)
    return index.value.axes if isinstance(index, ir.Computed) else ()


def _index(node: s.Expression, axis: str, tensor: ir.Tensor, scope: Scope) -> ir.Index:
    """One index of a tensor, against the axis it stands for."""
    if isinstance(node, s.Number):
        return _fixed(node, axis, tensor, scope)
    if isinstance(node, s.Name) and node.name not in scope.constants and not _is_scalar(node.name, scope):
        _same_axis(node, axis, tensor, scope)
        scope.used.setdefault(node.name, node.place)
        return ir.Plain(node.name)
    value = typed(_positions(node, scope), scope)
    if value.dtype != "i64":
        raise fail(f"index {axis} of {tensor.name} is computed and has to be whole (i64), found {value.dtype}; use int(...)", node.place)
    if isinstance(value, ir.Number) and value.value < 0:
        told = f"index {value.value} lies outside axis {axis} of {tensor.name}, whose entries begin at 0"
        raise fail(f"{told}; the last one is size({axis}) - 1", node.place)
    return ir.Computed(value)


def _is_scalar(name: str, scope: Scope) -> bool:
    return name == "layer" or (name in scope.tensors and not scope.tensors[name].axes and name not in scope.sizes)


def _positions(node: s.Expression, scope: Scope) -> s.Expression:
    """In a computed index the name of an axis is the position along it."""
    if isinstance(node, s.Name):
        known = node.name in scope.constants or _is_scalar(node.name, scope)
        return node if known else s.Function("pos", (node,), (), None, node.place)
    if isinstance(node, s.Operation):
        return s.Operation(node.operator, tuple(_positions(one, scope) for one in node.operands), node.place)
    if isinstance(node, s.Function) and node.name not in ("pos", "size"):
        return s.Function(node.name, tuple(_positions(one, scope) for one in node.arguments), node.keywords, node.prefix, node.place)
    return node


def _fixed(node: s.Number, axis: str, tensor: ir.Tensor, scope: Scope) -> ir.Fixed:
    if not isinstance(node.value, int):
        raise fail(f"index {axis} of {tensor.name} has to be whole, found {node.text}", node.place)
    size = scope.sizes.get(scope.root(axis))
    if size is not None and size.constant is not None and node.value >= size.constant:
        message = (
            f"index {node.value} lies outside axis {axis} of {tensor.name}, which has {size.constant} entries, 0 to {size.constant - 1}"
        )
        raise fail(message, node.place)
    scope.needs[axis] = max(scope.needs.get(axis, 0), node.value + 1)
    return ir.Fixed(node.value)


def _same_axis(node: s.Name, axis: str, tensor: ir.Tensor, scope: Scope) -> None:
    """The index names the tensor's axis, or a second name of it; a name that no type knows becomes one."""
    name, wanted = scope.root(node.name), scope.root(axis)
    if name == wanted:
        return
    if wanted in scope.sizes and name in scope.sizes and scope.sizes[name] == scope.sizes[wanted]:
        return
    if name not in scope.sizes:
        scope.aliases[name] = wanted
        for other, root in list(scope.aliases.items()):
            if root == name:
                scope.aliases[other] = wanted
        return
    if wanted not in scope.sizes:  # the tensor's own axis was only a second name so far
        scope.aliases[wanted] = name
        return
    right = f"{tensor.name}[{','.join(tensor.axes)}]"
    second = f" ({node.name} runs over {name} here)" if name != node.name else ""
    message = f"axis {axis} of {right} is read with index {node.name}{second}, which is another axis"
    raise fail(f"{message}; write {axis} there, or declare `axis {node.name} = {axis}`", node.place)


def _previous(node: s.Access, scope: Scope) -> ir.Previous:
    assert scope.scan is not None
    name, axes, along = scope.scan
    if not along or len(node.indices) != len(axes):
        raise _self_reference(name, scope, node.place)
    rest: list[ir.Index] = []
    for one, axis in zip(node.indices, axes, strict=True):
        if axis == along:
            back = isinstance(one, s.Operation) and one.operator == "-" and len(one.operands) == 2
            parts = one.operands if isinstance(one, s.Operation) else ()
            if not (
                back and isinstance(parts[0], s.Name) and parts[0].name == along and isinstance(parts[1], s.Number) and parts[1].value == 1
            ):
                raise fail(f"scan[{along}] reads {name} one step back only; write {along} - 1 for its index {along}", node.place)
        else:
            if not isinstance(one, s.Name) or one.name != axis:
                raise fail(
                    f"scan[{along}] reads {name} with the indices it is defined with; write {axis} here", getattr(one, "place", node.place)
                )
            rest.append(ir.Plain(axis))
    return ir.Previous(tuple(rest), joined(*map(_axes_of, rest)), "f32")


def _function(node: s.Function, scope: Scope) -> ir.Expression:
    if node.name in ("pos", "size"):
        return _axis_function(node, scope)
    if node.name not in FUNCTIONS:
        if node.name in REDUCTIONS or node.name in ("cat", "scan"):
            raise fail(f"{node.name} needs the axes it runs over, such as {node.name}[d](...)", node.place)
        if node.name in scope.tensors:
            axes = ",".join(scope.tensors[node.name].axes)
            raise fail(f"{node.name} is a tensor; it is read with square brackets, {node.name}[{axes}]", node.place)
        if node.name in scope.others:
            raise fail(f"{node.name} is {scope.others[node.name]}; only a piece can be called, so make it a piece", node.place)
        hint = near(node.name, [*FUNCTIONS, *scope.pieces, "pos", "size"])
        raise fail(f"there is no function and no piece {node.name}{hint}", node.place)
    if node.keywords or node.prefix is not None:
        raise fail(f"{node.name} is a function of the language and takes neither keywords nor a prefix", node.place)
    wanted = FUNCTIONS[node.name]
    if len(node.arguments) != wanted:
        hint = f"; the {node.name} over an axis is written {node.name}[d](...)" if node.name in REDUCTIONS else ""
        raise fail(f"{node.name} takes {wanted} argument{'s' * (wanted > 1)}, found {len(node.arguments)}{hint}", node.place)
    return _apply(node.name, node.name, node.arguments, node.place, scope)


def _axis_function(node: s.Function, scope: Scope) -> ir.Expression:
    if len(node.arguments) != 1 or not isinstance(node.arguments[0], s.Name):
        raise fail(f"{node.name} takes the name of one axis, such as {node.name}(t)", node.place)
    axis = node.arguments[0]
    if axis.name not in scope.sizes and axis.name in scope.tensors:
        raise fail(f"{axis.name} is a tensor; {node.name} takes an axis{near(axis.name, scope.sizes)}", axis.place)
    scope.used.setdefault(axis.name, axis.place)
    return ir.Position(axis.name) if node.name == "pos" else ir.SizeOf(axis.name)


def _apply(function: str, spelled: str, arguments: tuple[s.Expression, ...], place: s.Place, scope: Scope) -> ir.Apply:
    values = tuple(typed(one, scope) for one in arguments)
    try:
        dtype = dtype_of(function, [one.dtype for one in values])
    except WrongDtype as wrong:
        raise fail(wrong.hint.replace(f"'{function}'", f"'{spelled}'"), place) from None
    return ir.Apply(function, values, joined(*(one.axes for one in values)), dtype)


def _operation(node: s.Operation, scope: Scope) -> ir.Expression:
    if len(node.operands) == 1 and node.operator == "+":
        return typed(node.operands[0], scope)
    if len(node.operands) == 1 and node.operator == "-":
        inner = node.operands[0]
        if isinstance(inner, s.Number):
            return ir.Number(-inner.value)
        return _apply("neg", "-", node.operands, node.place, scope)
    made = _apply(OPERATORS[node.operator], node.operator, node.operands, node.place, scope)
    divisor = made.arguments[-1] if isinstance(made, ir.Apply) and node.operator in ("/", "//", "%") else None
    if isinstance(divisor, ir.Number | ir.Constant) and divisor.value == 0:
        told = f"{divisor.name}, which is 0" if isinstance(divisor, ir.Constant) else "0"
        raise fail(f"{node.operator!r} divides by {told}; back-ends give different results there, so use another number", node.place)
    return made


def _over(node: s.Over, scope: Scope) -> ir.Expression:
    if node.name == "cat":
        return _cat(node, scope)
    if node.name == "scan":
        raise fail(
            "scan stands alone on the right side of a definition, such as S[b,t] = scan[t](a[b,t] * S[b,t - 1] + x[b,t])", node.place
        )
    if node.name not in REDUCTIONS:
        raise fail(f"there is no reduction {node.name}{near(node.name, (*REDUCTIONS, 'cat', 'scan'))}", node.place)
    axes = axis_names(node)
    if node.parts or len(node.arguments) != 1:
        raise fail(f"{node.name}[{','.join(axes)}](...) works on one expression, found {len(node.arguments)}", node.place)
    body = typed(node.arguments[0], scope)
    for axis in axes:
        if axis not in body.axes:
            there = ", ".join(body.axes) or "none"
            message = f"{node.name} runs over axis {axis}, which its expression does not have (it has {there}){near(axis, body.axes)}"
            raise fail(message, node.place)
    if body.dtype == "bool":
        raise fail(f"{node.name} works on numbers, not on a condition (bool); write where(condition, 1.0, 0.0)", node.place)
    if node.name == "cumsum" and len(axes) != 1:
        raise fail("cumsum runs over exactly one axis", node.place)
    left = body.axes if node.name in ir.KEEPING else tuple(axis for axis in body.axes if axis not in axes)
    dtype = "i64" if node.name == "rank" else "f32" if node.name in ("mean", "softmax", "logsumexp") else body.dtype
    return ir.Reduce(node.name, axes, body, left, dtype)


def axis_names(node: s.Over) -> tuple[str, ...]:
    names: list[str] = []
    for one in node.axes:
        if not isinstance(one, s.Name):
            raise fail(f"{node.name} takes names of axes in its square brackets, such as {node.name}[d](...)", node.place)
        if one.name in names:
            raise fail(f"axis {one.name} stands twice in {node.name}[{','.join(names)},{one.name}]", one.place)
        names.append(one.name)
    if not names:
        raise fail(f"{node.name} needs at least one axis in its square brackets", node.place)
    return tuple(names)


def _cat(node: s.Over, scope: Scope) -> ir.Expression:
    axes = axis_names(node)
    if len(axes) != 1 or len(node.parts) != len(node.arguments) or not node.parts:
        raise fail("cat names one axis and an axis for each part: cat[k: p, n](x[b,p], y[b,n])", node.place)
    axis = axes[0]
    if axis not in scope.sizes:
        total = " + ".join(part.name for part in node.parts)
        raise fail(f"the size of axis {axis} is not known; declare `axis {axis} = {total}` above", node.place)
    scope.used.setdefault(axis, node.place)
    parts, dtypes, total_size = [], [], Size.of(0)
    for part, argument in zip(node.parts, node.arguments, strict=True):
        value = typed(argument, scope)
        if part.name not in value.axes:
            raise fail(f"the part of cat has no axis {part.name} (it has {', '.join(value.axes) or 'none'})", part.place)
        if axis in value.axes:
            raise fail(f"a part of cat already has the axis {axis} that cat makes", part.place)
        size = scope.sizes.get(scope.root(part.name))
        if size is None:
            raise fail(f"the size of axis {part.name} is not known{near(part.name, scope.sizes)}", part.place)
        total_size += size
        parts.append((part.name, value))
        dtypes.append(value.dtype)
    if total_size != scope.sizes[axis]:
        total = total_size.text()
        message = f"the parts have {total} entries together, axis {axis} has {scope.sizes[axis].text()}"
        raise fail(f"{message}; declare `axis {axis} = {total}`", node.place)
    rest = joined(*([one for one in value.axes if one != part] for part, value in parts))
    return ir.Cat(axis, tuple(parts), (*rest, axis), "f32" if "f32" in dtypes else dtypes[0])


def polynomial(node: s.Expression, size_of: Callable[[str, s.Place], Size] | None = None) -> Size:
    """A size from an expression of names and whole numbers with +, - and *. Raises FdlError."""
    if isinstance(node, s.Number) and isinstance(node.value, int):
        if node.value > LARGEST:
            raise fail(f"a size is at most {LARGEST:,}, found {node.text}", node.place)
        return Size.of(node.value)
    if isinstance(node, s.Name):
        return size_of(node.name, node.place) if size_of else Size.of(node.name)
    if isinstance(node, s.Operation) and node.operator in ("+", "-", "*") and len(node.operands) == 2:
        left, right = (polynomial(one, size_of) for one in node.operands)
        made = left + right if node.operator == "+" else left - right if node.operator == "-" else left * right
        if made.too_large:
            told = f"a size is at most {LARGEST:,}, and has at most {MOST_TERMS} terms of {MOST_FACTORS} factors when multiplied out"
            raise fail(f"{told}; this one is larger", node.place)
        return made
    raise fail("a size is made of names of axes and whole numbers with +, - and *, such as 2*j + m", node.place)
