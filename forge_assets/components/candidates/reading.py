"""What works bring up, from the tables: evidence with how the work's title names it, and the slots of the components beside it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components.candidates.introductions import level_of
from forge_assets.components.candidates.senses import Evidence

EVIDENCE = """SELECT b.document_id, n.number AS work, n.year, b.start, b."end", b.name, b.long_form, b.kind, b.head, d.title
    FROM new_name b JOIN work_number n USING (document_id) JOIN document d USING (document_id)
    ORDER BY b.document_id, b.start, b.kind, b.name"""
BESIDE = """SELECT m.document_id, m.component, count(*) AS times FROM mention m JOIN new_name b USING (document_id)
    GROUP BY 1, 2"""


def evidence(connection: sa.Connection) -> Iterator[Evidence]:
    """All of it, in order; `work_number` has been made (catalogue.reading)."""
    for row in connection.execute(sa.text(EVIDENCE)):
        yield Evidence(
            row.document_id, row.work, row.year, row.start, row.end, row.name, row.long_form, row.kind, row.head,
            level_of(row.name, row.title or ""),
        )  # fmt: skip


def slots_beside(connection: sa.Connection, slot_of: Mapping[str, str]) -> dict[UUID, Counter[str]]:
    """Document that brings up a name -> slots of the components it mentions, each component once."""
    found: dict[UUID, Counter[str]] = defaultdict(Counter)
    for row in connection.execute(sa.text(BESIDE)):
        if row.component in slot_of:
            found[row.document_id][slot_of[row.component]] += 1
    return found
