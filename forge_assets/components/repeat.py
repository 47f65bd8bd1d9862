"""A sample of what is stored, looked at again: whether it lies on the texts, and whether reading the texts once more gives the same."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components import store
from forge_assets.components.answer import answer
from forge_assets.components.extraction import RULES_VERSION, Extractor
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.seen import stamp_of
from forge_resources.database import Database

SPANS = """SELECT t.document_id, '{table}', t.start, t."end", {quote} FROM {table} t WHERE t.document_id = ANY(:documents)"""


def sample(db: Database, condition: str, values: dict[str, Any], size: int) -> list[UUID]:
    """Some documents with readings that meet the condition, from a place drawn anew each time."""
    statement = f"""(SELECT document_id FROM extraction WHERE document_id >= :place AND {condition} ORDER BY document_id LIMIT :size)
        UNION ALL (SELECT document_id FROM extraction WHERE document_id < :place AND {condition} ORDER BY document_id LIMIT :size)"""
    with db.begin() as connection:
        drawn = {"place": UUID(bytes=secrets.token_bytes(16)), "size": size}
        return list(connection.execute(sa.text(statement), values | drawn).scalars())[:size]


def misplaced(db: Database, size: int) -> tuple[list[str], int]:
    """What does not lie on the text of its document, as sentences; and how many rows were looked at."""
    documents = sample(db, "problem IS NULL", {}, size)
    texts = {given.document_id: given.text for given in store.texts(db, documents)}
    quotes = {"mention": "NULL", "new_name": "name", "parameter_value": "quote_hash", "relation": "quote_hash"}
    statement = " UNION ALL ".join(SPANS.format(table=table, quote=quote) for table, quote in quotes.items())
    with db.begin() as connection:
        rows = connection.execute(sa.text(statement), {"documents": documents}).all()
    faults = [fault for row in rows if row[0] in texts and (fault := _fault(texts[row[0]], *row[1:]))]
    return faults, len(rows)


def _fault(text: str, table: str, start: int, end: int, quote: str | None) -> str | None:
    if table == "new_name" and start == end == 0:
        return None  # a title that does not stand in the text
    written = text[start:end]
    place = f"{table} {start}:{end} {written[:40]!r}"
    if not 0 <= start < end <= len(text):
        return f"{place}, in a text of {len(text)} characters"
    if table == "mention":
        return None if written[0].isalnum() else place
    if quote not in (written, hashlib.sha256(written.encode()).hexdigest()):
        return f"{place}, which is not what was quoted"
    return None


def differing(db: Database, ontology: Ontology, size: int) -> tuple[list[str], int]:
    """The documents, by address, that say something else when they are read again; and how many were."""
    condition = "problem IS NULL AND version = :version AND ontology = :ontology"
    documents = sample(db, condition, {"version": RULES_VERSION, "ontology": stamp_of(ontology)}, size)
    extractor = Extractor(ontology)
    again = {given.document_id: answer(extractor, given).digest for given in store.texts(db, documents)}
    statement = "SELECT document_id, digest, uri FROM extraction JOIN document USING (document_id) WHERE document_id = ANY(:documents)"
    with db.begin() as connection:
        rows: Sequence[Any] = connection.execute(sa.text(statement), {"documents": documents}).all()
    return [row.uri for row in rows if again.get(row.document_id, row.digest) != row.digest], len(rows)
