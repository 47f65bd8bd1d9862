"""Derives the incremental step: which tensors of a unit are kept, so that computing only new positions gives what the full forward gives.

In: a checked unit and its time axis (t of `ids: i64[b,t]`). Out: a `Plan`, or an FdlError that says what looks into the future.

A step sees T new positions after `past` known ones. Everything indexed by the time axis is computed for the new positions. An expression
that
also runs over a second name of the time axis (s) is mixed: its s covers all positions so far, so what it reads by s is kept. Definitions
by s alone are the key side and are computed for new positions like the rest. A scan keeps its last value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.syntax import Place
from forge_resources.errors import FdlError

MASKED = -1e4  # what is this far below other scores is no score


@dataclass(frozen=True, slots=True)
class Plan:
    """`kept`: tensor -> number of the axis along which new entries are appended; `scans`: definitions whose last value is kept, without
    the time axis; `mixed`: definitions whose key axis covers all positions so far."""

    time: str
    kept: dict[str, int]
    scans: tuple[str, ...]
    mixed: frozenset[str]

    @property
    def empty(self) -> bool:
        return not self.kept and not self.scans


def time_axis(program: ir.Program, model: ir.Model) -> str | None:
    """The axis along which a model's input grows: the last one of its first input."""
    axes = model.inputs[0].axes if model.inputs else ()
    return axes[-1] if len(axes) > 1 else None


def plan(unit: ir.Unit, time: str) -> Plan:
    """Raises FdlError where the step cannot be derived, with the line that is to blame."""
    kept: dict[str, int] = {}
    mixed: set[str] = set()
    scans = [one.name for one in unit.definitions if one.scan is not None and unit.root(one.scan) == time]
    tensors = unit.tensors
    causal = _Causality(unit, time)
    for one in unit.definitions:
        over = _times(unit, time, one)
        _refuse_future(unit, time, one)
        if len(over) > 1:
            mixed.add(one.name)
        causal.look_at(one, len(over) > 1)
        for read in ir.reads(one.value):
            tensor = tensors[read.tensor]
            if isinstance(tensor, ir.Parameter):
                continue
            for number, (index, axis) in enumerate(zip(read.index, tensor.axes, strict=True)):
                if unit.root(axis) != time or read.tensor in mixed:
                    continue
                if _reads_back(index, unit, time, one, mixed):
                    kept[read.tensor] = number
    return Plan(time, kept, tuple(scans), frozenset(mixed))


def _times(unit: ir.Unit, time: str, one: ir.Definition) -> set[str]:
    """The names of the time axis that the definition runs over, free or bound."""
    found = set(one.axes)
    for node in ir.walk(one.value):
        found |= set(node.axes) | (set(node.over) if isinstance(node, ir.Reduce) else set())
    return {axis for axis in found if unit.root(axis) == time}


def _reads_back(index: ir.Index, unit: ir.Unit, time: str, one: ir.Definition, mixed: set[str]) -> bool:
    if isinstance(index, ir.Plain):
        return one.name in mixed and index.axis != time
    if isinstance(index, ir.Computed):
        if not _not_after(index.value, unit, time):
            raise _refusal(one.place, f"{one.name} reads along {time} by a computed index that may lie in the future")
        return True
    raise _refusal(one.place, f"{one.name} reads one fixed position along {time}")


def _not_after(node: ir.Expression, unit: ir.Unit, time: str) -> bool:
    """`t - w` with a w that is never negative."""
    if isinstance(node, ir.Position):
        return node.axis == time
    if isinstance(node, ir.Apply) and node.function == "sub":
        return _not_after(node.arguments[0], unit, time) and _never_negative(node.arguments[1])
    return False


def _never_negative(node: ir.Expression) -> bool:
    if isinstance(node, ir.Number | ir.Constant):
        return node.value >= 0
    if isinstance(node, ir.Apply) and node.function in ("add", "mul"):
        return all(map(_never_negative, node.arguments))
    return isinstance(node, ir.Position | ir.SizeOf)


def _refuse_future(unit: ir.Unit, time: str, one: ir.Definition) -> None:
    """What depends on the whole sequence at once."""
    for node in ir.walk(one.value):
        if isinstance(node, ir.SizeOf) and unit.root(node.axis) == time:
            raise _refusal(one.place, f"{one.name} uses size({node.axis}), which grows from step to step")
        if isinstance(node, ir.Reduce) and time in node.over:
            raise _refusal(one.place, f"{one.name} runs {node.function} over {time}, which later positions change")
        if isinstance(node, ir.Cat) and unit.root(node.axis) == time:
            raise _refusal(one.place, f"{one.name} joins along {time}")
    if len(_times(unit, time, one)) == 1:
        for node in ir.walk(one.value):
            if isinstance(node, ir.Reduce) and any(unit.root(axis) == time for axis in node.over):
                raise _refusal(one.place, f"{one.name} runs {node.function} over all positions, which later ones change")


def _refusal(place: Place, why: str) -> FdlError:
    return FdlError(f"no incremental step can be derived: {why}", place.line, place.column)


class _Causality:
    """Follows which tensors vanish (`zero`) or are far below all others (`low`) where the key lies after the query."""

    def __init__(self, unit: ir.Unit, time: str) -> None:
        self.unit, self.time = unit, time
        self.kind: dict[str, str] = {}

    def look_at(self, one: ir.Definition, mixed: bool) -> None:
        if not mixed:
            return
        for node in ir.walk(one.value):
            if isinstance(node, ir.Reduce) and any(self.unit.root(axis) == self.time for axis in node.over):
                wanted = "zero" if node.function == "sum" else "low"
                if self.of(node.body) != wanted:
                    example = "where(pos(s) <= pos(t), ..., " + ("0.0)" if wanted == "zero" else "-1e30)")
                    raise _refusal(one.place, f"{one.name} runs {node.function} over keys after the query; mask them by {example}")
        self.kind[one.name] = self.of(one.value)

    def of(self, node: ir.Expression) -> str:
        """'zero', 'low', 'past' (a condition that is false for later keys) or ''."""
        if isinstance(node, ir.Read):
            return self.kind.get(node.tensor, "")
        if isinstance(node, ir.Reduce):
            return "zero" if node.function == "softmax" and self.of(node.body) == "low" else ""
        if not isinstance(node, ir.Apply):
            return ""
        kinds = [self.of(one) for one in node.arguments]
        if node.function in ("le", "lt", "ge", "gt"):
            return "past" if self._is_past(node) else ""
        if node.function == "and":
            return "past" if "past" in kinds else ""
        if node.function == "where":
            return self._where(node, kinds)
        if node.function in ("add", "sub"):
            return (
                "low" if kinds[0] == "low" or (node.function == "add" and kinds[1] == "low") else "zero" if set(kinds) == {"zero"} else ""
            )
        if node.function == "mul":
            return "zero" if "zero" in kinds else ""
        if node.function == "div":
            return "zero" if kinds[0] == "zero" else ""
        return "zero" if node.function == "exp" and kinds[0] == "low" else ""

    def _where(self, node: ir.Apply, kinds: list[str]) -> str:
        if kinds[0] == "past":
            otherwise = node.arguments[2]
            value = otherwise.value if isinstance(otherwise, ir.Number | ir.Constant) else None
            if value is not None and (value == 0 or value <= MASKED):
                return "zero" if value == 0 else "low"
            return kinds[2]
        if kinds[1] == kinds[2]:
            return kinds[1]
        low = [one for one in node.arguments[1:] if isinstance(one, ir.Number | ir.Constant) and one.value <= MASKED]
        return "low" if low and "low" in kinds[1:] else ""

    def _is_past(self, node: ir.Apply) -> bool:
        left, right = node.arguments if node.function in ("le", "lt") else node.arguments[::-1]
        return self._is_key(left) and isinstance(right, ir.Position) and right.axis == self.time

    def _is_key(self, node: ir.Expression) -> bool:
        return isinstance(node, ir.Position) and node.axis != self.time and self.unit.root(node.axis) == self.time


def kept_tensors(unit: ir.Unit, found: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a cache holds for one layer: each tensor's name and axes, scans without the time axis."""
    tensors = unit.tensors
    for name in found.kept:
        yield name, tensors[name].axes
    for name in found.scans:
        yield name, tuple(axis for axis in tensors[name].axes if unit.root(axis) != found.time)
