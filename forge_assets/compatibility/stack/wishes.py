"""Pins and bans as people write them -> what they mean, checked before anything is solved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forge_assets.compatibility.constraints.base import ConstraintBase
from forge_assets.compatibility.constraints.facts import framework_named
from forge_assets.compatibility.constraints.model import number, option
from forge_assets.compatibility.constraints.model import slot as variable
from forge_assets.compatibility.constraints.numbers import numbers
from forge_assets.compatibility.stack.problem import UNWRITTEN, Group, Wish
from forge_assets.compatibility.stack.profile import GIVEN, Profile
from forge_assets.compatibility.stack.request import Request, Wished
from forge_assets.components.ontology import Ontology
from forge_assets.components.ontology.model import Component
from forge_assets.components.ontology.naming import find_one, near_names
from forge_resources.errors import BlueprintError, QueryError
from forge_resources.strict_yaml import near

NOTHING = ("none", "nothing")
PIN, BAN = "pin", "ban"


@dataclass(frozen=True, slots=True)
class One:
    """A wish on a variable: of a slot a component (None: to be left empty), else a value."""

    kind: str
    variable: str
    value: str | int | float | bool | None
    written: str

    @property
    def told(self) -> str:
        return f"{self.kind} {self.written}"


@dataclass(frozen=True, slots=True)
class Meant:
    """The wishes of a request."""

    ones: tuple[One, ...]

    @property
    def components(self) -> list[str]:
        """Components that are pinned."""
        return [str(one.value) for one in self.ones if one.kind == PIN and one.variable.startswith("slot:") and one.value is not None]

    @property
    def slots(self) -> list[str]:
        """Slots that a pin fills."""
        pins = (one for one in self.ones if one.kind == PIN and one.value is not None)
        return [one.variable.removeprefix("slot:") for one in pins if one.variable.startswith("slot:")]

    @property
    def numbers(self) -> frozenset[str]:
        """Numbers that a wish speaks of."""
        return frozenset(one.variable.removeprefix("number:") for one in self.ones if one.variable.startswith("number:"))

    @property
    def pinned_numbers(self) -> dict[str, object]:
        return {
            one.variable.removeprefix("number:"): one.value for one in self.ones if one.kind == PIN and one.variable.startswith("number:")
        }

    def of_slot(self, slot: str) -> list[str]:
        return [str(one.value) for one in self.ones if one.kind == PIN and one.variable == variable(slot) and one.value is not None]

    def wishes(self, groups: Mapping[str, Group]) -> tuple[Wish, ...]:
        """As the solver takes them. Raises BlueprintError for a value that no row has."""
        group_of = {each: group for group in groups.values() for each in group.variables}
        return tuple(_wish(one, group_of) for one in self.ones)


def understand(request: Request, ontology: Ontology, profile: Profile, base: ConstraintBase) -> Meant:
    """Raises BlueprintError: an unknown slot or component, with the nearest names; contradicting pins; what is not built."""
    for slot in request.optional:
        _slot(slot, ontology)
    ones = [
        *(_one(PIN, each, request, ontology, base) for each in request.pins),
        *(_one(BAN, each, request, ontology, base) for each in request.bans),
    ]
    ones = list(dict.fromkeys(ones))
    _contradictions(ones)
    for one in ones:
        if one.kind == PIN and one.variable.startswith("slot:") and one.value is not None:
            _buildable(ontology.components[str(one.value)], one, request, profile, ontology)
            _of_precision(one, request, profile)
    return Meant(tuple(ones))


def _one(kind: str, wished: Wished, request: Request, ontology: Ontology, base: ConstraintBase) -> One:
    what = wished.what.removeprefix("slot:").replace("-", "_")
    if what in ontology.slots:
        return One(kind, variable(what), _component(wished, what, ontology), wished.told)
    if what.removeprefix("number:") in numbers():
        return One(kind, number(what.removeprefix("number:")), _value(wished.value), wished.told)
    if request.framework:
        framework = framework_named(request.framework)
        dialect = base.dialects.get(framework.id)
        name = wished.what.removeprefix("option:").removeprefix(f"{framework.id}:")
        if dialect and name in dialect.numbers:
            return One(kind, number(dialect.numbers[name]), _value(wished.value), wished.told)
        return One(kind, dialect.option(name) if dialect else option(framework.id, name), _value(wished.value), wished.told)
    known = [*ontology.slots, *numbers()]
    raise BlueprintError(
        f"{wished.told}: there is no slot or number {wished.what!r}{near(what, known) or '; the slots are: ' + ', '.join(ontology.slots)}"
    )


def _slot(name: str, ontology: Ontology) -> str:
    if name not in ontology.slots:
        raise BlueprintError(f"there is no slot {name!r}{near(name, ontology.slots) or '; the slots are: ' + ', '.join(ontology.slots)}")
    return name


def _component(wished: Wished, slot: str, ontology: Ontology) -> str | None:
    if wished.value.lower() in NOTHING:
        return None
    try:
        found = find_one(ontology, wished.value)
    except QueryError:
        there = [one for one in near_names(ontology, wished.value) if slot in _places(ontology.components[one])]
        names = there or near_names(ontology, wished.value)
        hint = f"near are: {', '.join(names)}" if names else f"`forge components list --slot {slot}` names those of its slot"
        raise BlueprintError(f"{wished.told}: no component is called {wished.value!r}; {hint}") from None
    if slot not in _places(found):
        raise BlueprintError(f"{wished.told}: {found.id} fills the slot {found.slot}, not {slot}; write {found.slot}={found.id}")
    return found.id


def _places(component: Component) -> tuple[str, ...]:
    return (component.slot, *component.also_slots)


def _value(text: str) -> str | int | float | bool | None:
    """A value as configurations write it."""
    lower = text.lower()
    if lower in ("true", "false", "on", "off"):
        return lower in ("true", "on")
    if lower in ("null", "unset", *NOTHING):
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _contradictions(ones: Iterable[One]) -> None:
    pins: dict[str, One] = {}
    for one in ones:
        if one.kind == PIN:
            other = pins.setdefault(one.variable, one)
            if other != one:
                raise BlueprintError(
                    f"the pins {other.written} and {one.written} contradict each other: one thing stands there, so keep one of them"
                )
    for one in ones:
        if one.kind == BAN and one.variable in pins and pins[one.variable].value == one.value:
            raise BlueprintError(f"{one.written} is pinned and banned; take one of both away")


def _buildable(component: Component, one: One, request: Request, profile: Profile, ontology: Ontology) -> None:
    if component.build == "described" and not request.research and component.slot not in GIVEN:
        raise BlueprintError(
            f"{one.written}: Forge can describe {component.id} but not build it yet; ask with --research to plan with it, or pin another"
        )


def _of_precision(one: One, request: Request, profile: Profile) -> None:
    """A pinned number format is one that the request's precision means."""
    meant = profile.precisions[request.precision]
    if one.variable == variable("precision") and one.value not in meant:
        said = f"precision {request.precision}, which means {' or '.join(meant)}"
        raise BlueprintError(f"{one.written} contradicts the blueprint's {said}; change one of the two")


def _wish(one: One, group_of: Mapping[str, Group]) -> Wish:
    group = group_of.get(one.variable)
    if group is None:
        raise BlueprintError(f"{one.written}: nothing that is chosen here depends on it; take it away")
    place = group.variables.index(one.variable)
    wanted = UNWRITTEN if one.value is None and one.variable.startswith("option:") else one.value
    same = frozenset(
        i
        for i, row in enumerate(group.rows)
        if row.values[place] == wanted and isinstance(row.values[place], bool) == isinstance(wanted, bool)
    )
    if one.kind == PIN and not same:
        known = ", ".join(dict.fromkeys(str(row.values[place]) for row in group.rows[:12]))
        raise BlueprintError(f"{one.written} cannot be met by what is asked for: possible are {known}")
    allowed = same if one.kind == PIN else frozenset(range(len(group.rows))) - same
    return Wish(
        f"{one.kind}:{one.written}",
        group.id,
        allowed,
        f"you {'pinned' if one.kind == PIN else 'banned'} {one.written}",
        3 if one.kind == PIN else 2,
    )
