"""Work-level vectors: the mean passage vector of a work's fullest document, of length one, streamed from Postgres by binary COPY.

A work counts once all passages of its main document have a vector; its `mark` tells from which content and vectors it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from forge_resources import binary_copy
from forge_resources.database import Database

Floats = npt.NDArray[np.float32]
Keys = npt.NDArray[np.bytes_]

BATCH = 8192  # rows scaled at once

WORKS = """
    CREATE TEMPORARY TABLE chosen_work ON COMMIT DROP AS
    SELECT w.work_id, w.main_document, hashtextextended(d.content_hash || ' ' || d.stage_version || ' ' || w.main_document::text, 0) AS mark
    FROM work w JOIN document d ON d.document_id = w.main_document {some}"""
INCOMPLETE = """
    DELETE FROM chosen_work c WHERE EXISTS (
        SELECT FROM passage p WHERE p.document_id = c.main_document AND NOT EXISTS (
            SELECT FROM passage_vector v WHERE v.passage_id = p.passage_id AND v.embedder_id = :embedder))
    OR NOT EXISTS (SELECT FROM passage p WHERE p.document_id = c.main_document)"""
CHANGED = """WHERE NOT EXISTS (SELECT FROM work_topic t WHERE t.work_id = w.work_id AND t.mark =
    hashtextextended(d.content_hash || ' ' || d.stage_version || ' ' || w.main_document::text, 0))"""
WAITING = "JOIN work_topic t ON t.work_id = w.work_id AND t.topic_id IS NULL"
ASSIGNED = "JOIN work_topic t ON t.work_id = w.work_id"
UNPLACED = """JOIN work_topic t ON t.work_id = w.work_id LEFT JOIN work_place p ON p.work_id = w.work_id
    WHERE p.work_id IS NULL OR p.mark <> t.mark OR p.topic_id IS DISTINCT FROM t.topic_id"""
SELECTIONS = {"all": "", "changed": CHANGED, "waiting": WAITING, "assigned": ASSIGNED, "unplaced": UNPLACED}
VECTORS = """SELECT c.work_id, v.vector FROM chosen_work c JOIN passage p ON p.document_id = c.main_document
    JOIN passage_vector v ON v.passage_id = p.passage_id WHERE v.embedder_id = {embedder}"""


@dataclass(slots=True)
class WorkVectors:
    """`keys`: work ids as 16 bytes, ascending; `marks`: int64 [n]; `vectors`: float32 [n, dims], each of length one."""

    keys: Keys
    marks: npt.NDArray[np.int64]
    vectors: Floats

    def __len__(self) -> int:
        return len(self.keys)

    def work(self, place: int) -> UUID:
        return work_id(self.keys[place])

    def part(self, places: npt.NDArray[Any]) -> WorkVectors:
        return WorkVectors(self.keys[places], self.marks[places], self.vectors[places])


def work_id(key: bytes) -> UUID:
    """The id of a key: numpy drops null bytes at the end of a bytes element."""
    return UUID(bytes=bytes(key).ljust(16, b"\0"))


def current_embedder(db: Database) -> tuple[int, str, int] | None:
    """(number, name, dimensions) of the embedder that most passages have a vector of; None while there is none."""
    statement = """SELECT e.embedder_id, e.name, e.dims, count(*) AS n FROM passage_vector v JOIN embedder e USING (embedder_id)
        GROUP BY e.embedder_id ORDER BY n DESC, e.embedder_id DESC LIMIT 1"""
    with db.begin() as connection:
        row = connection.execute(sa.text(statement)).one_or_none()
    return (int(row.embedder_id), str(row.name), int(row.dims)) if row else None


def read(db: Database, embedder_id: int, dims: int, selection: str = "all") -> WorkVectors:
    """The vectors of all works, of the `changed` ones (no row in work_topic, or one of another content), of those `waiting` for a topic,
    of the `assigned` (all in work_topic), or of the `unplaced`: those whose place on the map is missing or of another topic or content."""
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        connection.execute(sa.text(WORKS.format(some=SELECTIONS[selection])))
        connection.execute(sa.text("ANALYZE chosen_work"))
        connection.execute(sa.text(INCOMPLETE), {"embedder": embedder_id})
        raw: Any = connection.connection.driver_connection
        identity = np.dtype([("fields", ">i2"), ("l1", ">i4"), ("work", "S16"), ("l2", ">i4"), ("mark", ">i8")])
        rows = list(binary_copy.rows(raw, "SELECT work_id, mark FROM chosen_work", identity))
        named = np.concatenate(rows) if rows else np.empty(0, identity)
        order = np.argsort(named["work"])
        keys, marks = named["work"][order], named["mark"][order].astype(np.int64)
        sums = np.zeros((len(keys), dims), np.float32)
        if len(keys):
            shape = [("fields", ">i2"), ("l1", ">i4"), ("work", "S16"), ("l2", ">i4"), ("dims", ">i2"), ("unused", ">i2")]
            vector = np.dtype([*shape, ("vector", ">f2", (dims,))])
            for batch in binary_copy.rows(raw, VECTORS.format(embedder=int(embedder_id)), vector):
                _add(sums, np.searchsorted(keys, batch["work"]), batch["vector"].astype(np.float32))
    return WorkVectors(keys, marks, normalised(sums))


def normalised(rows: Floats) -> Floats:
    """Each row divided in place by its length; a row of zeros stays."""
    for start in range(0, len(rows), BATCH):
        block = rows[start : start + BATCH]
        block /= np.maximum(np.linalg.norm(block, axis=1, keepdims=True), 1e-12)
    return rows


def _add(sums: Floats, places: npt.NDArray[np.intp], vectors: Floats) -> None:
    """sums[places] += vectors, where a place may come several times."""
    order = np.argsort(places, kind="stable")
    first = np.flatnonzero(np.diff(places[order], prepend=-1))
    sums[places[order[first]]] += np.add.reduceat(vectors[order], first, axis=0)
