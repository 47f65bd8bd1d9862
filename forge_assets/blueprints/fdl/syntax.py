"""The tree of an FDL text as it is written: every name with its place, nothing resolved yet.

In: made by parse.py. Out: inline.py replaces calls of pieces by their bodies, check.py resolves names into ir.py, format.py prints it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Place:
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Number:
    text: str
    place: Place

    @property
    def value(self) -> int | float:
        return int(self.text) if self.text.isdigit() else float(self.text)


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Dots:
    """`..`: any number of axes, in a piece and in an optimizer."""

    place: Place


@dataclass(frozen=True, slots=True)
class Access:
    """`x[b,t,d]`: one element of a tensor."""

    name: str
    indices: tuple[Expression, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Function:
    """`exp(x)`, and `rmsnorm(x[b,t,d], eps = 1e-6, prefix "norm.")`, the call of a piece."""

    name: str
    arguments: tuple[Expression, ...]
    keywords: tuple[tuple[str, Expression], ...]
    prefix: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Over:
    """`sum[d](...)`, `softmax[s](...)`, `cat[k: p, n](..., ...)`: what runs over axes."""

    name: str
    axes: tuple[Expression, ...]
    parts: tuple[Name, ...]
    arguments: tuple[Expression, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator with one or two operands."""

    operator: str
    operands: tuple[Expression, ...]
    place: Place


Expression = Number | Name | Dots | Access | Function | Over | Operation


@dataclass(frozen=True, slots=True)
class Type:
    """`f32[(g r c j), d]`: dtype, axes in order, and how they are grouped in the stored tensor."""

    dtype: str
    groups: tuple[tuple[Name | Dots, ...], ...]
    place: Place

    @property
    def axes(self) -> tuple[Name | Dots, ...]:
        return tuple(axis for group in self.groups for axis in group)


@dataclass(frozen=True, slots=True)
class Argument:
    name: str
    type: Type
    place: Place


@dataclass(frozen=True, slots=True)
class Constant:
    name: str
    value: Expression
    place: Place


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: Type
    stored: str
    init: tuple[str, float | None] | None
    place: Place


@dataclass(frozen=True, slots=True)
class State:
    name: str
    type: Type
    place: Place


@dataclass(frozen=True, slots=True)
class Define:
    """`x[b,t] = ...`; `axes` is None where the brackets were left out. `origin`: the calls it was inlined from, outermost first."""

    name: str
    axes: tuple[Name | Dots, ...] | None
    value: Expression
    place: Place
    origin: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Return:
    names: tuple[Name, ...]
    place: Place


Statement = Constant | Parameter | State | Define | Return


@dataclass(frozen=True, slots=True)
class Unit:
    """A fragment, piece, optimizer or schedule."""

    kind: str
    name: str
    arguments: tuple[Argument, ...]
    results: tuple[Argument, ...]  # an unnamed result has the name ""
    body: tuple[Statement, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Axis:
    name: str
    size: Expression | None
    description: str
    place: Place


@dataclass(frozen=True, slots=True)
class Stage:
    """A fragment or model by name, or a group; repeated `count` times where given."""

    name: str | None
    group: tuple[Stage, ...]
    count: Expression | None
    prefix: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    stages: tuple[Stage, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Text:
    """A whole text: its items in order, and the comments by line with the column they start at."""

    items: tuple[Axis | Unit | Model, ...]
    comments: dict[int, tuple[int, str]] = field(default_factory=dict)
