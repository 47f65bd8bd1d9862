"""The HNSW index over an embedder's vectors: its state, its building, and when a bulk load drops it first.

One partial expression index per embedder, because dimensions differ: (vector::halfvec(D)) WHERE embedder_id = k. Vectors have norm 1,
so the inner product is the cosine. Without an index, search scans exactly.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import sqlalchemy as sa

from forge_resources.database import Database

BUILD_RATIO = 10
"""How many rows a build indexes in the time one row is inserted into a standing index: 8,100/s against 920/s on 2 cores (bench/hnsw.py)."""
ALWAYS_INSERT = 500
"""So few rows go in one by one in seconds."""
BYTES_PER_VECTOR = 640
"""Of the graph in memory while it is built (m = 16), besides the vector itself."""


@dataclass(frozen=True, slots=True)
class IndexState:
    """`vectors` counts the embedder's rows; `exists` says whether the index stands and can be used."""

    embedder_id: int | None
    dims: int
    vectors: int
    exists: bool


@dataclass(slots=True)
class IndexReport:
    """`built` is False where the index stood already."""

    vectors: int
    built: bool
    seconds: float
    digest: str


def index_name(embedder_id: int) -> str:
    return f"passage_vector_hnsw_{embedder_id}"


def index_state(connection: sa.Connection, embedder_name: str) -> IndexState:
    row = connection.execute(sa.text("SELECT embedder_id, dims FROM embedder WHERE name = :name"), {"name": embedder_name}).one_or_none()
    if row is None:
        return IndexState(None, 0, 0, False)
    vectors = connection.execute(
        sa.text("SELECT count(*) FROM passage_vector WHERE embedder_id = :id"), {"id": row.embedder_id}
    ).scalar_one()
    return IndexState(row.embedder_id, row.dims, int(vectors), _stands(connection, row.embedder_id))


def _stands(connection: sa.Connection, embedder_id: int) -> bool:
    statement = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"
    return bool(connection.execute(sa.text(statement), {"name": index_name(embedder_id)}).scalar())


def drop_index(db: Database, embedder_id: int) -> bool:
    """True if there was one."""
    with db.begin() as connection:
        stood = _stands(connection, embedder_id)
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {index_name(embedder_id)}")
    return stood


def drop_index_for_bulk(db: Database, embedder_id: int, coming: int) -> bool:
    """Drops the index where inserting the coming rows one by one would take longer than building it anew over all rows."""
    with db.begin() as connection:
        present = int(
            connection.execute(sa.text("SELECT count(*) FROM passage_vector WHERE embedder_id = :id"), {"id": embedder_id}).scalar_one()
        )
    if coming <= ALWAYS_INSERT or coming * BUILD_RATIO <= present + coming:
        return False
    return drop_index(db, embedder_id)


def build(db: Database, embedder_id: int, dims: int, vectors: int) -> float:
    """Builds the index in one transaction and returns the seconds it took; killed on the way, nothing is left behind."""
    started = time.monotonic()
    memory_mb = min(max(64, vectors * (2 * dims + BYTES_PER_VECTOR) * 5 // 4 // 2**20), _memory_limit_mb())
    workers = max(0, min(8, (os.cpu_count() or 1) - 1))
    try:
        _create(db, embedder_id, dims, memory_mb, workers)
    except sa.exc.OperationalError as error:
        if workers == 0 or "shared memory" not in str(error):
            raise
        # a container with a small /dev/shm cannot build in parallel
        _create(db, embedder_id, dims, memory_mb, 0)
    return time.monotonic() - started


def _create(db: Database, embedder_id: int, dims: int, memory_mb: int, workers: int) -> None:
    with db.begin() as connection:
        # two runs that both find no index would both make it: IF NOT EXISTS looks before it has a lock
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": index_name(embedder_id)})
        connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{memory_mb}MB'")
        connection.exec_driver_sql(f"SET LOCAL max_parallel_maintenance_workers = {workers}")
        connection.exec_driver_sql(
            f"CREATE INDEX IF NOT EXISTS {index_name(embedder_id)} ON passage_vector "
            f"USING hnsw ((vector::halfvec({dims})) halfvec_ip_ops) WHERE embedder_id = {embedder_id}"
        )


def _memory_limit_mb() -> int:
    """A quarter of the machine's memory: the graph is built in one piece or slowly."""
    return max(256, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4 // 2**20)
