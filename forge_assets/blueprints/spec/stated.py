"""What works state for a parameter of a component, out of the catalogue: a value that stands in a document, with its place and hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from forge_assets.blueprints.spec.values import Evidence
from forge_resources.database import Database

LEAST_WORKS = 3
"""A value that fewer works state may be one team's choice; the published default is taken then."""
QUERY = """SELECT t.component, t.parameter, t.unit, t.works, t.quartiles, t.words, t.sources FROM typical_value t
    WHERE t.component = ANY(:components) ORDER BY t.component, t.parameter, t.works DESC"""
PLACES = """SELECT p.start, p."end", p.number, p.word, p.quote_hash, d.uri, d.title FROM parameter_value p
    JOIN document d USING (document_id)
    WHERE p.parameter = :parameter AND p.document_id = CAST(:document AS uuid) AND p.start = :start AND p."end" = :end"""


@dataclass(frozen=True, slots=True)
class Stated:
    """The written value nearest to the median of `works` works."""

    value: float | str
    works: int
    evidence: tuple[Evidence, ...]


def stated_values(db: Database, components: list[str]) -> Mapping[tuple[str, str], Stated]:
    """(component, parameter) -> what works state, where enough of them do and the place still says so."""
    with db.begin() as connection:
        rows = connection.execute(sa.text(QUERY), {"components": components}).mappings().all()
        found: dict[tuple[str, str], Stated] = {}
        for row in rows:
            key = row["component"], row["parameter"]
            if row["works"] >= LEAST_WORKS and key not in found:
                made = _stated(connection, row)
                if made is not None:
                    found[key] = made
    return found


def _stated(connection: sa.Connection, row: Mapping[str, Any]) -> Stated | None:
    numbers = [one for one in row["sources"] if isinstance(one[3], int | float)]
    if row["quartiles"] and numbers:
        nearest = min(numbers, key=lambda one: abs(float(one[3]) - row["quartiles"][2]))
    elif row["words"] and row["sources"]:
        nearest = next((one for one in row["sources"] if one[3] == next(iter(row["words"]))), row["sources"][0])
    else:
        return None
    document, start, end, value = nearest
    place = (
        connection.execute(sa.text(PLACES), {"parameter": row["parameter"], "document": document, "start": start, "end": end})
        .mappings()
        .first()
    )
    if place is None or len(place["quote_hash"]) != 64:
        return None
    evidence = Evidence(document=place["uri"], title=place["title"], start=start, end=end, quote_hash=place["quote_hash"])
    return Stated(value, row["works"], (evidence,))
