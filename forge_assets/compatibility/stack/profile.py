"""`profile.yaml` -> what a language model's stack is: slots with roles and candidates, goals, leanings, effects on memory."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from forge_assets.compatibility.constraints.dialects import descendants
from forge_assets.components.ontology import Ontology
from forge_assets.components.ontology.model import Component
from forge_resources.errors import BlueprintError
from forge_resources.strict_yaml import Fields, parse

FILE = Path(__file__).resolve().parent / "profile.yaml"
Role = Literal["required", "optional", "asked"]
ROLES = ("required", "optional", "asked")
GIVEN = ("hardware",)
"""Slots whose components need not be built by Forge: they are bought."""


@dataclass(frozen=True, slots=True)
class SlotRule:
    """`only` and `without` are ids of components; empty: no rule."""

    role: Role
    out: tuple[str, ...]
    only: frozenset[str]
    without: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lean:
    """What a component does for a goal by its nature, -1 to 1, and where that is shown."""

    value: float
    source: str


@dataclass(frozen=True, slots=True)
class Implied:
    """Where `slot` holds one of `holds` (None: anything), `then` must hold one of `one_of` (None: anything but nothing)."""

    slot: str
    holds: frozenset[str] | None
    then: str
    one_of: frozenset[str] | None
    source: str


@dataclass(frozen=True, slots=True)
class NumberRule:
    """Where `slot` holds one of `holds`: how many key heads there are (all, grouped, one), or which degree is above one."""

    slot: str
    holds: frozenset[str]
    kv_heads: str | None
    above_one: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """`goals`: goal -> weight of each kind of evidence, in thousandths; `leans`: goal -> component -> lean."""

    state: str
    flow: frozenset[str]
    anchors: tuple[str, ...]
    slots: Mapping[str, SlotRule]
    goals: Mapping[str, Mapping[str, int]]
    leans: Mapping[str, Mapping[str, Lean]]
    effects: Mapping[str, Mapping[str, Any]]
    precisions: Mapping[str, tuple[str, ...]]
    implied: tuple[Implied, ...]
    numbers: tuple[NumberRule, ...]
    usual: Mapping[str, Lean]

    def fits(self, component: Component, ontology: Ontology) -> str | None:
        """Why a component cannot stand in its slot of a language model, whether it is buildable or not; None where it can."""
        rule, place = self.slots[component.slot], ontology.slots[component.slot]
        if component.broad and component.id not in rule.only:
            return "it names a family, not one technique"
        foreign = [port for port in component.inputs if port not in self.flow]
        if foreign:
            return f"it takes {', '.join(foreign)}, which a language model does not have"
        if place.outputs and not {*place.outputs, *rule.out, "tensors"} & set(component.outputs):
            return (
                f"it yields {', '.join(component.outputs)}, and the slot {place.id} has to yield {', '.join((*place.outputs, *rule.out))}"
            )
        if "multimodal" in component.tasks and component.slot not in ("modality_encoder",):
            return "it serves multimodal models"
        if component.id in rule.without or (rule.only and component.id not in rule.only):
            return f"the profile of language models does not choose it for {place.id}: it is a part, a family or of another kind"
        return None


@functools.lru_cache(maxsize=4)
def _content(stamp: tuple[int, int]) -> tuple[str, Any]:
    text = FILE.read_text(encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()[:16], parse(text)


def load_profile(ontology: Ontology) -> Profile:
    """Raises BlueprintError with the faults: an unknown slot, port or component."""
    stat = FILE.stat()
    state, content = _content((stat.st_mtime_ns, stat.st_size))
    faults: list[str] = []

    def named(names: Iterable[str], where: str) -> frozenset[str]:
        found: set[str] = set()
        for name in names:
            one = name.removesuffix("+")
            if one not in ontology.components:
                faults.append(f"{where}: no component {one!r}")
            found |= {one, *(descendants(ontology, one) if name.endswith("+") else ())}
        return frozenset(found)

    profile = Profile(
        state,
        frozenset(content["flow"]),
        tuple(sorted(named(content["anchors"], "anchors"))),
        {slot: _slot_rule(slot, entry, named, faults) for slot, entry in content["slots"].items()},
        content["goals"],
        {goal: _leans(entries, named, goal) for goal, entries in content["leans"].items()},
        content["effects"],
        {precision: tuple(names) for precision, names in content["precisions"].items()},
        tuple(_implied(entry, named) for entry in content["implied"]),
        tuple(
            NumberRule(one["slot"], named(one["holds"], "numbers"), one.get("kv_heads"), one.get("above_one"), one["source"])
            for one in content["numbers"]
        ),
        {name: Lean(1.0, entry["source"]) for entry in content["usual"] for name in sorted(named(entry["components"], "usual"))},
    )
    faults += [f"slots: the ontology's {slot!r} is missing" for slot in ontology.slots if slot not in profile.slots]
    faults += [f"slots: the ontology has no {slot!r}" for slot in profile.slots if slot not in ontology.slots]
    faults += [f"flow: the ontology has no port {port!r}" for port in sorted(profile.flow - set(ontology.ports))]
    if faults:
        raise BlueprintError(f"{FILE.name} does not fit the ontology: {'; '.join(faults[:5])}")
    return profile


def _slot_rule(slot: str, entry: Any, named: Any, faults: list[str]) -> SlotRule:
    fields = Fields(f"{FILE.name}, {slot}", entry, faults)
    role = fields.choice("role", ROLES)
    rule = SlotRule(
        role,  # type: ignore[arg-type]
        fields.texts("out", ()),
        named(fields.texts("only", ()), f"{slot}, only"),
        named(fields.texts("without", ()), f"{slot}, without"),
    )
    fields.done()
    return rule


def _leans(entries: Any, named: Any, goal: str) -> dict[str, Lean]:
    return {
        one: Lean(entry["value"], entry["source"]) for entry in entries for one in sorted(named([entry["component"]], f"leans, {goal}"))
    }


def _implied(entry: Any, named: Any) -> Implied:
    def of(names: Any) -> frozenset[str] | None:
        return None if names == "any" else named(names, "implied")

    return Implied(entry["slot"], of(entry["holds"]), entry["then"], of(entry["one_of"]), entry["source"])
