"""Lowers a unit, definition by definition, to whole-array operations; lines that a pattern swallowed are left out.

In: a checked unit, and its decoding plan where there is one. Out: `Line`s in order, each with the layout of its definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.cache import Plan
from forge_assets.blueprints.fdl.lowering.attention import attention
from forge_assets.blueprints.fdl.lowering.contraction import contracted
from forge_assets.blueprints.fdl.lowering.low import Low, aligned, full, host, low, merged, named, ordered, permuted, split, squeezed
from forge_assets.blueprints.fdl.lowering.patterns import Found, Part, recognised, renamed
from forge_assets.blueprints.fdl.lowering.products import Factor, factors, is_host
from forge_assets.blueprints.fdl.lowering.reading import read


@dataclass(frozen=True, slots=True)
class Scan:
    """`inputs`: lines computed before the loop, walked along `dim` of each; `state` is the axes without the time axis."""

    axis: str
    inputs: tuple[tuple[str, int], ...]
    state: tuple[str, ...]
    dim: int


@dataclass(frozen=True, slots=True)
class Line:
    """`low` gives the tensor `name` in the layout `axes`; of a scan, one step of it. `kept`: the dimension along which decoding appends
    to it."""

    name: str
    axes: tuple[str, ...]
    low: Low
    section: str
    scan: Scan | None = None
    kept: int | None = None


@dataclass(slots=True)
class Lowering:
    unit: ir.Unit
    plan: Plan | None
    needs: dict[str, int]
    time: str | None = None
    tensors: dict[str, ir.Tensor | ir.Parameter | ir.Definition] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    uses: dict[str, int] = field(default_factory=dict)
    mixed: bool = False
    step_of: str | None = None
    step_tensors: set[str] = field(default_factory=set)

    def lines(self) -> list[Line]:
        """The lines that are needed, in order."""
        self.unit = _with_numbers_inside(self.unit)
        self.time = self.plan.time if self.plan else None
        self.tensors = dict(self.unit.tensors)
        for one in self.unit.definitions:
            for node in ir.reads(one.value):
                self.uses[node.tensor] = self.uses.get(node.tensor, 0) + 1
            if all(node.tensor in self.tables for node in ir.reads(one.value)) and one.scan is None:
                self.tables.add(one.name)
        made = [line for one in self.unit.definitions for line in self._lowered(one)]
        return _wanted(made, self.unit, self.plan)

    def _lowered(self, one: ir.Definition) -> Iterator[Line]:
        self.mixed = self.plan is not None and one.name in self.plan.mixed
        kept = self.plan.kept.get(one.name) if self.plan else None
        if one.scan is not None:
            yield from self._scan(one, kept)
            return
        made = full(self.value(one.value, one.axes), one.axes)
        if made.op == "host" and self.unit.kind == "fragment":
            made = low("expand", (made,), ())  # what a fragment gives is an array, also of one number
        yield Line(one.name, one.axes, made, one.section, None, kept)

    def _scan(self, one: ir.Definition, kept: int | None) -> Iterator[Line]:
        """What does not need the step before is computed at once; the loop does the rest."""
        assert one.scan is not None
        before: list[Line] = []

        def outside(node: ir.Expression) -> ir.Expression:
            if not any(isinstance(inner, ir.Previous) for inner in ir.walk(node)) and not is_host(node):
                if one.scan not in node.axes and isinstance(node, ir.Read):
                    return node
                name = f"{one.name}_{len(before) + 1}"
                axes = ordered(node.axes, one.axes)
                before.append(Line(name, axes, full(self.value(node, axes), axes), one.section))
                self.tensors[name] = ir.Definition(name, node.dtype, axes, node, one.place)
                return ir.Read(name, tuple(map(ir.Plain, axes)), axes, node.dtype)
            if isinstance(node, ir.Apply):
                return replace(node, arguments=tuple(map(outside, node.arguments)))
            return replace(node, body=outside(node.body)) if isinstance(node, ir.Reduce) else node

        body = outside(one.value)
        state = tuple(axis for axis in one.axes if axis != one.scan)
        self.step_of, self.step_tensors = one.scan, {line.name for line in before if one.scan in line.axes}
        step = full(self.value(body, state), state)
        self.step_of, self.step_tensors = None, set()
        yield from before
        walked = tuple((line.name, line.axes.index(one.scan)) for line in before if one.scan in line.axes)
        yield Line(one.name, one.axes, step, one.section, Scan(one.scan, walked, state, one.axes.index(one.scan)), kept)

    def reads_all(self, node: ir.Read) -> bool:
        """The read covers all positions so far, not only the new ones."""
        if self.plan is None or node.tensor not in self.plan.kept:
            return False
        index = node.index[self.plan.kept[node.tensor]]
        return isinstance(index, ir.Computed) or (self.mixed and isinstance(index, ir.Plain) and index.axis != self.plan.time)

    def look(self, node: ir.Expression) -> ir.Expression:
        """A definition's expression in place of its name, with the reader's axes; the name where that is not the same thing."""
        if not isinstance(node, ir.Read) or not all(isinstance(one, ir.Plain) for one in node.index):
            return node
        one = self.tensors.get(node.tensor)
        if not isinstance(one, ir.Definition) or one.scan is not None or (self.plan is not None and node.tensor in self.plan.kept):
            return node
        if self.plan is not None and (one.name in self.plan.mixed) != self.mixed:
            return node
        names = {old: new.axis for old, new in zip(one.axes, node.index, strict=True) if isinstance(new, ir.Plain)}
        found = renamed(one.value, names)
        return node if found is None else found

    def look_once(self, node: ir.Expression) -> ir.Expression:
        """As `look`, for a definition that nothing else reads."""
        return self.look(node) if isinstance(node, ir.Read) and self.uses.get(node.tensor) == 1 else node

    def value(self, node: ir.Expression, hint: Sequence[str]) -> Low:
        """The expression in some layout of its axes, close to the order of `hint`."""
        if is_host(node):
            return host(node)
        if isinstance(node, ir.Position):
            return Low(
                "position", (), (node.axis,), (node.axis, self.mixed and node.axis != self.time and self.unit.root(node.axis) == self.time)
            )
        if isinstance(node, ir.Read):
            return read(node, self)
        if isinstance(node, ir.Previous):
            return Low("var", (), node.axes, ("", "state"), True)
        if isinstance(node, ir.Cat):
            return self._cat(node, hint)
        if isinstance(node, ir.Reduce):
            return self._reduce(node, hint)
        assert isinstance(node, ir.Apply)
        return self._apply(node, hint)

    def _cat(self, node: ir.Cat, hint: Sequence[str]) -> Low:
        axes = ordered(node.axes, hint)
        parts = []
        for part, value in node.parts:
            wanted = tuple(part if axis == node.axis else axis for axis in axes)
            parts.append(full(self.value(value, wanted), wanted))
        return low("cat", parts, axes, axes.index(node.axis))

    def _apply(self, node: ir.Apply, hint: Sequence[str]) -> Low:
        if node.function in ("mul", "div", "neg") or (node.function == "sub" and node.arguments[0] in (ir.Number(0.0), ir.Number(0))):
            return self.product(recognised(factors(node), self.look), hint)
        if node.function == "add":
            biased = self._biased(node, hint)
            if biased is not None:
                return biased
        if node.function == "where":
            stacked = self._stacked(node, hint)
            if stacked is not None:
                return stacked
            if is_host(node.arguments[0]):
                return self._chosen(node, hint)
        values = [self.value(one, hint) for one in node.arguments]
        return self.elementwise(node.function, values, [one.dtype for one in node.arguments], hint)

    def elementwise(self, function: str, values: Sequence[Low], dtypes: Sequence[str], hint: Sequence[str]) -> Low:
        """Applied with broadcasting; a table of positions takes the dtype of the data it meets."""
        target = ordered((axis for one in values for axis in named(one.axes)), hint)
        data = next((one for one, dtype in zip(values, dtypes, strict=True) if one.data and dtype == "f32"), None)
        given = []
        for one, dtype in zip(values, dtypes, strict=True):
            fit = aligned(one, target)
            given.append(low("like", (fit, data), fit.axes) if data is not None and one.axes and not one.data and dtype == "f32" else fit)
        return low("apply", given, target, function)

    def product(self, parts: Sequence[Part | Low], hint: Sequence[str]) -> Low:
        """The factors multiplied in order."""
        made: Low | None = None
        for part in parts:
            if isinstance(part, Factor) and part.value == ir.Number(-1.0) and len(parts) > 1:
                continue
            below = isinstance(part, Factor) and part.below
            value = part if isinstance(part, Low) else self.found(part, hint) if isinstance(part, Found) else self.value(part.value, hint)
            if made is None and below:
                made = host(ir.Number(1.0))
            made = value if made is None else self.elementwise("div" if below else "mul", (made, value), ("f32", "f32"), hint)
        signs = sum(isinstance(part, Factor) and part.value == ir.Number(-1.0) for part in parts)
        assert made is not None
        return low("apply", (made,), made.axes, "neg") if signs % 2 and len(parts) > 1 else made

    def found(self, one: Found, hint: Sequence[str]) -> Low:
        """A recognised pattern as one operation."""
        if one.kind not in ("rms_norm", "layer_norm"):
            x = self.value(one.x, hint)
            return low(one.kind, (x,), x.axes)
        rest = [axis for axis in ordered(one.x.axes, hint) if axis not in one.over]
        over = ordered(one.over, [axis for axis in hint if axis in one.over])
        axes = (*rest, *over)
        extra = [full(self.value(given, over), over) for given in (one.weight, one.bias) if given is not None]
        flags = (one.weight is not None, one.bias is not None)
        return low(one.kind, (full(self.value(one.x, axes), axes), *extra), axes, (over, one.eps, flags))

    def _biased(self, node: ir.Apply, hint: Sequence[str]) -> Low | None:
        """A layer norm and its bias."""
        for first, second in (node.arguments, node.arguments[::-1]):
            parts = recognised(factors(self.look_once(first)), self.look)
            if len(parts) == 1 and isinstance(parts[0], Found) and parts[0].kind == "layer_norm" and set(second.axes) == set(parts[0].over):
                return self.found(replace(parts[0], bias=second), hint)
        return None

    def _stacked(self, node: ir.Apply, hint: Sequence[str]) -> Low | None:
        """where(pos(c) == 0, x, y) along an axis with two entries."""
        condition, first, second = node.arguments
        if not (isinstance(condition, ir.Apply) and condition.function == "eq" and isinstance(condition.arguments[0], ir.Position)):
            return None
        axis, which = condition.arguments[0].axis, condition.arguments[1]
        if self.unit.size(axis).constant != 2 or which not in (ir.Number(0), ir.Number(1)) or axis in first.axes or axis in second.axes:
            return None
        target = ordered(node.axes, hint)
        rest = tuple(one for one in target if one != axis)
        both = [full(self.value(one, rest), rest) for one in (first, second)]
        return low("stack", both if which == ir.Number(0) else both[::-1], target, target.index(axis))

    def _chosen(self, node: ir.Apply, hint: Sequence[str]) -> Low:
        """A branch that is known before any array is there, such as by the number of the layer."""
        condition, *branches = node.arguments
        axes = ordered(node.axes, hint)
        values = [full(one, axes) if axes else one for one in (self.value(branch, axes) for branch in branches)]
        return low("choose", values, axes, condition)

    def _reduce(self, node: ir.Reduce, hint: Sequence[str]) -> Low:
        if node.function == "sum":
            found = attention(node, hint, self) or contracted(node, hint, self)
            if found is not None:
                return found
        axes = ordered(node.body.axes, hint)
        value = squeezed(full(self.value(node.body, axes), axes))
        if node.function not in ir.KEEPING:
            dims = tuple(axes.index(axis) for axis in node.over)
            return low("reduce", (value,), tuple(axis for axis in axes if axis not in node.over), (node.function, dims))
        if len(node.over) == 1:
            return low("reduce", (value,), axes, (node.function, (axes.index(node.over[0]),)))
        rest = tuple(axis for axis in axes if axis not in node.over)
        flat = merged(permuted(value, (*rest, *node.over)), len(rest), len(axes) - 1)
        return split(low("reduce", (flat,), flat.axes, (node.function, (len(rest),))), len(rest), node.over)


def _with_numbers_inside(unit: ir.Unit) -> ir.Unit:
    """Definitions that are known before any array is there, such as `low = floor(log(theta))`, in place of their names."""
    numbers: dict[str, ir.Expression] = {}

    def number(node: ir.Expression) -> ir.Expression:
        return numbers.get(node.tensor, node) if isinstance(node, ir.Read) else node

    definitions = []
    for one in unit.definitions:
        value = ir.rebuilt(one.value, number)
        definitions.append(replace(one, value=value))
        if is_host(value):
            numbers[one.name] = value
    return replace(unit, definitions=tuple(definitions))


def variables(node: Low) -> Iterator[tuple[str, str]]:
    """The tensors it reads, and how."""
    if node.op == "var":
        yield node.attr
    elif node.op in ("param", "stored"):
        yield node.attr.name, ""
    elif node.op == "count":
        yield node.attr[0], ""
    for one in node.inputs:
        yield from variables(one)


def _wanted(lines: list[Line], unit: ir.Unit, plan: Plan | None) -> list[Line]:
    """The lines whose tensors something needs."""
    wanted = {one.tensor for one in unit.results}
    kept: list[Line] = []
    for line in reversed(lines):
        if line.name in wanted:
            kept.append(line)
            wanted |= {name for name, _ in variables(line.low)}
            if line.scan is not None:
                wanted |= {name for name, _ in line.scan.inputs}
    whole = {name for line in kept for name, how in variables(line.low) if how == "all"}
    return [line if line.name in whole else replace(line, kept=None) for line in reversed(kept)]
