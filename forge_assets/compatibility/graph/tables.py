"""The components of a slot beside each other: component x property, each cell with what it is taken from.

ontology, catalogue, graph -> `Comparison`; `tables_written` prints it as Markdown, CSV, JSON or HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.compatibility.graph import store
from forge_assets.compatibility.graph.lookup import Passage, Place, address_of, passages, source_of
from forge_assets.compatibility.graph.model import TITLES, Edge
from forge_assets.compatibility.graph.scoring import NO_OPINION
from forge_assets.compatibility.graph.view import Filter, check, components_of
from forge_assets.components.catalogue import lookup
from forge_assets.components.ontology.model import Component, Ontology
from forge_resources.database import Database

TYPICAL = """SELECT component, parameter, unit, works, quartiles, words, sources FROM typical_value WHERE component = ANY(:ids)
    ORDER BY component, works DESC, parameter, unit"""
COLUMNS = (
    "introduced",
    "works",
    "trend",
    "typical values",
    "takes",
    "gives",
    "build",
    "requires",
    "conflicts",
    "supersedes or improves on",
)
VALUES, SOURCES, EDGES = 4, 2, 5
"""The most parameters of a cell, sources of one parameter, and edges of a cell."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a cell is taken from. `url` where there is one that a browser can open; a passage has its document and span."""

    told: str
    url: str | None = None
    document: UUID | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    sources: tuple[Source, ...] = ()


EMPTY = Cell("")


@dataclass(frozen=True, slots=True)
class Row:
    """A component and its cells, in the order of COLUMNS."""

    component: str
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rows, the component named by most works first."""

    slot: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database says of the components of a slot."""

    ontology: Ontology
    entries: Mapping[str, Mapping[str, Any]]
    typical: Mapping[str, Sequence[Any]]
    documents: Mapping[str, Mapping[str, Any]]
    edges: Mapping[str, Sequence[Edge]]
    passages: Mapping[Place, Passage]
    by_ontology: Source

    def document(self, id_: Any, start: int | None = None, end: int | None = None) -> Source | None:
        """A document, or a place in it, while it is there."""
        found = self.documents.get(str(id_))
        if found is None:
            return None
        address = str(found["external_id"] or found["uri"])
        title = f"{found['title']} ({address})" if found["title"] else address
        span = f", {start}..{end}" if start is not None else ""
        return Source(f"{title}{span}", _opened(found["identifiers"]), found["document_id"], start, end)


def compare(db: Database, ontology: Ontology, slot: str) -> Comparison:
    """The table of a slot. Raises QueryError for a slot that nobody knows."""
    check(Filter((slot,)), ontology)
    ids = components_of(ontology, [slot]) or []
    known = _read(db, ontology, ids)
    ordered = sorted(ids, key=lambda id_: (-known.entries.get(id_, {"works": 0})["works"], id_))
    rows = tuple(_row(ontology.components[id_], known) for id_ in ordered)
    return Comparison(slot, ontology.slots[slot].title, COLUMNS, rows)


def _read(db: Database, ontology: Ontology, ids: Sequence[str]) -> _Known:
    chosen = set(ids)
    entries = {id_: one for id_, one in lookup.entries(db).items() if id_ in chosen}
    typical: dict[str, list[Any]] = {}
    with db.begin() as connection:
        for row in connection.execute(sa.text(TYPICAL), {"ids": list(ids)}):
            typical.setdefault(row.component, []).append(row)
    edges: dict[str, list[Edge]] = {}
    found = store.edges(db, ids, ("requires", "conflicts_with", "supersedes", "improves_on"), evidence=True)
    for edge in found:
        for end in {edge.key.subject, edge.key.object} & chosen:
            edges.setdefault(end, []).append(edge)
    wanted = [one["introducing_document"] for one in entries.values() if one["introducing_document"]]
    wanted += [source[0] for some in typical.values() for one in some[:VALUES] for source in one.sources[:SOURCES]]
    by = Source(f"ontology {ontology.version[:12]}")
    return _Known(ontology, entries, typical, lookup.documents(db, wanted), edges, passages(db, found), by)


def _row(one: Component, known: _Known) -> Row:
    cells = (
        _introduced(one, known),
        _works(one, known),
        _trend(one, known),
        _typical(known.typical.get(one.id, ())[:VALUES], known),
        Cell(", ".join(one.inputs), (known.by_ontology,)) if one.inputs else EMPTY,
        Cell(", ".join(one.outputs), (known.by_ontology,)) if one.outputs else EMPTY,
        Cell(one.build, (known.by_ontology,)),
        _edges(one, ("requires",), known),
        _edges(one, ("conflicts_with",), known),
        _edges(one, ("supersedes", "improves_on"), known),
    )
    return Row(one.id, one.name, cells)


def _introduced(one: Component, known: _Known) -> Cell:
    entry = known.entries.get(one.id)
    found = known.document(entry["introducing_document"]) if entry and entry["introducing_document"] else None
    if one.introduced:
        work = one.introduced
        said = Source(f"{work.title}, {work.year}, as the ontology says", _opened({"arxiv": work.arxiv, "doi": work.doi}) or work.url)
        return Cell(str(work.year), (said, *([found] if found else ())))
    if found is None or entry is None or entry["first_year"] is None:
        return EMPTY
    return Cell(f"{entry['first_year']} or before", (found,))


def _works(one: Component, known: _Known) -> Cell:
    entry = known.entries.get(one.id)
    if entry is None:
        return Cell("0", (Source("catalogue: no work of the corpus names it"),))
    years = f", {entry['first_year']} to {entry['latest_year']}" if entry["first_year"] else ""
    return Cell(f"{entry['works']:,}", (Source(f"catalogue: {entry['documents']:,} documents name {one.id}{years}"),))


def _trend(one: Component, known: _Known) -> Cell:
    entry = known.entries.get(one.id)
    if entry is None or entry["trend"] is None:
        return EMPTY
    years = ", ".join(f"{year} {entry['years'][year]:,}" for year in sorted(entry["years"], key=int)[-5:])
    return Cell(f"{100 * entry['trend']:+.0f}% a year", (Source(f"catalogue: works that name {one.id} by year: {years}"),))


def _typical(values: Sequence[Any], known: _Known) -> Cell:
    texts, sources = [], []
    for value in values:
        unit = f" {value.unit}" if value.unit else ""
        if value.quartiles:
            _, low, middle, high, _ = value.quartiles
            spread = f"quartiles {low:g} and {high:g}; " if value.works > 1 else ""
            texts.append(f"{value.parameter} {middle:g}{unit} ({spread}{_counted(value.works)})")
        else:
            words = ", ".join(f"{word} {count}" for word, count in list(value.words.items())[:3])
            texts.append(f"{value.parameter} {words} ({_counted(value.works)})")
        sources += [known.document(id_, start, end) for id_, start, end, _ in value.sources[:SOURCES]]
    return Cell("; ".join(texts), tuple(source for source in sources if source))


def _edges(one: Component, relations: Sequence[str], known: _Known) -> Cell:
    """The other ends of edges more likely than not, the surest first; what is beaten stands in the row of what beats it."""
    chosen = [
        edge for edge in known.edges.get(one.id, ())
        if edge.key.relation in relations and edge.confidence > NO_OPINION
        and (edge.key.subject == one.id or edge.key.relation == "conflicts_with")
    ]  # fmt: skip
    texts, sources = [], []
    for edge in chosen[:EDGES]:
        other = edge.key.object if edge.key.subject == one.id else edge.key.subject
        verb = f"{TITLES[edge.key.relation]} " if len(relations) > 1 else ""
        texts.append(f"{verb}{other} ({edge.confidence:.2f}{_scope(edge)})")
        sources += list(_sources(edge, known))
    more = f"; and {len(chosen) - EDGES} more" if len(chosen) > EDGES else ""
    return Cell("; ".join(texts) + more, tuple(sources))


def _sources(edge: Edge, known: _Known) -> Iterable[Source]:
    for one in [one for one in edge.evidence if one.supports][:SOURCES]:
        yield Source(source_of(one, known.passages), address_of(one, known.passages), one.document, one.start, one.end)


def _scope(edge: Edge) -> str:
    return f", {edge.scope_told}" if edge.scope_told else ""


def _opened(identifiers: Mapping[str, Any]) -> str | None:
    if identifiers.get("arxiv"):
        return f"https://arxiv.org/abs/{identifiers['arxiv']}"
    return f"https://doi.org/{identifiers['doi']}" if identifiers.get("doi") else None


def _counted(works: int) -> str:
    return f"{works:,} work" + ("" if works == 1 else "s")
