"""Sentences fit to be quoted, as pages take them: with their text, work and year. In: a slot. Out: the best of each subject and role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.documentation.own_sense import in_own_name
from forge_assets.documentation.volume import Role
from forge_resources.database import Database

MOST = 60
"""Sentences of one subject in one role that a page chooses from."""


def passage_at(start: str) -> str:
    """SQL: the passage of the document `d` in which a place begins; null where none does, as for titles."""
    return f"""(SELECT p.passage_id FROM passage p WHERE p.document_id = d.document_id AND p.start <= {start} AND p."end" > {start}
        ORDER BY p.ordinal LIMIT 1)"""


QUOTES = f"""WITH chosen AS (
        SELECT s.*, substr(d.text, s.start + 1, s."end" - s.start) AS text, coalesce(w.work_id, s.document_id) AS work, d.year, d.language,
            left(coalesce(d.title, ''), 200) AS title,
            {passage_at("s.start")} AS passage
        FROM (SELECT *, row_number() OVER (PARTITION BY subject, role ORDER BY score DESC, quote, document_id, start) AS place
              FROM doc_sentence WHERE slot = :slot) AS s
        JOIN document d USING (document_id) LEFT JOIN work_document w USING (document_id) WHERE s.place <= :most)
    SELECT c.*, round((1 - (v.vector <=> avg(v.vector) OVER (PARTITION BY c.subject)))::numeric, 2)::float AS kin
    FROM chosen c LEFT JOIN passage_vector v ON v.passage_id = c.passage AND v.embedder_id = (SELECT max(embedder_id) FROM embedder)
    ORDER BY c.subject, c.role, c.place"""


@dataclass(frozen=True, slots=True)
class Quote:
    """text of the document between start and end; the fields are those of the table doc_sentence.

    `kin`: cosine of its passage's vector to the mean of those of its subject, two digits; None where the passage has none.
    """

    document: UUID
    start: int
    end: int
    subject: str
    role: Role
    score: float
    others: tuple[str, ...]
    open: bool
    advice: bool
    text: str
    work: UUID
    year: int | None
    language: str | None
    passage: UUID | None = None
    kin: float | None = None
    title: str = ""
    """Of its document: what the sentence is said in the context of."""

    @property
    def place(self) -> tuple[UUID, int, int]:
        return self.document, self.start, self.end

    @property
    def mark(self) -> tuple[object, ...]:
        """What a page's state knows of it."""
        known = () if self.kin is None else (self.kin,)
        return str(self.document), self.start, self.text, self.role, self.score, self.title, *known


def of_slot(db: Database, slot: str) -> dict[str, list[Quote]]:
    """Subject -> its sentences, role by role, the best first."""
    with db.begin() as connection:
        rows = connection.execute(sa.text(QUOTES), {"slot": slot, "most": MOST}).all()
    return grouped(_quote(row) for row in rows if not in_own_name(row.title, row.text, row.subject))


def _quote(row: Any) -> Quote:
    return Quote(row.document_id, row.start, row.end, row.subject, row.role, row.score, tuple(row.others), row.open, row.advice, row.text,
                 row.work, row.year, row.language, row.passage, row.kin, row.title)  # fmt: skip


def grouped(quotes: Iterable[Quote]) -> dict[str, list[Quote]]:
    found: dict[str, list[Quote]] = {}
    for one in quotes:
        found.setdefault(one.subject, []).append(one)
    return found
