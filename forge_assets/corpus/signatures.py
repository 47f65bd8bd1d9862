"""document -> work_signature: what is needed to find the documents that may be one work with a given one, a fixed size each.

A signature holds the identifiers, and 32-bit hashes of the title, of the bands of its abstract and of the bands of its text; see `minhash`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from forge_assets.corpus.inventory_rows import bounded, streaming
from forge_assets.corpus.minhash import BANDS, Bands, bands, triples
from forge_assets.corpus.similar import abstract_of, body_of
from forge_assets.corpus.work_keys import identifier_keys, title_key, title_words
from forge_resources.database import Database

SIGN_BATCH = 500  # documents
SIGN_CHARACTERS = 2_000_000
WIDTH = 1 + 2 * BANDS
"""Numbers in a signature: the title's, then BANDS of the abstract, then BANDS of the whole text; 0 is none."""
GROUPS = ((0, 1), (1, BANDS), (1 + BANDS, BANDS))
"""(first, number) of the columns that are looked at together; a group is what is held in memory, at most 4 * BANDS bytes a document."""

FINGERPRINT = (
    "hashtextextended(concat_ws('|', CAST(:version AS text), {0}.content_hash, {0}.stage_version, {0}.source, {0}.external_id), 0)"
)
COLUMNS = {"document_id": "uuid", "fingerprint": "int8", "length": "int4", "keys": "text[]", "bands": "bytea"}
UNSIGNED = f"""
    SELECT d.document_id, {FINGERPRINT.format("d")} AS fingerprint, d.source, d.external_id, d.title, d.identifiers, d.text, d.blocks
    FROM document d LEFT JOIN work_signature s ON s.document_id = d.document_id AND s.fingerprint = {FINGERPRINT.format("d")}
    WHERE s.document_id IS NULL"""


def sign(db: Database, version: str) -> int:
    """Signs the documents that are new or changed, a batch per transaction; returns their number."""
    signed = 0
    with db.engine.connect() as reader, streaming(reader, UNSIGNED, {"version": version}) as rows:
        for batch in _batches(rows):
            with db.begin() as connection:
                _write(db, connection, batch)
            signed += len(batch)
    return signed


def sign_in(db: Database, connection: sa.Connection, version: str) -> int:
    """The same inside this transaction: for the few that changed since."""
    rows = connection.execute(sa.text(UNSIGNED).execution_options(stream_results=True, max_row_buffer=SIGN_BATCH), {"version": version})
    signed = 0
    for batch in _batches(rows):
        _write(db, connection, batch)
        signed += len(batch)
    return signed


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    return bounded(rows, lambda row: len(row.text), SIGN_BATCH, SIGN_CHARACTERS)


def _write(db: Database, connection: sa.Connection, rows: Sequence[Any]) -> None:
    made = signatures(rows)
    values = [
        (row.document_id, row.fingerprint, len(row.text), identifier_keys(row.source, row.external_id, row.identifiers), made[i].tobytes())
        for i, row in enumerate(rows)
    ]
    connection.execute(
        sa.text("CREATE TEMPORARY TABLE IF NOT EXISTS signing (LIKE work_signature INCLUDING DEFAULTS) ON COMMIT DELETE ROWS")
    )
    db.copy(connection, "signing", list(COLUMNS), values, list(COLUMNS.values()))
    connection.execute(sa.text("INSERT INTO work_signature SELECT * FROM signing ON CONFLICT DO NOTHING"))
    connection.execute(sa.text("DELETE FROM signing"))


def signatures(rows: Sequence[Any]) -> Bands:
    """(rows, WIDTH) of rows of `document`."""
    abstracts = bands(*triples([abstract_of(row.text, row.blocks) for row in rows]))
    wholes = bands(*triples([body_of(row.text, row.blocks) for row in rows]))
    return np.concatenate([_titles(rows), abstracts, wholes], axis=1)


def _titles(rows: Sequence[Any]) -> Bands:
    keys = [title_key(title_words(row.title)).encode("utf-8", "replace") for row in rows]
    return np.array([[zlib.crc32(key) or 1 if key else 0] for key in keys], dtype=np.uint32)


NEW, OLD, KEPT = 0, 1, 2
"""A signature that is not joined yet, one whose document changed or vanished, and one that is joined and up to date."""
STATES = f"""
    CREATE TEMPORARY TABLE signed ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY s.document_id, s.fingerprint) AS place,
        s.document_id, s.fingerprint, s.length, s.keys, s.bands, CAST(CASE WHEN d.document_id IS NULL THEN {OLD}
        WHEN s.joined THEN {KEPT} ELSE {NEW} END AS int2) AS state
    FROM work_signature s LEFT JOIN document d ON d.document_id = s.document_id AND {FINGERPRINT.format("d")} = s.fingerprint
    WHERE s.joined OR d.document_id IS NOT NULL"""


class Signed:
    """The signatures as this transaction sees them, in one order: 21 bytes each."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        rows = self._read("uuid_send(document_id) || int4send(length) || int2send(state)", 22)
        self._ids = rows[:, :16].copy()
        self.length: npt.NDArray[np.int32] = rows[:, 16:20].copy().view(">i4").ravel().astype(np.int32)
        self.state: npt.NDArray[np.uint8] = rows[:, 21].copy()

    def document(self, place: int) -> UUID:
        """The id of the document at a place of the order."""
        return UUID(bytes=self._ids[place].tobytes())

    def columns(self, first: int, count: int) -> Bands:
        """(documents, count) columns of all signatures."""
        raw = self._read(f"substring(bands FROM {4 * first + 1} FOR {4 * count})", 4 * count)
        return np.ascontiguousarray(raw).view(np.uint32)

    def _read(self, expression: str, width: int) -> npt.NDArray[np.uint8]:
        """One bytea of a fixed width per row, (rows, width), read as binary COPY: 6 bytes before each, 19 before all, 2 after."""
        raw: Any = self._connection.connection.driver_connection
        data = bytearray()
        with (
            raw.cursor() as cursor,
            cursor.copy(f"COPY (SELECT {expression} FROM signed ORDER BY place) TO STDOUT (FORMAT BINARY)") as copy,
        ):
            for chunk in copy:
                data += chunk
        rows = np.frombuffer(data, dtype=np.uint8)[19:-2]
        return rows.reshape(-1, width + 6)[:, 6:]
