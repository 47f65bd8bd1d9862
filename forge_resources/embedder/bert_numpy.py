"""The same BERT-type encoder in numpy fp32, for a search query: starts in milliseconds because torch is never imported.

In: a few short texts. Out: float32 [n, hidden], rows of norm 1. Only the rows of the word table that are needed are read from disk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forge_resources.compute import usable_cores
from forge_resources.embedder.interface import Vectors
from forge_resources.embedder.layout import BertLayout, prefix_in, weight_names
from forge_resources.embedder.models import ModelFiles
from forge_resources.embedder.pieces import WordPieces, normalised
from forge_resources.errors import EmbedderError

Array = NDArray[np.float32]


def numpy_reads(files: ModelFiles) -> bool:
    """Whether the weights have a type that numpy knows; bf16 is not among them."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(files.folder / "model.safetensors", framework="np") as file:
            return {file.get_slice(key).get_dtype() for key in set(file.keys()) if key.endswith(".weight")} <= {"F32", "F16"}
    except (SafetensorError, OSError) as error:
        raise EmbedderError(f"embedding model {files.label!r}: {files.folder / 'model.safetensors'} cannot be read ({error})") from None


class NumpyQueryEncoder:
    """Answers like the model's other back-ends to 1e-5; meant for queries, some hundred times slower than they are on bulk."""

    def __init__(self, files: ModelFiles, layout: BertLayout) -> None:
        from safetensors import safe_open
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

        self._blas = ThreadpoolController()
        self.name = files.name
        self.dims = layout.hidden
        self._layout = layout
        self._prompt = files.prompts[0]
        self._pieces = WordPieces(files.folder / "tokenizer.json", layout.window, lower=layout.lower)
        try:
            opening: Any = safe_open(files.folder / "model.safetensors", framework="np")
            self._file = opening.__enter__()  # stays open: rows of the word table are read as queries need them
            prefix = prefix_in(set(self._file.keys()))
            names = weight_names(layout.layers)
            self._words = self._file.get_slice(prefix + names.pop("words"))
            self._weights: dict[str, Array] = {
                ours: self._file.get_tensor(prefix + theirs).astype(np.float32) for ours, theirs in names.items()
            }
        except Exception as error:
            raise EmbedderError(f"embedding model {files.label!r}: {files.folder / 'model.safetensors'} cannot be read ({error})") from None

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """A text longer than the model's window is read window by window, on as many cores as there are."""
        cut = self._pieces.parts([self._prompt + text for text in texts])
        windows = [ids for parts in cut for ids in parts]
        # a query's matrices are small: BLAS threads gain nothing, and on a busy machine they wait for each other for seconds
        with self._blas.limit(limits=1, user_api="blas"):
            cores = min(usable_cores(), len(windows))
            if cores > 1:
                with ThreadPoolExecutor(cores, thread_name_prefix="windows") as pool:
                    pooled = iter(list(pool.map(self._window, windows)))
            else:
                pooled = iter([self._window(ids) for ids in windows])
        rows = [sum((next(pooled) for _ in parts), np.zeros(self.dims, dtype=np.float32)) for parts in cut]
        return normalised(np.array(rows, dtype=np.float32).reshape(len(rows), self.dims))

    def _window(self, ids: list[int]) -> Array:
        """Its vector, float32 [hidden], times the number of its word pieces."""
        states = self._forward(ids)
        pooled: Array = states[0] if self._layout.pooling == "cls" else states.mean(axis=0)
        return len(ids) * pooled

    def _forward(self, ids: list[int]) -> Array:
        """Token states float32 [len(ids), hidden]."""
        layout, weights = self._layout, self._weights
        words = np.concatenate([self._words[i : i + 1] for i in ids]).astype(np.float32)
        first = layout.first_position
        x = self._norm(words + weights["positions"][first : first + len(ids)] + weights["kinds"][0], "norm")
        for i in range(layout.layers):
            query, key, value = (self._heads(self._linear(x, f"{i}.{part}")) for part in ("query", "key", "value"))
            scores = query @ key.transpose(0, 2, 1) / np.float32(math.sqrt(layout.hidden // layout.heads))
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            seen = (scores / scores.sum(axis=-1, keepdims=True)) @ value
            x = self._norm(
                x + self._linear(seen.transpose(1, 0, 2).reshape(len(ids), layout.hidden), f"{i}.attended"), f"{i}.attended_norm"
            )
            inner = self._linear(x, f"{i}.inner")
            inner = _gelu(inner) if layout.activation == "gelu" else np.maximum(inner, 0)
            x = self._norm(x + self._linear(inner, f"{i}.outer"), f"{i}.outer_norm")
        return x

    def _heads(self, x: Array) -> Array:
        return x.reshape(len(x), self._layout.heads, -1).transpose(1, 0, 2)

    def _linear(self, x: Array, name: str) -> Array:
        product: Array = x @ self._weights[f"{name}.w"].T + self._weights[f"{name}.b"]
        return product

    def _norm(self, x: Array, name: str) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled: Array = centred / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + self._layout.epsilon)
        return scaled * self._weights[f"{name}.w"] + self._weights[f"{name}.b"]


def _gelu(x: Array) -> Array:
    """x/2 (1 + erf(x/sqrt 2)), erf by formula 7.1.26 of Abramowitz and Stegun 1964 (absolute error below 1.5e-7)."""
    z = np.abs(x) * np.float32(1 / math.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(x) * (1 - series * np.exp(-z * z))
    result: Array = (x * (1 + erf) / 2).astype(np.float32)
    return result
