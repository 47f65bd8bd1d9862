"""The graph as a feature model in UVL (Universal Variability Language, Benavides et al. 2025): a slot holds one of its components.

UVL knows what must and must not be, no degrees: of the edges only `requires` and `conflicts_with` that are more likely than not become
constraints. What UVL cannot write inside quotes stands there as %XX, as in addresses.
"""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.compatibility.graph.drawing import plain
from forge_assets.compatibility.graph.model import Edge
from forge_assets.compatibility.graph.scoring import NO_OPINION
from forge_assets.compatibility.graph.view import View
from forge_assets.components.ontology.model import Component, Slot

ROOT = "stack"


def uvl(shown: View) -> str:
    return "\n".join(_lines(shown)) + "\n"


def _lines(shown: View) -> Iterator[str]:
    yield "features"
    yield f"\t{_id(ROOT)}"
    for group, core in (("mandatory", True), ("optional", False)):
        slots = [slot for slot in shown.slots.values() if slot.core is core]
        if slots:
            yield f"\t\t{group}"
        for slot in slots:
            yield from _slot(slot, [one for one in shown.components.values() if one.slot == slot.id])
    stated = list(dict.fromkeys(filter(None, map(_constraint, shown.edges))))
    if stated:
        yield "constraints"
        yield from (f"\t{one}" for one in stated)


def _slot(slot: Slot, components: list[Component]) -> Iterator[str]:
    yield f"\t\t\t{_id(f'slot:{slot.id}')} {{name {_string(slot.title)}}}"
    yield "\t\t\t\talternative"
    for one in components:
        yield f"\t\t\t\t\t{_id(one.id)} {{name {_string(one.name)}, build {_string(one.build)}}}"


def _constraint(edge: Edge) -> str | None:
    if edge.confidence <= NO_OPINION:
        return None
    subject, object_ = _id(edge.key.subject), _id(edge.key.object)
    if edge.key.relation == "requires":
        return f"{subject} => {object_}"
    return f"!({subject} & {object_})" if edge.key.relation == "conflicts_with" else None


def _id(text: str) -> str:
    return '"' + _encoded(text, '%".') + '"'


def _string(text: str) -> str:
    return "'" + _encoded(text, "%'") + "'"


def _encoded(text: str, unfit: str) -> str:
    return "".join(f"%{ord(sign):02X}" if sign in unfit or sign in "\n\t" else sign for sign in plain(text))
