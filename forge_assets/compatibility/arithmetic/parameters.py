"""Exact parameter counts: a shape's weights as groups of equal tensors, from which totals, active counts and optimizer states follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Literal

from forge_assets.compatibility.arithmetic.shape import Latent, ModelShape, Moe, Recurrent

Component = Literal["embedding", "attention", "recurrent", "ffn", "router", "norms", "head"]
Division = Literal["none", "tensor", "vocabulary", "expert"]
"""How tensor and expert parallelism cut a tensor (Shoeybi et al. 2019, section 3): norms and routers stay whole."""


@dataclass(frozen=True, slots=True)
class Weights:
    """`copies` tensors of `dims` in the whole model; one token passes `active` of them. `trained` False: a buffer kept with the weights."""

    name: str
    component: Component
    dims: tuple[int, ...]
    copies: int
    active: int
    division: Division = "none"
    trained: bool = True

    @property
    def each(self) -> int:
        return prod(self.dims)

    @property
    def total(self) -> int:
        return self.each * self.copies

    @property
    def matrix(self) -> bool:
        return len(self.dims) >= 2


@dataclass(frozen=True, slots=True)
class Counts:
    """Parameters in total, per token that passes (experts of a mixture that it is not routed to left out), and by component."""

    total: int
    active: int
    by_component: dict[str, int]

    @property
    def without_embedding(self) -> int:
        """What Kaplan et al. 2020 call N: no embedding table, no head."""
        return self.total - self.by_component.get("embedding", 0) - self.by_component.get("head", 0)


def counts(shape: ModelShape) -> Counts:
    total = active = 0
    components: dict[str, int] = {}
    for group in weights(shape):
        total += group.total
        active += group.each * group.active
        components[group.component] = components.get(group.component, 0) + group.total
    return Counts(total, active, components)


def weights(shape: ModelShape) -> tuple[Weights, ...]:
    """All tensors of the model, as its safetensors file holds them; a tied head is the embedding and not listed twice."""
    return tuple(group for group in _all(shape) if group.copies)


def _all(shape: ModelShape) -> Iterator[Weights]:
    hidden = shape.hidden
    yield Weights("embedding", "embedding", (shape.vocab, hidden), 1, 1, "vocabulary")
    if shape.positions:
        yield Weights("positions", "embedding", (shape.positions, hidden), 1, 1)
    yield from _attention(shape)
    if shape.recurrent:
        yield from _recurrent(hidden, shape.recurrent)
    if shape.ffn:
        yield from _ffn(shape, shape.ffn, shape.dense_layers)
    if shape.moe:
        yield from _experts(shape, shape.moe)
    norms = shape.layers * shape.norms_per_layer + shape.final_norm + shape.embedding_norm
    if shape.norm_weight:
        yield Weights("norm.weight", "norms", (hidden,), norms, norms)
    if shape.norm_bias:
        yield Weights("norm.bias", "norms", (hidden,), norms, norms)
    if not shape.tied:
        yield Weights("head", "head", (shape.vocab, hidden), 1, 1, "vocabulary")
    if shape.head_bias:
        yield Weights("head.bias", "head", (shape.vocab,), 1, 1, "vocabulary")


def _linear(
    name: str, component: Component, out: int, into: int, copies: int, bias: bool = False, division: Division = "tensor"
) -> Iterator[Weights]:
    yield Weights(name, component, (out, into), copies, copies, division)
    if bias:
        yield Weights(f"{name}.bias", component, (out,), copies, copies, division)


def _attention(shape: ModelShape) -> Iterator[Weights]:
    layers, hidden = shape.attention_layers, shape.hidden
    if shape.latent:
        yield from _latent(shape, shape.latent)
    else:
        gate = 2 if shape.attention_gate else 1
        yield from _linear("query", "attention", gate * shape.query, hidden, layers, shape.qkv_bias)
        yield from _linear("key", "attention", shape.key, hidden, layers, shape.qkv_bias)
        yield from _linear("value", "attention", shape.value, hidden, layers, shape.qkv_bias)
    yield from _linear("output", "attention", hidden, shape.mixed, layers, shape.out_bias)
    if shape.sinks:
        yield Weights("sinks", "attention", (shape.heads,), layers, layers, "tensor")
    if shape.qk_norm != "none":
        widths = (shape.head_dim, shape.head_dim) if shape.qk_norm == "head" else (shape.query, shape.key)
        for name, width in zip(("query_norm", "key_norm"), widths, strict=True):
            yield Weights(name, "norms", (width,), layers, layers)
            if shape.qk_norm_bias:
                yield Weights(f"{name}.bias", "norms", (width,), layers, layers)


def _latent(shape: ModelShape, latent: Latent) -> Iterator[Weights]:
    layers, hidden = shape.attention_layers, shape.hidden
    if latent.query_rank:
        yield from _linear("query.down", "attention", latent.query_rank, hidden, layers, latent.bias, "none")
        yield Weights("query.norm", "norms", (latent.query_rank,), layers, layers)
    yield from _linear("query.up", "attention", shape.query, latent.query_rank or hidden, layers)
    yield from _linear("kv.down", "attention", latent.kv_rank + latent.rope_dim, hidden, layers, latent.bias, "none")
    yield Weights("kv.norm", "norms", (latent.kv_rank,), layers, layers)
    yield from _linear("kv.up", "attention", shape.heads * (latent.nope_dim + latent.value_dim), latent.kv_rank, layers)


def _recurrent(hidden: int, mixer: Recurrent) -> Iterator[Weights]:
    layers = mixer.layers
    yield from _linear("recurrent.input", "recurrent", mixer.projection, hidden, layers, mixer.bias)
    yield from _linear("recurrent.output", "recurrent", hidden, mixer.inner, layers, mixer.bias)
    yield Weights("recurrent.convolution", "recurrent", (mixer.channels, mixer.kernel), layers, layers, "tensor")
    if mixer.conv_bias:
        yield Weights("recurrent.convolution.bias", "recurrent", (mixer.channels,), layers, layers, "tensor")
    yield Weights("recurrent.heads", "recurrent", (mixer.heads,), layers * mixer.vectors, layers * mixer.vectors, "tensor")
    yield Weights("recurrent.norm", "norms", (mixer.norm,), layers, layers)


def _ffn(shape: ModelShape, width: int, copies: int, name: str = "ffn") -> Iterator[Weights]:
    if shape.gated:
        yield from _linear(f"{name}.gate", "ffn", width, shape.hidden, copies, shape.ffn_bias)
    yield from _linear(f"{name}.up", "ffn", width, shape.hidden, copies, shape.ffn_bias)
    yield from _linear(f"{name}.down", "ffn", shape.hidden, width, copies, shape.ffn_bias)


def _experts(shape: ModelShape, moe: Moe) -> Iterator[Weights]:
    copies, active, hidden = moe.layers * moe.experts, moe.layers * moe.top_k, shape.hidden
    up = 2 if shape.gated else 1
    yield Weights("expert.up", "ffn", (up * moe.width, hidden), copies, active, "expert")
    yield Weights("expert.down", "ffn", (hidden, moe.width), copies, active, "expert")
    if moe.expert_bias:
        yield Weights("expert.up.bias", "ffn", (up * moe.width,), copies, active, "expert")
        yield Weights("expert.down.bias", "ffn", (hidden,), copies, active, "expert")
    if moe.shared_width:
        yield from _ffn(shape, moe.shared_width, moe.layers, "shared")
    yield Weights("router", "router", (moe.experts, hidden), moe.layers, moe.layers)
    if moe.router_bias:
        yield Weights("router.bias", "router", (moe.experts,), moe.layers, moe.layers)
    if moe.shared_gate:
        yield Weights("shared.gate", "router", (1, hidden), moe.layers, moe.layers)
