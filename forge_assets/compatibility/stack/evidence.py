"""What the corpus says, as far as the solver weighs it: works per component, pairs named together, claims. One state, read at once.

A blueprint that is solved keeps the hash of what it was solved with; the content itself is kept under that hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from forge_resources.database import Database

STAGES = ("component_catalog", "compatibility_graph")
SIGNIFICANT = 0.01
"""Largest share of false discoveries among pairs that support each other."""
SHRUNK = 3.0
"""Works added to both sides of a lift: a pair of few works has no opinion."""


@dataclass(frozen=True, slots=True)
class Named:
    """Works that name a component, that use or introduce it, and that name it beside an anchor; lift of the latter; yearly growth."""

    works: int
    used: int
    beside: int
    lift: float
    trend: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Works that name both, and how much more often than by chance."""

    works: int
    lift: float


@dataclass(frozen=True, slots=True)
class Claim:
    """An edge of the graph: `confidence` 0 to 1, 0.5 is no opinion; independent works that agree and that disagree."""

    subject: str
    relation: str
    object: str
    confidence: float
    supporting: int
    contradicting: int
    edge: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """`catalogue`, `graph`: states of the stages it was read from, '' where there is none."""

    catalogue: str = ""
    graph: str = ""
    named: Mapping[str, Named] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], Pair] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()

    @property
    def state(self) -> str:
        return hashlib.sha256(self.written().encode()).hexdigest()[:32]

    def written(self) -> str:
        """The same evidence as the same text."""
        content = {
            "catalogue": self.catalogue,
            "graph": self.graph,
            "named": {one: [n.works, n.used, n.beside, round(n.lift, 6), n.trend] for one, n in sorted(self.named.items())},
            "pairs": [[a, b, pair.works, round(pair.lift, 6)] for (a, b), pair in sorted(self.pairs.items())],
            "claims": [[c.subject, c.relation, c.object, c.confidence, c.supporting, c.contradicting, c.edge] for c in self.claims],
        }
        return json.dumps(content, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> Evidence:
        """What `written` wrote."""
        content = json.loads(text)
        return cls(
            content["catalogue"],
            content["graph"],
            {one: Named(*values) for one, values in content["named"].items()},
            {(a, b): Pair(works, lift) for a, b, works, lift in content["pairs"]},
            tuple(Claim(*values) for values in content["claims"]),
        )


def gather(db: Database, candidates: Collection[str], anchors: Collection[str]) -> Evidence:
    """The evidence about these components; nothing where there is no catalogue yet."""
    values = {"ids": sorted(candidates), "anchors": sorted(anchors), "significant": SIGNIFICANT}
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        states = {row.stage: row.state for row in connection.execute(sa.text("SELECT stage, state FROM stage_state"))}
        beside = _beside(connection, values)
        rows = connection.execute(
            sa.text("SELECT component, works, used, trend FROM catalogue_entry WHERE component = ANY(:ids) ORDER BY component"), values
        )
        named = {row.component: Named(row.works, row.used, *beside.get(row.component, (0, 1.0)), row.trend) for row in rows}
        pairs = connection.execute(
            sa.text("""SELECT a, b, works, lift FROM comention WHERE a = ANY(:ids) AND b = ANY(:ids) AND lift > 1 AND q <= :significant
                ORDER BY a, b"""),
            values,
        )
        together = {(row.a, row.b): Pair(row.works, shrunk(row.works, row.lift)) for row in pairs}
        claims = connection.execute(
            sa.text("""SELECT subject, relation, object, confidence, supporting_works, contradicting_works, edge FROM graph_edge
                WHERE subject = ANY(:ids) AND object = ANY(:ids) AND 'claim' = ANY(origins) ORDER BY subject, relation, object, edge"""),
            values,
        )
        said = tuple(Claim(*row) for row in claims)
    return Evidence(states.get(STAGES[0], ""), states.get(STAGES[1], ""), named, together, said)


def shrunk(works: float, lift: float) -> float:
    """A lift with SHRUNK works of chance added on both sides."""
    expected = works / lift if lift > 0 else 0.0
    return (works + SHRUNK) / (expected + SHRUNK)


def _beside(connection: sa.Connection, values: Mapping[str, Any]) -> dict[str, tuple[int, float]]:
    """component -> works that name it beside an anchor, summed over anchors, and their lift, shrunk."""
    rows = connection.execute(
        sa.text("""SELECT component, sum(works) AS works, sum(expected) AS expected FROM (
                SELECT a AS component, works, works / nullif(lift, 0) AS expected FROM comention WHERE a = ANY(:ids) AND b = ANY(:anchors)
                UNION ALL
                SELECT b, works, works / nullif(lift, 0) FROM comention WHERE b = ANY(:ids) AND a = ANY(:anchors)) AS found
            GROUP BY component"""),
        values,
    )
    return {row.component: (int(row.works), (float(row.works) + SHRUNK) / (float(row.expected or 0) + SHRUNK)) for row in rows}
