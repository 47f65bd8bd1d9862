"""A sensible shape for a number of parameters: the sizes that published Llama-like models of that scale have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import log

from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.arithmetic.shape import Latent, ModelShape, Moe
from forge_resources.errors import ShapeError

LEAST, MOST = 1e5, 1e13
ASPECTS = ((1e8, 32), (3e8, 48), (1e9, 80), (3e9, 96), (1e10, 128), (1e11, 112), (1e12, 128))
"""Hidden width over layers that models up to so many parameters have (OLMo 1B 128, Llama 3.2 1B 128, SmolLM2 135M 19, Llama 2 7B 128,
Llama 3 70B 102, 405B 130; Kaplan et al. 2020, section 3.1: the loss hardly depends on it)."""
TIED_BELOW = 2e9
"""Smaller models tie embedding and head: the table is a large part of them (Llama 3.2 1B, Gemma, SmolLM2, Qwen2.5 1.5B)."""
TOLERANCE = 0.05
SLACK = 0.125


@dataclass(frozen=True, slots=True)
class Traits:
    """What a stack has decided. `kv`: mha, gqa, mqa or mla; `experts` 0: dense; `ffn_ratio`: inner width over hidden, None for the usual
    8/3 gated and 4 ungated (Shazeer 2020); `vocab` 0: by size."""

    kv: str = "gqa"
    gated: bool = True
    norm: str = "rms"
    norm_bias: bool = False
    norms_per_layer: int = 2
    qk_norm: str = "none"
    qkv_bias: bool = False
    bias: bool = False
    tied: bool | None = None
    parallel: bool = False
    learned_positions: bool = False
    window: int = 0
    window_share: float = 0.0
    experts: int = 0
    top_k: int = 2
    shared_experts: int = 0
    vocab: int = 0
    ffn_ratio: float | None = None


def shape_for(parameters: float, context: int = 4096, traits: Traits | None = None) -> ModelShape:
    """The shape whose count is nearest to `parameters` among those with usual ratios; divisible by 64 or 128 throughout.

    Raises ShapeError where none comes within 5% (a vocabulary too large for the model, say)."""
    if not LEAST <= parameters <= MOST:
        raise ShapeError(f"{parameters:g} parameters cannot be proposed; expected {LEAST:g} to {MOST:g}")
    if context < 1:
        raise ShapeError(f"context is {context}; expected 1 token or more")
    chosen = traits or Traits()
    chosen = replace(chosen, vocab=chosen.vocab or vocabulary_for(parameters))
    best = min(_candidates(parameters, context, chosen), key=lambda pair: pair[0], default=None)
    if best is None or abs(counts(best[1]).total / parameters - 1) > TOLERANCE:
        nearest = f"; the nearest has {counts(best[1]).total:,}" if best else ""
        raise ShapeError(
            f"no usual shape has {parameters:,.0f} parameters with a vocabulary of {chosen.vocab:,}{nearest}; give a smaller vocabulary"
        )
    return best[1]


VOCABULARIES = ((3e6, 512), (1e7, 4096), (1e8, 16384), (5e8, 32000), (3e9, 49152), (2e10, 100352))
LARGEST_VOCABULARY = 128256


def vocabulary_for(parameters: float) -> int:
    """Larger models use larger vocabularies (Tao et al. 2024); steps as published models have them."""
    return next((size for most, size in VOCABULARIES if parameters < most), LARGEST_VOCABULARY)


def aspect_for(parameters: float) -> float:
    return next((aspect for most, aspect in ASPECTS if parameters <= most), ASPECTS[-1][1])


def _candidates(parameters: float, context: int, traits: Traits) -> Iterator[tuple[float, ModelShape]]:
    """(how far off, shape): distance in parameters counts most, then the aspect ratio."""
    active = parameters * (traits.top_k + traits.shared_experts) / traits.experts if traits.experts else parameters
    aspect = aspect_for(active)
    for hidden in _widths(parameters):
        one, two = (counts(_shape(layers, hidden, context, traits, parameters)).total for layers in (1, 2))
        if one > 2 * parameters:
            break
        guess = (parameters - one) / (two - one) + 1
        for layers in {int(guess), int(guess) + 1}:
            if layers >= 1 and hidden / layers <= 8 * aspect:
                shape = _fitted(_shape(layers, hidden, context, traits, parameters), parameters)
                off = abs(log(counts(shape).total / parameters))
                yield off * 4 + 10 * (off > TOLERANCE) + abs(log(hidden / layers / aspect)) + _uneven(shape), shape


def _uneven(shape: ModelShape) -> float:
    """Numbers that tensor and pipeline parallelism divide badly count as far off as a quarter more in the aspect ratio."""
    even = next((n for n in (8, 4, 2) if shape.hidden >= n * 256), 1)
    return 0.25 * (shape.heads % even > 0) + 0.1 * (shape.layers % 2) + 0.05 * (shape.layers % 4 > 0)


def _fitted(shape: ModelShape, parameters: float) -> ModelShape:
    """With an FFN up to an eighth wider or narrower, which closes what whole layers leave open."""
    if not shape.ffn:
        return shape
    per_width = (2 + shape.gated) * shape.hidden * shape.layers
    width = _rounded(shape.ffn + (parameters - counts(shape).total) / per_width)
    return replace(shape, ffn=width) if abs(width / shape.ffn - 1) <= SLACK else shape


def _widths(parameters: float) -> range:
    step = 32 if parameters < 1e7 else 64 if parameters < 5e8 else 128 if parameters < 2e10 else 512
    return range(step, 32768 + 1, step)


def _shape(layers: int, hidden: int, context: int, traits: Traits, parameters: float) -> ModelShape:
    dim = 32 if hidden % 64 else 64 if hidden < 2048 or hidden % 128 else 128
    heads = hidden // dim
    ratio = traits.ffn_ratio or (8 / 3 if traits.gated else 4)
    tied = parameters < TIED_BELOW if traits.tied is None else traits.tied
    latent = _latent(hidden) if traits.kv == "mla" else None
    shape = ModelShape(
        "llama" if not traits.experts else "mixtral", layers, hidden, heads, _kv_heads(traits.kv, heads),
        latent.rope_dim + latent.nope_dim if latent else dim, _rounded(hidden * ratio), traits.vocab, traits.gated, tied, context=context,
        qkv_bias=traits.qkv_bias or traits.bias, out_bias=traits.bias, ffn_bias=traits.bias,
        norm="layer" if traits.norm == "layer" else "rms", norm_bias=traits.norm_bias, norms_per_layer=traits.norms_per_layer,
        qk_norm="head" if traits.qk_norm == "head" else "full" if traits.qk_norm == "full" else "none", parallel=traits.parallel,
        positions=context if traits.learned_positions else 0, latent=latent,
        window=traits.window, window_layers=int(layers * traits.window_share) if traits.window else 0,
    )  # fmt: skip
    return replace(shape, moe=_moe(shape, traits), ffn=0) if traits.experts else shape


def _moe(shape: ModelShape, traits: Traits) -> Moe:
    """All layers routed; an expert has the width of a dense FFN over the number that is active, as fine-grained mixtures have
    (Dai et al. 2024, section 3.1)."""
    width = max(64, _rounded(shape.ffn / max(1, traits.top_k + traits.shared_experts) * 2, 64))
    return Moe(shape.layers, traits.experts, min(traits.top_k, traits.experts), width, traits.shared_experts * width)


def _latent(hidden: int) -> Latent:
    """DeepSeek-V3's ranks, scaled with the width (7168: 1536, 512)."""
    return Latent(_rounded(hidden * 1536 / 7168, 64), max(64, _rounded(hidden * 512 / 7168, 64)), 64, 128 if hidden >= 2048 else 64, 128)


def _kv_heads(kv: str, heads: int) -> int:
    """Eight groups where heads allow it (Ainslie et al. 2023, section 3.3), else the largest divisor up to a quarter of the heads."""
    if kv == "mqa":
        return 1
    if kv in ("mha", "mla"):
        return heads
    if kv != "gqa":
        raise ShapeError(f"kind of key heads {kv!r} is unknown; expected mha, gqa, mqa or mla")
    return 8 if heads % 8 == 0 and heads > 8 else max(n for n in range(1, max(1, heads // 2) + 1) if heads % n == 0)


def _rounded(width: float, multiple: int = 0) -> int:
    step = multiple or (256 if width >= 2048 else 64 if width >= 512 else 16)
    return max(step, round(width / step) * step)
