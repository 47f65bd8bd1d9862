"""The peer of ingest_cocoindex.py: a cocoindex 1 flow from a folder of records (one file each) to a table with vectors in Postgres.

    python cocoindex_flow.py --records FOLDER --model FOLDER --state FOLDER --database "postgresql://..."

Run again on the same state, it does what changed. Each record is one chunk of title and abstract, as it says in cocoindex's own examples;
a vector index (HNSW) is declared. The last line is JSON: seconds, documents (rows in the table). The model is loaded before the clock runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import asyncpg
import cocoindex as coco
from cocoindex.connectors import localfs, postgres
from cocoindex.ops.sentence_transformers import SentenceTransformerEmbedder
from cocoindex.ops.text import RecursiveSplitter
from cocoindex.resources.file import FileLike, PatternFilePathMatcher
from numpy.typing import NDArray

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--records", type=Path, required=True)
parser.add_argument("--model", type=Path, required=True)
parser.add_argument("--state", type=Path, required=True)
parser.add_argument("--database", required=True)
OPTIONS = parser.parse_args()
DATABASE = coco.ContextKey[asyncpg.Pool]("forge_bench")
EMBEDDER = SentenceTransformerEmbedder(str(OPTIONS.model), device="cpu")
SPLITTER = RecursiveSplitter()
CHUNK = 1000  # characters, with the overlap that cocoindex's own example of text embedding has
OVERLAP = 300


@dataclass
class Row:
    document: str
    start: int
    content: str
    vector: Annotated[NDArray, EMBEDDER]


@coco.lifespan
async def lifespan(builder: coco.EnvironmentBuilder) -> AsyncIterator[None]:
    builder.settings.db_path = OPTIONS.state
    async with asyncpg.create_pool(OPTIONS.database) as pool:
        builder.provide(DATABASE, pool)
        yield


@coco.fn(memo=True)
async def index(file: FileLike, table: postgres.TableTarget[Row]) -> None:
    record = json.loads(await file.read_text())
    text = f"{record['title']}\n\n{record['abstract']}"
    chunks = SPLITTER.split(text, chunk_size=CHUNK, chunk_overlap=OVERLAP, language="markdown")
    vectors = await asyncio.gather(*(EMBEDDER.embed(chunk.text) for chunk in chunks))
    for chunk, vector in zip(chunks, vectors, strict=True):
        table.declare_row(row=Row(record["doc_id"], chunk.start.char_offset, chunk.text, vector))


@coco.fn
async def flow(folder: Path) -> None:
    schema = await postgres.TableSchema.from_class(Row, primary_key=["document", "start"])
    table = await postgres.mount_table_target(DATABASE, table_name="coco_records", table_schema=schema)
    table.declare_vector_index(column="vector", method="hnsw")
    files = localfs.walk_dir(folder, path_matcher=PatternFilePathMatcher(included_patterns=["**/*.json"]))
    await coco.mount_each(index, files.items(), table)


async def rows() -> tuple[int, int]:
    connection = await asyncpg.connect(OPTIONS.database)
    try:
        found = await connection.fetchrow("SELECT count(DISTINCT document), count(*) FROM coco_records")
        return int(found[0]), int(found[1])
    finally:
        await connection.close()


def main() -> None:
    import torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    EMBEDDER._get_model().encode(["Attention is computed from queries, keys and values."] * 16)  # loads and warms up
    app = coco.App(coco.AppConfig(name="forge_bench"), flow, OPTIONS.records)
    started = time.monotonic()
    app.update_blocking()
    seconds = time.monotonic() - started
    documents, chunks = asyncio.run(rows())
    print(json.dumps({"seconds": seconds, "document": documents, "passage": chunks}))


if __name__ == "__main__":
    main()
