"""Forge against a cocoindex flow: 3,000 records into the same Postgres with vectors, first load and 1% changed, in one run.

    python3 -m venv /tmp/cocoindex
    /tmp/cocoindex/bin/pip install "cocoindex[postgres,sentence-transformers]==1.0.26" torch
    taskset -c 0,1 python bench/ingest_cocoindex.py --peer-python /tmp/cocoindex/bin/python [--records 3000]

cocoindex's files are one record each, the form in which it notices a change; Forge reads its dump. Both split, embed with the same weights
and index the vectors; Forge also builds its full-text index. Clock: without loading the model and without starting the server.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common import Measured, machine, measured, table
from dumps import heads

from forge_resources.database import Database
from forge_resources.embedder import find_model
from forge_resources.settings import PROJECT, Settings

HERE = Path(__file__).parent
CHANGED = 100  # one record in so many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--articles", type=Path, default=PROJECT.parent / "shared" / "corpus" / "articles")
    parser.add_argument("--records", type=int, default=3_000)
    options = parser.parse_args()
    records = [json.loads(line) for _, lines in heads(options.articles, options.records) for line in lines]
    print(f"{machine()}; {len(records):,} records, then one in {CHANGED} changed\n", flush=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="fb-") as folder:
        forge, peer = run_forge(Path(folder) / "f", records), run_peer(Path(folder) / "c", records, options.peer_python)
    for what, ours, theirs in zip(("first load", "1% changed"), forge, peer, strict=True):
        ratio = f"{theirs.told['seconds'] / ours.told['seconds']:.2f} x"
        rows += [row(what, "Forge", ours, ratio), row(what, "cocoindex", theirs, "")]
    print(table(("step", "who", "seconds", "documents", "passages", "CPU s", "peak MB", "Forge is faster by"), rows))


def row(what: str, who: str, run: Measured, ratio: str) -> tuple[object, ...]:
    told = run.told
    return what, who, f"{told['seconds']:.1f}", told["document"], told["passage"], f"{run.cpu:.0f}", f"{run.peak_mb:.0f}", ratio


def changed(records: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    return [
        record | {"abstract": f"{record['abstract']} This version is revised."} if n % CHANGED == 0 else record
        for n, record in enumerate(records)
    ]


def run_forge(folder: Path, records: list[dict[str, object]]) -> list[Measured]:
    dump = folder / "source" / "articles.jsonl"
    dump.parent.mkdir(parents=True)
    command = [sys.executable, str(HERE / "forge_side.py"), "--home", str(folder / "home"), "--source", str(dump.parent), "--embed"]
    runs = []
    with Database.open(Settings(home=folder / "home")):
        for step, state in enumerate((records, changed(records))):
            dump.write_text("".join(json.dumps(record) + "\n" for record in state), encoding="utf-8")
            runs.append(measured(command + (["--again"] if step else []), home=folder / "home"))
    return runs


def run_peer(folder: Path, records: list[dict[str, object]], python: Path) -> list[Measured]:
    files = folder / "records"
    files.mkdir(parents=True)
    runs = []
    with Database.open(Settings(home=folder / "home")) as db:
        url = db.engine.url
        address = f"postgresql://{url.username}@/{url.database}?host={url.query['host']}"
        for state in (records, changed(records)):
            for number, record in enumerate(state):
                file, content = files / f"{number:06}.json", json.dumps(record)
                if not file.exists() or file.read_text() != content:
                    file.write_text(content)
            command = [str(python), str(HERE / "peers" / "cocoindex_flow.py"), "--records", str(files), "--state", str(folder / "state")]
            command += ["--model", str(find_model("minilm").folder), "--database", address]
            runs.append(measured(command, home=folder / "home", HF_HUB_OFFLINE="1"))
    return runs


if __name__ == "__main__":
    main()
