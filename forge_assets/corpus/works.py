"""documents -> works: one intellectual work with one or several documents, so that later stages count it once.

Documents that share an identifier (arXiv, DOI, an id with a scheme) are one work; so are documents of one title, or of different titles
and nearly the same text, that `similar.judge` finds to be one. Which pairs it is asked about: `candidates`;
what is made of its answers: `clusters`.
In: `document`. Out: `work`, `work_document`; kept between runs: `work_signature`, `work_link`. A night signs and compares what changed,
and yet the works are a function of the documents alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import psycopg
import sqlalchemy as sa

from forge_assets.corpus.candidates import Numbers, pairs, reopened
from forge_assets.corpus.clusters import Link, works_of
from forge_assets.corpus.signatures import FINGERPRINT, KEPT, NEW, OLD, SIGN_BATCH, STATES, Signed, sign, sign_in
from forge_assets.corpus.similar import judge, portraits
from forge_resources.database import Database
from forge_resources.errors import DatabaseError

WORKS_VERSION = "3"
TRIES = 5
"""Times the joining starts over when documents change under it."""
COMPARED_AT_ONCE = 500  # pairs
COMPARED_CHARACTERS = 10_000_000

CHANGES = f"""
    SELECT count(*) FILTER (WHERE s.document_id IS NULL) AS unsigned,
        count(*) FILTER (WHERE d.document_id IS NULL OR NOT s.joined) AS unjoined
    FROM document d FULL JOIN work_signature s ON s.document_id = d.document_id AND {FINGERPRINT.format("d")} = s.fingerprint"""
WANTED = f"""
    CREATE TEMPORARY TABLE wanted ON COMMIT DROP AS
    SELECT s.document_id, s.state, s.length, coalesce(l.work_id, s.document_id) AS work_id, coalesce(l.reason, 'only') AS reason
    FROM signed s LEFT JOIN label l USING (document_id) WHERE s.state <> {OLD}"""
MOVED = f"""
    CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
    SELECT w.document_id, w.work_id, w.reason, m.work_id AS before FROM wanted w LEFT JOIN work_document m USING (document_id)
    WHERE w.state = {NEW} OR (w.work_id, w.reason) IS DISTINCT FROM (m.work_id, m.reason)"""
TOUCHED = """
    CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
    SELECT work_id FROM moved UNION SELECT before FROM moved UNION SELECT work_id FROM label
    UNION SELECT work_id FROM work w WHERE NOT EXISTS (SELECT FROM wanted d WHERE d.document_id = w.main_document)"""
STORE = """
    INSERT INTO work (work_id, title, year, main_document)
    SELECT DISTINCT ON (w.work_id) w.work_id, d.title, min(d.year) OVER (PARTITION BY w.work_id), d.document_id
    FROM touched t JOIN wanted w USING (work_id) JOIN document d USING (document_id) ORDER BY w.work_id, w.length DESC, d.document_id
    ON CONFLICT (work_id) DO UPDATE SET title = excluded.title, year = excluded.year, main_document = excluded.main_document
    WHERE (work.title, work.year, work.main_document) IS DISTINCT FROM (excluded.title, excluded.year, excluded.main_document)"""
MEMBERS = """
    INSERT INTO work_document (document_id, work_id, reason) SELECT document_id, work_id, reason FROM moved
    ON CONFLICT (document_id) DO UPDATE SET work_id = excluded.work_id, reason = excluded.reason
    WHERE (work_document.work_id, work_document.reason) IS DISTINCT FROM (excluded.work_id, excluded.reason)"""
VANISHED = "DELETE FROM work w WHERE NOT EXISTS (SELECT FROM wanted d WHERE d.work_id = w.work_id)"
TORN = """
    SELECT EXISTS (SELECT FROM document d WHERE NOT EXISTS (SELECT FROM work_document w WHERE w.document_id = d.document_id))
        OR EXISTS (SELECT FROM work w WHERE NOT EXISTS (SELECT FROM work_document m WHERE m.work_id = w.work_id))
        OR EXISTS (SELECT FROM work w WHERE NOT EXISTS (SELECT FROM document d WHERE d.document_id = w.main_document))"""
"""Deleting a document takes it out of its work; when it comes back with the same content, only this tells."""
KEYED = f"""
    SELECT key, array_agg(document_id ORDER BY document_id) AS documents FROM signed, unnest(keys) AS key
    WHERE state <> {OLD} GROUP BY key HAVING count(*) > 1"""
LENGTHS = f"""SELECT document_id, length FROM signed WHERE document_id = ANY(:some) AND state <> {OLD}"""
COMPARED = "SELECT document_id, external_id, title, authors, year, identifiers, text, blocks FROM document WHERE document_id = ANY(:some)"
FORGET_LINKS = ("DELETE FROM work_link WHERE a = ANY(:some)", "DELETE FROM work_link WHERE b = ANY(:some)")
SETTLE = (
    f"""DELETE FROM work_signature s WHERE NOT EXISTS (SELECT FROM signed n WHERE n.document_id = s.document_id
        AND n.fingerprint = s.fingerprint AND n.state <> {OLD})""",
    "UPDATE work_signature SET joined = true WHERE NOT joined",
)


@dataclass(slots=True)
class WorksReport:
    """`joined` counts works with more than one document; `rebuilt` is False when nothing had changed.

    `changed` counts the documents that came, changed or went since the last time, `compared` the pairs whose texts were compared.
    """

    works: int
    documents: int
    joined: int
    rebuilt: bool
    seconds: float
    changed: int = 0
    compared: int = 0


def join_works(db: Database) -> WorksReport:
    """Brings works up to the documents in one transaction; does nothing when the documents are those of the last time.

    Raises DatabaseError when documents keep changing meanwhile, so that no consistent state of them can be written.
    """
    started = time.monotonic()
    for _ in range(TRIES):
        try:
            report = _join_once(db, most_unsigned=SIGN_BATCH)
            if report is None:  # signed in transactions of their own, a batch each: a killed run need not do it again
                sign(db, WORKS_VERSION)
                report = _join_once(db)
            assert report is not None
            report.seconds = time.monotonic() - started
            return report
        except sa.exc.DBAPIError as error:
            if not isinstance(error.orig, OVERTAKEN):
                raise
    raise DatabaseError(f"the documents changed {TRIES} times while they were joined into works; run this again when they are at rest")


OVERTAKEN = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected, psycopg.errors.ForeignKeyViolation)


def _join_once(db: Database, most_unsigned: int | None = None) -> WorksReport | None:
    """One transaction; None when more than `most_unsigned` documents have no signature."""
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        # LOCK comes before the snapshot is taken: who waited here sees what the other has made
        connection.execute(sa.text("LOCK TABLE work IN SHARE ROW EXCLUSIVE MODE"))
        changes = connection.execute(sa.text(CHANGES), {"version": WORKS_VERSION}).one()
        if most_unsigned is not None and changes.unsigned > most_unsigned:
            return None
        return _join(db, connection, changes)


def _join(db: Database, connection: sa.Connection, changes: Any) -> WorksReport:
    stale = bool(changes.unsigned or changes.unjoined or connection.execute(sa.text(TORN)).scalar_one())
    changed, compared = 0, 0
    if stale:
        if changes.unsigned:
            sign_in(db, connection, WORKS_VERSION)
        changed, compared = _rebuild(db, connection)
    works, documents = connection.execute(sa.text("SELECT (SELECT count(*) FROM work), (SELECT count(*) FROM work_document)")).one()
    joined = connection.execute(
        sa.text("SELECT count(*) FROM (SELECT FROM work_document GROUP BY work_id HAVING count(*) > 1) AS several")
    ).scalar_one()  # fmt: skip
    return WorksReport(works, documents, joined, stale, 0.0, changed, compared)


def _rebuild(db: Database, connection: sa.Connection) -> tuple[int, int]:
    """Numbers of documents that came, changed or went, and of pairs compared."""
    connection.execute(sa.text(STATES), {"version": WORKS_VERSION})
    connection.execute(sa.text("ANALYZE signed (document_id, state)"))
    changed, compared = _relink(db, connection)
    connection.execute(sa.text("CREATE TEMPORARY TABLE label (document_id uuid PRIMARY KEY, work_id uuid, reason text) ON COMMIT DROP"))
    db.copy(connection, "label", ["document_id", "work_id", "reason"], _labels(connection), ["uuid", "uuid", "text"])
    connection.execute(sa.text("ANALYZE label"))
    connection.execute(sa.text(WANTED))
    connection.execute(sa.text("CREATE INDEX ON wanted (work_id)"))
    connection.execute(sa.text("ANALYZE wanted"))
    for statement in (MOVED, TOUCHED, STORE, MEMBERS, VANISHED, *SETTLE):  # rows that stay as they are are not written
        connection.execute(sa.text(statement))
    return changed, compared


def _relink(db: Database, connection: sa.Connection) -> tuple[int, int]:
    """Brings work_link up to the documents."""
    signed = Signed(connection)
    opened = signed.state != KEPT
    changed = int(opened.sum())
    again = reopened(signed)
    opened[again] = True
    if not (signed.state[opened] == NEW).all() or connection.execute(sa.text("SELECT EXISTS (SELECT FROM work_link)")).scalar_one():
        some = {"some": [signed.document(place) for place in opened.nonzero()[0]]}
        for statement in FORGET_LINKS:
            connection.execute(sa.text(statement), some)
    first, second, titled = pairs(signed, opened)
    links = _judged(connection, signed, first, second, titled)
    db.copy(connection, "work_link", ["a", "b", "reason", "similarity"], links, ["uuid", "uuid", "text", "float4"])
    return changed, len(first)


def _judged(connection: sa.Connection, signed: Signed, first: Numbers, second: Numbers, titled: npt.NDArray[np.bool_]) -> list[Link]:
    """The pairs that are one work; the texts of a batch of pairs are in memory at a time."""
    links = []
    for start, end in _batches(signed.length[first] + signed.length[second]):
        places = np.unique(np.concatenate([first[start:end], second[start:end]]))
        rows = connection.execute(sa.text(COMPARED), {"some": [signed.document(place) for place in places]}).all()
        of = dict(zip((row.document_id for row in rows), portraits(rows), strict=True))
        for one, other, title in zip(first[start:end], second[start:end], titled[start:end], strict=True):
            a, b = signed.document(one), signed.document(other)
            if verdict := judge(of[a], of[b], bool(title)):
                links.append((a, b, *verdict))
    return links


def _batches(characters: Numbers) -> Iterator[tuple[int, int]]:
    """Runs of at most COMPARED_AT_ONCE pairs and about COMPARED_CHARACTERS characters."""
    start, size = 0, 0
    for place, length in enumerate(characters):
        if place > start and (place - start >= COMPARED_AT_ONCE or size + length > COMPARED_CHARACTERS):
            yield start, place
            start, size = place, 0
        size += int(length)
    if start < len(characters):
        yield start, len(characters)


def _labels(connection: sa.Connection) -> list[tuple[UUID, UUID, str]]:
    """(document, work, reason) of the documents of works with several."""
    keyed = [(row.key, row.documents) for row in connection.execute(sa.text(KEYED))]
    links = [
        (row.a, row.b, row.reason, row.similarity) for row in connection.execute(sa.text("SELECT a, b, reason, similarity FROM work_link"))
    ]
    named = {document for _, documents in keyed for document in documents} | {document for a, b, *_ in links for document in (a, b)}
    lengths = connection.execute(sa.text(LENGTHS), {"some": list(named)})
    return [(document, *label) for document, label in works_of({row.document_id: row.length for row in lengths}, keyed, links).items()]
