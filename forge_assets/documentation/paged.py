"""Which components and candidates have pages: those with evidence above the floor. The same for all volumes, so that they can link."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from forge_assets.documentation.candidate_floor import no_components
from forge_assets.documentation.drafts import counted, slug
from forge_assets.documentation.plans import volume_of
from forge_assets.documentation.subjects import CANDIDATE
from forge_resources.database import Database

FLOORS = ((10_000, 8, 5), (1_000, 5, 4), (0, 3, 3))
"""From so many works in the corpus on: the works whose sentences a component's page needs, and those of a page on a whole slot or topic."""
WORKS = "SELECT count(*) FROM work"
COUNTS = """SELECT s.subject, min(s.slot) AS slot, count(DISTINCT coalesce(w.work_id, s.document_id)) AS works,
        count(*) FILTER (WHERE s.role = 'definition') AS definitions, count(*) FILTER (WHERE s.role = 'mechanism') AS mechanisms
    FROM doc_sentence s LEFT JOIN work_document w USING (document_id) GROUP BY s.subject"""


@dataclass(frozen=True, slots=True)
class Floors:
    """The least evidence of a page in a corpus of `works`. `subject`: works of a component's page, one of which says what it is or how it
    works; `together`: of a page on a slot or topic.
    """

    works: int
    subject: int
    together: int


def floors(db: Database) -> Floors:
    """A small corpus has few works on anything: three of them make a page there, where eight do among 300,000."""
    with db.begin() as connection:
        works = connection.execute(sa.text(WORKS)).scalar_one()
    return next(Floors(works, subject, together) for least, subject, together in FLOORS if works >= least)


@dataclass(frozen=True, slots=True)
class Evidence:
    slot: str
    works: int
    definitions: int
    mechanisms: int
    doubt: str | None = None
    """Why a candidate is taken for no component."""


def evidence(db: Database, fewest: int) -> dict[str, Evidence]:
    """What can be quoted of each subject."""
    with db.begin() as connection:
        found = {row[0]: Evidence(*row[1:]) for row in connection.execute(sa.text(COUNTS))}
    able = [id_ for id_, one in found.items() if id_.startswith(CANDIDATE) and one.works >= fewest and one.definitions]
    doubts = no_components(db, able)
    return {id_: replace(one, doubt=doubts[id_]) if id_ in doubts else one for id_, one in found.items()}


def lacks(subject: str, known: Evidence | None, fewest: int) -> str | None:
    """Why a subject has no page; None where its evidence reaches the floor."""
    works = known.works if known else 0
    if known is None or works < fewest:
        return f"sentences of {counted(works)} can be quoted; a page needs {fewest}"
    if subject.startswith(CANDIDATE):
        return known.doubt if known.definitions else "no sentence says what it is"
    return None if known.definitions or known.mechanisms else "no sentence says what it is or how it works"


def pages(known: dict[str, Evidence], fewest: int) -> dict[str, str]:
    """Subject -> id of its page."""
    return {
        subject: f"{volume_of(one.slot)}/{slug(subject.replace(CANDIDATE, 'candidate-'))}"
        for subject, one in sorted(known.items())
        if lacks(subject, one, fewest) is None
    }
