"""The graph's tables: written whole in one transaction, read as edges."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from forge_assets.compatibility.graph.model import Edge, Evidence, Key
from forge_resources.database import Database

STAGE = "compatibility_graph"
EDGE = (
    "edge", "subject", "relation", "object", "scope", "confidence", "supporting", "contradicting", "supporting_works",
    "contradicting_works", "first_year", "latest_year", "origins", "severity", "together",
)  # fmt: skip
EVIDENCE = ("edge", "place", "supports", "origin", "weight", "work_id", "document_id", "start", "end", "quote_hash", "detail")
EDGES = f"SELECT {', '.join(EDGE)} FROM graph_edge"
CHOSEN = """ WHERE (CAST(:components AS text[]) IS NULL OR subject = ANY(:components) OR object = ANY(:components))
    AND (CAST(:relations AS text[]) IS NULL OR relation = ANY(:relations)) AND confidence >= :at_least
    ORDER BY confidence DESC, subject, relation, object, scope"""
EVIDENCES = """SELECT edge, supports, origin, weight, work_id, document_id, start, "end", quote_hash, detail
    FROM graph_evidence WHERE edge = ANY(:edges) ORDER BY edge, place"""
_written = partial(Jsonb, dumps=partial(json.dumps, ensure_ascii=False, default=str))


def state_of(connection: sa.Connection) -> str | None:
    """The state of what the graph was last made from; None where there is none."""
    found = connection.execute(sa.text("SELECT state FROM stage_state WHERE stage = :stage"), {"stage": STAGE}).scalar_one_or_none()
    return None if found is None else str(found)


def is_made(db: Database) -> bool:
    """Whether there is a graph."""
    with db.begin() as connection:
        return state_of(connection) is not None


def write(db: Database, connection: sa.Connection, state: str, edges: Sequence[Edge]) -> None:
    """Replaces all of it."""
    connection.execute(sa.text("DELETE FROM graph_evidence"))
    connection.execute(sa.text("DELETE FROM graph_edge"))
    db.copy(connection, "graph_edge", EDGE, map(_edge, edges))
    db.copy(connection, "graph_evidence", EVIDENCE, (row for one in edges for row in _evidence(one)))
    connection.execute(
        sa.text("""INSERT INTO stage_state (stage, state) VALUES (:stage, :state)
            ON CONFLICT (stage) DO UPDATE SET state = excluded.state, at = now()"""),
        {"stage": STAGE, "state": state},
    )


def edges(
    db: Database,
    components: Collection[str] | None = None,
    relations: Collection[str] | None = None,
    at_least: float = 0.0,
    *,
    evidence: bool = False,
) -> list[Edge]:
    """The surest first. `components`: those that an edge must touch; `at_least`: its confidence; `evidence`: whether it is read too."""
    chosen = {
        "components": None if components is None else list(components),
        "relations": None if relations is None else list(relations),
        "at_least": at_least,
    }
    with db.begin() as connection:
        rows = connection.execute(sa.text(EDGES + CHOSEN), chosen).all()
        found: dict[str, list[Evidence]] = {row.edge: [] for row in rows}
        if evidence and found:
            for row in connection.execute(sa.text(EVIDENCES), {"edges": list(found)}):
                found[row.edge].append(_read_evidence(row))
    return [_read(row, found[row.edge]) for row in rows]


def _edge(one: Edge) -> tuple[Any, ...]:
    key = one.key
    return (
        key.id, key.subject, key.relation, key.object, key.scope, one.confidence, one.supporting, one.contradicting, one.supporting_works,
        one.contradicting_works, one.first_year, one.latest_year, list(one.origins), one.severity,
        None if one.together is None else _written(one.together),
    )  # fmt: skip


def _evidence(edge: Edge) -> Iterator[tuple[Any, ...]]:
    for place, one in enumerate(edge.evidence):
        yield (
            edge.key.id, place, one.supports, one.origin, one.weight, one.work, one.document, one.start, one.end, one.quote_hash,
            _written(one.detail),
        )  # fmt: skip


def _read(row: Any, evidence: Sequence[Evidence]) -> Edge:
    return Edge(
        Key(row.subject, row.relation, row.object, row.scope), row.confidence, row.supporting, row.contradicting, row.supporting_works,
        row.contradicting_works, row.first_year, row.latest_year, tuple(row.origins), row.severity, row.together, tuple(evidence),
    )  # fmt: skip


def _read_evidence(row: Any) -> Evidence:
    return Evidence(
        row.supports, row.origin, row.weight, row.work_id, row.document_id, row.start, row.end, row.quote_hash, row.detail
    )  # fmt: skip
