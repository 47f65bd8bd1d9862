"""Values under which all conditions of a constraint hold: found by trying candidates, read by a plain table of its own.

`means` is what each operator says, written down once more and independently of the code under test; `plant` searches by it.
"""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

from forge_assets.compatibility.constraints.model import Condition, Value

Given = Value | tuple[Value, ...]
NAMES = ("slot:", "option:", "number:")
PLAIN: tuple[Given, ...] = (True, False, None, 1, 2, 3, 4, 6, 7, 8, 12, 30, 64, -5, 0.5, "other", "another", ("other",))


def means(op: str, value: Given, wanted: Given, *, version: bool = False) -> bool:
    """Whether `value op wanted` holds, the wanted value looked up already."""
    if op in ("off", "unset", "!=", "not in", "lacks", "not_starts_with"):
        return not means(
            {"off": "on", "unset": "set", "!=": "==", "lacks": "contains"}.get(op, op.removeprefix("not").strip(" _")), value, wanted
        )
    text = isinstance(value, str) and isinstance(wanted, str)
    match op:
        case "on":
            return value not in (None, False, 0, "", ())
        case "set":
            return value is not None
        case "==":
            return (type(value) is type(wanted) or (_counts(value) and _counts(wanted))) and value == wanted
        case "in":
            return any(means("==", value, one) for one in (wanted if isinstance(wanted, tuple) else ()))
        case "contains":
            return any(means("==", one, wanted) for one in value) if isinstance(value, tuple) else text and str(wanted) in str(value)
        case "starts_with":
            return text and str(value)[: len(str(wanted))] == wanted
        case "product_is_not":
            factors = [factor for factor in wanted if _counts(factor)] if isinstance(wanted, tuple) else []
            return _counts(value) and factors == list(wanted or ()) and value != math.prod(factors)  # type: ignore[arg-type]
    if version and text:
        return _compared(op, *([int(part) for part in re.findall(r"\d+", str(one))] for one in (value, wanted)))
    return _counts(value) and _counts(wanted) and _compared(op, value, wanted)


def _counts(value: object) -> bool:
    return type(value) in (int, float)


def _compared(op: str, one: Any, other: Any) -> bool:
    if op.endswith("divisible_by"):
        return bool(other != 0 and (one % other == 0) == (op == "divisible_by"))
    return bool({"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[op])


def plant(forbidden: Sequence[Condition], drawn: random.Random) -> dict[str, Given] | None:
    """An assignment under which all conditions hold, or None where no candidate does (the rule contradicts itself)."""
    found: dict[str, Given] = {}
    for group in _together(forbidden):
        variables = sorted({name for condition in group for name in _names(condition)})
        pools = [_pool(name, group, drawn) for name in variables]
        for values in itertools.islice(itertools.product(*pools), 200_000):
            trial = dict(zip(variables, values, strict=True))
            if all(holds(condition, trial) for condition in group):
                found |= trial
                break
        else:
            return None
    return found


def holds(condition: Condition, values: dict[str, Given]) -> bool:
    wanted = condition.value
    if isinstance(wanted, tuple):
        wanted = tuple(values[one] if isinstance(one, str) and one.startswith(NAMES) else one for one in wanted)  # type: ignore[misc]
    elif isinstance(wanted, str) and wanted.startswith(NAMES):
        wanted = values[wanted]
    return means(condition.op, values[condition.variable], wanted, version=":version:" in condition.variable)


def _names(condition: Condition) -> list[str]:
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    return [condition.variable, *(one for one in values if isinstance(one, str) and one.startswith(NAMES))]


def _together(forbidden: Sequence[Condition]) -> list[list[Condition]]:
    """The conditions in groups that share no variable."""
    groups: list[tuple[set[str], list[Condition]]] = []
    for condition in forbidden:
        names, joined = set(_names(condition)), [condition]
        for group in [one for one in groups if one[0] & names]:
            groups.remove(group)
            names |= group[0]
            joined = [*group[1], *joined]
        groups.append((names, joined))
    return [group for _, group in groups]


def _pool(name: str, group: Sequence[Condition], drawn: random.Random) -> list[Given]:
    """Values worth trying: what the conditions name, what lies just beside it, all they ask to contain, and some plain ones."""
    if ":version:" in name:
        return ["0.1", "99.0"]
    told = [condition.value for condition in group if condition.variable == name]
    whole: list[Given] = [value for value in told if isinstance(value, tuple)]
    near = [value for value in _each(told) if not (isinstance(value, str) and value.startswith(NAMES))]
    numbers = [value + step for value in near if isinstance(value, int | float) and not isinstance(value, bool) for step in (-1, 1)]
    inside = [condition.value for condition in group if condition.variable == name and condition.op == "contains"]
    contained: list[Given] = [tuple(inside), "".join(map(str, inside))] if inside else []  # type: ignore[arg-type]
    plain = list(PLAIN)
    drawn.shuffle(plain)
    return [*contained, *whole, *near, *numbers, *plain]


def _each(told: Sequence[Given]) -> Iterator[Value]:
    for value in told:
        yield from value if isinstance(value, tuple) else (value,)
