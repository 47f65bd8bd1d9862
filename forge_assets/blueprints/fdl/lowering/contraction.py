"""Sums of products: a linear layer where a parameter meets the last axes of an array, else an einsum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.lowering.low import Low, low, merged, named, ordered, permuted, split, squeezed
from forge_assets.blueprints.fdl.lowering.patterns import Found, Part, recognised
from forge_assets.blueprints.fdl.lowering.products import Factor, factors

if TYPE_CHECKING:
    from forge_assets.blueprints.fdl.lowering.lower import Lowering

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def axes_of(part: Part) -> tuple[str, ...]:
    return part.axes if isinstance(part, Found) else part.value.axes


def contracted(node: ir.Reduce, hint: Sequence[str], at: Lowering) -> Low | None:
    """None where the body is no product of arrays that differ in their axes."""
    parts = recognised(factors(node.body), at.look)
    over = set(node.over)
    inner = [one for one in parts if set(axes_of(one)) & over]
    outer = [one for one in parts if not set(axes_of(one)) & over]
    groups = _grouped(inner, over)
    if len(groups) < 2 or any(isinstance(one[0], Factor) and one[0].below for one in groups):
        return None
    result = _linear(node, groups, hint, at) or _einsum(node, groups, hint, at)
    return at.product([*_signs(outer), result, *_rest(outer)], hint) if outer else result


def _signs(outer: list[Part]) -> list[Part]:
    return [one for one in outer if isinstance(one, Factor) and one.value == ir.Number(-1.0)]


def _rest(outer: list[Part]) -> list[Part]:
    return [one for one in outer if not (isinstance(one, Factor) and one.value == ir.Number(-1.0))]


def _grouped(parts: list[Part], over: set[str]) -> list[list[Part]]:
    """Factors that are multiplied elementwise, because one has the axes of the other, in groups that are contracted."""
    groups: list[tuple[set[str], list[Part]]] = []
    for part in sorted(parts, key=lambda one: isinstance(one, Factor) and one.below):
        axes = set(axes_of(part))
        home = next((one for one in groups if axes <= one[0] or one[0] <= axes), None)
        if home is None:
            groups.append((axes, [part]))
        else:
            home[0].update(axes)
            home[1].append(part)
    found = [group for _, group in groups]
    if len(found) == 1 and len(found[0]) > 1:  # x[e] * y[e,d] over e is a product of matrices too
        small = [one for one in found[0] if over <= set(axes_of(one)) < groups[0][0] and not (isinstance(one, Factor) and one.below)]
        large = [one for one in found[0] if one not in small]
        if (
            small
            and large
            and not (isinstance(large[0], Factor) and large[0].below)
            and groups[0][0] == {a for one in large for a in axes_of(one)}
        ):
            return [small, large]
    return found


def _parameter(group: list[Part], at: Lowering) -> ir.Read | None:
    only = group[0]
    if len(group) != 1 or not isinstance(only, Factor) or not isinstance(only.value, ir.Read):
        return None
    read = only.value
    simple = all(isinstance(one, ir.Plain | ir.Fixed) for one in read.index)
    return read if simple and isinstance(at.tensors[read.tensor], ir.Parameter) else None


def _linear(node: ir.Reduce, groups: list[list[Part]], hint: Sequence[str], at: Lowering) -> Low | None:
    if len(groups) != 2:
        return None
    for data, weight in (groups, groups[::-1]):
        read = _parameter(weight, at)
        given = dict.fromkeys(axis for one in data for axis in axes_of(one))
        if read is None or set(node.over) - set(read.axes) or set(node.over) - set(given) or (set(given) & set(read.axes)) - set(node.over):
            continue
        outs = [axis for axis in read.axes if axis not in node.over]
        overs = [axis for axis in read.axes if axis in node.over]
        flat = _matrix(read, outs, overs, at)
        if not outs or flat is None:
            continue
        rest = ordered((axis for axis in given if axis not in node.over), hint)
        x = squeezed(at.product(data, (*rest, *overs)))
        x = merged(permuted(x, (*rest, *overs)), len(rest), len(rest) + len(overs) - 1)
        made = low("linear", (x, flat), (*rest, "*".join(outs)))
        return split(made, len(rest), outs)
    return None


def _matrix(read: ir.Read, outs: list[str], overs: list[str], at: Lowering) -> Low | None:
    """The parameter as W[out, in]; None where its axes are interleaved."""
    parameter = at.tensors[read.tensor]
    assert isinstance(parameter, ir.Parameter)
    order = [one.axis for one in read.index if isinstance(one, ir.Plain)]
    if order not in ([*outs, *overs], [*overs, *outs]):
        return None
    turned = order != [*outs, *overs]
    first, second = (overs, outs) if turned else (outs, overs)
    if all(isinstance(one, ir.Plain) for one in read.index) and [len(one) for one in parameter.groups] == [len(first), len(second)]:
        matrix = Low("stored", (), ("*".join(first), "*".join(second)), parameter, True)
    else:
        matrix = at.value(read, order)
        matrix = merged(merged(matrix, len(first), len(order) - 1), 0, len(first) - 1)
    return low("permute", (matrix,), matrix.axes[::-1], (1, 0)) if turned else matrix


def _einsum(node: ir.Reduce, groups: list[list[Part]], hint: Sequence[str], at: Lowering) -> Low:
    operands = [squeezed(at.product(group, (*hint, *node.over))) for group in groups]
    axes = list(dict.fromkeys(axis for one in operands for axis in named(one.axes)))
    result = ordered((axis for axis in axes if axis not in node.over), hint)
    letter = dict(zip(axes, LETTERS, strict=False))
    left = ",".join("".join(letter[axis] for axis in named(one.axes)) for one in operands)
    return low("einsum", operands, result, f"{left}->{''.join(letter[axis] for axis in result)}")
