"""How time, memory and disk grow with the corpus: each size from raw files in a fresh home, and the law t = a * n^b fitted to the times.

    taskset -c 0,1 python bench/scale.py [--articles ../shared/corpus/articles] [--records 10000,100000,317380] [--embed 2000]

Times are those of the stages as they stand in `stage_run`: inventory, parsing, full-text index; together, from raw files until the
records can be searched by words. Works are joined after that. Memory is the greatest sum over all processes (this one, its parsers, the
database), pages shared by n processes counted as 1/n, looked at twice a second. Embedding is measured on --embed passages of the
largest size and extrapolated to all of its passages; the table labels it so.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from dumps import heads, pack

from forge_app.run import materialize
from forge_assets.corpus.sources import add_source
from forge_assets.corpus.stage_runs import nights, of_run
from forge_resources.compute import processor, usable_cores
from forge_resources.database import Database
from forge_resources.embedder import load_embedder
from forge_resources.meter import postmaster, resident_share, tree
from forge_resources.settings import PROJECT, settings

SEARCHABLE = ("source_inventory", "parsed_papers", "lexical_index")
LAWS = (*SEARCHABLE, "searchable", "works")
EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """One size: documents and passages, seconds per stage and until searchable, bytes in memory and on disk."""

    documents: int
    passages: int
    seconds: dict[str, float]
    peak_bytes: int
    database_bytes: int
    object_bytes: int
    lexical_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=PROJECT.parent / "shared" / "corpus" / "articles")
    parser.add_argument("--records", default="10000,100000,317380", help="sizes, separated by commas")
    parser.add_argument("--embed", type=int, default=2000, help="passages that are embedded to extrapolate from; 0: none")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.records.split(","))
    rows, speed = [], 0.0
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="forge-bench-", ignore_cleanup_errors=True) as home:
            row, speed = measure(Path(home), options.articles, size, options.embed if size == sizes[-1] else 0)
        rows.append(row)
        print(f"{row.documents} documents: searchable after {row.seconds['searchable']:.1f} s", flush=True)
    print_table(rows)
    print_laws(rows)
    if speed:
        largest = rows[-1]
        print(f"\nEmbedding, extrapolated from {options.embed} passages at {speed:.1f}/s to all {largest.passages} passages of "
              f"{largest.documents} documents: {largest.passages / speed / 60:.0f} minutes (the HNSW index not counted)")  # fmt: skip


def measure(home: Path, articles: Path, records: int, embed: int) -> tuple[Measured, float]:
    """One size in this home, and the passages embedded per second where that is asked for."""
    os.environ |= {"FORGE_HOME": str(home), "FORGE_DATABASE_URL": "", "FORGE_OBJECT_STORE_URL": ""}
    chosen = settings()
    source = home / "source"
    source.mkdir()
    for name, content in heads(articles, records):
        pack(source / name, content)
    with Database.open(chosen) as db, Watch(home) as watch:
        add_source(db, chosen, str(source))
        materialize([*SEARCHABLE])
        seconds = {run.stage: run.seconds for run in of_run(db, nights(db, 1)[0])}
        made = materialize(["works"])
        seconds |= {"searchable": sum(seconds[stage] for stage in SEARCHABLE), "works": float(made["works"]["seconds"])}
        with db.begin() as connection:
            documents, passages, size = connection.execute(
                sa.text("SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM passage), pg_database_size(current_database())")
            ).one()
            texts = [str(row[0]) for row in connection.execute(SAMPLE, {"n": embed})] if embed else []
    row = Measured(documents, passages, seconds, watch.peak, size, folder_bytes(home / "objects"), folder_bytes(home / "lexical"))
    return row, embedded_per_second(texts) if texts else 0.0


SAMPLE = sa.text("""SELECT substr(d.text, p.start + 1, p."end" - p.start) FROM passage p JOIN document d USING (document_id)
    ORDER BY md5(p.passage_id::text) LIMIT :n""")


def embedded_per_second(texts: list[str]) -> float:
    embedder = load_embedder(settings())
    embedder.encode(texts[:64])  # compiles and warms up
    started = time.monotonic()
    embedder.encode(texts)
    return len(texts) / (time.monotonic() - started)


class Watch:
    """Context manager: the most memory that this process, its children and the database of the home took together."""

    def __init__(self, home: Path) -> None:
        self._home, self._done = home, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *given: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(EVERY_S):
            server = postmaster(self._home)
            pids = {*tree(os.getpid()), *(tree(server) if server else ())}
            self.peak = max(self.peak, sum(map(resident_share, pids)))


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def print_table(rows: list[Measured]) -> None:
    print(f"\n{usable_cores()} cores, {processor()}\n")
    columns = ("documents", *LAWS, "documents/s", "peak memory MB", "database MB", "objects MB", "full-text index MB", "bytes/document")
    print("| " + " | ".join(columns) + " |\n|" + "---:|" * len(columns))
    for row in rows:
        disk = row.database_bytes + row.object_bytes + row.lexical_bytes
        cells = [
            f"{row.documents:,}", *(f"{row.seconds[name]:.1f} s" for name in LAWS), f"{row.documents / row.seconds['searchable']:.0f}",
            *(f"{size / 1e6:.0f}" for size in (row.peak_bytes, row.database_bytes, row.object_bytes, row.lexical_bytes)),
            f"{disk / row.documents:.0f}",
        ]  # fmt: skip
        print("| " + " | ".join(cells) + " |")


def print_laws(rows: list[Measured]) -> None:
    """Least squares on the logarithms; b = 1 is linear. Two sizes give a line, not a law, and one gives nothing."""
    if len(rows) < 2:
        return
    print("\nt = a * n^b seconds for n documents, least squares on logarithms:\n\n| | a | b |\n|---|---:|---:|")
    sizes = np.log([row.documents for row in rows])
    for name in LAWS:
        slope, offset = np.polyfit(sizes, np.log([row.seconds[name] for row in rows]), 1)
        print(f"| {name} | {np.exp(offset):.3g} | {slope:.3f} |")


if __name__ == "__main__":
    main()
