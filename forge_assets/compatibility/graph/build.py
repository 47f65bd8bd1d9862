"""claims, statistics, constraints, decisions -> edges -> the graph's tables, in one transaction.

Nothing is done while the readings, the works, the catalogue, the ontology, the constraints, the decisions and this code are those of the
last time. The same tables give the same graph.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from forge_assets.compatibility.constraints.model import Constraint
from forge_assets.compatibility.graph import store
from forge_assets.compatibility.graph.claims import read_claims, sides
from forge_assets.compatibility.graph.edges import edges
from forge_assets.compatibility.graph.model import CODE_VERSION, Edge
from forge_assets.compatibility.graph.rules import KIND, decided, rules
from forge_assets.compatibility.graph.scoring import precisions
from forge_assets.compatibility.graph.together import together
from forge_assets.components.catalogue import store as catalogue
from forge_assets.components.catalogue.build import STATE
from forge_assets.components.ontology.model import Ontology
from forge_resources.database import Database
from forge_resources.decisions import Decision, read_decisions, standing

LOCK = "forge.compatibility_graph"
Decisions = Mapping[tuple[str, str], Decision]


@dataclass(slots=True)
class GraphReport:
    """`components` that have an edge, `edges` by relation and origin, pieces of `evidence`, edges with evidence on both sides (`disputed`).
    `made` is False when nothing had changed; `seconds` of wall time."""

    components: int = 0
    edges: int = 0
    evidence: int = 0
    disputed: int = 0
    relations: dict[str, int] = field(default_factory=dict)
    origins: dict[str, int] = field(default_factory=dict)
    made: bool = False
    seconds: float = 0.0
    state: str = ""


def build(
    db: Database,
    ontology: Ontology,
    constraints: Collection[Constraint] = (),
    overrides: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> GraphReport:
    """Brings the graph up to the tables. `overrides`: the log of decisions, of which those on edges act last."""
    started = time.monotonic()
    decisions = {
        subject: one
        for subject, one in (standing(read_decisions(overrides), date.today()) if overrides else {}).items()
        if subject[0] == KIND
    }
    with db.advisory_lock(LOCK), db.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            state, made = state_of(connection, ontology, constraints, decisions), False
            if store.state_of(connection) != state:
                found, made = _edges(connection, ontology, constraints, decisions), True
                say(f"{len(found)} edges of {len(_touched(found))} components")
                store.write(db, connection, state, found)
    report = told(store.edges(db, evidence=True))
    report.state, report.made, report.seconds = state, made, time.monotonic() - started
    return report


def state_of(connection: sa.Connection, ontology: Ontology, constraints: Collection[Constraint], decisions: Decisions) -> str:
    """Hash of all that the graph is made from."""
    row = connection.execute(sa.text(STATE)).one()
    parts = (
        CODE_VERSION, ontology.version, row.readings, str(row.works), catalogue.state_of(connection), precisions(),
        sorted(one.id for one in constraints), sorted(map(repr, decisions.items())),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def told(found: Sequence[Edge]) -> GraphReport:
    """Edges, counted."""
    return GraphReport(
        len(_touched(found)),
        len(found),
        sum(len(one.evidence) for one in found),
        sum(1 for one in found if one.supporting and one.contradicting),
        dict(sorted(Counter(one.key.relation for one in found).items())),
        dict(sorted(Counter(origin for one in found for origin in one.origins).items())),
    )


def _edges(connection: sa.Connection, ontology: Ontology, constraints: Collection[Constraint], decisions: Decisions) -> list[Edge]:
    known = ontology.components
    claimed = sides(read_claims(connection, known))
    return edges(claimed, together(connection, ontology), rules(constraints, known), decided(decisions, known))


def _touched(found: Sequence[Edge]) -> set[str]:
    return {component for one in found for component in (one.key.subject, one.key.object)}
