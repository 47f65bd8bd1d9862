"""Whether what the catalogue says can be traced: each statement to rows of the readings, or to documents that are there."""

from __future__ import annotations

import sqlalchemy as sa

from forge_resources.database import Database

ROWS = """SELECT (SELECT count(*) FROM catalogue_entry) + (SELECT count(*) FROM typical_value) + (SELECT count(*) FROM candidate)"""
UNSOURCED = (
    """SELECT 'component ' || component FROM catalogue_entry c
        WHERE NOT EXISTS (SELECT FROM mention m WHERE m.component = c.component)
        OR introducing_document IS NOT NULL AND NOT EXISTS (SELECT FROM document d WHERE d.document_id = c.introducing_document)""",
    """SELECT DISTINCT 'typical value ' || t.component || ', ' || t.parameter FROM typical_value t
        LEFT JOIN LATERAL jsonb_array_elements(t.sources) AS s ON true
        WHERE s IS NULL OR NOT EXISTS (SELECT FROM parameter_value v WHERE v.document_id = (s->>0)::uuid AND v.start = (s->>1)::int
            AND v."end" = (s->>2)::int AND v.parameter = t.parameter AND v.component = t.component)""",
    """SELECT DISTINCT 'candidate ' || c.candidate FROM candidate c LEFT JOIN LATERAL jsonb_array_elements(c.evidence) AS e ON true
        WHERE e IS NULL OR NOT EXISTS (SELECT FROM document d WHERE d.document_id = (e->>0)::uuid
            AND (e->>2)::int BETWEEN (e->>1)::int AND length(d.text))""",
)
"""What has no source any more. While documents come and go before the next night, some has; a check warns of nothing else."""


def unsourced(db: Database) -> tuple[list[str], int]:
    """What has no source, by name, and the number of statements looked at."""
    with db.begin() as connection:
        found = [str(name) for statement in UNSOURCED for name in connection.execute(sa.text(statement)).scalars()]
        return sorted(found), int(connection.execute(sa.text(ROWS)).scalar_one())
