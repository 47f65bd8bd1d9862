"""Where is the switch point between inserting into a standing HNSW index and building it anew?

    taskset -c 0,1 python bench/hnsw.py [--rows 50000] [--insert 2000] [--vectors-of HOME]

Prints rows/s of COPY with and without the index, rows/s of a build, their ratio, and milliseconds of a search by index and by scan.
Vectors are random around 200 centres, or those of an embedded home in random order (--rows 440000 --insert 4500 --vectors-of HOME); the
database that is measured is a throw-away home.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from common import stored

from forge_assets.embeddings.dense import nearest
from forge_assets.embeddings.hnsw import build, drop_index, index_state
from forge_resources.database import Database
from forge_resources.embedder import load_query_encoder
from forge_resources.settings import Settings

DIMS = 384
Draw = Callable[[int, int], np.ndarray]
"""(first, count) -> so many vectors of norm 1, float16."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--insert", type=int, default=2_000)
    parser.add_argument("--vectors-of", type=Path)
    options = parser.parse_args()
    draw = of_home(options.vectors_of, options.rows + options.insert) if options.vectors_of else at_random()
    with tempfile.TemporaryDirectory(prefix="fb-", dir="/tmp") as home, Database.open(Settings(home=Path(home))) as db:
        number = prepare(db, options.rows + 2 * options.insert)
        print(f"COPY without index   {insert(db, number, 0, options.rows, draw):8.0f} rows/s")
        seconds = build(db, number, DIMS, options.rows)
        print(f"build of the index   {options.rows / seconds:8.0f} rows/s ({seconds:.1f} s)")
        slow = insert(db, number, options.rows, options.insert, draw)
        print(f"COPY into the index  {slow:8.0f} rows/s")
        print(f"ratio build : insert {options.rows / seconds / slow:8.1f}")
        search(db, "with index")
        drop_index(db, number)
        search(db, "exact scan")


def at_random() -> Draw:
    chance = np.random.default_rng(1)
    centres = chance.normal(size=(200, DIMS)).astype(np.float32)

    def draw(first: int, count: int) -> np.ndarray:
        vectors = centres[chance.integers(0, len(centres), count)] + chance.normal(size=(count, DIMS)).astype(np.float32)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)

    return draw


def of_home(home: Path, needed: int) -> Draw:
    chosen = Settings(home=home.absolute())
    with Database.open(chosen) as db, db.begin() as connection:
        held = stored(connection, index_state(connection, load_query_encoder(chosen).name))
    if len(held) < needed:
        raise SystemExit(f"{home} holds {len(held)} vectors, fewer than {needed}; lower --rows")
    order = np.random.default_rng(1).permutation(len(held))
    return lambda first, count: held[order[first : first + count]]


def prepare(db: Database, passages: int) -> int:
    """One document with many passages and an embedder."""
    with db.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO document (document_id, uri, shard, source, content_hash, stage_version, media_type, text, blocks)
                VALUES ('00000000-0000-0000-0000-000000000000', 'bench', 0, 'bench', '', '', '', '', '[]')""")
        )
        connection.execute(
            sa.text("""INSERT INTO passage (passage_id, document_id, shard, ordinal, start, "end", kind, tokens)
                SELECT lpad(to_hex(n), 32, '0')::uuid, '00000000-0000-0000-0000-000000000000', 0, n, 0, 0, 'text', 1
                FROM generate_series(0, :n - 1) n"""),
            {"n": passages},
        )
        return int(
            connection.execute(
                sa.text("INSERT INTO embedder (name, dims) VALUES ('bench', :d) RETURNING embedder_id"), {"d": DIMS}
            ).scalar_one()
        )


def insert(db: Database, number: int, first: int, count: int, draw: Draw) -> float:
    vectors = draw(first, count)
    started = time.monotonic()
    for start in range(0, count, 512):
        part = vectors[start : start + 512]
        rows = ((f"{first + start + i:032x}", number, 0, vector) for i, vector in enumerate(part))
        with db.begin() as connection:
            db.copy(
                connection, "passage_vector", ["passage_id", "embedder_id", "shard", "vector"], ((uuid.UUID(r[0]), *r[1:]) for r in rows)
            )
    return count / (time.monotonic() - started)


def search(db: Database, name: str) -> None:
    draw = np.random.default_rng(2)
    times = []
    with db.begin() as connection:
        state = index_state(connection, "bench")
        for _ in range(30):
            query = draw.normal(size=DIMS).astype(np.float32)
            started = time.monotonic()
            _, how = nearest(connection, state, query / np.linalg.norm(query), 1)
            times.append(time.monotonic() - started)
    print(f"search {name:12} {np.median(times) * 1000:8.1f} ms ({how})")


if __name__ == "__main__":
    main()
