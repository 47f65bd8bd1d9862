"""Forge against a stock Haystack 3 indexing pipeline on the same records, end to end from the raw dump, in one run.

    python3 -m venv /tmp/peers
    /tmp/peers/bin/pip install "haystack-ai==3.4.0" pgvector-haystack sentence-transformers-haystack torch
    taskset -c 0,1 python bench/ingest_haystack.py --peer-python /tmp/peers/bin/python [--records 2000 20000] [--embed-records 2000]

Each side runs in a process of its own, beside an embedded Postgres with pgvector of the same build. Forge's side does all it does in
production: inventory, object store, parsing, full-text index, vectors, HNSW index. Without vectors the peer only cleans, splits and writes.
Clock: from opening the dump to the last commit, models loaded and server started before.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from common import Measured, machine, measured, table
from ingest import write_sample

from forge_resources.database import Database
from forge_resources.embedder import find_model
from forge_resources.settings import PROJECT, Settings

HERE = Path(__file__).parent
HEAD = ("records", "vectors", "who", "docs/s", "seconds", "CPU s", "peak MB", "passages", "Forge is faster by", "needed")
NEEDED = {True: 2.5, False: 3.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--articles", type=Path, default=PROJECT.parent / "shared" / "corpus" / "articles")
    parser.add_argument("--records", type=int, nargs="*", default=[2_000, 20_000], help="sizes without vectors")
    parser.add_argument("--embed-records", type=int, nargs="*", default=[2_000], help="sizes with vectors: the peer does some 16 docs/s")
    parser.add_argument("--in-memory", action="store_true", help="the peer's in-memory store instead of pgvector")
    options = parser.parse_args()
    in_memory = options.in_memory or not has_pgvector(options.peer_python)
    print(f"{machine()}; the peer writes to {'its in-memory store' if in_memory else 'pgvector'}\n", flush=True)
    rows = []
    for embed, sizes in ((False, options.records), (True, options.embed_records)):
        for size in sizes:
            forge = run_forge(options.articles, size, embed)
            peer = run_peer(options.articles, size, embed, options.peer_python, in_memory)
            ratio = peer.told["seconds"] / forge.told["seconds"]
            rows += [row(size, embed, "Forge", forge, ratio), row(size, embed, "Haystack", peer, None)]
            stages = {name: round(value, 1) for name, value in forge.told.items() if isinstance(value, float)}
            print(f"{size} records, {'with' if embed else 'without'} vectors: {ratio:.2f}; Forge's stages: {stages}", flush=True)
    print("\n" + table(HEAD, rows))


def row(size: int, embed: bool, who: str, run: Measured, ratio: float | None) -> tuple[object, ...]:
    seconds = run.told["seconds"]
    speed = (f"{size / seconds:.1f}", f"{seconds:.1f}", f"{run.cpu:.0f}", f"{run.peak_mb:.0f}", run.told["passage"])
    return (f"{size:,}", "yes" if embed else "no", who, *speed, f"{ratio:.2f} x" if ratio else "", f">= {NEEDED[embed]} x" if ratio else "")


def has_pgvector(python: Path) -> bool:
    module = "haystack_integrations.document_stores.pgvector"
    done = subprocess.run([python, "-c", f"import {module}"], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{python} has no pgvector-haystack ({done.stderr.strip().splitlines()[-1]})")
    return done.returncode == 0


def run_forge(articles: Path, size: int, embed: bool) -> Measured:
    with tempfile.TemporaryDirectory(prefix="fb-") as folder:
        home = Path(folder) / "home"
        write_sample(articles, size, Path(folder) / "source" / "articles.jsonl")
        with Database.open(Settings(home=home)):
            command = [sys.executable, str(HERE / "forge_side.py"), "--home", str(home), "--source", str(Path(folder) / "source")]
            return measured(command + (["--embed"] if embed else []), home=home)


def run_peer(articles: Path, size: int, embed: bool, python: Path, in_memory: bool) -> Measured:
    with tempfile.TemporaryDirectory(prefix="fb-") as folder:
        home = Path(folder) / "home"
        dump = Path(folder) / "source" / "articles.jsonl"
        write_sample(articles, size, dump)
        command = [str(python), str(HERE / "peers" / "haystack_pipeline.py"), "--dump", str(dump)]
        command += ["--model", str(find_model("minilm").folder)] if embed else []
        if in_memory:
            return measured(command, **OFFLINE)
        with Database.open(Settings(home=home)) as db:
            return measured([*command, "--database", dsn(db)], home=home, **OFFLINE)


OFFLINE = {"HF_HUB_OFFLINE": "1", "HAYSTACK_TELEMETRY_ENABLED": "False", "TOKENIZERS_PARALLELISM": "true"}


def dsn(db: Database) -> str:
    """libpq's form of an embedded database's address."""
    url = db.engine.url
    return f"host={url.query['host']} user={url.username} dbname={url.database}"


if __name__ == "__main__":
    main()
