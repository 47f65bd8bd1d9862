"""Any other sentence-transformers model, run by that library: its own pooling, dense layers and prompts are honoured.

In: texts of any length. Out: float32 [n, dims], rows of norm 1. Texts beyond the model's window are cut at token borders and pooled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from forge_resources.embedder.bert import ahead
from forge_resources.embedder.interface import Chunk, Vectors
from forge_resources.embedder.models import ModelFiles
from forge_resources.embedder.pieces import normalised
from forge_resources.errors import EmbedderError

BATCH_TOKENS = 4096
LONGEST = 1_000_000
"""Windows above this are 'no limit'; such a text goes through whole."""


class GeneralEmbedder:
    """See `interface.Embedder`."""

    def __init__(self, files: ModelFiles, device: str) -> None:
        from sentence_transformers import SentenceTransformer

        self.name = files.name
        try:
            self._model: Any = SentenceTransformer(str(files.folder), device=device, local_files_only=True)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise EmbedderError(
                f"embedding model {files.label!r} in {files.folder} cannot be loaded by sentence-transformers: {reason}"
            ) from None
        dims = self._model.get_embedding_dimension()
        if not dims:
            raise EmbedderError(f"embedding model {files.label!r}: sentence-transformers does not say how many dimensions it has")
        self.dims = int(dims)
        self.max_tokens = int(min(self._model.max_seq_length or LONGEST, LONGEST))
        self.backend = f"sentence-transformers-{device}"
        self._query_prompt, self._passage_prompt = files.prompts

    def encode(self, texts: Sequence[str], *, batch_tokens: int | None = None) -> Vectors:
        return self._encode([self._passage_prompt + t for t in texts], batch_tokens)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._query_prompt + t for t in texts], None)

    def stream(self, windows: Iterable[Sequence[str]], *, batch_tokens: int | None = None) -> Iterator[Chunk]:
        for number, texts in enumerate(ahead(iter(windows))):
            order = np.array(sorted(range(len(texts)), key=lambda i: len(texts[i])), dtype=np.int64)
            step = max(1, (batch_tokens or BATCH_TOKENS) // min(self.max_tokens, 256)) * 8
            for start in range(0, len(order), step):
                chosen = order[start : start + step]
                yield Chunk(number, chosen, self.encode([texts[i] for i in chosen], batch_tokens=batch_tokens))

    def _encode(self, texts: Sequence[str], batch_tokens: int | None) -> Vectors:
        if not texts:
            return np.zeros((0, self.dims), dtype=np.float32)
        parts = [self._parts(text) for text in texts]
        flat = [part for text in parts for part, _ in text]
        rows = max(1, (batch_tokens or BATCH_TOKENS) // min(self.max_tokens, 256))
        # prompt="" because ours stands in the text already, in front of the first part only
        found = self._model.encode(
            flat, prompt="", batch_size=rows, convert_to_numpy=True, show_progress_bar=False, normalize_embeddings=True
        )
        owner = np.repeat(np.arange(len(texts)), [len(text) for text in parts])
        sums = np.zeros((len(texts), self.dims), dtype=np.float32)
        weights = np.array([count for text in parts for _, count in text], dtype=np.float32)
        np.add.at(sums, owner, found.astype(np.float32) * weights[:, None])
        return normalised(sums)

    def _parts(self, text: str) -> list[tuple[str, int]]:
        """Pieces of the text that fit the window, each with its number of tokens."""
        tokenizer = self._model.tokenizer
        if len(text) < self.max_tokens or not getattr(tokenizer, "is_fast", False):
            return [(text, 1)]
        offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
        room = self.max_tokens - tokenizer.num_special_tokens_to_add()
        count = max(1, -(-len(offsets) // room))
        if count == 1:
            return [(text, 1)]
        borders = [len(offsets) * i // count for i in range(count + 1)]
        starts = [0, *(offsets[b][0] for b in borders[1:-1]), len(text)]
        return [(text[a:b], n - m) for a, b, m, n in zip(starts, starts[1:], borders, borders[1:], strict=False)]
