"""A part of the graph to be shown: edges under filters, their components, slots and passages; and that part as a picture."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from forge_assets.compatibility.graph import store
from forge_assets.compatibility.graph.colours import LINES, fill
from forge_assets.compatibility.graph.drawing import Box, Frame, Link, Picture
from forge_assets.compatibility.graph.lookup import Passage, Place, passages
from forge_assets.compatibility.graph.model import RELATIONS, TITLES, Edge
from forge_assets.components.ontology.model import Component, Ontology, Slot
from forge_assets.components.relations.claim import SYMMETRIC, Kind
from forge_resources.database import Database
from forge_resources.errors import QueryError
from forge_resources.strict_yaml import near

TITLE = "Compatibility graph"


@dataclass(frozen=True, slots=True)
class Filter:
    """What is shown: edges that touch one of `slots`, of one of `relations` (empty: any), with at least this confidence."""

    slots: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    at_least: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """The edges, the surest first; the components they join, in the order of the ontology, and the slots these fill; what stands where.

    `order`: all slots of the ontology, which give each its colour.
    """

    edges: tuple[Edge, ...]
    components: Mapping[str, Component]
    slots: Mapping[str, Slot]
    order: tuple[str, ...] = ()
    passages: Mapping[Place, Passage] = field(default_factory=dict)


def view(db: Database, ontology: Ontology, chosen: Filter, *, evidence: bool = True) -> View:
    """Raises QueryError for an unknown slot or relation, and where there is no graph yet."""
    check(chosen, ontology)
    if not store.is_made(db):
        raise QueryError("there is no compatibility graph yet; `forge run compatibility_graph` makes it")
    edges = store.edges(db, components_of(ontology, chosen.slots), chosen.relations or None, chosen.at_least, evidence=evidence)
    edges = [one for one in edges if {one.key.subject, one.key.object} <= set(ontology.components)]
    return of(edges, ontology, passages(db, edges) if evidence else {})


def of(edges: Collection[Edge], ontology: Ontology, found: Mapping[Place, Passage] | None = None) -> View:
    """The view of these edges."""
    named = {end for one in edges for end in (one.key.subject, one.key.object)}
    components = {id_: one for id_, one in ontology.components.items() if id_ in named}
    slots = {id_: slot for id_, slot in ontology.slots.items() if any(one.slot == id_ for one in components.values())}
    return View(tuple(edges), components, slots, tuple(ontology.slots), found or {})


def check(chosen: Filter, ontology: Ontology) -> None:
    """Raises QueryError for a slot or relation that nobody knows."""
    for given, known, kind in ((chosen.slots, ontology.slots, "slot"), (chosen.relations, RELATIONS, "relation")):
        for name in given:
            if name not in known:
                raise QueryError(f"no {kind} is called {name!r}{near(name, known) or f'; the {kind}s are: ' + ', '.join(known)}")


def components_of(ontology: Ontology, slots: Collection[str]) -> list[str] | None:
    """The components that fit one of these slots; None for no slots, which means all."""
    if not slots:
        return None
    return [one.id for one in ontology.components.values() if {one.slot, *one.also_slots} & set(slots)]


def strongest(shown: View, most: int, ontology: Ontology) -> View:
    """Only the surest edges."""
    return replace(of(shown.edges[:most], ontology), passages=shown.passages)


def picture(shown: View, title: str = TITLE) -> Picture:
    """A frame per slot, a box per component, a link per edge with its confidence."""
    boxes = tuple(Box(one.id, one.name, one.slot, fill(shown.order, one.slot)) for one in shown.components.values())
    return Picture(title, boxes, tuple(map(_link, shown.edges)), tuple(Frame(id_, slot.title) for id_, slot in shown.slots.items()))


def _link(edge: Edge) -> Link:
    kind: Kind = edge.key.relation
    colour, _, line = LINES[kind]
    scope = f"\n{edge.scope_told}" if edge.scope_told else ""
    label = f"{TITLES[kind]} {edge.confidence:.2f}{scope}"
    return Link(edge.key.subject, edge.key.object, label, kind not in SYMMETRIC, line, colour)
