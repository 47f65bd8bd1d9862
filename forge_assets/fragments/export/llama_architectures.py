"""Which architecture of llama.cpp computes a stack, and the model under its names: hyperparameters and tensors.

`(plan, program, tensors) -> Represented`, or Unrepresented, which says the component that llama.cpp does not have and what would work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.library.composing import PLAIN, SLOTS
from forge_assets.fragments.plan import Plan

Array = np.ndarray[Any, Any]
Settings = dict[str, bool | int | float | str]
SLOTTED = (*SLOTS, "sequence_mixer")
COMMON: dict[str, set[str | None]] = {
    "norm_placement": {"pre-norm"},
    "residual": {"residual-connection"},
    "output_head": {"lm-head", "weight-tying"},
    "qk_norm": {None},
}
ROTATED: dict[str, set[str | None]] = {**COMMON, "position_encoding": {"rope"}, "norm": {"rms-norm"}, "activation": {"silu"}}
HEADS: dict[str, set[str | None]] = {"attention": {"mha", "gqa", "mqa"}}
MAYBE_SPARSE: dict[str, set[str | None]] = {"ffn": {"swiglu", "sparse-moe"}, "moe_router": {None, "top-k-routing"}}
RULES: dict[str, dict[str, set[str | None]]] = {
    "llama": {**ROTATED, **HEADS, **MAYBE_SPARSE},
    "qwen3": {**ROTATED, **HEADS, "ffn": {"swiglu"}, "qk_norm": {"qk-norm"}},
    "qwen3moe": {**ROTATED, **HEADS, "ffn": {"sparse-moe"}, "moe_router": {"top-k-routing"}, "qk_norm": {"qk-norm"}},
    "deepseek2": {**ROTATED, **MAYBE_SPARSE, "attention": {"mla"}},
    "mpt": {**COMMON, **HEADS, "position_encoding": {"alibi"}, "norm": {"layer-norm"}, "activation": {"gelu"},
            "ffn": {"feed-forward-network"}},
}  # fmt: skip
"""The components that an architecture has; a slot that is not named holds what every model has."""
SOFTMAX = 1
"""`expert_gating_func` of a softmax over the experts."""
ALIBI = 8.0
"""Steepest slope, two to the minus of it divided by the heads (Press et al. 2021, section 3)."""


class Unrepresented(Exception):
    """llama.cpp has no architecture for a stack; the text says which component, and what would work."""


@dataclass(frozen=True, slots=True)
class Represented:
    """`settings`: hyperparameters without the architecture's prefix. `tensors`: f32, under llama.cpp's names."""

    architecture: str
    settings: Settings
    tensors: dict[str, Array]


def represented(plan: Plan, program: ir.Program, tensors: Mapping[str, Array]) -> Represented:
    """Raises Unrepresented."""
    architecture = architecture_of(plan)
    epsilon, latent = _epsilons(program)
    heads = plan.sizes["g"] * plan.sizes["r"]
    _numbers(architecture, plan, program, heads)
    settings: Settings = {
        "context_length": plan.context,
        "embedding_length": plan.sizes["d"],
        "block_count": plan.sizes["L"],
        "feed_forward_length": plan.sizes["f"],
        "attention.head_count": heads,
        "attention.head_count_kv": plan.sizes["g"],
        "vocab_size": plan.vocabulary,
    }
    if architecture == "mpt":
        settings |= {"attention.layer_norm_epsilon": epsilon, "attention.max_alibi_bias": ALIBI}
    else:
        settings |= {"attention.layer_norm_rms_epsilon": epsilon, "rope.freq_base": _one(program, "theta"),
                     "rope.dimension_count": 2 * plan.sizes["j"]}  # fmt: skip
    if architecture == "deepseek2":
        settings |= _latent_settings(plan)
    elif architecture != "mpt":
        settings |= {"attention.key_length": 2 * plan.sizes["j"], "attention.value_length": 2 * plan.sizes["j"]}
    if "e" in plan.sizes:
        settings |= {"expert_count": plan.sizes["e"], "expert_used_count": int(_one(program, "top")),
                     "expert_feed_forward_length": plan.sizes["f"]}  # fmt: skip
    scale = math.sqrt(epsilon / latent) if latent else 1.0
    return Represented(architecture, settings, dict(_tensors(architecture, plan, tensors, scale)))


def architecture_of(plan: Plan) -> str:
    """Raises Unrepresented with the component that keeps the nearest from fitting."""
    held = {slot: plan.slots.get(slot) or PLAIN.get(slot) for slot in SLOTTED}
    misfits = {name: [slot for slot in SLOTTED if held[slot] not in rules.get(slot, {PLAIN.get(slot)})] for name, rules in RULES.items()}
    nearest = min(misfits, key=lambda name: len(misfits[name]))
    if misfits[nearest]:
        told = "; ".join(f"{held[slot] or 'nothing'} as {slot}, where it has {_either(nearest, slot)}" for slot in misfits[nearest])
        pins = ", ".join(f"{slot}={_either(nearest, slot).split(' or ')[0]}" for slot in misfits[nearest])
        raise Unrepresented(
            f"llama.cpp has no architecture for this stack; the nearest, {nearest}, is kept from it by {told}. To have GGUF, pin {pins}"
        )
    return nearest


def _either(architecture: str, slot: str) -> str:
    return " or ".join(sorted(str(one or "nothing") for one in RULES[architecture].get(slot, {PLAIN.get(slot)})))


def _constants(program: ir.Program, ending: str, latent: bool | None = None) -> set[float]:
    """Values of the constants with that ending; `latent`: those within attention, or those outside."""
    found = ((name, value) for unit in program.units.values() for name, value in unit.constants.items())
    return {float(value) for name, value in found if name.endswith(ending) and latent in (None, name.startswith("a_"))}


def _one(program: ir.Program, ending: str) -> float:
    found = _constants(program, ending)
    if len(found) != 1:
        raise Unrepresented(f"the text has {len(found)} values of {ending}, llama.cpp one for all layers; give them one constant")
    return found.pop()


def _epsilons(program: ir.Program) -> tuple[float, float]:
    """Of the norms of blocks and head, and of those within attention (0 where there is none)."""
    outer, inner = _constants(program, "eps", latent=False), _constants(program, "eps", latent=True)
    if len(outer) != 1 or len(inner) > 1:
        raise Unrepresented("norms of the text have different epsilons, llama.cpp has one for all; give them one constant")
    return outer.pop(), inner.pop() if inner else 0.0


def _numbers(architecture: str, plan: Plan, program: ir.Program, heads: int) -> None:
    """What the components alone do not say."""
    if architecture == "mpt":
        if heads & (heads - 1):
            raise Unrepresented(
                f"llama.cpp's slopes of ALiBi are those of the text for powers of two only, not for {heads} heads; pin heads"
            )
        if heads * 2 * plan.sizes["j"] != plan.sizes["d"]:
            raise Unrepresented("llama.cpp's mpt has heads that fill the width of the model; pin head_dim to width / heads")
    elif architecture != "deepseek2":
        outer, inner = _epsilons(program)
        if inner not in (0.0, outer):
            raise Unrepresented(f"qk-norm has the epsilon {inner:g}, the other norms {outer:g}; llama.cpp has one for all")


def _latent_settings(plan: Plan) -> Settings:
    """Multi-head latent attention in its absorbed form, in which one head of the latent serves all (DeepSeek-V2, section 2.1.2)."""
    size = plan.sizes
    rotated, sparse = 2 * size["j"], "e" in size
    return {
        "attention.head_count_kv": 1,
        "attention.q_lora_rank": size["a"],
        "attention.kv_lora_rank": size["l"],
        "attention.key_length": size["l"] + rotated,
        "attention.value_length": size["l"],
        "attention.key_length_mla": size["n"] + rotated,
        "attention.value_length_mla": size["k"],
        "leading_dense_block_count": 0 if sparse else size["L"],
        "expert_feed_forward_length": size["f"],
        "expert_shared_count": 1 if sparse else 0,
        "expert_weights_scale": 1.0,
        "expert_weights_norm": True,
        "expert_gating_func": SOFTMAX,
    }


NAMES = {
    "input_layernorm.weight": "attn_norm.weight", "input_layernorm.bias": "attn_norm.bias",
    "post_attention_layernorm.weight": "ffn_norm.weight", "post_attention_layernorm.bias": "ffn_norm.bias",
    "self_attn.q_proj.weight": "attn_q.weight", "self_attn.k_proj.weight": "attn_k.weight", "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.o_proj.weight": "attn_output.weight", "self_attn.q_norm.weight": "attn_q_norm.weight",
    "self_attn.k_norm.weight": "attn_k_norm.weight", "self_attn.q_a_proj.weight": "attn_q_a.weight",
    "self_attn.q_a_layernorm.weight": "attn_q_a_norm.weight", "self_attn.q_b_proj.weight": "attn_q_b.weight",
    "self_attn.kv_a_proj_with_mqa.weight": "attn_kv_a_mqa.weight", "self_attn.kv_a_layernorm.weight": "attn_kv_a_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight", "mlp.up_proj.weight": "ffn_up.weight", "mlp.down_proj.weight": "ffn_down.weight",
    "mlp.gate.weight": "ffn_gate_inp.weight", "mlp.experts.down_proj": "ffn_down_exps.weight",
}  # fmt: skip
OUTER = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "model.norm.bias": "output_norm.bias",
         "lm_head.weight": "output.weight"}  # fmt: skip
UP = "mlp.experts.gate_up_proj"
KEYS_AND_VALUES = "self_attn.kv_b_proj.weight"


def _tensors(architecture: str, plan: Plan, tensors: Mapping[str, Array], scale: float) -> Iterator[tuple[str, Array]]:
    """In llama.cpp's order: what stands outside of the layers, then layer by layer."""
    for ours, theirs in OUTER.items():
        if ours in tensors:
            yield theirs, tensors[ours]
    taken = OUTER.keys() & tensors.keys()
    for layer in range(plan.sizes["L"]):
        prefix = f"model.layers.{layer}."
        held = {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}
        taken |= {prefix + name for name in held}
        for name, one in _layer(architecture, plan, held, scale):
            yield f"blk.{layer}.{name}", np.ascontiguousarray(one, np.float32)
    if left := sorted(tensors.keys() - taken):
        raise Unrepresented(f"llama.cpp's {architecture} has no place for the tensor {left[0]}")


def _layer(architecture: str, plan: Plan, held: dict[str, Array], scale: float) -> Iterator[tuple[str, Array]]:
    size = plan.sizes
    if architecture == "mpt":
        queries, keys, values = (held.pop(f"self_attn.{one}_proj.weight") for one in "qkv")
        yield "attn_qkv.weight", np.concatenate([queries, keys, values])
    if architecture == "llama":  # rotates neighbours; the Qwens rotate halves, as the text does
        for name, heads in (("q", size["g"] * size["r"]), ("k", size["g"])):
            held[f"self_attn.{name}_proj.weight"] = neighbours(held[f"self_attn.{name}_proj.weight"], heads)
    if architecture == "deepseek2":
        yield from _latent(plan, held, scale)
    for name, one in held.items():
        if name == UP:
            yield "ffn_gate_exps.weight", one[:, : size["f"]]
            yield "ffn_up_exps.weight", one[:, size["f"] :]
        elif name in NAMES:
            yield NAMES[name], one
        else:
            raise Unrepresented(f"llama.cpp's {architecture} has no place for the tensor {name} of a layer")


def _latent(plan: Plan, held: dict[str, Array], scale: float) -> Iterator[tuple[str, Array]]:
    """Keys and values as two tensors a head; shared experts of zeros, for llama.cpp always adds some; and one epsilon for all norms, which
    is another's when what is normed is scaled by the root of their ratio."""
    size = plan.sizes
    heads, rotated = size["g"] * size["r"], 2 * size["j"]
    queries = np.array(held["self_attn.q_b_proj.weight"]).reshape(heads, size["n"] + rotated, size["a"])
    queries[:, size["n"] :] = neighbours(queries[:, size["n"] :].reshape(heads * rotated, -1), heads).reshape(heads, rotated, -1)
    held["self_attn.q_b_proj.weight"] = queries.reshape(-1, size["a"])
    held["self_attn.q_a_proj.weight"] = held["self_attn.q_a_proj.weight"] * np.float32(scale)
    latent = np.array(held["self_attn.kv_a_proj_with_mqa.weight"])
    latent[: size["l"]] *= np.float32(scale)
    latent[size["l"] :] = neighbours(latent[size["l"] :], 1)
    held["self_attn.kv_a_proj_with_mqa.weight"] = latent
    both = held.pop(KEYS_AND_VALUES).reshape(heads, size["n"] + size["k"], size["l"])
    yield "attn_k_b.weight", both[:, : size["n"]].swapaxes(1, 2)
    yield "attn_v_b.weight", both[:, size["n"] :]
    if "e" in size:
        for name, shape in (("gate", ("f", "d")), ("up", ("f", "d")), ("down", ("d", "f"))):
            yield f"ffn_{name}_shexp.weight", np.zeros([size[axis] for axis in shape], np.float32)


def neighbours(rows: Array, heads: int) -> Array:
    """Rows of a projection whose heads hold halves that rotate against each other, so that neighbours do."""
    half = rows.shape[0] // heads // 2
    return rows.reshape(heads, 2, half, -1).swapaxes(1, 2).reshape(rows.shape)
