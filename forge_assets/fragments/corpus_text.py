"""The text that fragments are made from, streamed from Postgres: the fullest document of each work, and the pinned state of all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import sqlalchemy as sa

from forge_assets.fragments.tokenizer import Text, Texts
from forge_resources.database import Database

HELD_OUT = "f"
"""First hex digit of a held-out document's id, which is a hash."""
FIRST_HELD_OUT = "f0000000-0000-0000-0000-000000000000"
BATCH = 100
READ = """FROM document d LEFT JOIN work_document wd USING (document_id) LEFT JOIN work w USING (work_id)
    WHERE (w.work_id IS NULL OR w.main_document = d.document_id){part} ORDER BY d.document_id"""


def texts(db: Database, held_out: bool | None = None) -> Iterator[Text]:
    """One document a work, in the order of their ids; in batches, so that the corpus never lies in memory. `held_out`: those only, or
    those that are not."""
    part = {None: "", True: f" AND d.document_id >= '{FIRST_HELD_OUT}'", False: f" AND d.document_id < '{FIRST_HELD_OUT}'"}[held_out]
    statement = sa.text(f"SELECT d.document_id::text AS id, d.uri, d.text {READ.format(part=part)}")
    with db.begin() as connection:
        rows = connection.execute(statement.execution_options(stream_results=True, max_row_buffer=BATCH))
        for row in rows:
            yield Text(row.id, row.uri, row.text, row.id.startswith(HELD_OUT))


def of(db: Database) -> Texts:
    return lambda held_out=None: texts(db, held_out)


def state(db: Database) -> tuple[str, int]:
    """SHA-256 over what `texts` would read, and how many documents that are."""
    found, count = hashlib.sha256(), 0
    statement = sa.text(f"SELECT d.document_id::text AS id, d.content_hash, d.stage_version {READ.format(part='')}")
    with db.begin() as connection:
        for row in connection.execute(statement.execution_options(stream_results=True, max_row_buffer=10 * BATCH)):
            found.update(f"{row.id} {row.content_hash} {row.stage_version}\n".encode())
            count += 1
    return found.hexdigest(), count


def pinned(db: Database, name: str, stack: str, *, move: bool) -> str:
    """The snapshot of a blueprint. With `move` (nothing stands on the old one), or for another stack, it becomes the corpus of now."""
    with db.begin() as connection:
        row = connection.execute(sa.text("SELECT stack, snapshot FROM fragment_pin WHERE name = :name"), {"name": name}).first()
    if row is not None and row.stack == stack and not move:
        return str(row.snapshot)
    snapshot, documents = state(db)
    with db.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO fragment_pin (name, stack, snapshot, documents) VALUES (:name, :stack, :snapshot, :documents)
                ON CONFLICT (name) DO UPDATE SET stack = excluded.stack, snapshot = excluded.snapshot, documents = excluded.documents,
                pinned_at = now()"""),
            {"name": name, "stack": stack, "snapshot": snapshot, "documents": documents},
        )
    return snapshot
