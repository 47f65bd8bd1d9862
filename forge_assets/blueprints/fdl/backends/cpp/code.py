"""Expressions as C++: one scalar at one point of the loops around it."""

from __future__ import annotations

from dataclasses import dataclass, field

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.cpp.names import number, safe, size_text
from forge_assets.blueprints.fdl.backends.notation import LEVELS, SIGNS, level, needs_brackets
from forge_assets.blueprints.fdl.cache import Plan
from forge_assets.blueprints.fdl.lowering.affine import Affine, affine
from forge_assets.blueprints.fdl.sizes import Size

OF_STD = frozenset({"log", "log1p", "sin", "cos", "tan", "sqrt"})
REDUCTIONS = {"sum": "sum", "mean": "mean", "max": "greatest", "min": "least", "logsumexp": "logsumexp"}
HIGHEST_POWER = 8  # above it std::pow is as good


@dataclass(slots=True)
class Place:
    """Where an expression stands: its unit, the plan of its cache if it has one, and whether keys cover all positions so far."""

    unit: ir.Unit
    plan: Plan | None = None
    mixed: bool = False
    scan_of: str = ""
    dtypes: dict[str, str] = field(default_factory=dict)
    loop_names: dict[str, str] = field(default_factory=dict)

    def is_time(self, axis: str) -> bool:
        return self.plan is not None and self.unit.root(axis) == self.plan.time

    def covers_all(self, axis: str) -> bool:
        """The axis runs over all positions so far, not over the new ones alone."""
        return self.is_time(axis) and self.mixed and self.plan is not None and axis != self.plan.time

    def extent(self, axis: str) -> str:
        return "keys" if self.covers_all(axis) else size_text(self.unit.size(axis))

    def loop(self, axis: str) -> str:
        """The name of the loop's variable: the axis's own, where no tensor has it."""
        return self.loop_names.get(axis, safe(axis))

    def reads_all(self, node: ir.Read) -> bool:
        """Whether a read goes to the kept entries too."""
        if self.plan is None or node.tensor not in self.plan.kept:
            return False
        index = node.index[self.plan.kept[node.tensor]]
        return isinstance(index, ir.Computed) or (isinstance(index, ir.Plain) and self.covers_all(index.axis))

    def array(self, node: ir.Read) -> str:
        return safe(node.tensor + "_all" if self.reads_all(node) else node.tensor)


def expression(node: ir.Expression, at: Place) -> str:
    if isinstance(node, ir.Number):
        return number(node.value)
    if isinstance(node, ir.Constant):
        return safe(node.name)
    if isinstance(node, ir.SizeOf):
        return size_text(at.unit.size(node.axis))
    if isinstance(node, ir.Position):
        new_only = at.is_time(node.axis) and not at.covers_all(node.axis)
        return f"(past + {at.loop(node.axis)})" if new_only else at.loop(node.axis)
    if isinstance(node, ir.Layer):
        return "layer"
    if isinstance(node, ir.Read):
        return _read(node, at)
    if isinstance(node, ir.Previous):
        return element(safe(f"{at.scan_of}_before"), [_index(one, at) for one in node.index])
    if isinstance(node, ir.Reduce):
        return _reduction(node, at)
    assert isinstance(node, ir.Apply), "a cat has an array of its own"
    return _apply(node, at)


def element(array: str, indices: list[str]) -> str:
    return f"{array}({', '.join(indices)})" if indices else array


def _index(index: ir.Index, at: Place) -> str:
    if isinstance(index, ir.Plain):
        return at.loop(index.axis)
    return str(index.number) if isinstance(index, ir.Fixed) else expression(index.value, at)


def _read(node: ir.Read, at: Place) -> str:
    """Indices from data have to lie inside; those from positions read 0 outside, but a table of positions must be long enough."""
    tensor = at.unit.tensors.get(node.tensor)
    array, indices, may_be_outside = at.array(node), [], False
    for number_, one in enumerate(node.index):
        text = _index(one, at)
        if isinstance(one, ir.Computed) and tensor is not None:
            table = isinstance(tensor, ir.Parameter) and isinstance(one.value, ir.Position)
            if table or any(True for _ in ir.reads(one.value)):
                name = node.tensor if not isinstance(tensor, ir.Parameter) else tensor.stored
                text = f'checked({text}, {array}.size({number_}), "{name}")'
            elif not _surely_inside(one.value, tensor.axes[number_], at):
                may_be_outside = True
        indices.append(text)
    return f"{array}.inside({', '.join(indices)})" if may_be_outside else element(array, indices)


def _surely_inside(value: ir.Expression, axis: str, at: Place) -> bool:
    found = affine(value, at.unit)
    if found is None:
        return False
    if at.is_time(axis) or any(at.is_time(one) for one in found.steps):
        return found == Affine(Size.of(0), {axis: Size.of(1)})
    return found.inside(at.unit.size(axis), at.unit)


def _reduction(node: ir.Reduce, at: Place) -> str:
    text = expression(node.body, at)
    if node.function == "mean" and node.body.dtype == "i64":
        text = f"static_cast<float>({text})"
    for axis in reversed(node.over):
        text = f"{REDUCTIONS[node.function]}({at.extent(axis)}, [&](i64 {at.loop(axis)}) {{ return {text}; }})"
    return text


def _apply(node: ir.Apply, at: Place) -> str:
    function, texts = node.function, [expression(one, at) for one in node.arguments]
    if function == "pow":
        exponent = node.arguments[1]
        small = (
            isinstance(exponent, ir.Number | ir.Constant) and exponent.value == int(exponent.value) and 0 <= exponent.value <= HIGHEST_POWER
        )
        if small:
            return f"power<{int(exponent.value)}>({_of(node.dtype, node.arguments[0], texts[0])})"  # type: ignore[union-attr]
        return f"power({', '.join(_of(node.dtype, one, text) for one, text in zip(node.arguments, texts, strict=True))})"
    if function in ("floordiv", "mod"):
        return f"{function}({', '.join(_of(node.dtype, one, text) for one, text in zip(node.arguments, texts, strict=True))})"
    if function == "div":
        texts = [f"float({text})" if one.dtype == "i64" else text for one, text in zip(node.arguments, texts, strict=True)]
    if function in LEVELS:
        return _operator(node, texts)
    if function in ("float", "int"):
        return f"{'float' if function == 'float' else 'i64'}({texts[0]})"
    if function == "stop":
        return texts[0]
    if function in ("floor", "ceil"):
        return texts[0] if node.dtype == "i64" else f"std::{function}({texts[0]})"
    given = [_of(node.dtype, one, text) if place or function != "where" else text
             for place, (one, text) in enumerate(zip(node.arguments, texts, strict=True))]  # fmt: skip
    return f"{'std::' * (function in OF_STD)}{function}({', '.join(given)})"


def _operator(node: ir.Apply, texts: list[str]) -> str:
    texts = [
        f"({text})" if needs_brackets(node, place) and level(node.arguments[place]) < LEVELS["pow"] else text
        for place, text in enumerate(texts)
    ]
    if node.function == "neg":
        return f"-({texts[0]})" if texts[0].startswith("-") else f"-{texts[0]}"
    if node.function == "not":  # binds more strongly in C++
        return f"!({texts[0]})"
    sign = {"and": "&&", "or": "||"}.get(node.function, SIGNS.get(node.function, ""))
    return f" {sign} ".join(texts)


def _of(dtype: str, node: ir.Expression, text: str) -> str:
    """The argument in the dtype the function is computed in."""
    wanted = {"f32": "float", "i64": "i64"}.get(dtype)
    if wanted is None or (node.dtype == dtype and not isinstance(node, ir.Number | ir.SizeOf | ir.Constant)):
        return text
    return text if dtype == "f32" and node.dtype == "f32" else f"{wanted}({text})"
