"""What the printers of array code share: names, sizes, numbers, and the walk over whole-array operations.

A back-end subclasses `Expressions` and says how each operation of lowering/low.py is spelled.
"""

from __future__ import annotations

import builtins
import keyword
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from forge_assets.blueprints.fdl import cache, ir
from forge_assets.blueprints.fdl.lowering.low import Attention, Low
from forge_assets.blueprints.fdl.lowering.lower import Line, Lowering, variables
from forge_assets.blueprints.fdl.sizes import Size
from forge_resources.errors import FdlError

OPERATORS = {
    "add": (" + ", 4), "sub": (" - ", 4), "mul": (" * ", 5), "div": (" / ", 5), "floordiv": (" // ", 5), "mod": (" % ", 5),
    "lt": (" < ", 1), "le": (" <= ", 1), "gt": (" > ", 1), "ge": (" >= ", 1), "eq": (" == ", 1), "ne": (" != ", 1),
    "and": (" & ", 3), "or": (" | ", 2),
}  # fmt: skip
ATOM, UNARY, POWER, LOWEST = 9, 6, 7, 0
WIDTH = 140


@dataclass(frozen=True, slots=True)
class Code:
    """An expression and how tightly it binds."""

    text: str
    binds: int = ATOM

    def at(self, level: int) -> str:
        return self.text if self.binds >= level else f"({self.text})"


def safe(name: str, taken: frozenset[str] = frozenset()) -> str:
    """A name that is no word of Python and none the printed code uses."""
    used = keyword.iskeyword(name) or hasattr(builtins, name) or name in taken
    return name + "_" if used else name


@dataclass(slots=True)
class View:
    """A program as the array printers see it: which sizes are given, which come with the inputs, and each unit's plan and lines."""

    program: ir.Program
    static: tuple[str, ...] = ()
    plans: dict[str, cache.Plan | None] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(program: ir.Program) -> View:
        view = View(program)
        fragments = [one for one in program.units.values() if one.kind == "fragment"]
        names: dict[str, None] = {}
        for unit in fragments:
            here = {axis for one in unit.inputs for axis in one.axes if unit.size(axis) == Size.of(axis)}  # 2*j alone does not give j
            for size in (unit.size(axis) for one in unit.parameters for axis in one.axes):
                names.update(dict.fromkeys(size.names))
            for size in unit.axis_sizes.values():
                names.update(dict.fromkeys(name for name in size.names if name not in here))
        for model in program.models.values():
            names.update(dict.fromkeys(name for one in ir.repeats(model.stages) for name in one.count.names))
        view.static = tuple(names)
        times = {
            step.unit: time
            for model in program.models.values()
            if (time := cache.time_axis(program, model))
            for step in ir.steps(model.stages)
        }
        for unit in fragments:
            view._plan(unit, times.get(unit.name, "t"))
        return view

    def _plan(self, unit: ir.Unit, time: str) -> None:
        self.plans[unit.name] = None
        if not any(time in one.axes for one in unit.inputs):
            return
        try:
            self.plans[unit.name] = cache.plan(unit, time)
        except FdlError as error:
            self.refusals[unit.name] = str(error)

    def lines(self, unit: ir.Unit) -> list[Line]:
        return Lowering(unit, self.plans.get(unit.name), self.program.needs).lines()

    def kept_inputs(self, unit: ir.Unit) -> dict[str, int]:
        """Inputs of which decoding keeps earlier entries, and the dimension they lie along."""
        plan = self.plans.get(unit.name)
        whole = {name for line in self.lines(unit) for name, how in variables(line.low) if how == "all"}
        return {one.name: plan.kept[one.name] for one in unit.inputs if plan is not None and one.name in whole}

    def keeps(self, unit: ir.Unit) -> bool:
        """Decoding needs a cache for this unit."""
        plan = self.plans.get(unit.name)
        lines = self.lines(unit)
        return bool(self.kept_inputs(unit)) or any(line.kept is not None or (plan and line.name in plan.scans) for line in lines)

    def decodes(self, model: ir.Model) -> bool:
        return all(self.plans.get(step.unit) is not None for step in ir.steps(model.stages))

    def sources(self, unit: ir.Unit) -> dict[str, tuple[str, int]]:
        """Sizes that come with an input: base axis -> input and dimension."""
        found: dict[str, tuple[str, int]] = {}
        for one in unit.inputs:
            for dim, axis in enumerate(one.axes):
                size = unit.size(axis)
                if size == Size.of(axis) and axis not in self.static:
                    found.setdefault(axis, (one.name, dim))
        return found


class Expressions:
    """Spells the expressions of one unit. `used` collects what the body has to define first."""

    math = "math"

    def __init__(self, view: View, unit: ir.Unit, taken: frozenset[str]) -> None:
        self.view, self.unit = view, unit
        self.plan = view.plans.get(unit.name)
        self.taken = taken
        self.sources = view.sources(unit)
        self.used_sizes: dict[str, None] = {}
        self.used_positions: dict[tuple[str, bool], None] = {}
        self.used_constants: dict[str, int | float] = {}
        self.used_parameters: dict[str, ir.Parameter] = {}
        self.uses_static = False

    def name(self, name: str) -> str:
        return safe(name, self.taken)

    @property
    def decoding(self) -> bool:
        return self.plan is not None

    def size(self, size: Size, whole: bool = False) -> Code:
        """A size; `whole`: along the time axis all positions so far."""
        spelled: dict[str, str] = {}
        for name in size.names:
            if name in self.view.static:
                spelled[name] = f"size.{name}"
                self.uses_static = True
            else:
                self.used_sizes[name] = None
                spelled[name] = f"n_{name}"
                if whole and self.plan is not None and name == self.plan.time:
                    spelled[name] = f"(past + n_{name})"
        text = size.text(spelled)
        return Code(text, ATOM if text.replace(".", "").replace("_", "").isalnum() or text.startswith("(past") else 4)

    def axis_size(self, axis: str, whole: bool = False) -> str:
        """The size of an axis or of several flattened ones."""
        total = Size.of(1)
        for one in axis.split("*"):
            total *= self.unit.size(one)
        return self.size(total, whole).text

    def number(self, node: ir.Expression) -> Code:
        """A number that is known before any array is there, as Python."""
        if isinstance(node, ir.Number):
            return Code(repr(node.value), ATOM if node.value >= 0 else UNARY)
        if isinstance(node, ir.Constant):
            self.used_constants[node.name] = node.value
            return Code(self.name(node.name))
        if isinstance(node, ir.SizeOf):
            return self.size(self.unit.size(node.axis))
        if isinstance(node, ir.Layer):
            return Code(self.layer())
        assert isinstance(node, ir.Apply)
        given = [self.number(one) for one in node.arguments]
        if node.function == "where":
            return Code(f"({given[1].text} if {given[0].text} else {given[2].text})")
        if node.function in ("and", "or"):
            return Code(f"({given[0].text}) {node.function} ({given[1].text})", LOWEST)
        if node.function == "not":
            return Code(f"not ({given[0].text})", LOWEST)
        if node.function in OPERATORS:
            return _operator(node.function, given)
        if node.function == "pow":
            return Code(f"{given[0].at(ATOM)} ** {given[1].at(POWER)}", POWER)
        if node.function == "neg":
            return Code(f"-{given[0].at(UNARY)}", UNARY)
        return Code(self.host_function(node.function, [one.text for one in given]))

    def host_function(self, function: str, given: list[str]) -> str:
        plain = {"abs": "abs", "max": "max", "min": "min", "float": "float", "int": "int"}
        if function in plain:
            return f"{plain[function]}({', '.join(given)})"
        written = {
            "rsqrt": "(1.0 / math.sqrt({0}))", "sigmoid": "(1.0 / (1.0 + math.exp(-({0}))))", "relu": "max({0}, 0)",
            "softplus": "math.log1p(math.exp({0}))", "silu": "(({0}) / (1.0 + math.exp(-({0}))))", "stop": "({0})",
            "sign": "(({0} > 0) - ({0} < 0))", "floor": "float(math.floor({0}))", "ceil": "float(math.ceil({0}))",
        }  # fmt: skip
        return written.get(function, f"math.{function}({{0}})").format(*given)

    def layer(self) -> str:
        return "self.layer_number"

    def scale(self, one: Attention) -> Code:
        """The factors of the scores as one number."""
        made: Code | None = None
        for function, value in one.scale:
            number = self.number(value)
            if made is None:
                made = number if function == "mul" else _operator("div", [Code("1.0"), number])
            else:
                made = _operator(function, [made, number])
        return made or Code("1.0")

    def code(self, node: Low) -> Code:
        method = getattr(self, f"op_{node.op}", None)
        assert method is not None, node.op
        made: Code = method(node)
        return made

    def text(self, node: Low) -> str:
        return self.code(node).text

    def atom(self, node: Low) -> str:
        return self.code(node).at(ATOM)

    def op_host(self, node: Low) -> Code:
        return self.number(node.attr)

    def op_var(self, node: Low) -> Code:
        name, how = node.attr
        return Code("state" if how == "state" else self.name(name) + {"all": "_all", "step": "_now"}.get(how, ""))

    def op_stored(self, node: Low) -> Code:
        self.used_parameters[node.attr.name] = node.attr
        return Code(self.name(node.attr.name))

    def op_position(self, node: Low) -> Code:
        axis, whole = node.attr
        if self.plan is not None and self.unit.root(axis) == self.plan.time and not whole:
            axis = self.plan.time
        self.used_positions[(axis, whole)] = None
        return Code(f"pos_{axis}")

    def length(self, node: Low | str, dim: int, axis: str | None) -> str:
        """How many entries an array has along a dimension."""
        if axis is not None:
            return self.axis_size(axis)
        return f"{self.name(node) if isinstance(node, str) else self.atom(node)}.shape[{dim}]"

    def floating_root(self, node: Low) -> str | None:
        """An array of floating dtype that the node is made of, by which its dtype is told without computing it again."""
        if node.op in ("var", "param", "stored"):
            name = node.attr[0] if node.op == "var" else node.attr.name
            tensor = self.unit.tensors.get(name)
            return self.atom(node) if tensor is None or tensor.dtype == "f32" else None
        inputs = {"embedding": node.inputs[1:], "gather": node.inputs[:1], "clip": (), "within": ()}.get(node.op, node.inputs)
        return next((root for one in inputs if one.data and (root := self.floating_root(one)) is not None), None)

    def op_choose(self, node: Low) -> Code:
        yes, no = (self.text(one) for one in node.inputs)
        return Code(f"({yes} if {self.number(node.attr).text} else {no})")

    def op_apply(self, node: Low) -> Code:
        given = [self.code(one) for one in node.inputs]
        if node.attr in OPERATORS:
            return _operator(node.attr, given)
        if node.attr == "pow":
            return Code(f"{given[0].at(ATOM)} ** {given[1].at(POWER)}", POWER)
        if node.attr == "neg":
            return Code(f"-{given[0].at(UNARY)}", UNARY)
        if node.attr == "not":
            return Code(f"~{given[0].at(UNARY)}", UNARY)
        return Code(self.function(node.attr, [one.text for one in given], node.inputs))

    def function(self, name: str, given: list[str], inputs: tuple[Low, ...]) -> str:
        raise NotImplementedError

    def selectors(self, given: tuple[object, ...]) -> str:
        """The inside of the brackets of basic indexing, without trailing `:`."""
        told = []
        for one in given:
            if isinstance(one, tuple) and one[0] == "window":
                told.append(self.window(one[1]))
            elif isinstance(one, tuple):
                start, stop = one
                told.append(f"{self.size(start).text if start.constant != 0 else ''}:{self.size(stop).text}")
            else:
                told.append(str(one))
        while told and told[-1] == ":":
            told.pop()
        if len(told) > 2 and all(one == ":" for one in told[:-1]) and given and told[-1] not in (":",) and len(told) == len(given):
            told = ["...", told[-1]]
        return ", ".join(told)

    def window(self, axis: str) -> str:
        """Positions along the time axis, as a slice of a table."""
        length = self.size(self.unit.size(axis)).text
        if self.plan is not None and self.unit.root(axis) == self.plan.time:
            return f"past:past + {length}"
        return f":{length}"


def _operator(function: str, given: list[Code]) -> Code:
    sign, level = OPERATORS[function]
    left, right = given
    comparing = level == 1
    whole = function in ("floordiv", "mod")  # in a product they stand in brackets: 2 * (n // 2) is not 2 * n // 2
    return Code(f"{left.at(level + comparing)}{sign}{right.at(level + (function not in ('add', 'mul', 'and', 'or')))}", level - whole)


def number_text(value: int | float) -> str:
    return repr(value) if math.isfinite(value) else f'float("{value}")'


def folded(indent: str, target: str, text: str) -> list[str]:
    """`target = text`, over several lines where it is long: a call's arguments get a line each."""
    line = f"{indent}{target} = {text}" if target else f"{indent}{text}"
    if len(line) <= WIDTH or "(" not in text:
        return [line]
    start = text.index("(")
    end = _closes(text, start)
    if text[:start].replace(".", "").replace("_", "").isalnum() and (
        end == len(text) - 1 or (text[end + 1] == "." and end > len(text) // 2)
    ):
        inside = _parted(text[start + 1 : end])
        if len(inside) > 1 and len(_parted(text, " + ")) == 1:
            return [f"{indent}{target} = {text[: start + 1]}", *(f"{indent}    {one}," for one in inside), f"{indent}){text[end + 1 :]}"]
    pieces = _parted(text, " + ")
    if len(pieces) > 1:
        rest = [f"{indent}    + {one}" for one in pieces[1:]]
        return [f"{indent}{target} = (", f"{indent}    {pieces[0]}", *rest, f"{indent})"]
    return [line]


def _closes(text: str, start: int) -> int:
    depth = 0
    for number in range(start, len(text)):
        depth += (text[number] in "([{") - (text[number] in ")]}")
        if depth == 0:
            return number
    return len(text)


def _parted(text: str, at: str = ", ") -> list[str]:
    """The text cut at separators outside of brackets."""
    parts, depth, start, number = [], 0, 0, 0
    while number < len(text):
        depth += (text[number] in "([{") - (text[number] in ")]}")
        if depth == 0 and text.startswith(at, number):
            parts.append(text[start:number])
            start = number + len(at)
            number = start
            continue
        number += 1
    return [*parts, text[start:]]


def shape_text(parameter: ir.Parameter, unit: ir.Unit, static: Mapping[str, str]) -> list[str]:
    """The stored shape, a text for each dimension."""
    shape = []
    for group in parameter.groups:
        size = Size.of(1)
        for axis in group:
            size *= unit.size(axis)
        shape.append(size.text(static))
    return shape
