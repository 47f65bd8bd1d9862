"""After a change of the ontology: which documents must be read again, told by the full-text index; the others only get the new stamp.

In: the ontology now, and the ones that documents were read by (table ontology_version). A document that the index does not hold, or holds
in another version, is read again. Killed anywhere, the next run comes to the same documents.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components.folding import spellings
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.seen import Changes, changes, entries_of, from_json, to_json
from forge_assets.corpus.addresses import shard_of
from forge_assets.embeddings.lexical import LexicalIndex, LexicalIndexMissing
from forge_assets.embeddings.occurrences import Occurrences
from forge_resources.database import Database

log = logging.getLogger(__name__)

OLD = """SELECT DISTINCT ontology FROM extraction WHERE shard = ANY(:shards) AND version = :version AND ontology <> :stamp
    ORDER BY ontology"""
MOVE = """UPDATE extraction SET ontology = :stamp WHERE shard = :shard AND version = :version AND ontology = :old
    AND problem IS NULL AND document_id <> ALL(:again)"""
READ_BY = """SELECT e.document_id, d.content_hash || ';' || d.stage_version FROM extraction e JOIN document d USING (document_id)
    WHERE e.shard = :shard AND e.version = :version AND e.ontology = :old"""
UNUSED = (
    """DELETE FROM ontology_version v WHERE ontology <> :stamp AND NOT EXISTS (SELECT FROM extraction e WHERE e.ontology = v.ontology)"""
)


def renew(db: Database, ontology: Ontology, stamp: str, version: str, shards: Sequence[int], lexical: Path) -> int:
    """Gives the stamp to the readings that the change leaves as they are; returns how many. `lexical`: folder of the full-text index."""
    _register(db, ontology, stamp)
    differences = _differences(db, ontology, stamp, version, shards)
    if not differences:
        return 0
    try:
        occurrences = Occurrences(LexicalIndex(lexical), db, shards)
    except LexicalIndexMissing as missing:
        log.warning("the ontology has changed, and every document is read again: %s", missing)
        return 0
    moved = 0
    for old, change in differences.items():
        affected = _affected(db, occurrences, change)
        for shard in shards:
            moved += _move(db, occurrences, affected, {"shard": shard, "version": version, "old": old}, stamp)
    return moved


def forget_unused(db: Database, stamp: str) -> None:
    """Ontologies that no reading goes back to; not those of the last day, by which another run may be about to read."""
    with db.begin() as connection:
        connection.execute(sa.text(UNUSED), {"stamp": stamp})


def _register(db: Database, ontology: Ontology, stamp: str) -> None:
    """Writes down what the rules see of this ontology, once."""
    with db.begin() as connection:
        known = connection.execute(sa.text("SELECT FROM ontology_version WHERE ontology = :stamp"), {"stamp": stamp}).first()
        if known is None:
            statement = "INSERT INTO ontology_version (ontology, entries) VALUES (:stamp, CAST(:entries AS jsonb)) ON CONFLICT DO NOTHING"
            connection.execute(sa.text(statement), {"stamp": stamp, "entries": json.dumps(to_json(entries_of(ontology)))})


def _differences(db: Database, ontology: Ontology, stamp: str, version: str, shards: Sequence[int]) -> dict[str, Changes]:
    """Stamp of an older ontology that documents were read by -> what has changed since, where that does not concern every document."""
    with db.begin() as connection:
        values = {"shards": list(shards), "version": version, "stamp": stamp}
        olds = list(connection.execute(sa.text(OLD), values).scalars())
        statement = sa.text("SELECT ontology, entries FROM ontology_version WHERE ontology = ANY(:olds)")
        known = {row.ontology: from_json(row.entries) for row in connection.execute(statement, {"olds": olds})}
    now = entries_of(ontology) if known else {}
    found = {old: changes(entries, now) for old, entries in known.items()}
    return {old: change for old, change in found.items() if not change.everything}


def _affected(db: Database, occurrences: Occurrences, change: Changes) -> set[UUID]:
    """The documents that may hold a name of a changed entry, and those in which a changed component was found."""
    found = occurrences.documents([_ways(place) for place in name] for name in change.names)
    with db.begin() as connection:
        statement = sa.text("SELECT DISTINCT document_id FROM mention WHERE component = ANY(:components)")
        return found | set(connection.execute(statement, {"components": sorted(change.components)}).scalars())


def _ways(place: Iterable[str]) -> set[str]:
    return {way for word in place for way in spellings(word)}


def _move(db: Database, occurrences: Occurrences, affected: set[UUID], values: dict[str, Any], stamp: str) -> int:
    """The readings of one shard by one older ontology; those of affected documents keep its stamp, and so are read again."""
    shard = values["shard"]
    again = {document for document in affected if shard_of(document) == shard}
    with db.begin() as connection:
        if shard in occurrences.behind:
            rows = connection.execute(sa.text(READ_BY), values)
            again |= {document for document, mark in rows if not occurrences.holds(shard, document, mark)}
        return connection.execute(sa.text(MOVE), values | {"stamp": stamp, "again": sorted(again)}).rowcount
