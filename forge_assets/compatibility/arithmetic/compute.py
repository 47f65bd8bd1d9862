"""FLOPs per token, and from them time, energy and cost on named GPUs. Two FLOPs are one multiplication and one addition."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.compatibility.arithmetic.hardware import Gpu
from forge_assets.compatibility.arithmetic.parameters import weights
from forge_assets.compatibility.arithmetic.plan import Recompute, Serving
from forge_assets.compatibility.arithmetic.serving import cache_bytes, state_bytes
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_resources.errors import ShapeError

BACKWARD = 2
"""The backward pass costs twice the forward pass: one product for the gradient of the input, one for that of the weight
(Kaplan et al. 2020, section 2.1)."""
MFU_DENSE, MFU_SPARSE = 0.40, 0.25
"""Assumed shares of the peak: 38 to 43% on 8,192 to 16,384 H100 (Llama Team 2024, table 4), 46% (Chowdhery et al. 2022, table 3);
mixtures of experts reach less. Say what was measured where you know it."""
BANDWIDTH_SHARE = 0.7
"""Share of the memory bandwidth that decoding reaches; assumed."""


@dataclass(frozen=True, slots=True)
class Flops:
    """Per token. `matrices`: of all weights that multiply; `attention`: of scores and mixing, on average over the context."""

    matrices: float
    attention: float

    @property
    def forward(self) -> float:
        return self.matrices + self.attention

    def training(self, recompute: Recompute = "none", *, frozen: bool = False) -> float:
        """Forward and backward; full recomputation runs the forward pass once more, selective only attention's core.

        `frozen`: only adapters train, so that no gradient of the weights is computed; the adapters' own work is left out."""
        again = {"none": 0.0, "selective": self.attention, "full": self.forward}[recompute]
        return (1 + BACKWARD) * self.forward + again - (self.matrices if frozen else 0)


def flops(shape: ModelShape, context: int, *, causal: bool = True) -> Flops:
    """FLOPs of one token in a sequence of `context` tokens, activated experts only. The embedding is looked up and costs nothing.

    `causal` counts only the positions that a token sees, half of them on average; without, all (as Chowdhery et al. 2022, appendix B).
    """
    matrices = sum(2 * one.each * one.active for one in weights(shape) if one.matrix and one.component != "embedding")
    if shape.tied:
        matrices += 2 * shape.vocab * shape.hidden
    return Flops(matrices, _attention(shape, context, causal) + _recurrent(shape))


def _attention(shape: ModelShape, context: int, causal: bool) -> float:
    seen = (context + 1) / 2 if causal else context
    window = min(context, shape.window or context)
    near = (window * (window + 1) / 2 + (context - window) * window) / context if causal else window
    places = (shape.attention_layers - shape.window_layers) * seen + shape.window_layers * near
    return 2 * places * (shape.query + shape.mixed)


def _recurrent(shape: ModelShape) -> float:
    """The state is read and written once: 4 FLOPs per element (Dao and Gu 2024, section 6, step by step)."""
    mixer = shape.recurrent
    return 4 * mixer.layers * mixer.state if mixer else 0


@dataclass(frozen=True, slots=True)
class Run:
    """A training run: seconds, joules (board power all the time), cost where a price is given."""

    flops: float
    mfu: float
    seconds: float
    joules: float
    cost: float | None

    @property
    def kilowatt_hours(self) -> float:
        return self.joules / 3.6e6


def assumed_mfu(shape: ModelShape) -> float:
    return MFU_SPARSE if shape.moe or shape.recurrent else MFU_DENSE


def peak(gpu: Gpu, precision: str) -> float:
    """FLOP/s of the matrix products of a precision: fp32 runs as TF32 at half the rate of bf16. Raises ShapeError for an fp8 that is not
    there."""
    if precision == "fp8":
        if gpu.fp8 is None:
            raise ShapeError(f"{gpu.name} does not compute in fp8; choose another precision, or a card of Hopper, Ada or Blackwell")
        return gpu.fp8
    return gpu.bf16 / 2 if precision == "fp32" else gpu.bf16


def training_run(
    shape: ModelShape,
    tokens: float,
    gpu: Gpu,
    count: int,
    context: int,
    *,
    mfu: float | None = None,
    price: float | None = None,
    frozen: bool = False,
    precision: str = "mixed",
) -> Run:
    """Time of `tokens` on `count` GPUs. `mfu`: model FLOPs over peak FLOPs, recomputation not counted; `price` per GPU hour."""
    share = assumed_mfu(shape) if mfu is None else mfu
    if not 0 < share <= 1:
        raise ShapeError(f"MFU is {share:g}; expected a share of the peak, above 0 and up to 1")
    if not 0 < tokens <= 1e18 or count < 1:
        raise ShapeError(f"{tokens:g} tokens on {count} GPUs is no training run; expected some of both")
    if price is not None and not 0 <= price < 1e9:
        raise ShapeError(f"the price of a GPU hour is {price:g}; expected 0 or more")
    work = tokens * flops(shape, context).training(frozen=frozen)
    seconds = work / (count * peak(gpu, precision) * share)
    return Run(work, share, seconds, seconds * count * gpu.watts, None if price is None else seconds / 3600 * count * price)


@dataclass(frozen=True, slots=True)
class Speed:
    """Of serving, upper bounds: tokens/s of all sequences while decoding, seconds to the first token of one full prompt."""

    decode: float
    first_token: float


def serving_speed(shape: ModelShape, plan: Serving, gpu: Gpu, weights_bytes: float, *, mfu: float | None = None) -> Speed:
    """Decoding reads the weights and the cache once per token (Pope et al. 2022, section 2), and computes; the slower of the two counts.

    `weights_bytes`: of the fullest device."""
    read = (weights_bytes * _share_read(shape, plan.sequences) + cache_bytes(shape, plan) + state_bytes(shape, plan)) / (
        gpu.bandwidth * BANDWIDTH_SHARE
    )
    share = mfu or assumed_mfu(shape)
    peak = gpu.bf16 * share * plan.split.tensor
    compute = plan.sequences * flops(shape, plan.context, causal=False).forward / peak
    prompt = plan.context * flops(shape, plan.context).forward / peak
    return Speed(plan.sequences / (max(read, compute) * plan.split.pipeline), prompt)


def _share_read(shape: ModelShape, sequences: int) -> float:
    """Share of the weights that one step of decoding reads: experts that no token is routed to are left out; routes are taken as even."""
    moe = shape.moe
    if moe is None:
        return 1
    groups = weights(shape)
    routed = sum(one.total for one in groups if one.division == "expert") / sum(one.total for one in groups)
    return 1 - routed * (1 - moe.top_k / moe.experts) ** sequences
