"""What a decoder's memory and compute depend on: its sizes, and which parts it has. Pure numbers, no weights.

A ModelShape comes from a Hugging Face config (`configs.py`), from a number of parameters (`propose.py`), or is written by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from forge_resources.errors import ShapeError

Norm = Literal["rms", "layer"]
QkNorm = Literal["none", "head", "full"]
MOST = 10**9
"""No size of a model is larger; a config that says so is wrong."""


@dataclass(frozen=True, slots=True)
class Moe:
    """Experts in place of the FFN in `layers` of the layers. `width`, `shared_width`: inner width of one routed expert, and of all shared
    ones together (0: none). `shared_gate`: the shared expert is weighed by one more linear of the hidden state."""

    layers: int
    experts: int
    top_k: int
    width: int
    shared_width: int = 0
    shared_gate: bool = False
    expert_bias: bool = False
    router_bias: bool = False


@dataclass(frozen=True, slots=True)
class Latent:
    """Multi-head latent attention (DeepSeek-V2, 2024, section 2.1). `query_rank` 0: queries are projected directly."""

    query_rank: int
    kv_rank: int
    rope_dim: int
    nope_dim: int
    value_dim: int
    bias: bool = False


@dataclass(frozen=True, slots=True)
class Recurrent:
    """Linear attention or a state space in `layers` of the layers. `inner`: width of its output before the last projection;
    `projection`: outputs of all input projections; `channels`, `kernel`: of its short convolution; `vectors`: parameters per head that are
    no matrix (A, dt, D); `norm`: width of its inner norm; `state`: elements kept per sequence and layer."""

    layers: int
    inner: int
    projection: int
    channels: int
    kernel: int
    heads: int
    vectors: int
    norm: int
    state: int
    conv_bias: bool = False
    bias: bool = False


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of a decoder-only language model.

    `kv_heads` < `heads`: grouped queries; `ffn`: inner width of a dense FFN (0: none); `positions`: rows of a learned table (0: none);
    `norms_per_layer`: norms over the hidden width; `qk_norm`: `head` norms of width head_dim, `full` norms over all heads at once;
    `window`, `window_layers`: so many layers see only the last `window` tokens; `parallel`: attention and FFN read the same norm or input.
    """

    family: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocab: int
    gated: bool = True
    tied: bool = False
    qkv_bias: bool = False
    out_bias: bool = False
    ffn_bias: bool = False
    head_bias: bool = False
    norm: Norm = "rms"
    norms_per_layer: int = 2
    norm_weight: bool = True
    norm_bias: bool = False
    final_norm: bool = True
    embedding_norm: bool = False
    qk_norm: QkNorm = "none"
    qk_norm_bias: bool = False
    positions: int = 0
    sinks: bool = False
    attention_gate: bool = False
    parallel: bool = False
    window: int = 0
    window_layers: int = 0
    moe: Moe | None = None
    latent: Latent | None = None
    recurrent: Recurrent | None = None
    context: int = 0

    def __post_init__(self) -> None:
        least = {"layers": 1, "hidden": 1, "vocab": 1} | dict.fromkeys(("heads", "kv_heads", "head_dim"), int(self.attention_layers > 0))
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int" and not least.get(field.name, 0) <= value <= MOST:
                raise ShapeError(f"{field.name} of {self.family} is {value:,}; expected {least.get(field.name, 0)} to {MOST:,}")
        if self.attention_layers and self.heads % self.kv_heads:
            raise ShapeError(f"{self.family} has {self.heads} query heads for {self.kv_heads} key heads; expected a multiple")
        if self.moe and not (1 <= self.moe.top_k <= self.moe.experts and 1 <= self.moe.layers <= self.layers):
            raise ShapeError(
                f"{self.family} routes to {self.moe.top_k} of {self.moe.experts} experts in {self.moe.layers} of {self.layers} layers;"
                " expected at least one expert of those there are, in layers that there are"
            )
        if self.window_layers > self.attention_layers or self.attention_layers < 0:
            raise ShapeError(f"{self.family} has more windowed or recurrent layers than its {self.layers} layers; correct its config")

    @property
    def attention_layers(self) -> int:
        return self.layers - (self.recurrent.layers if self.recurrent else 0)

    @property
    def moe_layers(self) -> int:
        return self.moe.layers if self.moe else 0

    @property
    def dense_layers(self) -> int:
        """Layers with a dense FFN."""
        return self.layers - self.moe_layers if self.ffn else 0

    @property
    def query(self) -> int:
        """Width of the queries: heads x (rope_dim + nope_dim) with latent attention."""
        return self.heads * (self.latent.rope_dim + self.latent.nope_dim if self.latent else self.head_dim)

    @property
    def key(self) -> int:
        """Width of the keys as attention reads them."""
        return self.query if self.latent else self.kv_heads * self.head_dim

    @property
    def value(self) -> int:
        return self.heads * self.latent.value_dim if self.latent else self.kv_heads * self.head_dim

    @property
    def mixed(self) -> int:
        """Width of what attention puts out, before its last projection."""
        return self.heads * (self.latent.value_dim if self.latent else self.head_dim)

    @property
    def cached(self) -> int:
        """Elements of the KV cache per token and layer; the compressed ones with latent attention (DeepSeek-V2, 2024, table 1)."""
        return self.latent.kv_rank + self.latent.rope_dim if self.latent else self.key + self.value

    @property
    def llama_like(self) -> bool:
        """Dense, pre-norm RMSNorm, gated FFN, rotary or no positions: what memory estimates are validated on."""
        plain = not (self.moe or self.latent or self.recurrent or self.parallel or self.sinks or self.attention_gate or self.positions)
        return plain and self.gated and self.norm == "rms" and self.norms_per_layer == 2 and not self.window_layers
