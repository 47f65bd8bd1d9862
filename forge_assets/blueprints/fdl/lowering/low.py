"""Whole-array operations with their layout, and the moves between layouts.

A `Low` is one operation on arrays; `axes` says which axis lies along which dimension, None a dimension of size 1 that broadcasts.
Broadcasting is by trailing dimensions, as in numpy: leading dimensions may be missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Axes = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Low:
    """`op` and `attr`:

    host         a number known before any array, `attr` the ir expression
    var          a tensor of the unit by name; param: a parameter in its logical axes, `attr` the ir.Parameter; stored: the same as it is
    stored position     positions along an axis, `attr` (axis, whether it covers all positions so far); count: 0 ... size-1 along `attr`
    index        basic indexing, `attr` one of ":", None, a number, (start Size, stop Size) or ("window", axis) a dimension
    permute      `attr` the order of dimensions;  split: `attr` (dimension, axes);  merge: `attr` (first, last dimension);  expand: to
    `axes` apply        elementwise, `attr` the function's name; like: the first input in the dtype of the second
    reduce       `attr` (function, dimensions);  einsum: `attr` the specification;  linear: inputs x, W with W[out, in]
    gather       inputs: array and index arrays, `attr` one of ":" or the number of an index array a dimension
    embedding    inputs indices, table;  stack: `attr` dimension;  cat: `attr` dimension
    rms_norm, layer_norm   inputs x and those of weight, bias there are; `attr` (axes normalised over, eps, whether weight, bias)
    silu, gelu, gelu_tanh  of one input;  attention: q, k, v and a mask if any; `attr` an Attention
    """

    op: str
    inputs: tuple[Low, ...]
    axes: Axes
    attr: Any = None
    data: bool = False  # depends on inputs or parameters, not on positions and sizes alone


@dataclass(frozen=True, slots=True)
class Attention:
    """`scale`: factors as ('mul' or 'div', ir expression); `causal`: only keys up to the query; grouped: fewer key heads than query
    heads."""

    scale: tuple[tuple[str, Any], ...]
    causal: bool
    grouped: bool


def host(value: Any) -> Low:
    return Low("host", (), (), value)


def low(op: str, inputs: Iterable[Low], axes: Iterable[str | None], attr: Any = None) -> Low:
    given = tuple(inputs)
    return Low(op, given, tuple(axes), attr, any(one.data for one in given))


def named(axes: Axes) -> tuple[str, ...]:
    return tuple(axis for axis in axes if axis is not None)


def squeezed(node: Low) -> Low:
    """Without the dimensions of size 1."""
    if None not in node.axes:
        return node
    return low("index", (node,), named(node.axes), tuple(0 if axis is None else ":" for axis in node.axes))


def permuted(node: Low, axes: Sequence[str]) -> Low:
    """The same array with its dimensions in the order of `axes`, which are all its axes."""
    if node.axes == tuple(axes):
        return node
    return low("permute", (node,), axes, tuple(node.axes.index(axis) for axis in axes))


def aligned(node: Low, target: Sequence[str | None]) -> Low:
    """Broadcastable against `target`: in its order, with dimensions of size 1 for what is missing after the first dimension there is."""
    if node.op == "host" or node.axes == tuple(target):
        return node
    node = squeezed(node)
    have = [axis for axis in target if axis in node.axes and axis is not None]
    node = permuted(node, have)
    if not have:
        return node
    wanted = list(target)[list(target).index(have[0]) :]
    if wanted == have:
        return node
    return low(
        "index", (node,), (axis if axis in have else None for axis in wanted), tuple(":" if axis in have else None for axis in wanted)
    )


def full(node: Low, target: Sequence[str]) -> Low:
    """Exactly `target`, expanded where an axis is missing."""
    if node.axes == tuple(target):
        return node
    if set(named(node.axes)) == set(target):
        return permuted(squeezed(node), target)
    return low("expand", (aligned(node, target),), target)


def ordered(axes: Iterable[str], hint: Sequence[str]) -> tuple[str, ...]:
    """The axes, those of the hint first and in its order."""
    given = list(dict.fromkeys(axes))
    return (*(axis for axis in hint if axis in given), *(axis for axis in given if axis not in hint))


def merged(node: Low, first: int, last: int) -> Low:
    """Dimensions first ... last as one, which is called by their names joined."""
    if last <= first:
        return node
    name = "*".join(str(axis) for axis in node.axes[first : last + 1])
    return low("merge", (node,), (*node.axes[:first], name, *node.axes[last + 1 :]), (first, last))


def split(node: Low, dim: int, axes: Sequence[str]) -> Low:
    """One dimension as several."""
    if len(axes) == 1:
        renamed = (*node.axes[:dim], axes[0], *node.axes[dim + 1 :])
        return node if renamed == node.axes else Low(node.op, node.inputs, renamed, node.attr, node.data)
    return low("split", (node,), (*node.axes[:dim], *axes, *node.axes[dim + 1 :]), (dim, tuple(axes)))
