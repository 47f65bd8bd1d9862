"""All stages over the small corpus, with batches so small that there are many writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.components import extract
from forge_assets.components.extract import extract_shards
from forge_assets.corpus import containers, ingest, inventory, packs
from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.sources import add_source
from forge_assets.corpus.works import join_works
from forge_assets.embeddings import hnsw, lexical_sync, vectors
from forge_assets.embeddings.lexical import LexicalIndex
from forge_assets.embeddings.vectors import build_index, embed_shards
from forge_resources.database import Database
from forge_resources.embedder import Chunk
from forge_resources.object_store import open_store
from forge_resources.settings import Settings
from tests.components.readings import component, ontology, read_here

ONTOLOGY = ontology(component("momentum", "momentum"), component("attention", "attention", slot="attention"))
ALL = range(SHARD_COUNT)
SMALL: list[tuple[Any, str, Any]] = [
    (inventory, "BATCH", 4), (containers, "BATCH", 24), (packs, "PACK_BYTES", 1500), (ingest, "WRITE_BATCH", 8),
    (ingest, "RECORDS_PER_TASK", 8), (lexical_sync, "READ", 16), (lexical_sync, "COMMIT_PASSAGES", 30), (vectors, "WINDOW", 32),
    (vectors, "COMMIT", 12), (hnsw, "ALWAYS_INSERT", 6), (extract, "COMMIT", 8), (extract, "TASK", 8),
    (extract, "read_all", read_here),
]  # fmt: skip


class HashEmbedder:
    """Vectors that follow from the text alone: a real embedder's promise, without its cost."""

    name, dims, max_tokens, backend = "hash-16", 16, 256, "hash"

    def encode(self, texts: Sequence[str], *, batch_tokens: int | None = None) -> Any:
        made = np.array([np.frombuffer(hashlib.shake_128(text.encode()).digest(16), np.int8) for text in texts], np.float32).reshape(-1, 16)
        return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-6)

    encode_queries = encode

    def stream(self, windows: Iterable[Sequence[str]], *, batch_tokens: int | None = None) -> Iterator[Chunk]:
        for number, texts in enumerate(windows):
            for start in range(0, len(texts), 5):
                part = texts[start : start + 5]
                yield Chunk(number, np.arange(start, start + len(part)), self.encode(part))


def shrink() -> None:
    """Small batches, and readings in this process, for the rest of its life."""
    for module, name, value in SMALL:
        setattr(module, name, value)


def settings_of(home: Path, url: str, workers: int = 1) -> Settings:
    return Settings(home=home, database_url=url, workers=workers)


def add_sources(db: Database, chosen: Settings, root: Path) -> None:
    add_source(db, chosen, str(root / "articles"), "articles")
    add_source(db, chosen, str(root / "dumps"), "dumps")


def run_all(db: Database, chosen: Settings, shards: Sequence[int] = ALL, *, indexes: bool = True) -> dict[str, int]:
    """Every stage once; returns how much each had to do."""
    store = open_store(chosen.objects_url, chosen)
    found = scan(db, store, chosen, shards)
    parsed = parse_shards(db, store, chosen, shards)
    done = {"new": found.new, "changed": found.changed, "gone": found.removed, "parsed": parsed.parsed, "quarantined": parsed.quarantined}
    if indexes:
        join_works(db)
        report = LexicalIndex(chosen.home / "lexical").sync(db)
        done |= {"indexed": report.added, "index made anew": int(report.note is not None)}
        done["embedded"] = embed_shards(db, HashEmbedder(), shards).embedded
        build_index(db, HashEmbedder())
        done["read"] = extract_shards(db, ONTOLOGY, chosen, shards).read
    return done
