"""Forge's side of a comparison, in a process of its own: a folder through its real stages into the database of a home.

    python bench/forge_side.py --home HOME --source FOLDER [--embed] [--again]

The last line is JSON: seconds of each stage, documents, passages, quarantined. The model is loaded before the clock runs; --again runs
the stages on what the home holds already (a nightly change). Used by ingest_haystack.py, ingest_cocoindex.py and ingest_paperqa.py.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.sources import add_source
from forge_assets.embeddings.lexical import LexicalIndex
from forge_assets.embeddings.vectors import build_index, embed_shards
from forge_resources.database import Database
from forge_resources.embedder import load_embedder
from forge_resources.object_store import open_store
from forge_resources.settings import settings

ALL = range(SHARD_COUNT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--embed", action="store_true")
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    chosen = settings().model_copy(update={"home": options.home, "database_url": None, "object_store_url": None})
    embedder = load_embedder(chosen) if options.embed else None
    if embedder:
        embedder.encode(["Attention is computed from queries, keys and values."] * 16)  # compiles and warms up
    with Database.open(chosen) as db:
        store = open_store(None, chosen)
        if not options.again:
            add_source(db, chosen, str(options.source))
        told: dict[str, Any] = {}
        started = time.monotonic()
        told["inventory"] = scan(db, store, chosen, ALL).seconds
        told["parse"] = parse_shards(db, store, chosen, ALL).seconds
        told["lexical"] = LexicalIndex(chosen.home / "lexical").sync(db).seconds
        if embedder:
            told["embed"] = embed_shards(db, embedder, ALL).seconds
            told["index"] = build_index(db, embedder).seconds
            told["backend"] = embedder.backend
        told["seconds"] = time.monotonic() - started
        with db.begin() as connection:
            for table in ("document", "passage", "quarantine", "passage_vector"):
                told[table] = int(connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())
    print(json.dumps(told))


if __name__ == "__main__":
    main()
