"""Nearest passages by vector, in Postgres: by the HNSW index where it stands and the filter lets enough through, else by an exact scan.

With a filter the index gives the nearest passages and the filter is applied to those: the planner takes a condition such as
language=en for a rare one and sorts the whole corpus. Where too few pass, an exact scan of what passes is quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from forge_assets.embeddings.filters import Filter, to_sql
from forge_assets.embeddings.hnsw import IndexState

SMALL = 20_000
"""So few vectors are scanned exactly, in some 15 ms, even where an index stands."""
PASSAGES_PER_DOCUMENT = 3
LARGEST_EF = 1000  # pgvector's limit; beyond, its iterative scan goes on
FARTHEST = 8_000
"""So many nearest passages are looked through for those that pass a filter, in some 100 ms; an exact scan takes no longer."""


@dataclass(frozen=True, slots=True)
class DenseHit:
    """The nearest passage of a document; `score` is the cosine."""

    document_id: UUID
    ordinal: int
    score: float


def nearest(
    connection: sa.Connection, state: IndexState, query: NDArray[np.float32], k: int, filters: Sequence[Filter] = ()
) -> tuple[list[DenseHit], str]:
    """The k nearest documents, each with its nearest passage, and a word on how they were found."""
    if state.embedder_id is None or not state.vectors:
        return [], "no vectors"
    if state.exists and state.vectors > SMALL:
        found = _by_index(connection, state, query, k, filters)
        if found is not None:
            return found, "index"
    limit = k * PASSAGES_PER_DOCUMENT
    while True:
        rows = _scan(connection, state, query, limit, filters)
        best = _documents(rows)
        if len(best) >= k or len(rows) < limit:
            return best[:k], "exact scan"
        limit *= 4


def _by_index(
    connection: sa.Connection, state: IndexState, query: NDArray[np.float32], k: int, filters: Sequence[Filter]
) -> list[DenseHit] | None:
    """None where the filter lets so little through that a scan of it is better."""
    reach = max(LARGEST_EF, k * PASSAGES_PER_DOCUMENT) if filters else k * PASSAGES_PER_DOCUMENT
    while True:
        if filters and reach >= state.vectors:
            return None
        best = _documents(_nearest_passages(connection, state, query, reach, filters))
        if len(best) >= k or (not filters and reach >= min(LARGEST_EF, state.vectors)):
            return best[:k]
        if filters and (reach >= FARTHEST or len(best) * FARTHEST < k * reach):
            return None
        reach = min(4 * reach, max(FARTHEST, reach)) if filters else 4 * reach


def _documents(rows: Sequence[Any]) -> list[DenseHit]:
    """Each document once, with the first of its rows."""
    best: dict[UUID, DenseHit] = {}
    for row in rows:
        best.setdefault(row.document_id, DenseHit(row.document_id, row.ordinal, float(row.similarity)))
    return list(best.values())


def _nearest_passages(
    connection: sa.Connection, state: IndexState, query: NDArray[np.float32], reach: int, filters: Sequence[Filter]
) -> Sequence[Any]:
    """Of the `reach` nearest passages by the index, those that pass the filters."""
    condition, values = to_sql(filters)
    join = "JOIN document d ON d.document_id = p.document_id" if filters else ""
    distance = f"v.vector::halfvec({state.dims}) <#> :query"
    connection.exec_driver_sql(f"SET LOCAL hnsw.ef_search = {min(LARGEST_EF, max(100, reach))}")
    connection.exec_driver_sql("SET LOCAL hnsw.iterative_scan = strict_order")
    statement = f"""WITH near AS MATERIALIZED (SELECT v.passage_id, -({distance}) AS similarity FROM passage_vector v
              WHERE v.embedder_id = {int(state.embedder_id or 0)} ORDER BY {distance} LIMIT :reach)
        SELECT p.document_id, p.ordinal, near.similarity FROM near JOIN passage p USING (passage_id) {join}
        WHERE {condition} ORDER BY near.similarity DESC, p.document_id, p.ordinal"""
    return connection.execute(sa.text(statement), {"query": query, "reach": reach, **values}).all()


def _scan(connection: sa.Connection, state: IndexState, query: NDArray[np.float32], limit: int, filters: Sequence[Filter]) -> Sequence[Any]:
    """The nearest passages of all that pass the filters. No index serves the expression that is sorted by, so the scan is exact."""
    condition, values = to_sql(filters)
    join = "JOIN passage fp USING (passage_id) JOIN document d ON d.document_id = fp.document_id" if filters else ""
    distance = f"(v.vector::halfvec({state.dims}) <#> :query) + 0"
    statement = f"""SELECT p.document_id, p.ordinal, near.similarity
        FROM (SELECT v.passage_id, -({distance}) AS similarity FROM passage_vector v {join}
              WHERE v.embedder_id = {int(state.embedder_id or 0)} AND {condition} ORDER BY {distance} LIMIT :limit) AS near
        JOIN passage p USING (passage_id) ORDER BY near.similarity DESC, p.document_id, p.ordinal"""
    return connection.execute(sa.text(statement), {"query": query, "limit": limit, **values}).all()
