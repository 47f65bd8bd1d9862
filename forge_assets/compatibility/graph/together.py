"""What statistics say: components that works name together far more often than by chance -> soft support for `composes_with`.

Taken are the nearest neighbours of the catalogue that fill different slots, none a variant of the other, and that some passage names
side by side; each keeps a few such passages. Seldom or never being named together says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.compatibility.graph.model import Evidence, Key, key
from forge_assets.compatibility.graph.scoring import attributable
from forge_assets.components.comentions import FEWEST_TOGETHER, SIGNIFICANT
from forge_assets.components.ontology.model import Component, Ontology
from forge_assets.components.rows import quote_hash
from forge_assets.corpus.sentences import split

NEIGHBOURS = """SELECT component, n->>0 AS other, (n->>1)::int AS works, (n->>2)::float AS lift, (n->>3)::float AS q
    FROM catalogue_entry, jsonb_array_elements(neighbours) AS n WHERE n->>0 = ANY(:ids) AND component = ANY(:ids) ORDER BY 1, 2"""
PASSAGES = """SELECT p.number, x.document_id, x.work, x.low, x.high
    FROM unnest(CAST(:a AS text[]), CAST(:b AS text[])) WITH ORDINALITY AS p (a, b, number) CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT DISTINCT ON (document_id) y.document_id, coalesce(m.work_id, y.document_id) AS work, least(y.a, y.b) AS low,
                greatest(y.a_end, y.b_end) AS high
            FROM (SELECT a.document_id, a.start AS a, b.start AS b, a."end" AS a_end, b."end" AS b_end FROM mention a
                JOIN mention b USING (document_id) WHERE a.component = p.a AND b.component = p.b AND NOT a.negated AND NOT b.negated
                ORDER BY document_id LIMIT :looked_at) AS y
            LEFT JOIN work_document m USING (document_id)
            ORDER BY document_id, abs(y.a - y.b), y.a) AS nearest
        WHERE high - low <= :longest ORDER BY high - low, document_id LIMIT :kept) AS x ORDER BY p.number, x.high - x.low, x.document_id"""
TEXTS = "SELECT document_id, text FROM document WHERE document_id = ANY(:documents)"
LOOKED_AT, KEPT, LONGEST = 60, 3, 400
"""Places where both are named that are looked at, passages kept of them, and the most characters between the two names."""
BATCH = 500


@dataclass(frozen=True, slots=True)
class Together:
    """Two components that `works` works name, `lift` times as many as by chance (share of false discoveries `q`), and where."""

    works: int
    lift: float
    q: float
    evidence: tuple[Evidence, ...] = ()

    @property
    def weight(self) -> float:
        return attributable(self.lift, self.q)


def together(connection: sa.Connection, ontology: Ontology) -> dict[Key, Together]:
    """`composes_with` edges that statistics support, with passages."""
    found: dict[Key, Together] = {}
    for row in connection.execute(sa.text(NEIGHBOURS), {"ids": list(ontology.components)}):
        a, b = ontology.components[row.component], ontology.components[row.other]
        if row.lift > 1 and row.q <= SIGNIFICANT and row.works >= FEWEST_TOGETHER and _joinable(a, b, ontology):
            found[key(a.id, "composes_with", b.id)] = Together(row.works, row.lift, row.q)
    keys = list(found)
    made: dict[Key, Together] = {}
    for begin in range(0, len(keys), BATCH):
        some = keys[begin : begin + BATCH]
        for one, passages in _passages(connection, some):
            pair = found[one]
            evidence = [
                Evidence(True, "statistics", 0.0 if place else pair.weight, *where, {"works": pair.works, "lift": pair.lift, "q": pair.q})
                for place, where in enumerate(passages)
            ]
            made[one] = Together(pair.works, pair.lift, pair.q, tuple(evidence))
    return made


def _joinable(a: Component, b: Component, ontology: Ontology) -> bool:
    """Whether one stack could hold both: they fill different slots, and neither is a kind of the other."""
    if {a.slot, *a.also_slots} & {b.slot, *b.also_slots}:
        return False
    return a.id not in _ancestors(b, ontology) and b.id not in _ancestors(a, ontology)


def _ancestors(component: Component, ontology: Ontology) -> set[str]:
    seen: set[str] = set()
    parent = component.parent
    while parent and parent not in seen and parent in ontology.components:
        seen.add(parent)
        parent = ontology.components[parent].parent
    return seen


def _passages(connection: sa.Connection, keys: list[Key]) -> Iterator[tuple[Key, list[tuple[UUID, UUID, int, int, str]]]]:
    """(work, document, start, end, quote hash) of passages that name both, each a sentence or a few, the tightest first, one a work."""
    values = {"a": [one.subject for one in keys], "b": [one.object for one in keys]}
    limits = {"looked_at": LOOKED_AT, "longest": LONGEST, "kept": KEPT}
    rows = list(connection.execute(sa.text(PASSAGES), values | limits))
    texts: dict[UUID, str] = {}
    for document, text in connection.execute(sa.text(TEXTS), {"documents": list({row.document_id for row in rows})}):
        texts[document] = text
    by_number: dict[int, list[Any]] = {}
    for row in rows:
        by_number.setdefault(row.number, []).append(row)
    for number, some in by_number.items():
        seen: dict[UUID, tuple[UUID, UUID, int, int, str]] = {}
        for row in some:
            text = texts[row.document_id]
            start, end = sentences_around(text, row.low, row.high)
            seen.setdefault(row.work, (row.work, row.document_id, start, end, quote_hash(text, start, end)))
        yield keys[number - 1], list(seen.values())


def sentences_around(text: str, low: int, high: int, margin: int = 600) -> tuple[int, int]:
    """The span widened to whole sentences, as far as they reach within `margin` characters."""
    begin = max(0, low - margin)
    spans = [(begin + start, begin + end) for start, end in split(text[begin : high + margin])]
    return (
        max((start for start, _ in spans if start <= low), default=low),
        min((end for _, end in spans if end >= high), default=high),
    )
