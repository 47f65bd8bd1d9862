"""The Embedder for BERT-type models: reads and tokenises ahead, each in a thread, encodes length-sorted batches, pools, normalises."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import numpy as np

from forge_resources.embedder.interface import Chunk, Vectors
from forge_resources.embedder.layout import BertLayout
from forge_resources.embedder.models import ModelFiles
from forge_resources.embedder.pieces import Batch, WordPieces, batches, merge_parts
from forge_resources.embedder.transfers import Pooled

T = TypeVar("T")

IN_FLIGHT = 2
"""Batches submitted before the first is waited for: one computes while the next is sent (CUDA); a CPU computes at once anyway."""


class Encoder(Protocol):
    """A back-end: pooled rows, not normalised, of one batch."""

    dims: int
    backend: str
    batch_tokens: int
    multiple: int

    def submit(self, batch: Batch) -> Callable[[], Pooled]: ...


class BertEmbedder:
    """See `interface.Embedder`."""

    def __init__(self, files: ModelFiles, layout: BertLayout, encoder: Encoder) -> None:
        self.name = files.name
        self.dims = encoder.dims
        self.max_tokens = layout.window
        self.backend = encoder.backend
        self._encoder = encoder
        self._pieces = WordPieces(files.folder / "tokenizer.json", layout.window, lower=layout.lower)
        self._query_prompt, self._passage_prompt = files.prompts

    def encode(self, texts: Sequence[str], *, batch_tokens: int | None = None) -> Vectors:
        return self._gather(texts, self._passage_prompt, batch_tokens)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._gather(texts, self._query_prompt, None)

    def stream(self, windows: Iterable[Sequence[str]], *, batch_tokens: int | None = None) -> Iterator[Chunk]:
        return self._stream(windows, self._passage_prompt, batch_tokens)

    def _gather(self, texts: Sequence[str], prompt: str, batch_tokens: int | None) -> Vectors:
        vectors = np.zeros((len(texts), self.dims), dtype=np.float32)
        for chunk in self._stream([texts], prompt, batch_tokens):
            vectors[chunk.positions] = chunk.vectors
        return vectors

    def _stream(self, windows: Iterable[Sequence[str]], prompt: str, batch_tokens: int | None) -> Iterator[Chunk]:
        budget = batch_tokens or self._encoder.batch_tokens

        def tokenised() -> Iterator[tuple[int, list[Batch]]]:
            for number, texts in enumerate(ahead(iter(windows))):
                given = [prompt + text for text in texts] if prompt else texts
                yield number, list(batches(self._pieces.parts(given), budget, multiple=self._encoder.multiple))

        running: deque[tuple[int, Batch, Callable[[], Pooled]]] = deque()
        for number, ready in ahead(tokenised()):
            for batch in ready:
                running.append((number, batch, self._encoder.submit(batch)))
                if len(running) >= IN_FLIGHT:
                    yield _finish(*running.popleft())
        while running:
            yield _finish(*running.popleft())


def _finish(window: int, batch: Batch, wait: Callable[[], Pooled]) -> Chunk:
    return Chunk(window, batch.positions, merge_parts(wait(), batch))


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; the next one is made in a thread while the caller works on the last."""
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        done = object()
        coming = pool.submit(next, items, done)
        while (item := coming.result()) is not done:
            coming = pool.submit(next, items, done)
            yield item  # type: ignore[misc]
