"""A target framework's settings as groups: the values that its rules speak of, one other, and unset; tied to the slots they stand for.

Settings that are common numbers follow those numbers. Values of the running program and versions of libraries are no settings; nobody
chooses them, so no condition on them holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forge_assets.compatibility.constraints.base import ConstraintBase
from forge_assets.compatibility.constraints.dialects import Dialect, Idea
from forge_assets.compatibility.constraints.facts import framework_named
from forge_assets.compatibility.constraints.model import Condition, Value, number, option, slot
from forge_assets.compatibility.stack.problem import UNWRITTEN, Box, Group, Limit, Row
from forge_assets.compatibility.stack.truth import variables_of

OTHER = "(another value)"
"""Stands for any value that no rule speaks of; a configuration leaves the choice to its writer."""
SET_COST = 2
OTHER_COST = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one framework. `follow`: number variable -> option variables that say the same."""

    framework: str
    groups: tuple[Group, ...]
    limits: tuple[Limit, ...]
    follow: Mapping[str, tuple[str, ...]]


def settings_of(base: ConstraintBase, framework: str, slots: Mapping[str, Group], numbered: frozenset[str]) -> Settings:
    """`slots`: groups of the slots by variable; `numbered`: number variables that have a value already."""
    target = framework_named(framework)
    dialect = base.dialects.get(target.id, Dialect(target.id))
    run = base.run_values(framework)
    conditions = [each for one in base.in_scope(framework) for each in (*one.forbidden, *one.written)]
    own, version = option(target.id, ""), option(target.id, "version:")
    follow: dict[str, list[str]] = {}
    for param, name in dialect.numbers.items():
        follow.setdefault(number(name), []).append(dialect.option(param))
    mirrored = {each for name, options in follow.items() if name in numbered for each in options}
    asked = {variable for each in conditions for variable in variables_of(each)}
    chosen = sorted(v for v in asked if v.startswith(own) and not v.startswith(version) and v not in run and v not in mirrored)
    loose = sorted(v for v in asked if v.startswith("number:") and v not in numbered)
    groups = [_group(variable, conditions) for variable in chosen]
    groups += [_group(variable, conditions) for variable in loose]
    tied = _ties(dialect, {group.id: group for group in groups}, slots)
    return Settings(target.id, tuple(groups), tuple(tied), {name: tuple(dict.fromkeys(of)) for name, of in follow.items()})


def _group(variable: str, conditions: Iterable[Condition]) -> Group:
    values = list(dict.fromkeys(value for each in conditions if each.variable == variable for value in _mentioned(each)))
    rows = [Row("unset", (UNWRITTEN if variable.startswith("option:") else None,), 0)]
    rows += [Row(_told(value), (value,), -OTHER_COST if value == OTHER else -SET_COST) for value in values if value is not None]
    return Group(variable, (variable,), tuple(rows))


def _told(value: Value | tuple[Value, ...]) -> str:
    return str(value)


def _mentioned(condition: Condition) -> list[Value]:
    """Values on both sides of the comparison."""
    op, value = condition.op, condition.value
    given = [one for one in (value if isinstance(value, tuple) else (value,)) if not (isinstance(one, str) and one.startswith("option:"))]
    given = [one for one in given if not (isinstance(one, str) and one.startswith(("number:", "slot:")))]
    if op in ("on", "off"):
        return [True]
    if op in ("set", "unset"):
        return [OTHER]
    if op in ("<", "<=", ">", ">="):
        return [each for one in given if isinstance(one, int | float) for each in (one - 1, one, one + 1)] or [1, 2]
    if op in ("divisible_by", "not_divisible_by", "product_is_not"):
        return [each for one in given if isinstance(one, int) for each in (one, one + 1)] or [1, 2]
    if any(isinstance(one, bool) for one in given):
        return [True, False]
    numbers = [one for one in given if isinstance(one, int | float)]
    return [*given, max(numbers) + 1 if numbers else OTHER]


def _ties(dialect: Dialect, groups: Mapping[str, Group], slots: Mapping[str, Group]) -> Iterable[Limit]:
    """A setting that is an idea says what the slot holds."""
    for param, idea in dialect.ideas.items():
        group, place = groups.get(dialect.option(param)), slots.get(slot(idea.slot))
        if group is None or place is None:
            continue
        boxes = tuple(
            Box(((group.id, frozenset([i])), (place.id, frozenset([j]))), f"{param}={row.name} is not {idea.slot}={component.name}")
            for i, row in enumerate(group.rows)
            for j, component in enumerate(place.rows)
            if not _agree(idea, None if row.values[0] == UNWRITTEN else row.values[0], component.values[0])
        )
        if boxes:
            yield Limit(f"tie:{group.id}", f"{param} of {dialect.framework} says which {idea.slot} is used",
                        f"constraints/ideas.yaml, {dialect.framework}, {param}", boxes)  # fmt: skip


def _agree(idea: Idea, value: Value, component: Value) -> bool:
    """Whether a setting of this value may stand beside this component (None: an empty slot)."""
    if component in idea.unsure:
        return True
    text = str(value).lower() if isinstance(value, bool) else str(value)
    meant = {name for name, components in idea.values.items() if component in components}
    if meant:
        return value is not None and text in meant
    if component in idea.held:
        return bool(value)
    if idea.missing != "rest" and component in idea.missing:
        return not value
    if text in idea.values and value is not None:
        return False  # the value means other components
    return not (value and idea.held and not idea.values and idea.missing == "rest")


def mirror(
    rows: Iterable[Row], variables: tuple[str, ...], follow: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Rows of numbers with the settings that follow them; 0 of what is absent is not written."""
    followed = [(place, each) for place, name in enumerate(variables) for each in follow.get(name, ())]
    made = tuple(Row(row.name, (*row.values, *(row.values[place] or UNWRITTEN for place, _ in followed)), row.benefit) for row in rows)
    return (*variables, *(each for _, each in followed)), made


def told_apart_by_settings(base: ConstraintBase, framework: str, slot_: str) -> list[frozenset[str]]:
    """The sets of components that a framework's settings tell apart in a slot."""
    dialect = base.dialects.get(framework_named(framework).id)
    ideas = [idea for idea in dialect.ideas.values() if idea.slot == slot_] if dialect else []
    found = [frozenset(names) for idea in ideas for names in (*idea.values.values(), idea.held, idea.unsure)]
    return found + [frozenset(idea.missing) for idea in ideas if idea.missing != "rest"]
