"""Which constraints an assignment breaks: a plain reading of each, one by one. It shares no code with the solver, so that it can judge it.

A constraint is broken when every one of its conditions holds, each in the resolved form or in the one the framework writes.

What a condition says of the value v of its variable:

- unassigned (the assignment does not speak of it): no condition holds. None: the slot is left empty, the setting is null.
- on / off: v is something or true / is None, false, zero or empty.   set / unset: v is not None / is None.
- == / !=: equal, where true is not 1.  in / not in: equal to one of the tuple / to none. So None != 3 and None not in (1, 2) hold.
- < <= > >=: of two numbers (true is none), or of two versions where the variable is a `version:`; else it does not hold.
- contains / lacks: v is a list with the item or a text with it inside / anything else, None too.
- starts_with / not_starts_with: v is a text that begins so / anything else.
- divisible_by / not_divisible_by: of two numbers, the second not 0; else neither holds.
- product_is_not: v and all factors are numbers, and their product is another.

A value that names a variable means the value of that variable; where it is unassigned the condition does not hold.
`unwritten` are settings that a configuration does not write, whose default nobody told: of them only `off`, `unset` and `lacks` hold,
and a constraint is broken by them only where another of its conditions holds of what is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from forge_assets.compatibility.constraints.model import Assignment, Condition, Constraint, Value
from forge_assets.compatibility.constraints.telling import name_of, told_condition, told_value

NAMES = ("slot:", "option:", "number:")
ABSENT = ("off", "unset", "lacks")
Found = Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """`broken`: the conditions in the form in which they hold. `found`: variable -> value; `assumed`: variables that nobody wrote."""

    constraint: Constraint
    broken: tuple[Condition, ...]
    found: Mapping[str, Found]
    assumed: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """`cf-...: megatron-lm refuses ...: a is 3, b is not written (NVIDIA/Megatron-LM@d98e8a64dd megatron/arguments.py:1034)`."""
        values = [f"{name_of(variable)} is {told_value(value)}" for variable, value in self.found.items()]
        values += [f"{name_of(variable)} is not written" for variable in self.assumed]
        return f"{self.constraint.id}: {self.constraint.statement}: {', '.join(values)} ({self.constraint.source.told})"

    @property
    def because(self) -> str:
        return " with ".join(told_condition(condition) for condition in self.broken)


def violations(assignment: Assignment, constraints: Iterable[Constraint], *, unwritten: Collection[str] = ()) -> list[Violation]:
    """The constraints that the assignment breaks, hard and soft, in their order."""
    assumed = frozenset(unwritten) - set(assignment)
    found = (violation(assignment, constraint, assumed) for constraint in constraints)
    return [one for one in found if one is not None]


def violation(assignment: Assignment, constraint: Constraint, unwritten: Collection[str] = ()) -> Violation | None:
    """How the assignment breaks the constraint, or None."""
    broken: list[Condition] = []
    for resolved, written in zip_longest(constraint.forbidden, constraint.written):
        for form in (resolved, written):
            if form is not None and holds(form, assignment, unwritten):
                broken.append(form)
                break
        else:
            return None
    spoken = dict.fromkeys(variable for condition in broken for variable in _variables(condition))
    found = {variable: assignment[variable] for variable in spoken if variable in assignment}
    if not found or all(condition.variable not in assignment for condition in broken):
        return None
    return Violation(constraint, tuple(broken), found, tuple(variable for variable in spoken if variable not in assignment))


def holds(condition: Condition, assignment: Assignment, unwritten: Collection[str] = ()) -> bool:
    """Whether the condition holds, as the head of this module says."""
    if condition.variable not in assignment:
        return condition.variable in unwritten and condition.op in ABSENT
    value = assignment[condition.variable]
    if condition.op in ALONE:
        return ALONE[condition.op](value)
    others = _referred(condition.value)
    if any(name not in assignment for name in others):
        return False
    wanted = _meant(condition, assignment)
    if condition.op in ORDERS:
        return _ordered(condition, value, wanted)
    return AGAINST[condition.op](value, wanted)


def _meant(condition: Condition, assignment: Assignment) -> Found:
    wanted = condition.value
    if isinstance(wanted, tuple):
        found = [assignment[one] if isinstance(one, str) and one.startswith(NAMES) else one for one in wanted]
        return tuple(one if not isinstance(one, tuple) else None for one in found)
    return assignment[wanted] if isinstance(wanted, str) and wanted.startswith(NAMES) else wanted


def _referred(value: Found) -> list[str]:
    return [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, str) and one.startswith(NAMES)]


def _variables(condition: Condition) -> list[str]:
    return [condition.variable, *_referred(condition.value)]


def _same(one: object, other: object) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _one_of(value: Found, wanted: Found) -> bool:
    return isinstance(wanted, tuple) and any(_same(value, one) for one in wanted)


def _inside(value: Found, wanted: Found) -> bool:
    if isinstance(value, tuple):
        return any(_same(one, wanted) for one in value)
    return isinstance(value, str) and isinstance(wanted, str) and wanted in value


def _begins(value: Found, wanted: Found) -> bool:
    return isinstance(value, str) and isinstance(wanted, str) and value.startswith(wanted)


def _quantity(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None


def _remainder(value: Found, wanted: Found) -> float | None:
    """None where there is nothing to divide, or nothing to divide by."""
    one, other = _quantity(value), _quantity(wanted)
    return one % other if one is not None and other else None


def _another_product(value: Found, wanted: Found) -> bool:
    one, factors = _quantity(value), [_quantity(factor) for factor in wanted] if isinstance(wanted, tuple) else [None]
    known = [factor for factor in factors if factor is not None]
    return one is not None and len(known) == len(factors) and math.prod(known) != one


def _ordered(condition: Condition, value: Found, wanted: Found) -> bool:
    if ":version:" in condition.variable and isinstance(value, str) and isinstance(wanted, str):
        return ORDERS[condition.op](*_aligned(value, wanted))
    one, other = _quantity(value), _quantity(wanted)
    return one is not None and other is not None and ORDERS[condition.op](one, other)


def _aligned(one: str, other: str) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Two versions as lists that compare as versions do: by numbers, and a dev, a, b or rc part before none. `2.7` is `2.7.0`."""
    parts = [[_part(text) for text in re.split(r"[.+-]|(?<=\d)(?=(?:dev|a|b|rc)\d)", version.strip())] for version in (one, other)]
    length = max(map(len, parts))
    left, right = ([*part, *[(0, "~")] * (length - len(part))] for part in parts)
    return left, right


def _part(text: str) -> tuple[int, str]:
    if text.isdigit():
        return int(text), "~"
    letters = re.match(r"[a-z]*", text).group()  # type: ignore[union-attr]
    return (-1, text) if letters in ("dev", "a", "b", "rc") else (0, "~" + text)


ALONE: dict[str, Callable[[Found], bool]] = {
    "on": lambda value: bool(value),
    "off": lambda value: not value,
    "set": lambda value: value is not None,
    "unset": lambda value: value is None,
}
ORDERS: dict[str, Callable[[object, object], bool]] = {
    "<": lambda one, other: one < other,  # type: ignore[operator]
    "<=": lambda one, other: one <= other,  # type: ignore[operator]
    ">": lambda one, other: one > other,  # type: ignore[operator]
    ">=": lambda one, other: one >= other,  # type: ignore[operator]
}
AGAINST: dict[str, Callable[[Found, Found], bool]] = {
    "==": _same,
    "!=": lambda value, wanted: not _same(value, wanted),
    "in": _one_of,
    "not in": lambda value, wanted: not _one_of(value, wanted),
    "contains": _inside,
    "lacks": lambda value, wanted: not _inside(value, wanted),
    "starts_with": _begins,
    "not_starts_with": lambda value, wanted: not _begins(value, wanted),
    "divisible_by": lambda value, wanted: _remainder(value, wanted) == 0,
    "not_divisible_by": lambda value, wanted: _remainder(value, wanted) not in (None, 0),
    "product_is_not": _another_product,
}
