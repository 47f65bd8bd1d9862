"""The FDL text of a spec's model, composed of the library's pieces, with the size of each axis, and those of a small model of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from forge_assets.blueprints.fdl.library.composing import missing, model_text
from forge_assets.blueprints.fdl.library.joining import reduced
from forge_assets.blueprints.fdl.library.pieces import covered, entries
from forge_assets.blueprints.spec.model import Spec
from forge_assets.compatibility.arithmetic.shape import Latent, ModelShape, Moe
from forge_assets.compatibility.stack import parts

SMALL_LATENT = Latent(32, 16, 8, 8, 16)
DECAYING = 0.2
"""Share of the steps in which warmup-stable-decay falls (Hägele et al. 2024, arXiv 2405.18392, section 4)."""
TRAINED = 4096
"""Context that scaled positions start from where nobody says it (Touvron et al. 2023, Llama 2, arXiv 2307.09288, section 2.2)."""


@dataclass(frozen=True, slots=True)
class FdlModel:
    """`sizes`: axis -> size of the blueprint's model; `small`: of one with the same parts that a laptop trains in seconds."""

    text: str
    sizes: Mapping[str, int]
    small: Mapping[str, int]


def composed(spec: Spec) -> FdlModel:
    """Raises BlueprintError for a component that no piece of the library is, with what would work in its place."""
    shape = shape_of(spec)
    slots = {slot: one.value for slot, one in spec.architecture.components.items()}
    made = model_text(slots, shape, _constants(spec))
    return FdlModel(made.text, made.sizes, model_text(slots, small(shape), _constants(spec)).sizes)


def _constants(spec: Spec) -> dict[str, float]:
    found = {"eps": spec.architecture.norm_epsilon.value, "trained": float(min(TRAINED, spec.architecture.context.value))}
    if spec.architecture.rope_theta:
        found["theta"] = spec.architecture.rope_theta.value
    return found


def rules(spec: Spec) -> str:
    """Optimizer and schedule as FDL update rules, with the spec's numbers. Raises BlueprintError for one that the library does not have."""
    optimizer, schedule = spec.optimizer, spec.schedule
    peak = optimizer.learning_rate.value
    numbers = {
        "peak": peak,
        "warmup": max(1, schedule.warmup_steps.value),
        "steps": schedule.steps.value,
        "final": schedule.final_learning_rate.value / peak,
    }
    if schedule.component.value in ("wsd", "infinite-lr"):
        numbers["decay"] = max(1, round(DECAYING * schedule.steps.value))
    for name in ("beta1", "beta2", "epsilon", "momentum", "weight_decay"):
        if (found := getattr(optimizer, name)) is not None:
            numbers[name] = found.value
    texts = []
    for slot, component in (("optimizer", optimizer.component.value), ("schedule", schedule.component.value)):
        entry = entries().get((slot, component))
        if entry is None:
            raise missing(slot, component, covered(slot))
        texts.append(reduced(entry, {}, numbers))
    return "\n".join(texts)


def shape_of(spec: Spec) -> ModelShape:
    """The shape that the spec's numbers and components say, as memory and parameters were counted."""
    a = spec.architecture
    slots = {slot: one.value for slot, one in a.components.items()}
    layer = slots.get("norm") == "layer-norm"
    norm_bias = parts.has_norm_bias(slots)
    biased = norm_bias and not a.gated_ffn.value
    latent = parts.latent_of(a.hidden_size.value) if slots.get("attention") == "mla" else None
    moe = None
    if a.experts:
        width = a.experts.width.value
        moe = Moe(
            a.layers.value, a.experts.experts.value, a.experts.per_token.value, width, width if slots.get("ffn") in parts.SHARED else 0
        )
    window = parts.WINDOWED.get(slots.get("attention") or "", 0.0) if a.context.value > parts.WINDOW else 0.0
    parallel = slots.get("residual") == "parallel-residual"
    return ModelShape(
        "forge", a.layers.value, a.hidden_size.value, a.heads.value, a.heads.value if latent else a.kv_heads.value,
        latent.rope_dim + latent.nope_dim if latent else a.head_dim.value, 0 if moe else a.ffn_size.value, spec.tokenizer.vocab_size.value,
        a.gated_ffn.value, a.tied_embeddings.value, qkv_bias=biased, out_bias=biased, ffn_bias=biased,
        norm="layer" if layer else "rms", norm_bias=norm_bias,
        norms_per_layer=1 if parallel else 4 if slots.get("norm_placement") in parts.FOUR_NORMS else 2,
        qk_norm="head" if slots.get("qk_norm") == "qk-norm" else "none",
        embedding_norm=slots.get("norm_placement") in parts.EMBEDDING_NORMS, parallel=parallel,
        positions=a.context.value if slots.get("position_encoding") in parts.LEARNED else 0,
        window=parts.WINDOW if window else 0, window_layers=int(a.layers.value * window), moe=moe, latent=latent, context=a.context.value,
    )  # fmt: skip


def small(shape: ModelShape) -> ModelShape:
    """The same parts: key heads one, half or all of the heads as in the full model, and a few experts."""
    heads = 4
    kv_heads = 1 if shape.kv_heads == 1 else heads if shape.kv_heads == shape.heads else heads // 2
    moe = None
    if shape.moe:
        experts = max(shape.moe.top_k, min(shape.moe.experts, max(4, 2 * shape.moe.top_k)))
        moe = Moe(2, experts, shape.moe.top_k, 64, 64 if shape.moe.shared_width else 0)
    latent = SMALL_LATENT if shape.latent else None
    return replace(
        shape, layers=2, hidden=64, heads=heads, kv_heads=kv_heads, head_dim=16, ffn=128 if shape.ffn else 0, vocab=512, context=64,
        positions=64 if shape.positions else 0, window_layers=min(2, shape.window_layers), moe=moe, latent=latent,
    )  # fmt: skip
