"""The checked program that every back-end prints: nothing in it can be ill-typed, no name is unresolved, every piece is inlined.

A `Program` holds axes, units (fragments, optimizers, schedules) and models.

Axes and sizes. An axis is a name; the same name means the same size in all units of a program. `Program.axes[name].size` is a `Size`, a
polynomial over base axes, whose sizes a caller gives (`axis k = c*j + m` makes k derived). A unit may index an axis by a second name, as
s runs over the axis t again in attention: `Unit.aliases == {"s": "t"}`, and `Unit.size("s")` is the size of t. Sizes a unit's tensors
have never depend on values.

Tensors. `Unit.inputs`, `Unit.parameters`, `Unit.states` and `Unit.definitions` have each a name that is unique in the unit, a dtype
("f32", "i64", "bool"; f32 stands for the floating dtype of the parameters) and axes in order. A parameter has the name it is stored by
(`stored`, the text's `from`): below a stage with the prefix "model.layers.{i}." the tensor of the checkpoint is prefix + stored, {i}
being the layer number. Two parameters of a model with the same full name are one tensor (tied). The stored shape is `groups`: f32[(g j),
d] is stored with two dimensions, g*j and d; loading is a pure reshape. `constants` are the unit's named numbers, already worked out.

Definitions come in an order in which each reads only what is before it. `value` is an expression: for each point of `axes` one scalar.
  Number, Constant, SizeOf(axis), Position(axis), Layer: scalars; Position is the absolute 0-based position along the axis (in decoding:
    of the whole sequence);
  Read(tensor, index): one element. Each index is Plain(axis), Fixed(number) or Computed(expression, an i64); Computed that falls
    outside the axis reads as 0;
  Apply(function, arguments): an elementwise function of FUNCTIONS (functions.py) or operator of OPERATORS;
  Reduce(function, over, body): sum, mean, max, min, logsumexp remove the axes; softmax, cumsum and rank keep them. rank[e](x) is the
    number of entries that come before this one when x is sorted downward (equal ones by index), so rank[e](x) < 2 marks the two
    greatest;
  Cat(axis, parts): entries of the parts, one part axis after the other, along `axis`;
  Previous(index): inside a definition with `scan == t`: this tensor's own value at t - 1, and 0 before the start (the index has no
    entry for t).
`expression.axes` are its free axes, `expression.dtype` its dtype. `Definition.origin` are the pieces it was inlined from; `section` is
the comment above it, which diagrams and printed code keep.

Models are sequences of stages: `Step(unit, prefix)` and `Repeat(count, stages)`; the layer number {i} counts the steps inside repeats,
through all repeats of the model from 0. The first input of a step is the first result of the step before; its other inputs, and all
inputs of the first, are found by name among earlier results, else they are inputs of the model (`Model.inputs`).

Decoding. `cache.plan(unit)` tells which definitions lie on the key side, which of them are kept between steps, and along which axis
(cache.py).

A back-end is one function `print_<name>(program, ...) -> dict[file name, text]`, registered in `backends/__init__.py`; `forge fdl compile
--to` reads that table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from forge_assets.blueprints.fdl.sizes import Size
from forge_assets.blueprints.fdl.syntax import Place

DTYPES = ("f32", "i64", "bool")
KEEPING = frozenset({"softmax", "rank", "cumsum"})  # reductions whose result still has the axes they run over


@dataclass(frozen=True, slots=True)
class Number:
    value: int | float

    @property
    def axes(self) -> tuple[str, ...]:
        return ()

    @property
    def dtype(self) -> str:
        return "i64" if isinstance(self.value, int) else "f32"


@dataclass(frozen=True, slots=True)
class Constant:
    """A named number of the unit; `value` is its value."""

    name: str
    value: int | float

    @property
    def axes(self) -> tuple[str, ...]:
        return ()

    @property
    def dtype(self) -> str:
        return "i64" if isinstance(self.value, int) else "f32"


@dataclass(frozen=True, slots=True)
class SizeOf:
    axis: str
    axes: tuple[str, ...] = ()
    dtype: str = "i64"


@dataclass(frozen=True, slots=True)
class Position:
    axis: str
    dtype: str = "i64"

    @property
    def axes(self) -> tuple[str, ...]:
        return (self.axis,)


@dataclass(frozen=True, slots=True)
class Layer:
    """The number of the layer, from 0."""

    axes: tuple[str, ...] = ()
    dtype: str = "i64"


@dataclass(frozen=True, slots=True)
class Plain:
    axis: str


@dataclass(frozen=True, slots=True)
class Fixed:
    number: int


@dataclass(frozen=True, slots=True)
class Computed:
    value: Expression


Index = Plain | Fixed | Computed


@dataclass(frozen=True, slots=True)
class Read:
    tensor: str
    index: tuple[Index, ...]
    axes: tuple[str, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Previous:
    index: tuple[Index, ...]
    axes: tuple[str, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Apply:
    function: str
    arguments: tuple[Expression, ...]
    axes: tuple[str, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Reduce:
    function: str
    over: tuple[str, ...]
    body: Expression
    axes: tuple[str, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Cat:
    axis: str
    parts: tuple[tuple[str, Expression], ...]  # the part's axis and its expression
    axes: tuple[str, ...]
    dtype: str


Expression = Number | Constant | SizeOf | Position | Layer | Read | Previous | Apply | Reduce | Cat


@dataclass(frozen=True, slots=True)
class Tensor:
    name: str
    dtype: str
    axes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    dtype: str
    groups: tuple[tuple[str, ...], ...]
    stored: str
    init: tuple[str, float]  # normal and its deviation, zeros, ones, or constant and its value

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(axis for group in self.groups for axis in group)


@dataclass(frozen=True, slots=True)
class Definition:
    name: str
    dtype: str
    axes: tuple[str, ...]
    value: Expression
    place: Place
    scan: str | None = None
    origin: tuple[str, ...] = ()
    section: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """`name` is what later stages find it by; `tensor` is the input or definition it is."""

    name: str
    tensor: str
    dtype: str
    axes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    kind: str  # fragment, optimizer or schedule
    name: str
    inputs: tuple[Tensor, ...]
    parameters: tuple[Parameter, ...]
    states: tuple[Tensor, ...]  # of an optimizer; the new value of state m is the result named m
    constants: dict[str, int | float]
    definitions: tuple[Definition, ...]
    results: tuple[Result, ...]
    aliases: dict[str, str]
    axis_sizes: dict[str, Size]
    place: Place
    own_constants: tuple[str, ...] = ()  # those of its own `const` lines, not of pieces it calls

    def root(self, axis: str) -> str:
        """The axis that `axis` is another name of, or itself."""
        return self.aliases.get(axis, axis)

    def size(self, axis: str) -> Size:
        return self.axis_sizes[self.root(axis)]

    @property
    def tensors(self) -> dict[str, Tensor | Parameter | Definition]:
        found: list[Tensor | Parameter | Definition] = [*self.inputs, *self.parameters, *self.states, *self.definitions]
        return {one.name: one for one in found}

    @property
    def uses_layer(self) -> bool:
        return any(isinstance(node, Layer) for one in self.definitions for node in walk(one.value))


@dataclass(frozen=True, slots=True)
class Axis:
    name: str
    size: Size
    description: str


@dataclass(frozen=True, slots=True)
class Step:
    unit: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Repeat:
    count: Size
    stages: tuple[Stage, ...]


Stage = Step | Repeat


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    stages: tuple[Stage, ...]
    inputs: tuple[Tensor, ...]
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Program:
    axes: dict[str, Axis]
    units: dict[str, Unit]
    models: dict[str, Model]
    needs: dict[str, int] = field(default_factory=dict)  # the least size an axis must have, because a literal index selects from it

    @property
    def free_sizes(self) -> tuple[str, ...]:
        """What a caller has to give: base axes, and the names in counts of repeats."""
        counts = [one.count for model in self.models.values() for one in repeats(model.stages)]
        sizes = [axis.size for axis in self.axes.values()]
        return tuple(dict.fromkeys(name for size in (*sizes, *counts) for name in size.names))


def repeats(stages: tuple[Stage, ...]) -> Iterator[Repeat]:
    for stage in stages:
        if isinstance(stage, Repeat):
            yield stage
            yield from repeats(stage.stages)


def steps(stages: tuple[Stage, ...]) -> Iterator[Step]:
    """Each step of the text once, however often it is repeated."""
    for stage in stages:
        if isinstance(stage, Repeat):
            yield from steps(stage.stages)
        else:
            yield stage


def unrolled(model: Model, sizes: dict[str, int]) -> Iterator[tuple[Step, int | None]]:
    """Each step as it runs, with its layer number inside repeats."""
    layer = 0

    def run(stages: tuple[Stage, ...], inside: bool) -> Iterator[tuple[Step, int | None]]:
        nonlocal layer
        for stage in stages:
            if isinstance(stage, Repeat):
                for _ in range(stage.count.value(sizes)):
                    yield from run(stage.stages, True)
            else:
                yield stage, layer if inside else None
                layer += inside

    return run(model.stages, False)


def children(node: Expression) -> Iterator[Expression]:
    if isinstance(node, Apply):
        yield from node.arguments
    elif isinstance(node, Reduce):
        yield node.body
    elif isinstance(node, Cat):
        yield from (part for _, part in node.parts)
    elif isinstance(node, Read | Previous):
        yield from (index.value for index in node.index if isinstance(index, Computed))


def walk(node: Expression) -> Iterator[Expression]:
    """The expression and all below it, also in computed indices."""
    yield node
    for child in children(node):
        yield from walk(child)


def rebuilt(node: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression with `change` applied to each node, from the inside out."""

    def index(one: Index) -> Index:
        return Computed(rebuilt(one.value, change)) if isinstance(one, Computed) else one

    if isinstance(node, Apply):
        node = replace(node, arguments=tuple(rebuilt(one, change) for one in node.arguments))
    elif isinstance(node, Reduce):
        node = replace(node, body=rebuilt(node.body, change))
    elif isinstance(node, Cat):
        node = replace(node, parts=tuple((axis, rebuilt(part, change)) for axis, part in node.parts))
    elif isinstance(node, Read | Previous):
        node = replace(node, index=tuple(map(index, node.index)))
    return change(node)


def reads(node: Expression) -> Iterator[Read]:
    return (one for one in walk(node) if isinstance(one, Read))
