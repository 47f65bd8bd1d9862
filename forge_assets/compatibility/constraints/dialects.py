"""`ideas.yaml` -> a dialect per framework: which of its settings are ideas of the ontology or common numbers, and what they are called.

A condition on an option is resolved to one on a slot or a number, such that the resolved one holding implies the written one: a component
stands in the mapping only where a stack with it is run with that setting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from forge_assets.compatibility.constraints.model import Condition, Value, number, option, slot
from forge_assets.compatibility.constraints.numbers import numbers
from forge_assets.components.ontology import Ontology
from forge_resources.errors import ConstraintError
from forge_resources.strict_yaml import Fields, parse

FILE = Path(__file__).resolve().parent / "ideas.yaml"
ELSE = {"", "rest", "mapped"}
HELD, MISSING = ("on", "set"), ("off", "unset")


@dataclass(frozen=True, slots=True)
class Idea:
    """A setting that is a component of `slot`; what each field says stands at the head of ideas.yaml."""

    slot: str
    values: Mapping[str, tuple[str, ...]]
    otherwise: str
    unsure: tuple[str, ...]
    whole: bool
    held: tuple[str, ...]
    missing: tuple[str, ...] | Literal["rest"]
    when: Mapping[str, tuple[str, ...]]

    def resolve(self, op: str, value: object) -> tuple[Literal["in", "not in"], tuple[str, ...]] | None:
        """What the slot must hold, or must not, for the comparison to hold; None where that cannot be said."""
        found = self._resolved(op, value)
        return found if found and found[1] else None

    def _resolved(self, op: str, value: object) -> tuple[Literal["in", "not in"], tuple[str, ...]] | None:
        mapped = _joined(self.values.values())
        told = f"{op} {_text(value)}"
        if told in self.when:
            return "in", self.when[told]
        if op in HELD:
            return "in", self.held or (mapped if self.whole else ())
        if op in MISSING:
            if self.missing == "rest" or self.whole:
                return "not in", (*(self.held or mapped), *self.unsure)
            return "in", self.missing
        given = [_text(one) for one in value] if isinstance(value, tuple) else [_text(value)]
        known = [one for one in given if one in self.values]
        meant = _joined(self.values[one] for one in known)
        if op in ("==", "in"):
            return "in", meant
        if op not in ("!=", "not in") or len(known) < len(given) or not self.otherwise:
            return None
        if self.otherwise == "mapped":
            return "in", tuple(one for one in mapped if one not in meant)
        return "not in", tuple(dict.fromkeys((*meant, *self.unsure)))


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one framework speaks. `run`: values of the running program; `on_by_default`: switches that are on unless told otherwise."""

    framework: str
    same: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    ideas: Mapping[str, Idea] = field(default_factory=dict)
    flags: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    run: frozenset[str] = frozenset()
    on_by_default: frozenset[str] = frozenset()

    def canonical(self, param: str) -> str:
        """The one spelling of a setting."""
        for prefix, instead in self.same.items():
            if prefix.endswith(".") and param.startswith(prefix):
                param = instead + param.removeprefix(prefix)
                break
        return self.same.get(param, param)

    def option(self, param: str) -> str:
        return option(self.framework, self.canonical(param))

    def param(self, variable: str) -> str:
        return variable.removeprefix(option(self.framework, ""))

    def resolve(self, written: Condition) -> Condition:
        """The condition on a slot or a number that the written one stands for, or the written one itself."""
        param = self.param(written.variable)
        idea = self.ideas.get(param)
        found = idea.resolve(written.op, written.value) if idea else None
        if idea and found:
            return Condition(slot(idea.slot), found[0], found[1])
        if param not in self.numbers:
            return written
        value = written.value
        if isinstance(value, str):
            other = self.numbers.get(self.param(value))
            return Condition(number(self.numbers[param]), written.op, number(other)) if other else written
        return Condition(number(self.numbers[param]), written.op, value)


def load_dialects(ontology: Ontology) -> Mapping[str, Dialect]:
    """Framework -> dialect, checked against the ontology and the numbers.

    Raises ConstraintError with the faults: an unknown slot, component or number, a component that is not of the slot.
    """
    faults: list[str] = []
    content = parse(FILE.read_text(encoding="utf-8"))
    made = {name: _dialect(name, Fields(f"{FILE.name}, {name}", entry, faults), ontology) for name, entry in content.items()}
    if faults:
        more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise ConstraintError(f"the mapping of settings cannot be used: {'; '.join(faults[:5])}{more}")
    return made


def _dialect(framework: str, fields: Fields, ontology: Ontology) -> Dialect:
    same, quantities, ideas, flags = (fields.raw(key) or {} for key in ("same", "numbers", "ideas", "flags"))
    made = Dialect(
        framework,
        same,
        quantities,
        {param: _idea(Fields(f"{fields.where}, {param}", entry, fields.faults), ontology) for param, entry in ideas.items()},
        flags,
        frozenset(fields.texts("run", ())),
        frozenset(fields.texts("on_by_default", ())),
    )
    for param, name in made.numbers.items():
        if name not in numbers():
            fields.fault(f"{param} is the number {name!r}, which numbers.yaml does not have")
    fields.done()
    return made


def _idea(fields: Fields, ontology: Ontology) -> Idea:
    place = fields.text("slot")
    if place not in ontology.slots:
        fields.fault(f"the ontology has no slot {place!r}")

    def named(content: Any, key: str) -> tuple[str, ...]:
        return _components(content, key, place, fields, ontology)

    missing = fields.raw("without")
    made = Idea(
        place,
        {value: named(names, f"is {value}") for value, names in (fields.raw("is") or {}).items()},
        fields.choice("else", ELSE, ""),
        named(fields.raw("unsure") or [], "unsure"),
        fields.flag("whole", False),
        named(fields.raw("with") or [], "with"),
        "rest" if missing == "rest" else named(missing or [], "without"),
        {told: named(names, f"when {told}") for told, names in (fields.raw("when") or {}).items()},
    )
    fields.done()
    return made


def _components(content: Any, key: str, place: str, fields: Fields, ontology: Ontology) -> tuple[str, ...]:
    """The components named, `+` ones with all below them."""
    found: dict[str, None] = {}
    for name in content if isinstance(content, list) else [content]:
        one = str(name).removesuffix("+")
        component = ontology.components.get(one)
        if component is None or place not in (component.slot, *component.also_slots):
            fields.fault(f"{key}: the slot {place} has no component {one!r}")
            continue
        found[one] = None
        if str(name).endswith("+"):
            found |= dict.fromkeys(descendants(ontology, one))
    return tuple(found)


def descendants(ontology: Ontology, component: str) -> list[str]:
    """The ids of all components below one, of any slot."""
    below = [child.id for child in ontology.components.values() if child.parent == component]
    return below + [deeper for child in below for deeper in descendants(ontology, child)]


def _joined(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for names in lists for one in names))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
