"""Candidates that people accepted become components; what the ontology has already gains the accepted aliases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from forge_assets.components.ontology import entries
from forge_assets.components.ontology.model import Component, Slot
from forge_resources.decisions import Decision, standing
from forge_resources.strict_yaml import Fields, near


def add_accepted(
    decisions: Sequence[Decision],
    today: date,
    slots: Mapping[str, Slot],
    components: dict[str, Component],
    where: dict[str, str],
    found: list[str],
) -> None:
    """Adds to `components` what stands accepted on `today`.

    The value of such a decision holds the keys of a component's entry and `slot`; without aliases the name is the alias, without a
    build nothing can be built of it. Where the id is one of the shipped ontology, that entry stays and gains name and aliases, so that
    a candidate which a later release brings does no harm.
    """
    for (kind, subject), decision in standing(decisions, today).items():
        if kind != "component" or decision.verdict != "accept":
            continue
        place = f"overrides, accepted {subject}"
        made = _component(place, decision, slots, found)
        shipped = components.get(subject)
        if shipped:
            known = {alias.text for alias in shipped.aliases} | {shipped.name}
            more = tuple(alias for alias in made.aliases if alias.text not in known)
            components[subject] = replace(shipped, aliases=shipped.aliases + more)
        else:
            components[subject] = made
            where[subject] = f"{place} ({decision.author}, {decision.date}; a reject of {subject} takes it back)"


def _component(place: str, decision: Decision, slots: Mapping[str, Slot], found: list[str]) -> Component:
    entry: dict[str, Any] = {
        "name": decision.subject,
        "build": "described",
        "description": f"Accepted from the corpus by {decision.author} on {decision.date}."[: entries.LONGEST_DESCRIPTION],
    }
    entry |= decision.value
    entry.setdefault("aliases", [entry["name"]])
    fields = Fields(place, entry | {"id": decision.subject}, found)
    slot = fields.text("slot")
    if slot and slot not in slots:
        fields.fault(f"unknown slot {slot!r}{near(slot, slots) or '; known are ' + ', '.join(slots)}")
    made = entries.component(fields, slots, slot)
    fields.done()
    return made
