"""The peer of ingest_haystack.py: a stock Haystack 3 indexing pipeline over a dump of records. Runs in the peer's own venv.

    python haystack_pipeline.py --dump FILE.jsonl [--model FOLDER] [--database "host=... dbname=..."]

Cleaner, splitter (200 words, the default), sentence-transformers embedder (with --model), document store: pgvector, or in memory without
--database. The last line is JSON: seconds, documents, passages. The model is loaded before the clock runs.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

from haystack import Document, Pipeline
from haystack.components.preprocessors import DocumentCleaner, DocumentSplitter
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.utils import Secret


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dump", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--database")
    options = parser.parse_args()
    pipeline = Pipeline()
    pipeline.add_component("clean", DocumentCleaner())
    pipeline.add_component("split", DocumentSplitter())
    pipeline.add_component("write", DocumentWriter(store(options.database)))
    pipeline.connect("clean", "split")
    if options.model:
        import torch
        from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersDocumentEmbedder

        torch.set_num_threads(len(os.sched_getaffinity(0)))
        pipeline.add_component("embed", SentenceTransformersDocumentEmbedder(model=str(options.model), progress_bar=False))
        pipeline.connect("split", "embed")
        pipeline.connect("embed", "write")
    else:
        pipeline.connect("split", "write")
    pipeline.warm_up()
    started = time.monotonic()
    with options.dump.open(encoding="utf-8") as file:
        documents = [document(json.loads(line)) for line in file]
    written = pipeline.run({"clean": {"documents": documents}})["write"]["documents_written"]
    print(json.dumps({"seconds": time.monotonic() - started, "document": len(documents), "passage": written}))


def store(database: str | None) -> object:
    if not database:
        return InMemoryDocumentStore()
    from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

    made = PgvectorDocumentStore(connection_string=Secret.from_token(database), embedding_dimension=384, recreate_table=True)
    made.count_documents()  # connects and makes the table before the clock runs
    return made


def document(record: dict[str, object]) -> Document:
    fields = {name: value for name, value in record.items() if name not in ("title", "abstract", "doc_id")}
    text = f"{record['title']}\n\n{record['abstract']}"
    return Document(id=str(record["doc_id"]), content=text, meta={"title": record["title"], **fields})


if __name__ == "__main__":
    main()
