"""Texts/s of the embedder's back-ends, in fp32 and bf16, and of sentence-transformers, on the same records, in one run; cosines beside.

    taskset -c 0,1 python bench/embed.py [--articles ../shared/corpus/articles] [--texts 512] [--rounds 3]

Rounds are interleaved and the best one of each counts, so that a busy machine harms none more than another.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from forge_resources.compute import usable_cores
from forge_resources.embedder import choice, load_embedder
from forge_resources.settings import PROJECT, Settings, settings

Encode = Callable[[Sequence[str]], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=PROJECT.parent / "shared" / "corpus" / "articles")
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    texts = read(options.articles, options.texts)
    encoders = load(settings())
    best = dict.fromkeys(encoders, 0.0)
    vectors: dict[str, Any] = {}
    for encode in encoders.values():
        encode(texts[:64])  # compiles and warms up
    for _ in range(options.rounds):
        for name, encode in encoders.items():
            started = time.monotonic()
            vectors[name] = encode(texts)
            best[name] = max(best[name], len(texts) / (time.monotonic() - started))
    reference = "sentence-transformers"
    print(f"{len(texts)} texts of {np.mean([len(t) for t in texts]):.0f} characters, {usable_cores()} cores")
    for name, speed in best.items():
        cosine = (np.asarray(vectors[name]) * np.asarray(vectors[reference])).sum(axis=1).min()
        print(f"{name:24} {speed:7.1f} texts/s   {speed / best[reference]:5.2f} x sentence-transformers   least cosine {cosine:.5f}")


def read(articles: Path, count: int) -> list[str]:
    """Title and the beginning of the abstract: short enough for the model's window, so that all see the same."""
    shards = sorted(articles.glob("*.jsonl.zst"))
    if not shards:
        raise SystemExit(f"no *.jsonl.zst in {articles}; name the folder by --articles")
    with shards[len(shards) // 2].open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        records = [json.loads(line) for line in islice(io.TextIOWrapper(stream, encoding="utf-8"), count)]
    return [f"{record['title']}\n\n{record['abstract']}"[:850] for record in records]


def load(given: Settings) -> dict[str, Encode]:
    from sentence_transformers import SentenceTransformer

    choice.use_cores()
    model = SentenceTransformer(str(choice.model_files(given).folder), device="cpu")
    encoders: dict[str, Encode] = {
        "sentence-transformers": lambda texts: model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
    }
    wanted = ["torch", *(["openvino"] if find_spec("openvino") else [])]
    taken = choice.computes_bf16
    try:
        for backend, bf16 in product(wanted, (False, True)):
            choice.computes_bf16 = lambda chosen=bf16: chosen
            embedder = load_embedder(given.model_copy(update={"embedder_backend": backend}))
            encoders[embedder.backend] = embedder.encode
    finally:
        choice.computes_bf16 = taken
    print(f"the product takes {'bf16' if taken() else 'fp32'} on this processor")
    return encoders


if __name__ == "__main__":
    main()
