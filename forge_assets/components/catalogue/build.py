"""what has been read -> numbered works -> entries, typical values, pairs, candidates -> the catalogue's tables, in one transaction.

Nothing is done while the readings, the works, the ontology, what people rejected and this code are those of the last time.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from forge_assets.components import comentions
from forge_assets.components.candidates import keeping
from forge_assets.components.candidates.queue import candidates
from forge_assets.components.catalogue import reading, store
from forge_assets.components.catalogue.entries import entries
from forge_assets.components.catalogue.introducing import origins
from forge_assets.components.catalogue.values import typical_values
from forge_assets.components.catalogue.version import CATALOGUE_VERSION
from forge_assets.components.ontology.model import Ontology
from forge_resources.database import Database
from forge_resources.decisions import read_decisions, standing

LOCK = "forge.catalogue"
STATE = """SELECT
    (SELECT count(*) || ':' || coalesce(sum(hashtextextended(document_id::text, digest)::numeric), 0) FROM extraction) AS readings,
    (SELECT coalesce(sum(hashtextextended(m.document_id::text || m.work_id || coalesce(w.year, 0), 0)::numeric), 0)
     FROM work_document m JOIN work w USING (work_id)) AS works"""


@dataclass(slots=True)
class CatalogueReport:
    """`works` that have been read; `components` that some name, `typical` values, `pairs` of components named together, `significant`
    ones of them, `candidates`, `looked` for in all texts or kept. `made` is False when nothing had changed; `seconds` of wall time."""

    works: int = 0
    components: int = 0
    typical: int = 0
    pairs: int = 0
    significant: int = 0
    candidates: int = 0
    made: bool = False
    looked: bool = False
    seconds: float = 0.0
    state: str = ""


def build(
    db: Database,
    ontology: Ontology,
    overrides: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
    candidates_days: float = 0.0,
) -> CatalogueReport:
    """Brings the catalogue up to what has been read. `overrides`: the log of decisions, whose rejected candidates stay away.

    `candidates_days`: how old the queue of candidates of a large corpus may be; until then it is kept and tidied.
    """
    started = time.monotonic()
    rejected = rejected_ids(overrides, date.today())
    with db.advisory_lock(LOCK), db.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            state = state_of(connection, ontology, rejected)
            if store.state_of(connection) == state:
                report = _told(connection)
            else:
                report = _made(db, connection, state, ontology, rejected, say, candidates_days)
    report.state, report.seconds = state, time.monotonic() - started
    return report


def rejected_ids(overrides: Path | None, today: date) -> frozenset[str]:
    """What people do not want to see among the candidates."""
    decisions = standing(read_decisions(overrides), today) if overrides else {}
    return frozenset(subject for (kind, subject), one in decisions.items() if kind == "component" and one.verdict == "reject")


def state_of(connection: sa.Connection, ontology: Ontology, rejected: Collection[str]) -> str:
    """Hash of all that the catalogue is made from."""
    row = connection.execute(sa.text(STATE)).one()
    parts = (CATALOGUE_VERSION, ontology.version, sorted(rejected), row.readings, str(row.works))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _made(
    db: Database,
    connection: sa.Connection,
    state: str,
    ontology: Ontology,
    rejected: Collection[str],
    say: Callable[[str], None],
    candidates_days: float,
) -> CatalogueReport:
    components = list(ontology.components.values())
    ids = [component.id for component in components]
    reading.number_works(connection, ids)
    named = reading.named(connection, len(ids))
    say(f"{len(named.years)} works name {len(named.work)} components")
    together = comentions.pairs(named.component, named.work, len(ids), len(named.years))
    made = entries(components, named, together, origins(connection, components, reading.claims(connection)))
    typical = typical_values(reading.stated(connection, ids))
    works, due = len(named.years), keeping.is_due(connection, CATALOGUE_VERSION, len(named.years), candidates_days)
    say(f"{len(made)} components in the catalogue; {'looking for candidates' if due else 'candidates are kept'}")
    queue = candidates(connection, ontology, rejected) if due else None
    store.write(db, connection, state, made, typical, (ids, together), queue)
    if queue is not None:
        keeping.looked(connection, CATALOGUE_VERSION, works, ontology)
    left = keeping.tidy(connection, ontology, rejected) if queue is None else len(queue)
    significant = int((together.q <= comentions.SIGNIFICANT).sum())
    return CatalogueReport(works, len(made), len(typical), int((together.works > 0).sum()), significant, left, True, due)


def _told(connection: sa.Connection) -> CatalogueReport:
    """What stands, where nothing has changed."""
    row = connection.execute(
        sa.text("""SELECT (SELECT count(DISTINCT coalesce(m.work_id, e.document_id))
                FROM extraction e LEFT JOIN work_document m USING (document_id)),
            (SELECT count(*) FROM catalogue_entry), (SELECT count(*) FROM typical_value), (SELECT count(*) FROM comention WHERE works > 0),
            (SELECT count(*) FROM comention WHERE q <= :significant), (SELECT count(*) FROM candidate)"""),
        {"significant": comentions.SIGNIFICANT},
    ).one()
    return CatalogueReport(*row)
