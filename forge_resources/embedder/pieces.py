"""Texts -> word pieces -> batches: cut to the model's window, sorted by length, grouped by a budget of tokens.

A text longer than the window becomes equal parts, all in the batch of their text, so that its vector is whole when the batch is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forge_resources.errors import EmbedderError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Parts = list[list[int]]
"""The token ids of one text, one list per part, special tokens included."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts to be encoded together. Row r of `ids` holds `lengths[r]` tokens of text `positions[owner[r]]`, then padding."""

    positions: NDArray[np.int64]
    ids: NDArray[np.int64]
    lengths: NDArray[np.int64]
    owner: NDArray[np.int64]


class WordPieces:
    """The model's own tokenizer, as `tokenizer.json` describes it."""

    def __init__(self, tokenizer_json: Path, window: int, *, lower: bool = False) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer: Tokenizer = Tokenizer.from_file(str(tokenizer_json))
        except Exception as error:
            raise EmbedderError(f"{tokenizer_json}: no readable tokenizer ({error})") from None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._lower = lower
        self._head, self._tail = self._special_tokens()
        self.window = window
        self.room = window - len(self._head) - len(self._tail)

    def _special_tokens(self) -> tuple[list[int], list[int]]:
        bare = self._tokenizer.encode("a", add_special_tokens=False).ids
        whole = self._tokenizer.encode("a", add_special_tokens=True).ids
        at = next(i for i in range(len(whole)) if whole[i : i + len(bare)] == bare)
        return whole[:at], whole[at + len(bare) :]

    def parts(self, texts: Sequence[str]) -> list[Parts]:
        """Runs on all cores and without the GIL."""
        given = [t.lower() for t in texts] if self._lower else list(texts)
        return [self._cut(e.ids) for e in self._tokenizer.encode_batch_fast(given, add_special_tokens=False)]

    def _cut(self, ids: list[int]) -> Parts:
        count = max(1, -(-len(ids) // self.room))
        borders = [len(ids) * i // count for i in range(count + 1)]
        return [[*self._head, *ids[a:b], *self._tail] for a, b in pairwise(borders)]


def batches(texts: Sequence[Parts], batch_tokens: int, *, multiple: int = 1) -> Iterator[Batch]:
    """Shortest texts first; each batch holds whole texts and, if it holds more than one, at most `batch_tokens` padded tokens."""
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i][0]), len(texts[i])))
    start = 0
    while start < len(order):
        end, rows, width = start, 0, 0
        while end < len(order):
            parts = texts[order[end]]
            wider = max(width, -(-max(map(len, parts)) // multiple) * multiple)
            if end > start and (rows + len(parts)) * wider > batch_tokens:
                break
            rows, width, end = rows + len(parts), wider, end + 1
        yield _pad([texts[i] for i in order[start:end]], np.array(order[start:end], dtype=np.int64), width)
        start = end


def _pad(texts: list[Parts], positions: NDArray[np.int64], width: int) -> Batch:
    rows = [part for parts in texts for part in parts]
    lengths = np.array([len(part) for part in rows], dtype=np.int64)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    ids[np.arange(width)[None, :] < lengths[:, None]] = np.fromiter(chain.from_iterable(rows), np.int64, int(lengths.sum()))
    owner = np.repeat(np.arange(len(texts), dtype=np.int64), [len(parts) for parts in texts])
    return Batch(positions, ids, lengths, owner)


def merge_parts(pooled: NDArray[np.float32], batch: Batch) -> NDArray[np.float32]:
    """Rows of parts -> one row of norm 1 per text: the mean of its parts weighted by their tokens."""
    if len(batch.owner) == len(batch.positions):
        return normalised(pooled)
    sums = np.zeros((len(batch.positions), pooled.shape[1]), dtype=np.float32)
    np.add.at(sums, batch.owner, pooled * batch.lengths[:, None].astype(np.float32))
    return normalised(sums)


def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.maximum(norms, 1e-12)).astype(np.float32, copy=False)
    return unit
