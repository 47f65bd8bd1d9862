"""Works with planted vectors: groups of vectors around directions, each work a record with a title of its group's words."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from forge_assets.corpus.works import join_works
from forge_resources.database import Database
from tests.embeddings.corpus_builder import put_records

DIMS = 32
SUBJECTS = (
    "speech recognition", "protein folding", "graph neural network", "machine translation", "robot grasping", "image segmentation",
    "music generation", "theorem proving",
)  # fmt: skip
LETTERS = "bcdfghjklmnpqrstvwxz"


def directions(count: int, dims: int = DIMS, seed: int = 3) -> npt.NDArray[np.float32]:
    """Orthonormal rows."""
    made = np.linalg.qr(np.random.default_rng(seed).normal(size=(dims, count)))[0].T
    return np.ascontiguousarray(made, np.float32)


def around(direction: npt.NDArray[np.float32], count: int, seed: int, spread: float = 0.5) -> npt.NDArray[np.float32]:
    """Vectors of length one at a cosine of about 1 / sqrt(1 + spread^2) to the direction."""
    noise = np.random.default_rng(seed).normal(size=(count, len(direction))) * spread / np.sqrt(len(direction))
    rows = (direction + noise).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def put_works(db: Database, subject: str, vectors: npt.NDArray[np.float32], first: int = 0, embedder: str = "planted") -> list[UUID]:
    """One work per vector; returns the documents."""
    records = [
        {"doc_id": f"{subject}:{n}", "title": f"{word(n)} {subject} of {word(n * 7 + 1)}",
         "abstract": f"We study {subject} by {word(n * 13)}. The {word(n)} of {word(n * 3)} is {word(n * 5)}.", "year": 2020}
        for n in range(first, first + len(vectors))
    ]  # fmt: skip
    documents = put_records(db, records)
    put_vectors(db, documents, vectors, embedder)
    join_works(db)
    return documents


def put_vectors(db: Database, documents: Sequence[UUID], vectors: npt.NDArray[np.float32], embedder: str = "planted") -> None:
    """Every passage of a document gets the document's vector."""
    with db.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO embedder (name, dims) VALUES (:name, :dims) ON CONFLICT DO NOTHING"),
            {"name": embedder, "dims": vectors.shape[1]},
        )
        connection.execute(
            sa.text("""INSERT INTO passage_vector (passage_id, embedder_id, shard, vector)
                SELECT passage_id, embedder_id, shard, :vector FROM passage, embedder WHERE document_id = :document AND name = :name"""),
            [{"document": d, "vector": v.astype(np.float16), "name": embedder} for d, v in zip(documents, vectors, strict=True)],
        )


def word(number: int) -> str:
    """A word of its own for each number, so that no two titles are alike."""
    letters = []
    for _ in range(4):
        number, letter = divmod(number * 31 + 7, len(LETTERS))
        letters.append(LETTERS[letter] + "aeiou"[number % 5])
    return "".join(letters)


def topics_of(db: Database) -> dict[UUID, int | None]:
    """main document -> topic, of all works that were assigned."""
    with db.begin() as connection:
        rows = connection.execute(sa.text("SELECT w.main_document, t.topic_id FROM work_topic t JOIN work w USING (work_id)"))
        return {row.main_document: row.topic_id for row in rows}
