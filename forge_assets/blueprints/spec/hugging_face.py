"""A spec as the config.json of the transformers architecture that has its components, and as the metadata of a model card."""

from __future__ import annotations

import json
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from forge_assets.blueprints.spec.model import Spec
from forge_resources.errors import BlueprintError

COMMON: dict[str, set[str | None]] = {
    "position_encoding": {"rope"}, "norm": {"rms-norm"}, "norm_placement": {"pre-norm"}, "residual": {"residual-connection"},
    "activation": {"silu"}, "attention": {"mha", "gqa", "mqa"}, "output_head": {"lm-head", "weight-tying"},
    "architecture": {"decoder-only"},
}  # fmt: skip
FAMILIES: dict[str, dict[str, set[str | None]]] = {
    "llama": {**COMMON, "ffn": {"swiglu"}, "qk_norm": {None}},
    "qwen3": {**COMMON, "ffn": {"swiglu"}, "qk_norm": {"qk-norm"}},
    "mixtral": {**COMMON, "ffn": {"sparse-moe"}, "moe_router": {"top-k-routing"}, "qk_norm": {None}},
    "qwen3_moe": {**COMMON, "ffn": {"sparse-moe"}, "moe_router": {"top-k-routing"}, "qk_norm": {"qk-norm"}},
}
CLASSES = {"llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM", "mixtral": "MixtralForCausalLM", "qwen3_moe": "Qwen3MoeForCausalLM"}
DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32", "fp8": "bfloat16"}


def family_of(spec: Spec) -> str:
    """The model_type whose parts are those of the spec. Raises BlueprintError with the component that keeps the nearest from fitting."""
    held = {slot: one.value for slot, one in spec.architecture.components.items()}
    misfits = {family: [slot for slot, allowed in rules.items() if held.get(slot) not in allowed] for family, rules in FAMILIES.items()}
    best = min(misfits, key=lambda family: len(misfits[family]))
    if misfits[best]:
        slot = misfits[best][0]
        wanted = " or ".join(sorted(str(one or "nothing") for one in FAMILIES[best][slot]))
        raise BlueprintError(
            f"no transformers architecture here has {held.get(slot) or 'nothing'} as {slot}; {best} has {wanted}: "
            f"pin {slot} to that, or take the FDL text of the blueprint"
        )
    return best


def config(spec: Spec) -> dict[str, Any]:
    """The fields of config.json. Raises BlueprintError where no architecture fits."""
    family, shape = family_of(spec), spec.architecture
    made: dict[str, Any] = {
        "architectures": [CLASSES[family]],
        "model_type": family,
        "vocab_size": spec.tokenizer.vocab_size.value,
        "hidden_size": shape.hidden_size.value,
        "intermediate_size": shape.ffn_size.value,
        "num_hidden_layers": shape.layers.value,
        "num_attention_heads": shape.heads.value,
        "num_key_value_heads": shape.kv_heads.value,
        "head_dim": shape.head_dim.value,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context.value,
        "initializer_range": 0.02,
        "rms_norm_eps": shape.norm_epsilon.value,
        "tie_word_embeddings": shape.tied_embeddings.value,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "use_cache": True,
        "dtype": DTYPES[spec.precision.compute.value],
    }
    if shape.rope_theta:
        made["rope_parameters"] = {"rope_type": "default", "rope_theta": shape.rope_theta.value}
    if shape.experts:
        made |= _experts(spec, family)
    return made


def _experts(spec: Spec, family: str) -> dict[str, Any]:
    experts = spec.architecture.experts
    assert experts is not None
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


def config_text(spec: Spec) -> str:
    return json.dumps(config(spec), indent=2) + "\n"


def card(spec: Spec) -> str:
    """A model card's README.md: metadata of the Hub, and what is known before training."""
    components = [one.value for one in spec.architecture.components.values()]
    metadata = {
        "license": spec.identity.licence.value.lower(),
        "library_name": "pytorch",
        "pipeline_tag": "text-generation",
        "model_name": spec.identity.name,
        "tags": ["forge", *sorted(set(components))],
    }
    size = spec.model_size
    lines = [
        "---", yaml.safe_dump(metadata, sort_keys=False).strip(), "---", "", f"# {spec.identity.title}", "",
        f"A language model of {size.parameters.value:,} parameters ({size.active_parameters.value:,} for a token), "
        f"{spec.architecture.layers.value} layers, planned by Forge from stack `{spec.identity.pins.stack}`. It is not trained yet.", "",
        "## Limits", "", *(f"- {risk.statement}" for risk in spec.risks), "",
    ]  # fmt: skip
    return "\n".join(lines)
