"""The tables of readings in Postgres: which documents lack one, their texts, and what was found in them; a batch per transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components.answer import Answer, Given
from forge_assets.components.rows import TABLES
from forge_resources.database import Database

UP_TO_DATE = "version = :version AND ontology = :ontology"
EXTRACTION = {
    "document_id": "uuid", "shard": "int2", "version": "text", "ontology": "text", "digest": "int8", "problem": "text",
}  # fmt: skip


def lacking(db: Database, shards: Sequence[int], version: str, ontology: str) -> dict[int, int]:
    """Shard -> number of its documents without an up-to-date reading, for the shards that have any.

    Every reading belongs to a document, so two counts tell, and both come from indexes alone.
    """
    statement = f"""SELECT shard, d.n - coalesce(e.n, 0) AS n
        FROM (SELECT shard, count(*) AS n FROM document WHERE shard = ANY(:shards) GROUP BY shard) AS d
        LEFT JOIN (SELECT shard, count(*) AS n FROM extraction WHERE shard = ANY(:shards) AND {UP_TO_DATE} GROUP BY shard) AS e
        USING (shard) WHERE d.n <> coalesce(e.n, 0) ORDER BY shard"""
    with db.begin() as connection:
        rows = connection.execute(sa.text(statement), {"shards": list(shards), "version": version, "ontology": ontology})
        return {row.shard: row.n for row in rows}


def stale(db: Database, shard: int, version: str, ontology: str) -> list[tuple[UUID, int]]:
    """The documents of a shard without an up-to-date reading, in order, with the bytes that their texts take in the database.

    A shard is a range of ids, so both sides come in the order of their keys, and no text is touched but of those that are missing.
    """
    statement = f"""WITH missing AS MATERIALIZED (SELECT document_id FROM document d WHERE document_id BETWEEN :first AND :last
            AND NOT EXISTS (SELECT FROM extraction e WHERE e.document_id = d.document_id AND {UP_TO_DATE}))
        SELECT document_id, pg_column_size(text) FROM missing JOIN document USING (document_id) ORDER BY document_id"""
    first, last = shard_range(shard)
    values = {"first": first, "last": last, "version": version, "ontology": ontology}
    with db.begin() as connection:
        return [(row[0], row[1]) for row in connection.execute(sa.text(statement), values)]


def shard_range(shard: int) -> tuple[UUID, UUID]:
    """The least and the greatest id of a shard, whose number is the first six bits of it."""
    return UUID(int=shard << 122), UUID(int=(shard + 1 << 122) - 1)


def texts(db: Database, documents: Sequence[UUID]) -> list[Given]:
    """What the rules read of these documents, as far as they are still there, in order."""
    statement = """SELECT document_id, content_hash || ';' || stage_version, text, blocks::text, title, year, media_type
        FROM document WHERE document_id = ANY(:documents) ORDER BY document_id"""
    with db.begin() as connection:
        return [Given(*row) for row in connection.execute(sa.text(statement), {"documents": list(documents)})]


def write(db: Database, answers: Sequence[Answer], version: str, ontology: str) -> list[Answer]:
    """One transaction: old readings of these documents go, the new ones come; returns those that were written.

    A document that was parsed anew while it was read, or is at this moment, is passed over: the spans are not of its text.
    """
    there = """SELECT document_id, shard, content_hash || ';' || stage_version AS mark FROM document
        WHERE document_id = ANY(:documents) FOR KEY SHARE SKIP LOCKED"""
    with db.begin() as connection:
        rows = connection.execute(sa.text(there), {"documents": [answer.document_id for answer in answers]})
        now = {row.document_id: row for row in rows}
        kept = [a for a in answers if a.document_id in now and now[a.document_id].mark == a.mark]
        old = {"documents": [answer.document_id for answer in kept]}
        connection.execute(sa.text("DELETE FROM extraction WHERE document_id = ANY(:documents)"), old)
        read = ((a.document_id, now[a.document_id].shard, version, ontology, a.digest, a.problem) for a in kept)
        db.copy(connection, "extraction", list(EXTRACTION), read, list(EXTRACTION.values()))
        for table, columns in TABLES.items():
            found = ((a.document_id, *row) for a in kept for row in a.rows.get(table, ()))
            db.copy(connection, table, ["document_id", *columns], found, ["uuid", *columns.values()])
    return kept


def digest(db: Database, shards: Sequence[int]) -> str:
    """Hash of what was found in these shards and in which versions of their documents, in any order it came about."""
    statement = """SELECT count(*), coalesce(sum(hashtextextended(document_id::text, digest)::numeric), 0)
        FROM extraction WHERE shard = ANY(:shards)"""
    with db.begin() as connection:
        count, total = connection.execute(sa.text(statement), {"shards": list(shards)}).one()
    return f"{count}-{int(total) % 2**64:016x}"


def problems(db: Database, shards: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """The documents that the rules failed on, with the reason, by address."""
    statement = """SELECT d.uri, e.problem AS reason FROM extraction e JOIN document d USING (document_id)
        WHERE e.problem IS NOT NULL AND (CAST(:shards AS int[]) IS NULL OR e.shard = ANY(:shards)) ORDER BY d.uri"""
    with db.begin() as connection:
        rows = connection.execute(sa.text(statement), {"shards": None if shards is None else list(shards)})
        return [dict(row._mapping) for row in rows]
