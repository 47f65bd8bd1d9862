"""What autograd saves of each layer between forward and backward, in bytes per token.

`eager`: the modules of transformers as they stand, each operation's saved tensors counted (validated against live storages);
`fused`: fused norms and activations as in Megatron-LM, which is Korthikanti et al. 2022, table 2, without dropout's masks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from forge_assets.compatibility.arithmetic.plan import Training
from forge_assets.compatibility.arithmetic.shape import ModelShape

Part = Literal["norms", "attention", "ffn", "recurrent"]


@dataclass(frozen=True, slots=True)
class Saved:
    """`per_token` bytes in each of `layers`. `whole`: tensor parallelism divides it only with sequence parallelism."""

    part: Part
    per_token: float
    layers: int
    whole: bool = False

    def bytes(self, plan: Training) -> float:
        split = plan.split
        return self.per_token * plan.tokens / (1 if self.whole and not split.sequence_parallel else split.tensor)


def saved(shape: ModelShape, plan: Training) -> tuple[Saved, ...]:
    """Of all layers, without recomputation."""
    return tuple(one for one in _all(shape, plan) if one.layers and one.per_token)


def residual(shape: ModelShape, plan: Training) -> float:
    """Bytes per token of the stream between layers: what full recomputation keeps of each layer."""
    return plan.numbers.residual * shape.hidden


def norm(width: int, plan: Training, *, read: bool = True) -> float:
    """One RMSNorm or LayerNorm over `width`. Eager RMSNorm saves its input in fp32 and, where its weight trains, the normalised input.
    `read`: a linear reads its output, so that its input is the layer's residual, kept in any case."""
    numbers = plan.numbers
    if plan.kernels == "fused":
        return width * (numbers.residual if read else numbers.compute) + 4
    trains = plan.lora is None
    return width * (4 + numbers.residual * trains) + 4


def _all(shape: ModelShape, plan: Training) -> Iterator[Saved]:
    attention, moe = shape.attention_layers, shape.moe
    yield Saved("attention", _attention(shape, plan), attention)
    yield Saved("norms", _norms(shape, plan), shape.layers, whole=True)
    readers = 3 + shape.gated + 1 if shape.norms_per_layer == 1 else 3
    yield Saved("attention", _read(shape.hidden, readers, plan, "attention"), attention, whole=True)
    if shape.norms_per_layer > 1 or not attention:
        yield Saved("ffn", _read(shape.hidden, 1 + shape.gated, plan, "ffn"), shape.dense_layers, whole=True)
    yield Saved("ffn", _ffn(shape, shape.ffn, plan), shape.dense_layers)
    if moe:
        yield Saved("ffn", _experts(shape, plan), moe.layers)
    if shape.recurrent:
        mixer = shape.recurrent
        inside = mixer.projection + 2 * mixer.channels + 3 * mixer.inner
        yield Saved("recurrent", plan.numbers.compute * inside + _read(shape.hidden, 1, plan, "attention"), mixer.layers)


def _norms(shape: ModelShape, plan: Training) -> float:
    outer = min(shape.norms_per_layer, 2)
    extra = shape.norms_per_layer - outer
    layer = plan.kernels == "eager" and shape.norm == "layer"
    one = shape.hidden * plan.numbers.residual + 8 if layer else norm(shape.hidden, plan)
    return outer * one + extra * norm(shape.hidden, plan, read=False)


def _read(width: int, readers: int, plan: Training, part: Part) -> float:
    """What linears save of the input they share. Autocast casts it anew for each; frozen linears save none; PEFT casts it for each."""
    numbers = plan.numbers
    if plan.lora:
        targeted = part == "attention" or plan.lora.targets == "all"
        if not targeted:
            return 0
        kept = numbers.compute if numbers.autocast else plan.lora.bytes
        copies = readers if numbers.autocast or plan.lora.bytes != numbers.compute else 1
        return kept * (copies * width + readers * plan.lora.rank)
    return (readers if numbers.autocast and plan.kernels == "eager" else 1) * numbers.saved * width


def _attention(shape: ModelShape, plan: Training) -> float:
    numbers = plan.numbers
    compute, heads = numbers.compute, shape.heads
    eager = plan.attention == "eager"
    keys = (2 * shape.query) if eager and not shape.latent else shape.key + shape.value
    total: float = compute * (shape.query + keys)
    if plan.lora:  # attention saves what it put out; the adapter saves it once more where it is cast
        cast = eager or numbers.autocast or plan.lora.bytes != compute
        total += _read(shape.mixed, 1, plan, "attention") * cast + compute * shape.mixed * (not eager)
    else:
        total += compute * shape.mixed
    if eager and plan.recompute != "selective":
        total += heads * plan.context * (4 + (compute if compute != 4 else 0))
    elif not eager:
        total += 4 * heads
    if shape.qk_norm != "none":
        total += (shape.query + shape.key) * (4 + compute * (plan.lora is None))
    if shape.latent:
        total += (shape.latent.query_rank + shape.latent.kv_rank) * (4 + 2 * compute) + compute * shape.latent.rope_dim
    return total + compute * shape.mixed * 2 * shape.attention_gate


def _ffn(shape: ModelShape, width: int, plan: Training) -> float:
    """Gate, its activation, up, their product (the last linear's input); ungated: before and after the activation."""
    compute = plan.numbers.compute
    before = (3 if plan.kernels == "eager" else 2) if shape.gated else 1
    last = _read(width, 1, plan, "ffn") if plan.lora else plan.numbers.saved * width
    return compute * width * before + last


def _experts(shape: ModelShape, plan: Training) -> float:
    """Each token is copied to its experts and back (Rajbhandari et al. 2022 name no formula; counted from transformers' modules)."""
    moe, compute = shape.moe, plan.numbers.compute
    assert moe is not None
    each = _ffn(shape, moe.width, plan) + 2 * compute * shape.hidden
    return moe.top_k * each + _ffn(shape, moe.shared_width, plan) + 4 * moe.experts + _read(shape.hidden, 2, plan, "ffn")
