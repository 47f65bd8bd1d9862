"""The queue of candidates between two looks at all texts: a look takes minutes on a large corpus, so nights keep the queue and tidy it.

What the ontology knows by now and what people rejected goes; evidence in documents that are gone or were parsed anew goes, and a candidate
with its last piece of evidence. New names wait for the next look.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from forge_assets.components.lexicon import lexicon_of
from forge_assets.components.ontology.model import Ontology

STAGE = "candidates"
SMALL = 20_000
"""Works below which a look takes seconds and is always worth it."""
GROWTH = 0.1
"""Share by which the number of works may change before the queue is made anew."""
STATE = "SELECT state, at, extract(epoch FROM now() - at) / 86400 AS days FROM stage_state WHERE stage = :stage"
STALE = """SELECT FROM jsonb_array_elements(c.evidence) AS e LEFT JOIN document d ON d.document_id = (e->>0)::uuid
    WHERE d.document_id IS NULL OR d.parsed_at > :at"""
FRESH = f"""UPDATE candidate c SET evidence = (
        SELECT coalesce(jsonb_agg(x.e ORDER BY x.n), '[]') FROM jsonb_array_elements(c.evidence) WITH ORDINALITY AS x (e, n)
        JOIN document d ON d.document_id = (x.e->>0)::uuid WHERE d.parsed_at <= :at)
    WHERE EXISTS ({STALE})"""


def is_due(connection: sa.Connection, version: str, works: int, days: float) -> bool:
    """Whether all texts are to be looked at: never done by this version, long ago, or the corpus is small or has grown."""
    row = connection.execute(sa.text(STATE), {"stage": STAGE}).one_or_none()
    if row is None or works <= SMALL or float(row.days) >= days:
        return True
    made_by, then, _ = str(row.state).split(":")
    return made_by != version or abs(works - int(then)) > GROWTH * int(then)


def looked(connection: sa.Connection, version: str, works: int, ontology: Ontology) -> None:
    """Notes that the queue has been made now."""
    connection.execute(
        sa.text("""INSERT INTO stage_state (stage, state) VALUES (:stage, :state)
            ON CONFLICT (stage) DO UPDATE SET state = excluded.state, at = now()"""),
        {"stage": STAGE, "state": f"{version}:{works}:{ontology.version}"},
    )


def tidy(connection: sa.Connection, ontology: Ontology, rejected: Collection[str]) -> int:
    """Number of candidates left in the queue."""
    row = connection.execute(sa.text(STATE), {"stage": STAGE}).one()
    gone = set(rejected)
    if str(row.state).rpartition(":")[2] != ontology.version:
        gone |= _known(connection, ontology)
    connection.execute(sa.text("DELETE FROM candidate WHERE candidate = ANY(:gone)"), {"gone": sorted(gone)})
    connection.execute(sa.text(FRESH), {"at": row.at})
    connection.execute(sa.text("DELETE FROM candidate WHERE evidence = '[]'"))
    connection.execute(
        sa.text("""UPDATE candidate SET introducing_document = NULL, introducing_reason = NULL
            WHERE introducing_document IS NOT NULL AND introducing_document NOT IN (SELECT document_id FROM document)""")
    )
    return int(connection.execute(sa.text("SELECT count(*) FROM candidate")).scalar_one())


def _known(connection: sa.Connection, ontology: Ontology) -> set[str]:
    lexicon = lexicon_of(ontology)
    rows = connection.execute(sa.text("SELECT candidate, name, aliases, long_form FROM candidate"))
    return {
        row.candidate
        for row in rows
        if row.candidate in ontology.components or any(lexicon.components_of(way) for way in (row.name, *row.aliases, row.long_form) if way)
    }
