"""What the solver is given: groups of which exactly one row is chosen, benefits of rows and pairs of rows, and what is forbidden.

A group is a slot (rows: its components, and None where it may stay empty), an option of a framework (rows: its values), or a bundle of
numbers chosen together (rows: shapes of the model, plans of parallelism). Benefits are integers, in thousandths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forge_assets.compatibility.constraints.model import Constraint, Value

Choice = tuple[str, int]
"""(group, index of its row)"""
Chosen = Mapping[str, int]
"""group -> index of the chosen row"""
SCALE = 1000
UNWRITTEN = "(not written)"
"""A setting that a configuration leaves out, whose default nobody told: of it only `off`, `unset` and `lacks` hold."""
SOLVER_VERSION = "4"
"""Raised whenever the same inputs would give another stack."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way to fill a group: what it is called, and the value of each of the group's variables."""

    name: str
    values: tuple[Value, ...]
    benefit: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """`variables` of which each row holds the values; exactly one row is chosen."""

    id: str
    variables: tuple[str, ...]
    rows: tuple[Row, ...]

    def index(self, name: str) -> int | None:
        return next((i for i, row in enumerate(self.rows) if row.name == name), None)


@dataclass(frozen=True, slots=True)
class Box:
    """Rows of some groups that may not be chosen together: one from each set. `reason` is what a person is told."""

    sets: tuple[tuple[str, frozenset[int]], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Limit:
    """What is forbidden beside the constraints: a budget of the request, worked out for every combination that matters, a setting that
    says the same as a slot, what follows from a component by definition. `boxes` are the combinations beyond it."""

    id: str
    statement: str
    source: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the request demands of one group: a pin or a ban. Only rows of `allowed` remain; `weight` is what breaking it would cost."""

    id: str
    group: str
    allowed: frozenset[int]
    statement: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything; two equal problems have equal solutions. `soft_cost`: what a broken soft constraint costs."""

    groups: Mapping[str, Group]
    pairs: Mapping[tuple[Choice, Choice], int] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    limits: tuple[Limit, ...] = ()
    wishes: tuple[Wish, ...] = ()
    soft_cost: int = SCALE // 2

    def group_of(self) -> dict[str, str]:
        """variable -> the group that holds it"""
        return {variable: group.id for group in self.groups.values() for variable in group.variables}

    def assignment(self, chosen: Chosen) -> dict[str, Value]:
        """The values of all variables under a choice of rows."""
        values: dict[str, Value] = {}
        for group_id, index in chosen.items():
            group = self.groups[group_id]
            values |= dict(zip(group.variables, group.rows[index].values, strict=True))
        return values


@dataclass(frozen=True, slots=True)
class Solution:
    """A choice of rows. `bound`: no choice can be better than this; `optimal`: it is proved that none is. `seconds` of wall time.

    `chosen` is None where there is none (`infeasible`) or none was found in time.
    """

    chosen: dict[str, int] | None
    objective: int
    bound: int
    optimal: bool
    infeasible: bool
    seconds: float

    @property
    def gap(self) -> float:
        """Share by which the best possible could be better; 0 when proved optimal."""
        return 0.0 if self.optimal else max(0.0, (self.bound - self.objective) / max(1.0, abs(self.objective)))
