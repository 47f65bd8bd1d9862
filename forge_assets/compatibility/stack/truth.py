"""Whether a condition holds of values: the solver's own reading of the operators, independent of the validator's.

A condition on a variable that has no value at all (not even None) does not hold. None is "left empty", "not set". Of a setting that is
not written at all, only what is surely true of anything absent holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from forge_assets.compatibility.constraints.model import Condition, Value
from forge_assets.compatibility.stack.problem import UNWRITTEN

ABSENT = ("off", "unset", "lacks")
VARIABLE = ("slot:", "option:", "number:")


def variables_of(condition: Condition) -> tuple[str, ...]:
    """The variables a condition speaks of, the compared one first."""
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    others = [value for value in values if isinstance(value, str) and value.startswith(VARIABLE)]
    return tuple(dict.fromkeys([condition.variable, *others]))


def holds(condition: Condition, values: Mapping[str, Value]) -> bool:
    """Whether the condition holds under these values."""
    if any(variable not in values for variable in variables_of(condition)):
        return False
    found = values[condition.variable]
    if found == UNWRITTEN:
        return condition.op in ABSENT
    if any(values[variable] == UNWRITTEN for variable in variables_of(condition)):
        return False
    wanted = _looked_up(condition.value, values)
    if condition.op in _OF_ONE:
        return _OF_ONE[condition.op](found)
    return _OF_TWO[condition.op](found, wanted)


def _looked_up(wanted: Value | tuple[Value, ...], values: Mapping[str, Value]) -> Value | tuple[Value, ...]:
    if isinstance(wanted, tuple):
        return tuple(values.get(one, one) if isinstance(one, str) else one for one in wanted)
    return values.get(wanted, wanted) if isinstance(wanted, str) else wanted


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[object, object], bool]:
    def of(found: object, wanted: object) -> bool:
        left, right = _number(found), _number(wanted)
        return left is not None and right is not None and compare(left, right)

    return of


def _equal(found: object, wanted: object) -> bool:
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _among(found: object, wanted: object) -> bool:
    return isinstance(wanted, tuple) and any(_equal(found, one) for one in wanted)


def _contains(found: object, wanted: object) -> bool:
    if isinstance(found, tuple):
        return any(_equal(one, wanted) for one in found)
    return isinstance(found, str) and isinstance(wanted, str) and wanted in found


def _divisible(found: object, wanted: object) -> bool | None:
    left, right = _number(found), _number(wanted)
    return None if left is None or not right else left % right == 0


def _product_is_not(found: object, wanted: object) -> bool:
    factors = [_number(one) for one in wanted] if isinstance(wanted, tuple) else [None]
    left = _number(found)
    return left is not None and all(one is not None for one in factors) and math.prod(one or 0 for one in factors) != left


_OF_ONE: dict[str, Callable[[object], bool]] = {
    "on": bool,
    "off": lambda found: not found,
    "set": lambda found: found is not None,
    "unset": lambda found: found is None,
}
_OF_TWO: dict[str, Callable[[object, object], bool]] = {
    "==": _equal,
    "!=": lambda found, wanted: not _equal(found, wanted),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "in": _among,
    "not in": lambda found, wanted: not _among(found, wanted),
    "contains": _contains,
    "lacks": lambda found, wanted: not _contains(found, wanted),
    "starts_with": lambda found, wanted: isinstance(found, str) and isinstance(wanted, str) and found.startswith(wanted),
    "not_starts_with": lambda found, wanted: not (isinstance(found, str) and isinstance(wanted, str) and found.startswith(wanted)),
    "divisible_by": lambda found, wanted: _divisible(found, wanted) is True,
    "not_divisible_by": lambda found, wanted: _divisible(found, wanted) is False,
    "product_is_not": _product_is_not,
}
