"""Memory of serving: weights, KV cache, recurrent state, and what a forward pass needs; and what vLLM would have to offload."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from forge_assets.compatibility.arithmetic.items import FITS_UNDER, Estimate, Item, estimate
from forge_assets.compatibility.arithmetic.plan import Serving
from forge_assets.compatibility.arithmetic.quantized import format_of, weight_bytes
from forge_assets.compatibility.arithmetic.reserve import GIB, overhead, spread, why_unvalidated
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.compatibility.arithmetic.sharding import Stage, held, stages

BATCHED_TOKENS = 8192
"""vLLM's default of max_num_batched_tokens for online serving on large GPUs."""


def serving_memory(shape: ModelShape, plan: Serving) -> Estimate:
    """Raises ShapeError where the split does not divide the model."""
    plan.split.check(shape)
    items = max((_items(shape, plan, stage) for stage in stages(plan.split)), key=lambda found: sum(item.bytes for item in found))
    why = why_unvalidated(shape, plan.split, plan.quantize)
    return estimate([*items, *overhead(plan.split, plan.overhead)], "a prefill with a full cache", spread(why), 0, why)


def cache_bytes(shape: ModelShape, plan: Serving) -> float:
    """KV cache of all sequences on one device. Windowed layers keep their window; key heads are repeated where there are fewer than
    devices, and a latent cache lies whole on each (DeepSeek-V2, 2024, section 2.1)."""
    full = (shape.attention_layers - shape.window_layers) * plan.context + shape.window_layers * min(plan.context, shape.window or 0)
    cut = 1 if shape.latent else min(plan.split.tensor, max(shape.kv_heads, 1))
    return plan.sequences * full * shape.cached * plan.cache_bytes / cut / plan.split.pipeline / plan.split.context


def state_bytes(shape: ModelShape, plan: Serving) -> float:
    """State of linear attention or state spaces, in fp32."""
    mixer = shape.recurrent
    return plan.sequences * mixer.layers * mixer.state * 4 / plan.split.tensor / plan.split.pipeline if mixer else 0


def _items(shape: ModelShape, plan: Serving, stage: Stage) -> list[Item]:
    weights = sum(one.elements * weight_bytes(one.group, plan.weight_bytes, plan.quantize) for one in held(shape, plan.split, stage))
    kind = format_of(plan.quantize).source if plan.quantize else f"{plan.weight_bytes:g} bytes per parameter"
    formula = "2 x layers x key heads x head_dim x tokens x bytes" if not shape.latent else "layers x (kv_rank + rope_dim) x tokens x bytes"
    return [
        Item("weights", int(weights), f"P {'in ' + plan.quantize if plan.quantize else 'x bytes'}", kind),
        Item("kv cache", int(cache_bytes(shape, plan)), formula, "Shazeer 2019; Ainslie et al. 2023 (GQA); DeepSeek-V2, 2024"),
        Item("recurrent state", int(state_bytes(shape, plan)), "sequences x layers x state x 4", "Gu and Dao 2023; Yang et al. 2024"),
        Item("working memory", int(_working(shape, plan)), "prefill tokens x (3 FFN widths + 4 hidden)", "a forward pass"),
    ]  # fmt: skip


def _working(shape: ModelShape, plan: Serving) -> float:
    tokens = min(plan.prefill or BATCHED_TOKENS, plan.context * plan.sequences)
    moe = shape.moe.width * shape.moe.top_k if shape.moe else 0
    width = max(shape.ffn, moe, shape.recurrent.projection if shape.recurrent else 0)
    total = tokens * ((2 + shape.gated) * width / plan.split.tensor + 4 * shape.hidden) * plan.compute
    if plan.attention == "eager" and shape.attention_layers:  # scores, twice while they are masked, and the mask
        scores = (8 if plan.compute == 4 else 10) * shape.heads * plan.context / plan.split.tensor
        total = max(total, tokens * (scores + plan.compute * (plan.context + 2 * shape.hidden + 3 * shape.query)))
    logits = tokens if plan.all_logits else plan.sequences
    return max(total, logits * shape.vocab * plan.compute / plan.split.tensor + tokens * shape.hidden * plan.compute)


@dataclass(frozen=True, slots=True)
class Offload:
    """`gib` of weights to keep in the host's memory (vLLM's --cpu-offload-gb); `seconds` that moving them adds to each forward pass."""

    gib: int
    seconds: float
    told: str


def offload(shape: ModelShape, plan: Serving, capacity: int, link: float) -> Offload | None:
    """What of the weights vLLM has to offload so that the rest fits; None where nothing has to. Where that
    does not help, `gib` is 0 and `told` says why. `link`: bytes per second between host and device."""
    found = serving_memory(shape, plan)
    if found.fits(capacity):
        return None
    missing = found.bytes - FITS_UNDER * capacity
    if missing > found.of("weights"):
        rest = (found.bytes - found.of("weights")) / GIB
        return Offload(
            0,
            0.0,
            f"offloading weights is not enough: cache and working memory alone need {rest:,.1f} GiB; serve fewer or shorter sequences",
        )
    gib = ceil(missing / GIB)
    return Offload(
        gib, gib * GIB / link, f"vLLM needs --cpu-offload-gb {gib}: each forward pass moves that much, {gib * GIB / link:.2f} s at least"
    )
