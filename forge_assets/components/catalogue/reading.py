"""What the catalogue is made from, as the tables of one moment have it: works by number, who names what, who introduces what, values.

`number_works` comes first in a transaction; a document without a work is a work of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from forge_assets.components.catalogue.values import Stated
from forge_resources.binary_copy import whole_numbers

Numbers = npt.NDArray[np.int32]

WORKS = """CREATE TEMPORARY TABLE work_number ON COMMIT DROP AS
    SELECT e.document_id, (dense_rank() OVER (ORDER BY coalesce(m.work_id, e.document_id)) - 1)::int AS number,
        coalesce(w.year, d.year, 0)::int AS year
    FROM extraction e JOIN document d USING (document_id) LEFT JOIN work_document m USING (document_id) LEFT JOIN work w USING (work_id)"""
COMPONENTS = """CREATE TEMPORARY TABLE component_number ON COMMIT DROP AS
    SELECT id, (number - 1)::int AS number FROM unnest(CAST(:ids AS text[])) WITH ORDINALITY AS given (id, number)"""
YEARS = "SELECT number, max(year) FROM work_number GROUP BY number"
NAMED = """SELECT c.number, n.number, bool_or(m.stance <> 'named' AND NOT m.negated)::int
    FROM mention m JOIN work_number n USING (document_id) JOIN component_number c ON c.id = m.component GROUP BY 1, 2"""
DOCUMENTS = """SELECT c.number, count(DISTINCT m.document_id)::int
    FROM mention m JOIN component_number c ON c.id = m.component GROUP BY 1"""
CLAIMS = """SELECT m.component, m.document_id, n.number, n.year, min(m.start) AS start, length(coalesce(d.title, '')) AS title,
        count(*) AS times
    FROM mention m JOIN work_number n USING (document_id) JOIN document d USING (document_id)
    WHERE m.stance = 'introduced' AND NOT m.negated GROUP BY 1, 2, 3, 4, 6"""
VALUES = """SELECT v.component, v.parameter, coalesce(v.unit, ''), n.number, v.document_id, v.start, v."end", v.number, v.word
    FROM parameter_value v JOIN work_number n USING (document_id) WHERE v.component = ANY(:ids)"""


@dataclass(frozen=True, slots=True)
class Named:
    """Who names what, each combination once: `component` and `work` are numbers, `used` 1 where the work uses or introduces it; int32 [n].

    `years` int32 [works]: 0 where a work has none. `documents` int32 [components].
    """

    component: Numbers
    work: Numbers
    used: Numbers
    years: Numbers
    documents: Numbers


@dataclass(frozen=True, slots=True)
class Claim:
    """A document says that it introduces something. `strength`: 2 where its title begins with the name, 1 where it is in the title."""

    subject: str
    document: UUID
    work: int
    year: int
    strength: int
    times: int


def number_works(connection: sa.Connection, ids: Collection[str]) -> None:
    """Gives each work that has been read and each component a number, for the length of this transaction."""
    connection.execute(sa.text(WORKS))
    connection.execute(sa.text("CREATE INDEX ON work_number (document_id)"))
    connection.execute(sa.text(COMPONENTS), {"ids": list(ids)})
    connection.execute(sa.text("ANALYZE work_number"))
    connection.execute(sa.text("ANALYZE component_number"))


def named(connection: sa.Connection, components: int) -> Named:
    """Mentions, by work."""
    raw: Any = connection.connection.driver_connection
    works = whole_numbers(raw, YEARS, ("work", "year"))
    years = np.zeros(len(works["work"]), np.int32)
    years[works["work"]] = works["year"]
    found = whole_numbers(raw, NAMED, ("component", "work", "used"))
    counted = whole_numbers(raw, DOCUMENTS, ("component", "documents"))
    documents = np.zeros(components, np.int32)
    documents[counted["component"]] = counted["documents"]
    return Named(found["component"], found["work"], found["used"], years, documents)


def claims(connection: sa.Connection) -> Iterator[Claim]:
    """The documents that introduce a component by their own words."""
    for row in connection.execute(sa.text(CLAIMS)):
        strength = 2 if row.title and row.start == 0 else 1 if row.start < row.title else 0
        yield Claim(row.component, row.document_id, row.number, row.year, strength, row.times)


def stated(connection: sa.Connection, ids: Collection[str]) -> Iterator[Stated]:
    """The values that texts give for parameters of these components."""
    for row in connection.execute(sa.text(VALUES), {"ids": list(ids)}):
        yield Stated(*row)
