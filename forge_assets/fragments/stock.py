"""The smallest class of stock transformers that covers a stack, with its config; or none, and then the model brings its own.

Which parts an architecture has is what the spec's projection says (blueprints/spec/hugging_face.py); tensor names of composed texts are
those of transformers already, so the mapping is the identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.library.composing import PLAIN, SLOTS
from forge_assets.blueprints.spec.hugging_face import CLASSES, FAMILIES
from forge_assets.fragments.plan import Plan

COVERED = ("llama", "qwen3", "mixtral", "qwen3_moe")
"""The smallest first."""


def family_of(plan: Plan) -> str | None:
    """The model_type whose parts are exactly those of the stack."""
    for family in COVERED:
        rules = FAMILIES[family]
        slots = {**dict.fromkeys((*SLOTS, "sequence_mixer")), **{slot: plan.slots.get(slot) or PLAIN.get(slot) for slot in SLOTS}}
        slots["sequence_mixer"] = plan.slots.get("sequence_mixer")
        if all(component in rules[slot] if slot in rules else component == PLAIN.get(slot) for slot, component in slots.items()):
            return family
    return None


def stock_config(plan: Plan, program: ir.Program, weights: Mapping[str, Any]) -> dict[str, Any] | None:
    """config.json of that class, with the constants that stand in the text; None where no class covers the stack."""
    family = family_of(plan)
    sizes = plan.sizes
    epsilons = {value for unit in program.units.values() for name, value in unit.constants.items() if name.endswith("eps")}
    thetas = {value for unit in program.units.values() for name, value in unit.constants.items() if name.endswith("theta")}
    if family is None or len(epsilons) != 1 or len(thetas) != 1:
        return None
    made: dict[str, Any] = {
        "architectures": [CLASSES[family]],
        "model_type": family,
        "hidden_size": sizes["d"],
        "intermediate_size": sizes["f"],
        "num_hidden_layers": sizes["L"],
        "num_attention_heads": sizes["g"] * sizes["r"],
        "num_key_value_heads": sizes["g"],
        "head_dim": 2 * sizes["j"],
        "hidden_act": "silu",
        "rms_norm_eps": epsilons.pop(),
        "rope_parameters": {"rope_type": "default", "rope_theta": thetas.pop()},
        "tie_word_embeddings": "lm_head.weight" not in weights,
        "attention_bias": False,
        "attention_dropout": 0.0,
    }
    top = next((int(value) for unit in program.units.values() for name, value in unit.constants.items() if name.endswith("top")), 0)
    if family == "mixtral":
        made |= {"num_local_experts": sizes["e"], "num_experts_per_tok": top, "sliding_window": None}
    if family == "qwen3_moe":
        made |= {"num_experts": sizes["e"], "num_experts_per_tok": top, "moe_intermediate_size": sizes["f"], "decoder_sparse_step": 1,
                 "norm_topk_prob": True, "mlp_only_layers": []}  # fmt: skip
    return made
