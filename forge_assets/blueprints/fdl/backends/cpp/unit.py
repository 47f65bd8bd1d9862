"""A fragment, optimizer or schedule as a C++ struct: parameters as members, `forward` as loops in the order of the text."""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import notation
from forge_assets.blueprints.fdl.backends.cpp.code import Place, element, expression
from forge_assets.blueprints.fdl.backends.cpp.loops import Loops, Statement
from forge_assets.blueprints.fdl.backends.cpp.names import TYPES, array_type, number, quoted, safe, size_text
from forge_assets.blueprints.fdl.cache import Plan, kept_tensors


def has_cache(unit: ir.Unit, plan: Plan | None) -> bool:
    """Whether a step needs to know what came before: kept entries, or how many there were."""
    if plan is None:
        return False
    timed = any(
        isinstance(node, ir.Position) and unit.root(node.axis) == plan.time for one in unit.definitions for node in ir.walk(one.value)
    )
    return timed or not plan.empty


def result_type(unit: ir.Unit) -> str:
    return array_type(unit.results[0].dtype, len(unit.results[0].axes)) if len(unit.results) == 1 else "Output"


def unit_text(unit: ir.Unit, plan: Plan | None) -> str:
    return "\n".join(_Printer(unit, plan).struct()) + "\n"


def needed(unit: ir.Unit) -> list[ir.Definition]:
    """The lines that its results depend on, in order."""
    wanted = {one.tensor for one in unit.results}
    found: list[ir.Definition] = []
    for one in reversed(unit.definitions):
        if one.name in wanted:
            found.append(one)
            wanted |= {read.tensor for read in ir.reads(one.value)}
    return found[::-1]


class _Printer:
    def __init__(self, unit: ir.Unit, plan: Plan | None) -> None:
        self.unit = unit
        self.plan = plan if has_cache(unit, plan) else None
        taken = {safe(name) for name in (*unit.tensors, *unit.constants)}
        self.loop_names: dict[str, str] = {}
        for axis in (*unit.axis_sizes, *unit.aliases):
            name = safe(axis)
            while name in taken:
                name += "0"
            self.loop_names[axis] = name
        self.taken = {*unit.tensors, *unit.constants}
        self.parameters = frozenset(one.name for one in unit.parameters)

    def struct(self) -> Iterator[str]:
        unit = self.unit
        yield f"// {notation.first_line(unit)}"
        yield f"struct {safe(unit.name)} {{"
        for one in unit.parameters:
            yield f"  {array_type(one.dtype, len(one.axes))} {safe(one.name)};  // {one.stored}"
        for name, value in unit.constants.items():
            yield f"  static constexpr {'i64' if isinstance(value, int) else 'float'} {safe(name)} = {number(value)};"
        if unit.parameters or unit.constants:
            yield ""
        yield from self._constructor()
        if self.plan is not None:
            yield from self._cache(self.plan)
        if len(unit.results) != 1:
            members = " ".join(f"{array_type(one.dtype, len(one.axes))} {safe(one.name)};" for one in unit.results)
            yield f"  struct Output {{ {members} }};"
        yield f"  {result_type(unit)} forward({', '.join(self._arguments())}) const {{"
        yield from (f"    {line}".rstrip() for line in self._body())
        yield "  }"
        yield "};"

    def _constructor(self) -> Iterator[str]:
        if not self.unit.parameters:
            return
        yield f"  {safe(self.unit.name)}() = default;"
        yield f'  {safe(self.unit.name)}(Safetensors& file, [[maybe_unused]] const Sizes& sizes, const std::string& prefix = "") {{'
        for one in self.unit.parameters:
            shape = ", ".join(size_text(self.unit.size(axis)) for axis in one.axes)
            read = f"file.read<{len(one.axes)}>(prefix + {quoted(one.stored)}, {{{shape}}})"
            yield f"    {safe(one.name)} = {read if one.axes else read + '.data[0]'};"
        yield "  }"

    def _cache(self, plan: Plan) -> Iterator[str]:
        yield "  struct Cache {"
        yield "    i64 past = 0;"
        dtypes = self.unit.tensors
        for name, axes in kept_tensors(self.unit, plan):
            yield f"    {array_type(dtypes[name].dtype, len(axes))} {safe(name)}{'' if axes else ' = 0'};"
        yield "  };"

    def _arguments(self) -> list[str]:
        given = ["[[maybe_unused]] const Sizes& sizes"]
        for one in (*self.unit.inputs, *self.unit.states):
            kind = array_type(one.dtype, len(one.axes))
            given.append(f"const {kind}& {safe(one.name)}" if one.axes else f"{kind} {safe(one.name)}")
        if self.unit.uses_layer:
            given.append("i64 layer")
        if self.plan is not None:
            given.append("Cache* cache = nullptr")
        return given

    def _body(self) -> Iterator[str]:
        plan = self.plan
        if plan is not None:
            yield "const i64 past = cache ? cache->past : 0;"
            if plan.mixed:
                yield f"const i64 keys = past + {size_text(self.unit.size(plan.time))};"
            for one in self.unit.inputs:
                yield from self._keep(one.name)
        section = ""
        for definition in needed(self.unit):
            if notation.heading(definition) != section:
                section = notation.heading(definition)
                yield from ("", f"// ---- {section}") if section else ("",)
            yield f"// {notation.definition(definition)}"
            at = Place(self.unit, plan, plan is not None and definition.name in plan.mixed, definition.name, {}, self.loop_names)
            for statement in Loops(self.taken, self.parameters).definition(definition):
                yield from self._statement(statement, at)
            yield from self._keep(definition.name)
        if plan is not None:
            yield f"if (cache) cache->past += {size_text(self.unit.size(plan.time))};"
        values = ", ".join(safe(one.tensor) for one in self.unit.results)
        yield f"return {values};" if len(self.unit.results) == 1 else f"return {{{values}}};"

    def _keep(self, name: str) -> Iterator[str]:
        if self.plan is None or name not in self.plan.kept:
            return
        one = self.unit.tensors[name]
        whole = f"cache ? appended(cache->{safe(name)}, {safe(name)}, {self.plan.kept[name]}) : {safe(name)}"
        yield f"const {array_type(one.dtype, len(one.axes))} {safe(name + '_all')} = {whole};"

    def _statement(self, one: Statement, at: Place) -> Iterator[str]:
        if one.kind in ("each", "contract", "cat", "scan") and one.axes:
            shape = ", ".join(at.extent(axis) for axis in one.axes)
            yield f"const {array_type(one.dtype, len(one.axes))} {safe(one.name)}({{{shape}}});"
        yield from {"each": self._each, "contract": self._contract, "cat": self._cat, "scan": self._scan, "rank": self._rank}.get(
            one.kind, self._in_place
        )(one, at)

    def _each(self, one: Statement, at: Place) -> Iterator[str]:
        assert one.value is not None
        value = expression(one.value, at)
        if one.axes:
            yield from self._loops(one.axes, f"{element(safe(one.name), [at.loop(axis) for axis in one.axes])} = {value};", at)
        else:
            yield f"const {TYPES[one.dtype]} {safe(one.name)} = {value};"

    def _loops(self, axes: tuple[str, ...], innermost: str, at: Place) -> Iterator[str]:
        for depth, axis in enumerate(axes):
            yield "  " * depth + _loop(axis, at)
        yield "  " * len(axes) + innermost

    def _contract(self, one: Statement, at: Place) -> Iterator[str]:
        told = [f"{safe(one.name)}, {quoted(' '.join(one.axes))}"]
        for read in one.operands:
            words = (
                index.axis if isinstance(index, ir.Plain) else str(index.number)
                for index in read.index
                if not isinstance(index, ir.Computed)
            )
            told.append(f"{at.array(read)}, {quoted(' '.join(words))}")
        yield f"contract({', '.join(told)});"

    def _cat(self, one: Statement, at: Place) -> Iterator[str]:
        number_, start = one.axes.index(one.over[0]), "0"
        for read in one.operands:
            name = safe(read.tensor)
            yield f"put({safe(one.name)}, {name}, {number_}, {start});"
            start = f"{name}.size({number_})" if start == "0" else f"{start} + {name}.size({number_})"

    def _in_place(self, one: Statement, at: Place) -> Iterator[str]:
        yield f"{one.kind}({safe(one.name)}, {{{', '.join(str(one.axes.index(axis)) for axis in one.over)}}});"

    def _rank(self, one: Statement, at: Place) -> Iterator[str]:
        assert isinstance(one.value, ir.Read)
        numbers = ", ".join(str(one.axes.index(axis)) for axis in one.over)
        yield f"const {array_type(one.dtype, len(one.axes))} {safe(one.name)} = rank({safe(one.value.tensor)}, {{{numbers}}});"

    def _scan(self, one: Statement, at: Place) -> Iterator[str]:
        assert one.value is not None
        (along,) = one.over
        rest = tuple(axis for axis in one.axes if axis != along)
        before, name = safe(f"{one.name}_before"), safe(one.name)
        kept = self.plan is not None and one.name in self.plan.scans
        shape = "{" + ", ".join(at.extent(axis) for axis in rest) + "}"
        fresh = f"zeros<{TYPES[one.dtype]}, {len(rest)}>({shape})" if rest else "0"
        started = f"cache->{name}.data ? copy(cache->{name}) : {fresh}" if rest else f"cache->{name}"
        yield f"{array_type(one.dtype, len(rest))} {before} = " + (
            f"cache && {started};" if kept and rest else f"cache ? {started} : {fresh};" if kept else f"{fresh};"
        )
        yield _loop(along, at) + " {"
        for statement in one.inner:
            yield from (f"  {line}" for line in self._statement(statement, at))
        now = element(name, [at.loop(axis) for axis in one.axes])
        yield from (f"  {line}" for line in self._loops(rest, f"{now} = {expression(one.value, at)};", at))
        yield from (f"  {line}" for line in self._loops(rest, f"{element(before, [at.loop(axis) for axis in rest])} = {now};", at))
        yield "}"
        if kept:
            yield f"if (cache) cache->{name} = {before};"


def _loop(axis: str, at: Place) -> str:
    name = at.loop(axis)
    return f"for (i64 {name} = 0; {name} < {at.extent(axis)}; ++{name})"
