"""What documents claim of two components, by edge and by work: claims -> evidence on both sides of the edges they speak of.

A denied claim speaks against its edge. What improves on or supersedes something the other way round speaks against it too, and so do
`composes_with` and `conflicts_with` against each other.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.compatibility.graph.model import Evidence, Key, key
from forge_assets.compatibility.graph.scoring import independence, precision

CLAIMS = """SELECT r.document_id, r.start, r."end", r.subject, r.relation, r.object, r.pattern, r.metric, r.delta, r.unit, r.polarity,
        r.quote_hash, coalesce(m.work_id, r.document_id) AS work, coalesce(w.year, d.year) AS year, d.authors
    FROM relation r JOIN document d USING (document_id) LEFT JOIN work_document m USING (document_id) LEFT JOIN work w USING (work_id)
    WHERE r.subject = ANY(:ids) AND r.object = ANY(:ids) AND r.subject <> r.object
    ORDER BY r.document_id, r.start, r.subject, r.relation, r.object"""
OPPOSITE = {"composes_with": "conflicts_with", "conflicts_with": "composes_with"}
ONE_WAY = ("improves_on", "supersedes")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim as it was read, with the work and the people behind it. `sure`: how often its pattern is right."""

    key: Key
    polarity: bool
    work: UUID
    year: int | None
    authors: frozenset[str]
    sure: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Side:
    """All that speaks for an edge, or all that speaks against it: `independent` works, `works` and their `years`."""

    independent: float
    works: int
    years: tuple[int, ...]
    evidence: tuple[Evidence, ...]


NOTHING = Side(0.0, 0, (), ())


def read_claims(connection: sa.Connection, ids: Collection[str]) -> list[Claim]:
    """Claims of components of one another, in the order of their documents."""
    return [_claim(row) for row in connection.execute(sa.text(CLAIMS), {"ids": list(ids)})]


def sides(claims: Iterable[Claim]) -> dict[Key, tuple[Side, Side]]:
    """Edge -> what speaks for it and what speaks against it, for each edge that some claim is about."""
    claims = list(claims)
    for_: dict[Key, list[Claim]] = defaultdict(list)
    against: dict[Key, list[Claim]] = defaultdict(list)
    for claim in claims:
        (for_ if claim.polarity else against)[claim.key].append(claim)
        if claim.polarity:
            for other in _denied_by(claim.key):
                against[other].append(claim)
    return {one: (side(for_[one], True), side(against[one], False)) for one in dict.fromkeys(claim.key for claim in claims)}


def side(claims: Sequence[Claim], supports: bool) -> Side:
    """One voice per work: that of its surest claim, divided among works that share an author."""
    by_work: dict[UUID, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_work[claim.work].append(claim)
    shares = independence([frozenset().union(*(one.authors for one in said)) for said in by_work.values()])
    evidence, independent, years = [], 0.0, []
    for said, share in zip(by_work.values(), shares, strict=True):
        ordered = sorted(said, key=lambda one: -one.sure)
        weight = share * ordered[0].sure
        independent += weight
        years += [year for year in (ordered[0].year,) if year]
        evidence += [replace(one.evidence, supports=supports, weight=0.0 if place else weight) for place, one in enumerate(ordered)]
    return Side(independent, len(by_work), tuple(years), tuple(evidence))


def names_of(authors: Iterable[str]) -> frozenset[str]:
    """Authors as they can be told apart: with a first name that is no initial; the order of the parts of a name does not count."""
    found = set()
    for author in authors:
        plain = "".join(c for c in unicodedata.normalize("NFKD", author) if not unicodedata.combining(c))
        words = [word.casefold() for word in _WORD.findall(plain)]
        if sum(len(word) > 1 for word in words) > 1:
            found.add(" ".join(sorted(word for word in words if len(word) > 1)))
    return frozenset(found)


def _denied_by(one: Key) -> Iterator[Key]:
    if one.relation in ONE_WAY:
        yield one.reverse
    elif one.relation in OPPOSITE:
        yield Key(one.subject, OPPOSITE[one.relation], one.object, one.scope)  # type: ignore[arg-type]


def _claim(row: Any) -> Claim:
    detail: Mapping[str, Any] = {
        name: value
        for name in ("subject", "relation", "object", "polarity", "pattern", "metric", "delta", "unit")
        if (value := getattr(row, name)) is not None
    }
    evidence = Evidence(True, "claim", 0.0, row.work, row.document_id, row.start, row.end, row.quote_hash, detail)
    made = key(row.subject, row.relation, row.object)
    return Claim(made, row.polarity, row.work, row.year, names_of(row.authors), precision(row.pattern), evidence)
