"""What a text means, written down the slow way: an interpreter of the IR over numpy arrays, to which tests hold the back-ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir

Env = dict[str, Any]
FUNCTIONS: dict[str, Any] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": lambda a, b: np.asarray(a, float) / b,
    "floordiv": np.floor_divide,
    "mod": np.mod,
    "pow": lambda a, b: np.asarray(a, float) ** b,
    "neg": np.negative,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "abs": np.abs,
    "relu": lambda x: np.maximum(x, 0),
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "stop": lambda x: x,
    "where": np.where,
    "max": np.maximum,
    "min": np.minimum,
    "float": lambda x: np.asarray(x, float),
    "int": lambda x: np.asarray(x).astype(np.int64),
}


class Oracle:
    """One unit on given arrays, in double precision."""

    def __init__(self, unit: ir.Unit, sizes: dict[str, int], tensors: Env, layer: int = 0) -> None:
        self.unit, self.sizes, self.layer = unit, sizes, layer
        self.tensors = {name: np.asarray(one, float if np.asarray(one).dtype.kind == "f" else None) for name, one in tensors.items()}
        for one in unit.parameters:
            self.tensors[one.name] = self.tensors[one.name].reshape([self.size(axis) for axis in one.axes])

    def size(self, axis: str) -> int:
        return self.unit.size(axis).value(self.sizes)

    def results(self) -> list[Any]:
        for one in self.unit.definitions:
            self.tensors[one.name] = self.scan(one) if one.scan else self.full(one.value, one.axes, {})
        return [self.tensors[one.tensor] for one in self.unit.results]

    def scan(self, one: ir.Definition) -> Any:
        """Entry by entry along the scan axis; what lies before the start is 0."""
        assert one.scan is not None
        dim = one.axes.index(one.scan)
        state = np.zeros([self.size(axis) for axis in one.axes if axis != one.scan])
        found = []
        for at in range(self.size(one.scan)):
            state = self.full(one.value, tuple(axis for axis in one.axes if axis != one.scan), {one.scan: at, "": state})
            found.append(state)
        return np.stack(found, dim)

    def full(self, node: ir.Expression, axes: tuple[str, ...], fixed: Env) -> Any:
        """The expression for every point of the axes."""
        space = np.meshgrid(*(np.arange(self.size(axis)) for axis in axes), indexing="ij")
        value = self.at(node, fixed | dict(zip(axes, space, strict=True)))
        return np.broadcast_to(value, [self.size(axis) for axis in axes])

    def at(self, node: ir.Expression, where: Env) -> Any:
        """The value at points: `where` gives the index of each axis, arrays of one shape."""
        if isinstance(node, ir.Number | ir.Constant):
            return node.value
        if isinstance(node, ir.SizeOf):
            return self.size(node.axis)
        if isinstance(node, ir.Position):
            return where[node.axis]
        if isinstance(node, ir.Layer):
            return self.layer
        if isinstance(node, ir.Previous):
            return where[""][tuple(where[one.axis] for one in node.index if isinstance(one, ir.Plain))]
        if isinstance(node, ir.Read):
            return self.read(node, where)
        if isinstance(node, ir.Cat):
            return self.cat(node, where)
        if isinstance(node, ir.Reduce):
            return self.reduce(node, where)
        return self.apply(node, where)

    def apply(self, node: ir.Apply, where: Env) -> Any:
        given = [self.at(one, where) for one in node.arguments]
        if node.function == "erf":
            from scipy.special import erf

            return erf(given[0])
        with np.errstate(all="ignore"):
            return FUNCTIONS[node.function](*given)

    def read(self, node: ir.Read, where: Env) -> Any:
        tensor = self.tensors[node.tensor]
        index, inside = [], np.asarray(True)
        for one, length in zip(node.index, tensor.shape, strict=True):
            at = where[one.axis] if isinstance(one, ir.Plain) else one.number if isinstance(one, ir.Fixed) else self.at(one.value, where)
            inside = inside & (np.asarray(at) >= 0) & (np.asarray(at) < length)
            index.append(np.clip(at, 0, length - 1))
        return np.where(inside, tensor[tuple(index)], 0)

    def cat(self, node: ir.Cat, where: Env) -> Any:
        at, found, start = where[node.axis], None, 0
        for axis, part in node.parts:
            length = self.size(axis)
            value = self.at(part, where | {axis: np.clip(at - start, 0, length - 1)})
            found = value if found is None else np.where(at >= start, value, found)
            start += length
        return found

    def reduce(self, node: ir.Reduce, where: Env) -> Any:
        """Over all entries of the axes, for each point."""
        rest = {axis: np.asarray(one)[..., None] for axis, one in where.items() if axis and axis not in node.over}
        rest |= {"": where[""]} if "" in where else {}
        sizes = [self.size(axis) for axis in node.over]
        entries = np.unravel_index(np.arange(int(np.prod(sizes))), sizes)
        body = np.asarray(self.at(node.body, rest | dict(zip(node.over, entries, strict=True))))
        if body.ndim == 0 or body.shape[-1] != len(entries[0]):
            body = np.broadcast_to(body, (*body.shape[:-1], len(entries[0])))
        simple = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min}
        if node.function in simple:
            return simple[node.function](body, axis=-1)
        top = body.max(-1, keepdims=True)
        if node.function == "logsumexp":
            return np.log(np.exp(body - top).sum(-1)) + top[..., 0]
        own = np.asarray(np.ravel_multi_index(tuple(np.asarray(where[axis]) for axis in node.over), sizes))
        if node.function == "softmax":
            body = np.exp(body - top) / np.exp(body - top).sum(-1, keepdims=True)
        elif node.function == "cumsum":
            body = body.cumsum(-1)
        else:
            order = np.argsort(-body, axis=-1, kind="stable")
            body = np.argsort(order, axis=-1, kind="stable")
        shape = np.broadcast_shapes(body.shape[:-1], own.shape)
        return np.take_along_axis(np.broadcast_to(body, (*shape, body.shape[-1])), np.broadcast_to(own, shape)[..., None], -1)[..., 0]
