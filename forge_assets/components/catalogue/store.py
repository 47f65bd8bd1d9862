"""The tables of the catalogue: written whole, in one transaction, so that readers see one state at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from forge_assets.components.candidates.ranking import Candidate
from forge_assets.components.catalogue.entries import Entry
from forge_assets.components.catalogue.values import Typical
from forge_assets.components.comentions import SIGNIFICANT, Pairs
from forge_resources.database import Database

STAGE = "component_catalog"
ENTRY = (
    "component", "slot", "documents", "works", "used", "first_year", "latest_year", "trend", "years", "introducing_document",
    "introducing_reason", "neighbours",
)  # fmt: skip
TYPICAL = ("component", "parameter", "unit", "works", "quartiles", "words", "sources")
COMENTION = ("a", "b", "works", "lift", "p", "q")
CANDIDATE = (
    "candidate", "name", "long_form", "aliases", "slot", "slot_share", "slots", "documents", "works", "independent", "first_year",
    "latest_year", "trend", "years", "signs", "introducing_document", "introducing_reason", "score", "evidence",
)  # fmt: skip
_written = partial(Jsonb, dumps=partial(json.dumps, ensure_ascii=False, default=str))


def state_of(connection: sa.Connection) -> str | None:
    """The state of what the catalogue was last made from; None where there is none."""
    found = connection.execute(sa.text("SELECT state FROM stage_state WHERE stage = :stage"), {"stage": STAGE}).scalar_one_or_none()
    return None if found is None else str(found)


def write(
    db: Database,
    connection: sa.Connection,
    state: str,
    entries: Iterable[Entry],
    typical: Iterable[Typical],
    pairs: tuple[Sequence[str], Pairs],
    candidates: Iterable[Candidate] | None,
) -> None:
    """Replaces all of it, the candidates only where they are given. `pairs`: the ids that the numbers in it stand for, and the pairs."""
    for table in ("catalogue_entry", "typical_value", "comention", *(() if candidates is None else ("candidate",))):
        connection.execute(sa.text(f"DELETE FROM {table}"))
    db.copy(connection, "catalogue_entry", ENTRY, map(_entry, entries))
    db.copy(connection, "typical_value", TYPICAL, map(_typical, typical))
    db.copy(connection, "comention", COMENTION, _comentions(*pairs))
    if candidates is not None:
        db.copy(connection, "candidate", CANDIDATE, map(_candidate, candidates))
    connection.execute(
        sa.text("""INSERT INTO stage_state (stage, state) VALUES (:stage, :state)
            ON CONFLICT (stage) DO UPDATE SET state = excluded.state, at = now()"""),
        {"stage": STAGE, "state": state},
    )


def _entry(one: Entry) -> tuple[Any, ...]:
    return (
        one.component, one.slot, one.documents, one.works, one.used, one.first_year, one.latest_year, one.trend, _written(one.years),
        one.introducing_document, one.introducing_reason, _written(one.neighbours),
    )  # fmt: skip


def _typical(one: Typical) -> tuple[Any, ...]:
    quartiles = None if one.quartiles is None else list(one.quartiles)
    return (one.component, one.parameter, one.unit, one.works, quartiles, _written(one.words), _written(one.sources))


def _comentions(ids: Sequence[str], pairs: Pairs) -> Iterable[tuple[Any, ...]]:
    """Pairs that some work names together, and those that clearly avoid each other."""
    for a, b, works, lift, p, q in zip(pairs.a, pairs.b, pairs.works, pairs.lift, pairs.p, pairs.q, strict=True):
        if works or q <= SIGNIFICANT:
            yield ids[a], ids[b], int(works), float(lift), float(p), float(q)


def _candidate(one: Candidate) -> tuple[Any, ...]:
    return (
        one.id, one.name, one.long_form, list(one.aliases), one.slot, one.slot_share, _written(one.slots), one.documents, one.works,
        one.independent, one.first_year, one.latest_year, one.trend, _written(one.years), _written(one.signs), one.introducing_document,
        one.introducing_reason, one.score, _written(one.evidence),
    )  # fmt: skip
