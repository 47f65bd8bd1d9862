"""The document that introduced a component: the work that the ontology names, if the corpus has it, else the first that says so itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components.catalogue.reading import Claim
from forge_assets.components.ontology.model import Component, Introduced
from forge_assets.corpus.work_keys import is_distinct, title_key, title_words

NEAR = 1
"""Years between a work and its printing elsewhere, for short titles and for what claims to be first."""
FAR = 3
"""The same for a title so long that it names one work."""

BY_IDENTIFIER = """SELECT d.document_id, d.identifiers->>'arxiv' AS arxiv, lower(d.identifiers->>'doi') AS doi, d.year
    FROM document d JOIN extraction USING (document_id)
    WHERE d.identifiers->>'arxiv' = ANY(:arxiv) OR lower(d.identifiers->>'doi') = ANY(:doi)"""
BY_TITLE = """SELECT d.document_id, d.title, d.year FROM document d JOIN extraction USING (document_id)
    WHERE lower(regexp_replace(d.title, '[^[:alnum:]]+', '', 'g')) = ANY(:titles)"""


@dataclass(frozen=True, slots=True)
class Origin:
    """`reason`: arxiv, doi or title, by which the ontology's work was found; or `earliest to introduce it`."""

    document: UUID
    reason: str


def origins(connection: sa.Connection, components: Iterable[Component], claims: Iterable[Claim]) -> dict[str, Origin]:
    """Component -> its origin, as far as there is one in the corpus."""
    known = {component.id: component.introduced for component in components}
    found = {id_: origin for id_, origin in _stated(connection, known).items() if origin}
    for id_, made in _by_component(claims).items():
        if id_ in known and id_ not in found:
            introduced = known[id_]
            first = earliest([claim for claim in made if introduced is None or _near(claim.year, introduced.year, NEAR)])
            if first:
                found[id_] = Origin(first.document, "earliest to introduce it")
    return found


def earliest(claims: Sequence[Claim]) -> Claim | None:
    """The claim of the earliest work; within a year the strongest, then the one said most often. One without a year comes last."""
    return min(claims, key=lambda one: (one.year or 9999, -one.strength, -one.times, one.document), default=None)


def _stated(connection: sa.Connection, known: Mapping[str, Introduced | None]) -> dict[str, Origin | None]:
    works = [work for work in known.values() if work]
    wanted = {
        "arxiv": [work.arxiv for work in works if work.arxiv],
        "doi": [work.doi.lower() for work in works if work.doi],
    }
    rows = connection.execute(sa.text(BY_IDENTIFIER), wanted).all()
    arxiv, doi = _first(rows, "arxiv"), _first(rows, "doi")
    keys = {title_key(title_words(work.title)) for work in works}
    titled: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(sa.text(BY_TITLE), {"titles": sorted(keys)}):
        titled[title_key(title_words(row.title))].append(row)
    return {id_: _origin(work, arxiv, doi, titled) for id_, work in known.items() if work}


def _origin(work: Introduced, arxiv: Mapping[str, Any], doi: Mapping[str, Any], titled: Mapping[str, list[Any]]) -> Origin | None:
    if work.arxiv and work.arxiv in arxiv:
        return Origin(arxiv[work.arxiv].document_id, "arxiv")
    if work.doi and work.doi.lower() in doi:
        return Origin(doi[work.doi.lower()].document_id, "doi")
    words = title_words(work.title)
    reach = FAR if is_distinct(words) else NEAR
    same = [row for row in titled.get(title_key(words), ()) if _near(row.year, work.year, reach)]
    if not same:
        return None
    return Origin(min(same, key=lambda row: (abs((row.year or work.year) - work.year), row.document_id)).document_id, "title")


def _first(rows: Sequence[Any], name: str) -> dict[str, Any]:
    """Identifier -> its row; of several documents of one work the earliest."""
    ordered = sorted(rows, key=lambda row: (row.year or 9999, row.document_id), reverse=True)
    return {getattr(row, name): row for row in ordered if getattr(row, name)}


def _near(year: int | None, other: int, reach: int) -> bool:
    return not year or abs(year - other) <= reach


def _by_component(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    made: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        made[claim.subject].append(claim)
    return made
