"""After a change of the subjects: which documents must be looked through again; the others only get the new stamp.

Candidates come and go with what is read. Documents that may name a new one are told by the full-text index, those that were quoted for one
that is gone or stands in another slot now by the table of sentences. Without an index every document is looked through again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components.folding import spellings
from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.documentation.subjects import CANDIDATE
from forge_assets.embeddings.lexical import LexicalIndex, LexicalIndexMissing
from forge_assets.embeddings.occurrences import Occurrences
from forge_resources.database import Database

log = logging.getLogger(__name__)
Names = Mapping[str, Sequence[str]]
MOVED = """DELETE FROM doc_reading WHERE document_id IN (
    SELECT s.document_id FROM doc_sentence s LEFT JOIN unnest(CAST(:subjects AS text[]), CAST(:slots AS text[])) AS now (subject, slot)
    USING (subject) WHERE now.slot IS DISTINCT FROM s.slot)"""


def renew(db: Database, slots: Mapping[str, str], names: Names, stamp: str, version: str, lexical: Path | None) -> None:
    """Leaves only those readings under another stamp that the change concerns. `slots`: of every subject; `names`: of every candidate."""
    with db.begin() as connection:
        connection.execute(sa.text(MOVED), {"subjects": list(slots), "slots": list(slots.values())})
        statement = "INSERT INTO doc_names (version, names) VALUES (:stamp, CAST(:names AS jsonb)) ON CONFLICT DO NOTHING"
        connection.execute(sa.text(statement), {"stamp": stamp, "names": json.dumps({id_: sorted(ways) for id_, ways in names.items()})})
        statement = """SELECT n.version, n.names FROM doc_names n WHERE n.version <> :stamp
            AND EXISTS (SELECT FROM doc_reading r WHERE r.names = n.version AND r.version = :rules)"""
        olds = {row.version: row.names for row in connection.execute(sa.text(statement), {"stamp": stamp, "rules": version})}
    for old, before in olds.items():
        _move(db, old, _changed(before, names), stamp, lexical)
    with db.begin() as connection:
        connection.execute(sa.text("DELETE FROM doc_names n WHERE NOT EXISTS (SELECT FROM doc_reading r WHERE r.names = n.version)"
                                   " AND version <> :stamp"), {"stamp": stamp})  # fmt: skip


def _changed(before: Names, now: Names) -> tuple[set[str], set[str]]:
    """Ways of writing that are new, and candidates that are gone or lost one."""
    old_ways, new_ways = ({(id_, way) for id_, ways in some.items() for way in ways} for some in (before, now))
    return {way for _, way in new_ways - old_ways}, {id_ for id_, _ in old_ways - new_ways}


def _move(db: Database, old: str, changed: tuple[set[str], set[str]], stamp: str, lexical: Path | None) -> None:
    added, gone = changed
    again: set[UUID] = set()
    if added:
        try:
            if lexical is None:
                raise LexicalIndexMissing("there is no full-text index here")
            occurrences = Occurrences(LexicalIndex(lexical), db, range(SHARD_COUNT))
        except LexicalIndexMissing as missing:
            log.warning("candidates are new, and every document is looked through again: %s", missing)
            return
        again = occurrences.documents([spellings(word.lower()) for word in way.split()] for way in added)
    with db.begin() as connection:
        statement = "SELECT DISTINCT document_id FROM doc_sentence WHERE subject = ANY(:subjects)"
        again |= set(connection.execute(sa.text(statement), {"subjects": [CANDIDATE + id_ for id_ in gone]}).scalars())
        statement = "UPDATE doc_reading SET names = :stamp WHERE names = :old AND document_id <> ALL(:again)"
        connection.execute(sa.text(statement), {"stamp": stamp, "old": old, "again": list(again)})
