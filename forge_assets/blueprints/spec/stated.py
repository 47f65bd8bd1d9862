"""What works say, out of the catalogue: values that they agree on for a component, and where a chosen component is named; each with its
place and the hash of what stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from forge_assets.blueprints.spec.values import Evidence
from forge_resources.database import Database

ENOUGH = 5
"""A value that fewer works state may be one team's choice; the published default is taken then."""
APART = 2.0
"""Works agree where the middle half of what they state lies within this factor."""
SHOWN = 3
ALSO = {"weight_decay": "weight-decay", "gradient_clip": "gradient-clipping", "rope_theta": "rope"}
"""Components that own a parameter by themselves: what works say of them holds for whichever component of a stack has the parameter."""
STANDS = """encode(sha256(convert_to(substr(d.text, {0}.start + 1, {0}."end" - {0}.start), 'UTF8')), 'hex')"""
AGREED = """SELECT component, parameter, unit, works, quartiles[3] AS median FROM typical_value
    WHERE component = ANY(:components) AND works >= :enough AND quartiles[2] > 0 AND quartiles[4] <= :apart * quartiles[2]
    ORDER BY component, parameter, works DESC, unit"""
NEAREST = f"""SELECT p.start, p."end", p.number, p.quote_hash, d.uri, d.title FROM parameter_value p JOIN document d USING (document_id)
    WHERE p.component = :component AND p.parameter = :parameter AND coalesce(p.unit, '') = :unit AND p.number IS NOT NULL
        AND p.quote_hash = {STANDS.format("p")}
    ORDER BY abs(p.number - :median), p.document_id, p.start LIMIT 1"""
NAMED = f"""SELECT DISTINCT ON (m.document_id) m.document_id, m.stance, m.start, m."end", d.uri, d.title, {STANDS.format("m")} AS quote_hash
    FROM mention m JOIN document d USING (document_id) LEFT JOIN catalogue_entry e USING (component)
    WHERE m.component = :component AND NOT m.negated AND m.document_id IN (
        SELECT document_id FROM mention WHERE component = :component AND NOT negated
        ORDER BY document_id IS DISTINCT FROM (SELECT introducing_document FROM catalogue_entry WHERE component = :component),
            stance <> 'introduced', stance <> 'used', document_id LIMIT 30)
    ORDER BY m.document_id, m.stance <> 'introduced', m.stance <> 'used', m.start"""


@dataclass(frozen=True, slots=True)
class Stated:
    """The written value nearest to the median of `works` works that agree."""

    value: float
    works: int
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """`values`: (component, parameter) -> what works agree on; `named`: component -> places in works that introduce or use it."""

    values: Mapping[tuple[str, str], Stated] = field(default_factory=dict)
    named: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)


def known_of(db: Database, components: Sequence[str]) -> Known:
    """Of the components of a stack. Empty where there is no catalogue."""
    with db.begin() as connection:
        return Known(
            _values(connection, [*components, *ALSO.values()]), {one: found for one in components if (found := _named(connection, one))}
        )


def _values(connection: sa.Connection, components: Sequence[str]) -> dict[tuple[str, str], Stated]:
    found: dict[tuple[str, str], Stated] = {}
    agreed = connection.execute(sa.text(AGREED), {"components": list(components), "enough": ENOUGH, "apart": APART}).mappings().all()
    for row in agreed:
        asked = {key: row[key] for key in ("component", "parameter", "unit", "median")}
        place = connection.execute(sa.text(NEAREST), asked).mappings().first()
        if place is not None:
            found.setdefault((row["component"], row["parameter"]), Stated(place["number"], row["works"], (_evidence(place),)))
    return found


def _named(connection: sa.Connection, component: str) -> tuple[Evidence, ...]:
    rows = connection.execute(sa.text(NAMED), {"component": component}).mappings().all()
    best = sorted(rows, key=lambda row: (row["stance"] != "introduced", row["stance"] != "used", str(row["document_id"])))
    return tuple(map(_evidence, best[:SHOWN]))


def _evidence(row: sa.RowMapping) -> Evidence:
    return Evidence(document=row["uri"], title=row["title"], start=row["start"], end=row["end"], quote_hash=row["quote_hash"])
