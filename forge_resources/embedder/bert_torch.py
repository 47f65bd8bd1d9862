"""A BERT-type encoder in plain torch, for CPU (bf16 where the CPU computes it, else fp32) and CUDA (bf16).

In: a Batch of word pieces. Out: pooled rows, float32 [rows, hidden], not normalised.
Vaswani et al. 2017 with post-norm and learned positions, as in Devlin et al. 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from forge_resources.embedder.layout import BertLayout, prefix_in, weight_names
from forge_resources.embedder.models import ModelFiles
from forge_resources.embedder.pieces import Batch
from forge_resources.embedder.transfers import Pooled, Transfers
from forge_resources.errors import EmbedderError

if TYPE_CHECKING:
    import torch

Device = Literal["cpu", "cuda"]

CPU_BATCH_TOKENS = 2048
"""Measured on 2 cores of an AMD EPYC, bf16: 512 tokens 72 texts/s, 2048 87, 8192 81, 32768 55 (caches)."""
CUDA_BATCH_TOKENS = 65_536


def load_weights(files: ModelFiles, layout: BertLayout) -> dict[str, torch.Tensor]:
    """All weights under our names, in the checkpoint's own dtype; query, key and value as one matrix."""
    import torch
    from safetensors import safe_open

    weights: dict[str, torch.Tensor] = {}
    try:
        with safe_open(files.folder / "model.safetensors", framework="pt") as file:
            prefix = prefix_in(set(file.keys()))
            for ours, theirs in weight_names(layout.layers).items():
                weights[ours] = file.get_tensor(prefix + theirs)
    except Exception as error:
        raise EmbedderError(f"embedding model {files.label!r}: {files.folder / 'model.safetensors'} cannot be read ({error})") from None
    for number in range(layout.layers):
        for kind in ("w", "b"):
            weights[f"{number}.qkv.{kind}"] = torch.cat([weights.pop(f"{number}.{part}.{kind}") for part in ("query", "key", "value")])
    return weights


def forward(weights: dict[str, torch.Tensor], layout: BertLayout, ids: torch.Tensor, real: torch.Tensor | None) -> torch.Tensor:
    """ids int64 [rows, width], real bool [rows, width] or None where no token is padding -> token states [rows, width, hidden]."""
    from torch.nn import functional

    rows, width = ids.shape
    shape = (rows, width, 3, layout.heads, layout.hidden // layout.heads)
    mask = None if real is None else real[:, None, None, :]

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(x, (layout.hidden,), weights[f"{name}.w"], weights[f"{name}.b"], layout.epsilon)

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(x, weights[f"{name}.w"], weights[f"{name}.b"])

    activate = functional.gelu if layout.activation == "gelu" else functional.relu
    positions = weights["positions"][layout.first_position : layout.first_position + width]
    x = norm(weights["words"][ids] + positions + weights["kinds"][0], "norm")
    for i in range(layout.layers):
        query, key, value = linear(x, f"{i}.qkv").view(shape).permute(2, 0, 3, 1, 4).unbind()
        seen = (
            functional.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).reshape(rows, width, layout.hidden)
        )
        x = norm(x + linear(seen, f"{i}.attended"), f"{i}.attended_norm")
        x = norm(x + linear(activate(linear(x, f"{i}.inner")), f"{i}.outer"), f"{i}.outer_norm")
    return x


def pool(states: torch.Tensor, lengths: torch.Tensor, real: torch.Tensor | None, layout: BertLayout) -> torch.Tensor:
    """float32 [rows, hidden]: the first token, or the mean over real tokens."""
    if layout.pooling == "cls":
        return states[:, 0].float()
    states = states.float()
    if real is not None:
        states = states * real[:, :, None]
    return states.sum(dim=1) / lengths[:, None]


class TorchEncoder:
    """Runs one batch; `submit` starts it and returns what waits for its result, so that on CUDA the next batch is already on its way."""

    def __init__(
        self, files: ModelFiles, layout: BertLayout, device: Device, dtype: torch.dtype, transfers: Transfers | None = None
    ) -> None:
        self._layout = layout
        self._device = device
        self._weights = {name: w.to(device=device, dtype=dtype) for name, w in load_weights(files, layout).items()}
        self._transfers = transfers or (Transfers(device) if device == "cuda" else None)
        self.dims = layout.hidden
        self.batch_tokens = CUDA_BATCH_TOKENS if device == "cuda" else CPU_BATCH_TOKENS
        self.multiple = 8 if device == "cuda" else 1
        self.backend = f"{'cuda' if device == 'cuda' else 'torch'}-{str(dtype).removeprefix('torch.')}"

    def submit(self, batch: Batch) -> Callable[[], Pooled]:
        import torch

        padded = bool((batch.lengths != batch.ids.shape[1]).any())

        def compute(ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            real = torch.arange(ids.shape[1], device=self._device)[None, :] < lengths[:, None] if padded else None
            return pool(forward(self._weights, self._layout, ids, real), lengths, real, self._layout)

        with torch.inference_mode():
            if self._transfers is not None:
                return self._transfers.run(batch, compute)
            result: Pooled = compute(torch.from_numpy(batch.ids), torch.from_numpy(batch.lengths)).numpy()
        return lambda: result
