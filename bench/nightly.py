"""Two nights over N records: nothing changed; then 1% new, 0.2% changed, 0.1% deleted, in every dump of the source.

    taskset -c 0,1 python bench/nightly.py [--articles ../shared/corpus/articles] [--records 300000] [--vectors HOME] [--home FOLDER]

The evening before is prepared first and not measured: the records without the 1% are loaded, and their vectors copied from HOME, where
the same records have been embedded (without it: random vectors, which are harder on the HNSW index than real ones). Each night is the job
of the schedule `nightly_reindex` in a process of its own, as the daemon starts it, beside a running database. Embedding the new texts
alone is measured afterwards. Without --home all of it is thrown away; with it the prepared evening is kept until a night has changed it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from dumps import heads, pack

from forge_app.run import QUIET, materialize
from forge_assets.automation import WHOLE_CORPUS
from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.corpus.sources import add_source, record_identity
from forge_assets.embeddings.vectors import register
from forge_assets.nights.report import markdown, tell
from forge_resources.compute import usable_cores
from forge_resources.database import Database
from forge_resources.embedder import Embedder, load_embedder
from forge_resources.settings import PROJECT, Settings, settings

NEW, CHANGED, DELETED = range(10), range(10, 12), range(12, 13)
"""Lots of a thousand: by the hash of its id, a record belongs to one."""
ADDED = " A later version of this article corrects the third experiment and adds a comparison."
LIMITS = {"unchanged": 60.0, "beyond embedding": 90.0}
PREPARED = "prepared"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=PROJECT.parent / "shared" / "corpus" / "articles")
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--vectors", type=Path, help="a FORGE_HOME where these records have been embedded")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--prepare-only", action="store_true")
    parser.add_argument("--night", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.night:
        return night()
    with folder(options.home) as home:
        os.environ |= {"FORGE_HOME": str(home), "FORGE_DATABASE_URL": "", "FORGE_OBJECT_STORE_URL": ""}
        chosen = settings()
        with Database.open(chosen) as db:
            if not (home / PREPARED).exists():
                prepare(db, chosen, options)
            if not options.prepare_only:
                nights(db, chosen, options)
    return None


@contextmanager
def folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.absolute()
    else:
        with tempfile.TemporaryDirectory(prefix="forge-bench-", ignore_cleanup_errors=True) as made:
            yield Path(made)


# -- the evening before ----------------------------------------------------------------------------------------------------


def prepare(db: Database, chosen: Settings, options: argparse.Namespace) -> None:
    started = time.monotonic()
    source = chosen.home / "source"
    source.mkdir()
    write_dumps(options.articles, options.records, source, later=False)
    add_source(db, chosen, str(source))
    materialize(["source_inventory", "parsed_papers", "works", "lexical_index"])
    embedder = load_embedder(chosen)
    kind = copy_vectors(db, embedder, options.vectors) if options.vectors else random_vectors(db, embedder)
    materialize(["passage_embeddings", "search_index"])  # embeds what had no vector to be copied
    materialize(["component_mentions", "component_catalog", "topic_clusters", "topic_map"])
    (chosen.home / PREPARED).touch()
    print(f"prepared in {time.monotonic() - started:.0f} s, not measured; {kind}", flush=True)


def write_dumps(articles: Path, records: int, target: Path, *, later: bool) -> None:
    """The dumps as they are in the evening, or as they are the night after; what is new then comes as a dump of its own."""
    new: list[str] = []
    for name, lines in heads(articles, records):
        kept: list[str] = []
        for line in lines:
            record = json.loads(line)
            lot = int(hashlib.sha256((record_identity(record) or line).encode()).hexdigest()[:8], 16) % 1000
            if lot in NEW:
                new.append(line)
            elif lot in CHANGED and later:
                kept.append(json.dumps(record | {"abstract": (record.get("abstract") or "") + ADDED}, ensure_ascii=False) + "\n")
            elif lot not in DELETED or not later:
                kept.append(line)
        pack(target / name, kept)
    if later:
        pack(target / "articles-new.jsonl.zst", new)


def copy_vectors(db: Database, embedder: Embedder, place: Path) -> str:
    """Vectors of the same passages (same id of the record, same offsets) of another home."""
    number = register(db, embedder)
    elsewhere = settings().model_copy(update={"home": place.absolute()})
    with Database.open(elsewhere, migrate=False) as other, db.begin() as connection, other.begin() as reading:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE given (external_id text, start int, stop int, vector halfvec) ON COMMIT DROP")
        taking: Any = reading.connection.driver_connection
        putting: Any = connection.connection.driver_connection
        statement = f"""COPY (SELECT d.external_id, p.start, p."end", v.vector FROM passage_vector v
            JOIN embedder e USING (embedder_id) JOIN passage p USING (passage_id) JOIN document d USING (document_id)
            WHERE e.name = '{embedder.name}') TO STDOUT (FORMAT BINARY)"""
        taken = "COPY given FROM STDIN (FORMAT BINARY)"
        with taking.cursor() as a, putting.cursor() as b, a.copy(statement) as out, b.copy(taken) as into:
            for data in out:
                into.write(data)
        connection.exec_driver_sql("ANALYZE given")
        count = connection.execute(
            sa.text("""INSERT INTO passage_vector (passage_id, embedder_id, shard, vector)
                SELECT p.passage_id, :embedder, p.shard, g.vector FROM passage p JOIN document d USING (document_id)
                JOIN given g ON (g.external_id, g.start, g.stop) = (d.external_id, p.start, p."end") ON CONFLICT DO NOTHING"""),
            {"embedder": number},
        ).rowcount
    return f"{count} vectors copied from {place}"


def random_vectors(db: Database, embedder: Embedder) -> str:
    number, random = register(db, embedder), np.random.default_rng(0)
    with db.begin() as connection:
        passages = connection.execute(sa.text("SELECT passage_id, shard FROM passage")).all()

    def rows() -> Iterator[tuple[Any, ...]]:
        for passage in passages:
            vector = random.standard_normal(embedder.dims, dtype=np.float32)
            yield passage.passage_id, number, passage.shard, (vector / np.linalg.norm(vector)).astype(np.float16)

    with db.begin() as connection:
        columns = ["passage_id", "embedder_id", "shard", "vector"]
        count = db.copy(connection, "passage_vector", columns, rows(), ["uuid", "int2", "int2", "halfvec"])
    return f"{count} RANDOM vectors"


# -- the nights ------------------------------------------------------------------------------------------------------------


def night() -> None:
    """What the daemon's process does: loads the definitions and runs the schedule's job over all shards; prints the run's id."""
    from forge_app.instance import instance
    from forge_assets.definitions import defs

    with instance(settings()) as home:
        tags = {**WHOLE_CORPUS, "forge/cause": "nightly"}
        result = defs.resolve_job_def("corpus_job").execute_in_process(instance=home, tags=tags, run_config=QUIET)
        print(result.run_id if result.success else sys.exit("the night failed"))


def measured_night() -> tuple[str, float]:
    """Run id and wall seconds of the whole process."""
    started = time.monotonic()
    done = subprocess.run([sys.executable, __file__, "--night"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()[-1], time.monotonic() - started


def nights(db: Database, chosen: Settings, options: argparse.Namespace) -> None:
    run, unchanged = measured_night()
    print(f"\n## Nothing changed: {unchanged:.1f} s\n\n{markdown(tell(db, chosen, run))}\n", flush=True)
    (chosen.home / PREPARED).unlink()
    write_dumps(options.articles, options.records, chosen.home / "source", later=True)
    with db.begin() as connection:
        began = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    run, wall = measured_night()
    texts, alone = bare(db, chosen, began)
    print(f"## 1% new, 0.2% changed, 0.1% deleted: {wall:.1f} s\n\n{markdown(tell(db, chosen, run))}\n")
    for table, key in (("passage_vector", "vectors"), ("passage", "passages")):
        with db.begin() as connection:
            print(f"{key}: {connection.execute(sa.text(f'SELECT count(*) FROM {table}')).scalar_one()}")
    print(f"{usable_cores()} cores, {SHARD_COUNT} shards, {options.records} records")
    print(f"embedding the {texts} new texts alone: {alone:.1f} s")
    figures = {"unchanged": unchanged, "beyond embedding": wall - alone}
    for what, seconds in figures.items():
        print(f"{what:<18}{seconds:7.1f} s (limit {LIMITS[what]:.0f} s{'' if seconds < LIMITS[what] else ', MISSED'})")
    if any(seconds >= LIMITS[what] for what, seconds in figures.items()):
        sys.exit(1)


def bare(db: Database, chosen: Settings, began: Any) -> tuple[int, float]:
    """Number of texts that came in the night, and seconds to embed them without anything else."""
    statement = """SELECT substr(d.text, p.start + 1, p."end" - p.start) FROM passage p JOIN document d USING (document_id)
        WHERE d.parsed_at >= :began"""
    with db.begin() as connection:
        texts = [str(row[0]) for row in connection.execute(sa.text(statement), {"began": began})]
    embedder = load_embedder(chosen)
    embedder.encode(texts[:64])  # compiles and warms up
    started = time.monotonic()
    embedder.encode(texts)
    return len(texts), time.monotonic() - started


if __name__ == "__main__":
    main()
