"""What `forge components` shows of the catalogue; documents by address and title, spans as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components.candidates.names import key_of
from forge_assets.components.catalogue.store import STAGE
from forge_resources.database import Database

KINDS = ("mention", "parameter", "relation")
FETCH = 1000
ENTRIES = """SELECT component, slot, documents, works, used, first_year, latest_year, trend, years, introducing_document,
    introducing_reason, neighbours FROM catalogue_entry"""
TYPICAL = """SELECT component, parameter, unit, works, quartiles, words, sources FROM typical_value WHERE component = :component
    ORDER BY works DESC, parameter, unit"""
CANDIDATES = """SELECT candidate, name, long_form, aliases, slot, slot_share, slots, documents, works, independent, first_year, latest_year,
    trend, years, signs, introducing_document, introducing_reason, score, evidence FROM candidate"""
WAITING = "(CAST(:slot AS text) IS NULL OR slot = :slot) AND candidate <> ALL(CAST(:hidden AS text[]))"
DOCUMENTS = "SELECT document_id, uri, external_id, title, year, identifiers FROM document WHERE document_id = ANY(:documents)"
QUOTE = """substr(d.text, x.start + 1, x."end" - x.start)"""
EXPORTS = {
    "mention": f"""SELECT 'mention' AS kind, x.component, d.uri, x.document_id AS document, x.start, x."end", {QUOTE} AS text,
        x.role, x.stance, x.negated, x.via FROM mention x JOIN document d USING (document_id)
        WHERE CAST(:component AS text) IS NULL OR x.component = :component ORDER BY d.uri, x.start, x.component""",
    "parameter": f"""SELECT 'parameter' AS kind, x.component, x.parameter, x.number, x.word, x.unit, d.uri, x.document_id AS document,
        x.start, x."end", {QUOTE} AS text, x.subject, x.subject_start, x.subject_end, x.condition, x.source, x.quote_hash
        FROM parameter_value x JOIN document d USING (document_id)
        WHERE CAST(:component AS text) IS NULL OR x.component = :component ORDER BY d.uri, x.start, x.parameter""",
    "relation": f"""SELECT 'relation' AS kind, x.subject, x.relation, x.object, d.uri, x.document_id AS document, x.start, x."end",
        {QUOTE} AS text, x.metric, x.delta, x.unit, x.polarity, x.pattern, x.quote_hash FROM relation x JOIN document d USING (document_id)
        WHERE CAST(:component AS text) IS NULL OR :component IN (x.subject, x.object) ORDER BY d.uri, x.start, x.subject, x.object""",
}


def is_made(db: Database) -> bool:
    """Whether there is a catalogue."""
    with db.begin() as connection:
        return connection.execute(sa.text("SELECT FROM stage_state WHERE stage = :stage"), {"stage": STAGE}).first() is not None


def entries(db: Database) -> dict[str, dict[str, Any]]:
    """Component -> its entry; components that no work names have none."""
    with db.begin() as connection:
        return {row["component"]: dict(row) for row in connection.execute(sa.text(ENTRIES)).mappings()}


def entry(db: Database, component: str) -> dict[str, Any] | None:
    """An entry with its typical values, and the documents it speaks of under `documents` by their ids."""
    with db.begin() as connection:
        found = connection.execute(sa.text(f"{ENTRIES} WHERE component = :component"), {"component": component}).mappings().one_or_none()
        if found is None:
            return None
        typical = [dict(row) for row in connection.execute(sa.text(TYPICAL), {"component": component}).mappings()]
    sources = [source[0] for one in typical for source in one["sources"]]
    return dict(found) | {"typical": typical, "documents_named": documents(db, [found["introducing_document"], *sources])}


def candidates(db: Database, slot: str | None = None, hidden: Collection[str] = (), most: int | None = None) -> list[dict[str, Any]]:
    """The queue, the best first, without those whose id is among `hidden`; the first `most` of it."""
    statement = f"{CANDIDATES} WHERE {WAITING} ORDER BY score DESC, candidate LIMIT :most"
    with db.begin() as connection:
        found = connection.execute(sa.text(statement), {"slot": slot, "hidden": list(hidden), "most": most}).mappings()
        return [dict(row) for row in found]


def waiting(db: Database, slot: str | None = None, hidden: Collection[str] = ()) -> int:
    """How many candidates there are, without those whose id is among `hidden`."""
    with db.begin() as connection:
        counted = connection.execute(sa.text(f"SELECT count(*) FROM candidate WHERE {WAITING}"), {"slot": slot, "hidden": list(hidden)})
        return int(counted.scalar_one())


def find_candidates(db: Database, name: str) -> list[dict[str, Any]]:
    """Those of this id, name, long form or alias, in any spelling; an id goes before names."""
    with db.begin() as connection:
        exact = connection.execute(sa.text(f"{CANDIDATES} WHERE candidate = :name"), {"name": name}).mappings().all()
        if exact:
            return [dict(row) for row in exact]
        some = f"""{CANDIDATES} WHERE lower(:name) IN (lower(name), lower(long_form)) OR EXISTS (
            SELECT FROM unnest(aliases) AS alias WHERE lower(alias) = lower(:name)) OR replace(candidate, '-', '') = :key
            ORDER BY score DESC, candidate"""
        return [dict(row) for row in connection.execute(sa.text(some), {"name": name, "key": key_of(name)}).mappings()]


def documents(db: Database, ids: Sequence[UUID | str | None]) -> dict[str, dict[str, Any]]:
    """Id -> address, id at the source, title, year and identifiers."""
    wanted = sorted({str(one) for one in ids if one is not None})
    statement = sa.text(DOCUMENTS.replace(":documents", "CAST(:documents AS uuid[])"))
    with db.begin() as connection:
        return {str(row["document_id"]): dict(row) for row in connection.execute(statement, {"documents": wanted}).mappings()}


def export(db: Database, component: str | None, kinds: Collection[str]) -> Iterator[Mapping[str, Any]]:
    """What was read of a component, or of all, with the span and the text that stands there; kind by kind, in order of place."""
    with db.engine.connect().execution_options(stream_results=True, yield_per=FETCH) as connection:
        for kind in KINDS:
            if kind in kinds:
                for row in connection.execute(sa.text(EXPORTS[kind]), {"component": component}).mappings():
                    yield {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}
