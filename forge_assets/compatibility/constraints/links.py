"""Between a framework's settings and what they mean: slots and numbers that follow from settings, and settings that a stack needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from forge_assets.compatibility.constraints.dialects import Dialect, Idea
from forge_assets.compatibility.constraints.model import Assignment, Value, number, slot

Values = dict[str, Value | tuple[Value, ...]]


def ideas_of(dialect: Dialect, settings: Assignment) -> Values:
    """The numbers and slots that follow from settings (variables `option:`). A slot of which settings say different things is left open."""
    found: Values = {}
    said: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for variable, value in settings.items():
        param = dialect.param(variable)
        if param in dialect.numbers and (value is None or isinstance(value, int | float) and not isinstance(value, bool)):
            found[number(dialect.numbers[param])] = value
        if param in dialect.ideas:
            said[dialect.ideas[param].slot] += _meant(dialect.ideas[param], value)
    for place, meanings in said.items():
        common = [one for one in meanings[0] if all(one in other for other in meanings)] if meanings else []
        if common:
            found[slot(place)] = common[0]
    return found


def _meant(idea: Idea, value: Value | tuple[Value, ...]) -> Iterator[tuple[str, ...]]:
    """The components that a value surely is one of; nothing where it says nothing."""
    if value is True and idea.held:
        yield idea.held
    elif value and not isinstance(value, tuple) and (named := idea.values.get(str(value))):
        yield named
    elif value and value is not True and idea.held:
        yield idea.held


def settings_of(dialect: Dialect, assignment: Assignment) -> Values:
    """The settings (variables `option:`) that the framework needs for the slots and numbers of an assignment, as far as the mapping knows.

    True where some value has to be chosen (a file, a ratio), None where the setting must stay unset, false where it is on by default. A
    setting that the component has nothing to do with is not spoken of.
    """
    made: Values = {}
    for param, idea in dialect.ideas.items():
        component = assignment.get(slot(idea.slot))
        if param not in dialect.run and isinstance(component, str):
            for value in _needed(idea, component, param in dialect.numbers):
                made[dialect.option(param)] = False if value is None and param in dialect.on_by_default else value
    for param, name in dialect.numbers.items():
        if param not in dialect.run and assignment.get(number(name)) is not None:
            made[dialect.option(param)] = assignment[number(name)]
    return made


def _needed(idea: Idea, component: str, counted: bool) -> Iterator[Value]:
    for value, names in idea.values.items():
        if component in names:
            yield int(value) if value.isdigit() else value
            return
    if component in idea.held:
        if not counted:
            yield True
    elif idea.missing == "rest":
        if idea.held and component not in idea.unsure:
            yield None
    elif component in idea.missing:
        yield None
