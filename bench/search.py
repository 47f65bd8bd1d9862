"""Search at full size: p50/p95 of each mode through the product's own Search, and recall@10 of its HNSW index beside faiss and hnswlib.

    pip install faiss-cpu hnswlib   # the extra `scale` has faiss-cpu; hnswlib is optional
    taskset -c 0,1 python bench/search.py --home HOME [--queries 500] [--recall 200] [--vectors N] [--cold 5]

HOME is a FORGE_HOME whose corpus is embedded and indexed. Queries are titles, first sentences and openings of its documents, and
descriptions of methods from ../shared/gold; one by one, warm. Exact neighbours come from a scan in fp32 of the vectors as they are stored.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from common import machine, stored, table
from numpy.typing import NDArray

from forge_assets.embeddings.dense import LARGEST_EF, PASSAGES_PER_DOCUMENT
from forge_assets.embeddings.fusion import DEPTH
from forge_assets.embeddings.hnsw import IndexState, index_state
from forge_assets.embeddings.search import MODES, Search
from forge_resources.compute import usable_cores
from forge_resources.database import Database
from forge_resources.settings import PROJECT, settings

Array = NDArray[np.float32]
NEAREST = 10
EF = min(LARGEST_EF, max(100, DEPTH * PASSAGES_PER_DOCUMENT))
"""What the product searches with for the first 50 hits."""
TIE = 1e-5  # copies of a text tie; which of them comes is no error
FILTERS = ([], ["language=en"], ["year>=2024"], ["year=2019"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--recall", type=int, default=200)
    parser.add_argument("--vectors", type=int, help="only so many vectors for faiss and hnswlib, where memory is short")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--cold", type=int, default=0)
    parser.add_argument("--gold", type=Path, default=PROJECT.parent / "shared" / "gold" / "pwc_methods" / "methods.jsonl")
    options = parser.parse_args()
    chosen = settings() if options.home is None else settings().model_copy(update={"home": options.home.absolute(), "database_url": None})
    with Database.open(chosen) as db:
        search = Search(db, chosen)
        queries = asked(search, options.queries, options.gold)
        with db.begin() as connection:
            state = index_state(connection, search.encoder.name)
        print(f"{machine()}; {state.vectors:,} vectors, {'index' if state.exists else 'NO INDEX'}; {len(queries)} queries\n", flush=True)
        latencies(search, queries)
        if options.recall and state.vectors:
            neighbours(db, state, search.encode([text for _, text in queries][: options.recall]), options.vectors, not options.no_peers)
    for _ in range(options.cold):
        time.sleep(3)  # lets the embedded server end
        started = time.monotonic()
        command = [sys.executable, "-c", "from forge_app.cli import main; main()", "search", queries[0][1]]
        subprocess.run(command, check=True, capture_output=True, env={"FORGE_HOME": str(chosen.home), "PATH": ""})
        print(f"cold `forge search` {time.monotonic() - started:.2f} s")


# -- latency ---------------------------------------------------------------------------------------------------------------


def asked(search: Search, count: int, gold: Path) -> list[tuple[str, str]]:
    """(kind, text): four kinds in turn, in an order that has nothing to do with the corpus's."""
    quarter = -(-count // 4)
    titles = "SELECT title FROM document WHERE length(title) > 10 ORDER BY md5(document_id::text) LIMIT :n"
    sentences = """SELECT split_part(split_part(text, E'\\n\\n', 2), '. ', 1) FROM document WHERE length(text) > 400
        ORDER BY md5(document_id::text || 's') LIMIT :n"""
    openings = "SELECT substr(text, 1, 500) FROM document WHERE length(text) > 500 ORDER BY md5(document_id::text || 'o') LIMIT :n"
    kinds = {}
    for kind, statement in (("title", titles), ("sentence", sentences), ("opening", openings)):
        with search.db.begin() as connection:
            kinds[kind] = [str(row[0]) for row in connection.execute(sa.text(statement), {"n": quarter}) if str(row[0]).strip()]
    if gold.is_file():
        lines = gold.read_text(encoding="utf-8").splitlines()[: 4 * quarter : 4]
        kinds["method"] = [text for line in lines if (text := str(json.loads(line).get("description") or "").strip())]
    if not kinds["title"]:
        raise SystemExit("the corpus of this home is empty; load something first")
    pooled = [(kind, text) for kind, texts in kinds.items() for text in texts]
    order = np.random.default_rng(0).permutation(len(pooled))[:count]
    return [pooled[i] for i in order]


def latencies(search: Search, queries: list[tuple[str, str]]) -> None:
    rows = []
    for mode in MODES:
        for _, text in queries[:20]:
            search.search(text, 20, mode)
        times = np.array([milliseconds(search, text, mode) for _, text in queries])
        for kind in ("all", *sorted({kind for kind, _ in queries})):
            some = times if kind == "all" else times[[one == kind for one, _ in queries]]
            rows.append((mode, kind, len(some), *(f"{value:.1f}" for value in np.percentile(some, [50, 95])), f"{some.max():.0f}"))
    print(table(("mode", "queries", "n", "p50 ms", "p95 ms", "most ms"), rows) + "\n", flush=True)
    rows = []
    for given in FILTERS:
        times = np.array([milliseconds(search, text, "hybrid", given) for _, text in queries[:60]])
        how = search.search(queries[0][1], 20, "hybrid", given).how.get("dense", "-")
        rows.append((" ".join(given) or "none", how, *(f"{value:.1f}" for value in np.percentile(times, [50, 95]))))
    print(table(("hybrid with filter", "vectors by", "p50 ms", "p95 ms"), rows) + "\n", flush=True)


def milliseconds(search: Search, text: str, mode: str, filters: Sequence[str] = ()) -> float:
    started = time.perf_counter()
    search.search(text, 20, mode, filters)
    return (time.perf_counter() - started) * 1000


# -- recall ----------------------------------------------------------------------------------------------------------------


def neighbours(db: Database, state: IndexState, queries: Array, most: int | None, peers: bool) -> None:
    """In Postgres over all vectors; in the libraries over the same, or the first `most`."""
    with db.begin() as connection:
        held = stored(connection, state).astype(np.float32)
    # the product sends a query as halfvec: all are asked the same
    queries = queries.astype(np.float16).astype(np.float32)
    worst = tenth_best(held, queries)
    rows = []
    with db.begin() as connection:
        connection.exec_driver_sql("SET LOCAL hnsw.iterative_scan = strict_order")
        for ef in sorted({100, 200, EF}):
            connection.exec_driver_sql(f"SET LOCAL hnsw.ef_search = {ef}")
            distance = f"vector::halfvec({state.dims}) <#> :query"
            statement = sa.text(
                f"SELECT -({distance}) FROM passage_vector WHERE embedder_id = {state.embedder_id} ORDER BY {distance} LIMIT {NEAREST}"
            )

            def ask(query: Array, statement: Any = statement) -> Array:
                return np.array(connection.execute(statement, {"query": query}).scalars().all(), dtype=np.float32)

            rows.append((f"pgvector ef={ef}{' (the product)' if ef == EF else ''}", "-", *quality(ask, queries, worst)))
    if peers:
        some = held[:most] if most else held
        limit = worst if some is held else tenth_best(some, queries)
        rows += [*faiss_rows(some, queries, limit), *hnswlib_rows(some, queries, limit)]
    print(table(("nearest 10", "build s", "p50 ms", "p95 ms", "recall@10"), rows), flush=True)


def tenth_best(held: Array, queries: Array) -> Array:
    """Similarity of the tenth nearest, per query, by an exact scan."""
    found = [np.partition(held @ query, -NEAREST)[-NEAREST] for query in queries]
    return np.array(found, dtype=np.float32)


def quality(ask: Callable[[Array], Array], queries: Array, worst: Array) -> tuple[str, str, str]:
    """`ask` gives the similarities of what it finds."""
    for query in queries[:20]:
        ask(query)
    times, found = [], 0
    for query, limit in zip(queries, worst, strict=True):
        started = time.perf_counter()
        given = ask(query)
        times.append((time.perf_counter() - started) * 1000)
        found += int((given[:NEAREST] >= limit - TIE).sum())
    middle, slow = np.percentile(times, [50, 95])
    return f"{middle:.2f}", f"{slow:.2f}", f"{found / (NEAREST * len(queries)):.4f}"


def faiss_rows(held: Array, queries: Array, worst: Array) -> Sequence[tuple[str, ...]]:
    faiss = library("faiss", "faiss-cpu")
    if faiss is None:
        return []
    faiss.omp_set_num_threads(usable_cores())
    rows = [
        ("faiss flat", "-", *quality(lambda query: faiss.knn(query[None], held, NEAREST, faiss.METRIC_INNER_PRODUCT)[0][0], queries, worst))
    ]
    graph = faiss.IndexHNSWFlat(held.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    started = time.perf_counter()
    graph.add(held)
    seconds = f"{time.perf_counter() - started:.0f}"
    for ef in (64, EF):
        graph.hnsw.efSearch = ef
        rows.append((f"faiss HNSW32 ef={ef}", seconds, *quality(lambda query: graph.search(query[None], NEAREST)[0][0], queries, worst)))
    return rows


def hnswlib_rows(held: Array, queries: Array, worst: Array) -> Sequence[tuple[str, ...]]:
    hnswlib = library("hnswlib", "hnswlib")
    if hnswlib is None:
        return []
    graph = hnswlib.Index(space="ip", dim=held.shape[1])
    graph.init_index(max_elements=len(held), M=16, ef_construction=64)  # as pgvector's defaults
    graph.set_num_threads(usable_cores())
    started = time.perf_counter()
    graph.add_items(held)
    seconds = f"{time.perf_counter() - started:.0f}"
    rows = []
    for ef in (64, EF):
        graph.set_ef(ef)
        rows.append((f"hnswlib M=16 ef={ef}", seconds, *quality(lambda query: 1 - graph.knn_query(query, NEAREST)[1][0], queries, worst)))
    return rows


def library(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        print(f"without {module} ({error}): pip install {package}", flush=True)
        return None


if __name__ == "__main__":
    main()
