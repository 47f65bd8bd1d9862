"""The words of the constraint base: a constraint is a nogood, conditions that must not all hold at once, with its scope and its source.

A *variable* is one of three: `slot:<slot>` holds a component id or None (the slot is left empty); `option:<framework>:<name>` holds a
setting of a framework; `number:<name>` holds a quantity of the blueprint, such as `number:num_heads`. An *assignment* maps variables to
values; the validator, the solver and the explanations all read the same constraints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Value = str | int | float | bool | None
Assignment = Mapping[str, Value | tuple[Value, ...]]
"""A tuple is a list that a configuration gives, such as the modules to recompute; slots and numbers never hold one."""
Origin = Literal["port", "fact", "arithmetic", "override"]
Severity = Literal["hard", "soft"]
Category = Literal["technique", "operational", "unmapped"]
Op = Literal[
    "on", "off", "set", "unset", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "contains", "lacks", "starts_with",
    "not_starts_with", "divisible_by", "not_divisible_by", "product_is_not",
]  # fmt: skip

IDEA = "idea"
"""Scope of what holds of the techniques themselves; else `implementation: <framework>@<commit>`."""


def slot(name: str) -> str:
    return f"slot:{name}"


def option(framework: str, name: str) -> str:
    return f"option:{framework}:{name}"


def number(name: str) -> str:
    return f"number:{name}"


@dataclass(frozen=True, slots=True)
class Condition:
    """One variable compared. `value` is a constant, a tuple of constants (`in`, `not in`), or another variable, whose value is meant; for
    `product_is_not` a tuple of variables whose product the first should be. What each op means: `validator`."""

    variable: str
    op: Op
    value: Value | tuple[Value, ...] = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a constraint comes from. `place`: `path:line` of the repository at `commit`, a port, a formula with author and year, or the
    override log with author and date."""

    place: str
    repository: str | None = None
    commit: str | None = None
    licence: str | None = None

    @property
    def told(self) -> str:
        if not self.repository or not self.commit:
            return self.place
        return f"{self.repository}@{self.commit[:10] if self.commit.isalnum() else self.commit} {self.place}"


@dataclass(frozen=True, slots=True)
class Constraint:
    """`forbidden`: the conditions that must not all hold. `id` is derived from the content and stays the same from run to run.

    `written`, for facts of code: the same conditions one by one as the framework writes them, on its options alone; where a condition
    of `forbidden` is an idea of the ontology or a common number, its twin here is the switch that it stands for. Else empty.
    `category`, for facts of code: whether all of its options are techniques, some only run the job, or some are neither.
    """

    id: str
    origin: Origin
    severity: Severity
    scope: str
    forbidden: tuple[Condition, ...]
    statement: str
    source: Source
    written: tuple[Condition, ...] = ()
    category: Category | None = None

    @property
    def framework(self) -> str | None:
        """`NVIDIA/Megatron-LM` of `implementation: NVIDIA/Megatron-LM@d98e...`; None for an idea."""
        return None if self.scope == IDEA else self.scope.removeprefix("implementation: ").rpartition("@")[0]

    @property
    def variables(self) -> frozenset[str]:
        named: set[str] = set()
        for condition in self.forbidden:
            values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
            named |= {condition.variable, *(v for v in values if isinstance(v, str) and v.startswith(("slot:", "option:", "number:")))}
        return frozenset(named)
