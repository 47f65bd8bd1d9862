"""Reads of tensors as array operations: views, slices, flattened axes, embeddings, gathers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.lowering.affine import Affine, affine, flattened
from forge_assets.blueprints.fdl.lowering.low import Low, aligned, host, low, named, split
from forge_assets.blueprints.fdl.sizes import Size

if TYPE_CHECKING:
    from forge_assets.blueprints.fdl.lowering.lower import Lowering


def read(node: ir.Read, at: Lowering) -> Low:
    """The tensor with its axes named by the indices."""
    tensor = at.tensors[node.tensor]
    base = _base(tensor, node, at)
    if base.attr and isinstance(base.attr, tuple) and base.attr[1] == "step":  # one step of what was computed before the loop
        axes = [one.axis for one in node.index if isinstance(one, ir.Plain) and one.axis != at.step_of]
        return Low(base.op, (), tuple(axes), base.attr, base.data)
    if isinstance(tensor, ir.Parameter) and _is_embedding(node, at):
        return _embedding(node, base, at)
    found = [_walk(index, axis, tensor, at) for index, axis in zip(node.index, tensor.axes, strict=True)]
    plain = [one.axis for one in node.index if isinstance(one, ir.Plain)]
    walked = [axis for one in found if isinstance(one, _Walk) for axis in one.axes]
    if None not in found and len({*plain, *walked}) == len(plain) + len(walked):
        return _view(node, base, found, tensor)
    return _gather(node, base, at)


class _Walk:
    """A computed index that walks over part of a dimension: `axes` flattened, from `start` on; `window`: along the time axis."""

    def __init__(self, axes: tuple[str, ...], start: Size, length: Size, whole: bool, window: bool) -> None:
        self.axes, self.start, self.length, self.whole, self.window = axes, start, length, whole, window


def _base(tensor: ir.Tensor | ir.Parameter | ir.Definition, node: ir.Read, at: Lowering) -> Low:
    if isinstance(tensor, ir.Parameter):
        return Low("param", (), tensor.axes, tensor, True)
    if at.step_of is not None and tensor.name in at.step_tensors:
        axes = tuple(axis for axis in tensor.axes if at.unit.root(axis) != at.unit.root(at.step_of))
        return Low("var", (), axes, (tensor.name, "step"), True)
    return Low("var", (), tensor.axes, (tensor.name, "all" if at.reads_all(node) else ""), tensor.name not in at.tables)


def _walk(index: ir.Index, axis: str, tensor: ir.Tensor | ir.Parameter | ir.Definition, at: Lowering) -> _Walk | str | int | None:
    """How one index walks along its dimension; None where only a gather does it."""
    if isinstance(index, ir.Plain):
        return ":"
    if isinstance(index, ir.Fixed):
        return index.number
    found = affine(index.value, at.unit)
    if found is None:
        return None
    size = at.unit.size(axis)
    timed = at.time is not None and at.time in {at.unit.root(one) for one in (axis, *found.steps)}
    if timed or not found.inside(size, at.unit):
        parameter = isinstance(tensor, ir.Parameter)
        plain = len(found.steps) == 1 and found == Affine(Size.of(0), {next(iter(found.steps)): Size.of(1)})
        if parameter and plain:  # a table of positions; one that is too short is an error
            only = next(iter(found.steps))
            return _Walk((only,), Size.of(0), at.unit.size(only), False, True)
        return None
    axes = flattened(found, at.unit)
    if not axes:
        return None
    length = Size.of(1)
    for one in axes:
        length *= at.unit.size(one)
    return _Walk(axes, found.start, length, length == size, False)


def _view(node: ir.Read, base: Low, found: list[_Walk | str | int | None], tensor: ir.Tensor | ir.Parameter | ir.Definition) -> Low:
    """Basic indexing, then flattened axes taken apart."""
    selectors: list[object] = []
    axes: list[str | None] = []
    splits: list[tuple[str, ...]] = []
    for one, index in zip(found, node.index, strict=True):
        if isinstance(one, int):
            selectors.append(one)
            continue
        if isinstance(one, _Walk):
            selectors.append(("window", one.axes[0]) if one.window else ":" if one.whole else (one.start, one.start + one.length))
            splits.append(one.axes)
            axes.append("*".join(one.axes))
        else:
            assert isinstance(index, ir.Plain)
            selectors.append(":")
            splits.append((index.axis,))
            axes.append(index.axis)
    made = base
    if any(one != ":" for one in selectors):
        made = low("index", (base,), axes, tuple(selectors))
    else:
        made = Low(base.op, base.inputs, tuple(axes), base.attr, base.data)
    for dim in reversed(range(len(splits))):
        made = split(made, dim, splits[dim])
    return made


def _is_embedding(node: ir.Read, at: Lowering) -> bool:
    if not node.index:
        return False  # a single number
    first, *rest = node.index
    data = isinstance(first, ir.Computed) and affine(first.value, at.unit) is None and any(True for _ in ir.reads(first.value))
    return data and len(rest) == 1 and isinstance(rest[0], ir.Plain) and rest[0].axis not in first.value.axes  # type: ignore[union-attr]


def _embedding(node: ir.Read, base: Low, at: Lowering) -> Low:
    first, last = node.index
    assert isinstance(first, ir.Computed) and isinstance(last, ir.Plain)
    ids = at.value(first.value, first.value.axes)
    return low("embedding", (ids, base), (*named(ids.axes), last.axis))


def _gather(node: ir.Read, base: Low, at: Lowering) -> Low:
    """Index arrays for every dimension that is not a trailing plain one; reads outside the axis give 0 where that can happen."""
    computed = {axis for one in node.index if isinstance(one, ir.Computed) for axis in one.value.axes}
    tail = len(node.index)
    while tail and isinstance(node.index[tail - 1], ir.Plain) and node.index[tail - 1].axis not in computed:  # type: ignore[union-attr]
        tail -= 1
    trailing = [one.axis for one in node.index[tail:] if isinstance(one, ir.Plain)]
    front = tuple(dict.fromkeys(axis for one in node.index[:tail] for axis in _axes(one)))
    arrays: list[Low] = []
    how: list[object] = []
    outside: list[Low] = []
    tensor = at.tensors[node.tensor]
    for one, axis in zip(node.index[:tail], tensor.axes, strict=False):
        if isinstance(one, ir.Fixed):
            how.append(("fixed", one.number))
            continue
        if isinstance(one, ir.Plain):
            array = Low("count", (), (one.axis,), (node.tensor, *_length(tensor, axis)))
        else:
            array = at.value(one.value, front)
            array, masks = _bounded(array, one.value, axis, base, at)
            outside += masks
        how.append(("array", len(arrays)))
        arrays.append(aligned(array, front))
    gathered = low("gather", (base, *arrays), (*front, *trailing), (*how, *(":" for _ in trailing)))
    for mask in outside:
        zero = host(ir.Number(0.0 if node.dtype == "f32" else 0))
        gathered = low("apply", (aligned(mask, gathered.axes), gathered, zero), gathered.axes, "where")
    return gathered


def _axes(index: ir.Index) -> tuple[str, ...]:
    return (index.axis,) if isinstance(index, ir.Plain) else index.value.axes if isinstance(index, ir.Computed) else ()


def _bounded(array: Low, value: ir.Expression, axis: str, base: Low, at: Lowering) -> tuple[Low, list[Low]]:
    """The index kept inside the axis, and where it was inside; from data it has to be inside already."""
    if any(not isinstance(at.tensors[one.tensor], ir.Parameter) and one.tensor not in at.tables for one in ir.reads(value)):
        return array, []
    found = affine(value, at.unit)
    timed = at.time is not None and at.time == at.unit.root(axis)
    if found is not None and not timed and found.inside(at.unit.size(axis), at.unit):
        return array, []
    length = _length(at.tensors[base.attr.name if base.op == "param" else base.attr[0]], axis)
    bounded = low("clip", (array, base), array.axes, length)
    return bounded, [low("within", (array, base), array.axes, length)]


def _length(tensor: ir.Tensor | ir.Parameter | ir.Definition, axis: str) -> tuple[int, str | None]:
    """The dimension whose length counts, or the axis where its size is known to the module, as that of a parameter is."""
    return tensor.axes.index(axis), axis if isinstance(tensor, ir.Parameter) else None
