"""What the catalogue, the graph and the readings know of the components of a slot, as pages take it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.compatibility.graph import store as graph
from forge_assets.compatibility.graph.model import Edge
from forge_assets.components.catalogue import lookup
from forge_assets.components.ontology.model import Component, Ontology
from forge_assets.documentation.collect import INDEPENDENT_WORKS
from forge_assets.documentation.drafts import step
from forge_assets.documentation.subjects import CANDIDATE
from forge_resources.database import Database

TYPICAL = """SELECT t.component, t.parameter, t.unit, t.works, t.quartiles, t.words, t.sources FROM typical_value t
    WHERE t.component = ANY(:ids) ORDER BY t.component, t.works DESC, t.parameter, t.unit"""
TOGETHER = """SELECT a, b, works, lift, q FROM comention WHERE (a = ANY(:ids) OR b = ANY(:ids)) AND works >= 3 AND q <= 0.01 AND lift > 1
    ORDER BY lift DESC, a, b"""
CANDIDATE_ROWS = """SELECT candidate, name, long_form, slot, slot_share, works, independent, first_year, latest_year, trend, years,
        introducing_document FROM candidate WHERE independent >= :independent AND slot = :slot ORDER BY works DESC, candidate"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A component or candidate as the catalogue counts it. `years`: {year: works}."""

    subject: str
    name: str
    works: int
    used: int | None
    first_year: int | None
    latest_year: int | None
    trend: float | None
    years: Mapping[str, int]
    introducing: UUID | None
    slot_share: float | None = None
    """Of a candidate: the share of its evidence that points at the slot."""


@dataclass(frozen=True, slots=True)
class Typical:
    component: str
    parameter: str
    unit: str
    works: int
    quartiles: tuple[float, ...]
    words: tuple[tuple[str, int], ...]
    sources: tuple[tuple[UUID, int, int, Any], ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Two components that works name together more often than chance would have it."""

    other: str
    works: int
    lift: float

    @property
    def rank(self) -> tuple[float, int, str]:
        """The strongest company first; in steps, so that it does not change places with every work that is read."""
        return -round(math.log2(self.lift)), -step(self.works), self.other


@dataclass(frozen=True)
class SlotFacts:
    """Everything about the components of one slot; `edges` by component, the surest first, each at both of its ends."""

    slot: str
    ontology: Ontology
    components: Mapping[str, Component]
    entries: Mapping[str, Entry]
    typical: Mapping[str, Sequence[Typical]]
    edges: Mapping[str, Sequence[Edge]]
    together: Mapping[str, Sequence[Together]]

    def name(self, subject: str) -> str:
        if subject in self.ontology.components:
            return self.ontology.components[subject].name
        return self.entries[subject].name if subject in self.entries else subject.removeprefix(CANDIDATE)


def slot_facts(db: Database, ontology: Ontology, slot: str) -> SlotFacts:
    components = {one.id: one for one in ontology.in_slot(slot) if not one.outside}
    ids = list(components)
    known = lookup.entries(db)
    entries = {id_: _entry(id_, components[id_].name, known[id_]) for id_ in ids if id_ in known}
    with db.begin() as connection:
        rows = connection.execute(sa.text(CANDIDATE_ROWS), {"independent": INDEPENDENT_WORKS, "slot": slot}).mappings().all()
        for row in rows:
            entries[CANDIDATE + row["candidate"]] = _entry(CANDIDATE + row["candidate"], row["name"], row)
        typical: dict[str, list[Typical]] = {}
        for one in connection.execute(sa.text(TYPICAL), {"ids": ids}):
            typical.setdefault(one.component, []).append(_typical(one))
        together: dict[str, list[Together]] = {}
        for a, b, works, lift, _ in connection.execute(sa.text(TOGETHER), {"ids": ids}):
            for one_, other in ((a, b), (b, a)):
                if one_ in components:
                    together.setdefault(one_, []).append(Together(other, works, lift))
    for some in together.values():
        some.sort(key=lambda one: one.rank)
    edges: dict[str, list[Edge]] = {}
    for edge in graph.edges(db, ids, evidence=True):
        for end in {edge.key.subject, edge.key.object} & set(ids):
            edges.setdefault(end, []).append(edge)
    for found in edges.values():
        found.sort(key=lambda edge: (-round(20 * edge.confidence), edge.key.id))
    return SlotFacts(slot, ontology, components, entries, typical, edges, together)


def _entry(subject: str, name: str, row: Any) -> Entry:
    return Entry(subject, name, row["works"], row.get("used"), row["first_year"], row["latest_year"], row["trend"], row["years"],
                 row["introducing_document"], row.get("slot_share"))  # fmt: skip


def _typical(row: Any) -> Typical:
    sources = tuple((UUID(str(document)), int(start), int(end), value) for document, start, end, value in row.sources)
    return Typical(row.component, row.parameter, row.unit, row.works, tuple(row.quartiles or ()), tuple(row.words.items()), sources)
