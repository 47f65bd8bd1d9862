"""What config.json of each architecture of transformers calls the sizes and parts of a spec."""

from __future__ import annotations

from typing import Any

from forge_assets.blueprints.spec.model import Spec
from forge_assets.compatibility.stack.parts import WINDOW

ACTIVATIONS: dict[str | None, str] = {"gelu": "gelu", "relu": "relu", "silu": "silu", "squared-relu": "relu2"}
"""Component -> its name in transformers (activations.py)."""
OPEN_IDS = {"bos_token_id": None, "eos_token_id": None}
ROTATED_SHARE = 0.25
"""Share of a head that partial-rope turns (Black et al. 2022, arXiv 2204.06745, section 2.1.1; fdl/library)."""


def fields_of(family: str, spec: Spec) -> dict[str, Any]:
    """Of classes whose default ids of special tokens are those of a vocabulary of 50,000, the ids are left open."""
    if family in ("gpt2", "gpt_bigcode"):
        return _gpt2(family, spec) | OPEN_IDS
    if family == "gpt_neox":
        return _gpt_neox(spec) | OPEN_IDS
    if family == "falcon":
        return _falcon(spec) | OPEN_IDS
    if family == "mpt":
        return _mpt(spec) | OPEN_IDS
    return _llama_like(family, spec) | (OPEN_IDS if family in ("starcoder2", "stablelm") else {})


def _activation(spec: Spec) -> str:
    return ACTIVATIONS[spec.architecture.components["activation"].value]


def _rope(spec: Spec) -> dict[str, Any]:
    shape = spec.architecture
    if shape.rope_theta is None:
        return {}
    return {"rope_parameters": {"rope_type": "default", "rope_theta": shape.rope_theta.value}}


def _partial_rope(spec: Spec) -> dict[str, Any]:
    """Of classes that turn a quarter where nothing is said."""
    found = _rope(spec)
    partial = spec.architecture.components["position_encoding"].value == "partial-rope"
    found["rope_parameters"]["partial_rotary_factor"] = ROTATED_SHARE if partial else 1.0
    return found


def _llama_like(family: str, spec: Spec) -> dict[str, Any]:
    shape, held = spec.architecture, {slot: one.value for slot, one in spec.architecture.components.items()}
    made = {
        "hidden_size": shape.hidden_size.value, "intermediate_size": shape.ffn_size.value, "num_hidden_layers": shape.layers.value,
        "num_attention_heads": shape.heads.value, "num_key_value_heads": shape.kv_heads.value,
        "max_position_embeddings": shape.context.value, "attention_dropout": 0.0, **_rope(spec),
    }  # fmt: skip
    if family == "stablelm":
        parallel = held.get("residual") == "parallel-residual"
        return made | {"layer_norm_eps": shape.norm_epsilon.value, "hidden_act": "silu", "use_qkv_bias": False, "qk_layernorm": False,
                       "use_parallel_residual": parallel, "hidden_dropout": 0.0, **_partial_rope(spec)}  # fmt: skip
    if family == "starcoder2":
        return made | {"norm_epsilon": shape.norm_epsilon.value, "hidden_act": _activation(spec), "use_bias": True, "sliding_window": None,
                       "residual_dropout": 0.0, "embedding_dropout": 0.0}  # fmt: skip
    made |= {"head_dim": shape.head_dim.value, "hidden_act": "silu", "rms_norm_eps": shape.norm_epsilon.value, "attention_bias": False}
    if family == "mistral":
        del made["attention_bias"]
        made["sliding_window"] = WINDOW if shape.context.value > WINDOW else None
    return made | _experts(family, spec)


def _experts(family: str, spec: Spec) -> dict[str, Any]:
    experts = spec.architecture.experts
    if experts is None:
        return {}
    if family == "mixtral":
        return {
            "num_local_experts": experts.experts.value,
            "num_experts_per_tok": experts.per_token.value,
            "intermediate_size": experts.width.value,
        }
    return {
        "num_experts": experts.experts.value, "num_experts_per_tok": experts.per_token.value, "moe_intermediate_size": experts.width.value,
        "decoder_sparse_step": 1, "norm_topk_prob": True, "mlp_only_layers": [],
    }  # fmt: skip


def _gpt2(family: str, spec: Spec) -> dict[str, Any]:
    shape = spec.architecture
    made = {
        "n_embd": shape.hidden_size.value, "n_inner": shape.ffn_size.value, "n_layer": shape.layers.value, "n_head": shape.heads.value,
        "n_positions": shape.context.value, "activation_function": _activation(spec), "layer_norm_epsilon": shape.norm_epsilon.value,
        "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "scale_attn_weights": True,
    }  # fmt: skip
    return made | ({"multi_query": True} if family == "gpt_bigcode" else {})


def _gpt_neox(spec: Spec) -> dict[str, Any]:
    shape = spec.architecture
    return {
        "hidden_size": shape.hidden_size.value, "intermediate_size": shape.ffn_size.value, "num_hidden_layers": shape.layers.value,
        "num_attention_heads": shape.heads.value, "max_position_embeddings": shape.context.value, "hidden_act": _activation(spec),
        "layer_norm_eps": shape.norm_epsilon.value, "use_parallel_residual": False, "attention_bias": True, "attention_dropout": 0.0,
        "hidden_dropout": 0.0, **_partial_rope(spec),
    }  # fmt: skip


def _falcon(spec: Spec) -> dict[str, Any]:
    shape = spec.architecture
    return {
        "hidden_size": shape.hidden_size.value, "ffn_hidden_size": shape.ffn_size.value, "num_hidden_layers": shape.layers.value,
        "num_attention_heads": shape.heads.value, "max_position_embeddings": shape.context.value, "activation": _activation(spec),
        "layer_norm_epsilon": shape.norm_epsilon.value, "multi_query": shape.kv_heads.value == 1 and shape.heads.value > 1, "alibi": False,
        "bias": True, "parallel_attn": True, "new_decoder_architecture": False, "attention_dropout": 0.0, "hidden_dropout": 0.0,
        **_rope(spec),
    }  # fmt: skip


def _mpt(spec: Spec) -> dict[str, Any]:
    shape = spec.architecture
    attention = {"attn_type": "multihead_attention", "attn_pdrop": 0, "alibi": True, "alibi_bias_max": 8, "qk_ln": False, "clip_qkv": None}
    return {
        "d_model": shape.hidden_size.value, "n_heads": shape.heads.value, "n_layers": shape.layers.value, "expansion_ratio": 4,
        "max_seq_len": shape.context.value, "layer_norm_epsilon": shape.norm_epsilon.value, "no_bias": True, "learned_pos_emb": False,
        "resid_pdrop": 0.0, "emb_pdrop": 0.0, "attn_config": attention,
    }  # fmt: skip
