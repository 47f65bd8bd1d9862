"""The model of a stack: sizes that were chosen, with the parts that its components have. Solver and spec count and weigh this one shape.

An FFN is as wide as makes the model come to the parameters asked for, whatever its heads, gates and experts are: where keys are shared, the
FFN takes what attention saves (Touvron et al. 2023, Llama 2, arXiv 2307.09288, appendix A.2.1: 1.3 times for groups, 1.33 for one head).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.arithmetic.propose import TIED_BELOW
from forge_assets.compatibility.arithmetic.shape import Latent, ModelShape
from forge_assets.compatibility.stack.request import Request

GATED = frozenset({"swiglu", "geglu", "reglu", "gated-linear-unit", "bilinear-layer"})
SHARED = frozenset({"fine-grained-moe"})
LATENT = frozenset({"mla"})
FOUR_NORMS = frozenset({"sandwich-norm", "peri-ln", "sub-ln"})
EMBEDDING_NORMS = frozenset({"embedding-norm", "peri-ln"})
LEARNED = frozenset({"learned-position", "absolute-position"})
WINDOWED = {"sliding-window-attention": 1.0, "local-attention": 1.0, "local-global-interleaving": 0.5}
WINDOW = 4096
"""Tokens that a windowed layer sees (Jiang et al. 2023, arXiv 2310.06825, table 1)."""


def with_parts(sizes: ModelShape, slots: Mapping[str, str | None], request: Request) -> ModelShape:
    """`sizes`: layers, widths, heads, experts and latent ranks; the rest follows from what the slots hold."""
    layer, moe = slots.get("norm") == "layer-norm", sizes.moe
    gated = moe is not None or slots.get("ffn") in GATED
    norm_bias = has_norm_bias(slots)
    biased = norm_bias and not gated  # as GPT-2, GPT-NeoX and OPT have them
    parallel = slots.get("residual") == "parallel-residual"
    window = WINDOWED.get(slots.get("attention") or "", 0.0) if request.context > WINDOW else 0.0
    return replace(
        sizes,
        family="mixtral" if moe else "llama",
        ffn=0 if moe else sizes.ffn,
        gated=gated,
        tied=slots.get("output_head") == "weight-tying" or request.params < TIED_BELOW,
        qkv_bias=biased,
        out_bias=biased,
        ffn_bias=biased,
        norm="layer" if layer else "rms",
        norm_bias=norm_bias,
        norms_per_layer=1 if parallel else 4 if slots.get("norm_placement") in FOUR_NORMS else 2,
        qk_norm="head" if slots.get("qk_norm") == "qk-norm" else "none",
        embedding_norm=slots.get("norm_placement") in EMBEDDING_NORMS,
        parallel=parallel,
        positions=request.context if slots.get("position_encoding") in LEARNED else 0,
        window=WINDOW if window else 0,
        window_layers=int(sizes.layers * window),
        context=request.context,
    )


def has_norm_bias(slots: Mapping[str, str | None]) -> bool:
    """Layer norms have biases, but for a stack with ALiBi, which has none at all, as MPT (transformers, modeling_mpt.py)."""
    return slots.get("norm") == "layer-norm" and slots.get("position_encoding") != "alibi"


def latent_of(hidden: int) -> Latent:
    """DeepSeek-V3's ranks (DeepSeek-AI 2024, arXiv 2412.19437, section 4.2), scaled with the width (7168: 1536, 512)."""
    query, both = (max(64, round(hidden * rank / 7168 / 64) * 64) for rank in (1536, 512))
    return Latent(query, both, 64, 128 if hidden >= 2048 else 64, 128)


def with_latent(shape: ModelShape) -> ModelShape:
    """The same width and heads with latent attention, whose keys are as wide as its queries."""
    latent = latent_of(shape.hidden)
    return replace(shape, kv_heads=shape.heads, head_dim=latent.rope_dim + latent.nope_dim, latent=latent)


def width_of(shape: ModelShape) -> int:
    """Inner width of a dense FFN, or of one expert."""
    return shape.moe.width if shape.moe else shape.ffn


def fitted(shape: ModelShape, parameters: int) -> ModelShape:
    """With the FFN width that comes nearest to so many parameters, a multiple of 256, 64 or 16 as models of that width have it."""
    missing, width = parameters - counts(shape).total, width_of(shape)
    copies = shape.moe.experts + bool(shape.moe.shared_width) if shape.moe else 1
    step = 256 if width >= 2048 else 64 if width >= 512 else 16
    found = max(step, round((width + missing / ((2 + shape.gated) * shape.hidden * shape.layers * copies)) / step) * step)
    if shape.moe is None:
        return replace(shape, ffn=found)
    return replace(shape, moe=replace(shape.moe, width=found, shared_width=found if shape.moe.shared_width else 0))
