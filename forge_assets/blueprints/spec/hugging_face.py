"""A spec as the config.json of the transformers architecture that has its components, and as the metadata of a model card."""

from __future__ import annotations

import json
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from forge_assets.blueprints.spec.hub_fields import ACTIVATIONS, fields_of
from forge_assets.blueprints.spec.model import Spec
from forge_resources.errors import BlueprintError

Parts = dict[str, set[str | None]]
PLAIN_PARTS: Parts = {
    "architecture": {"decoder-only"}, "embedding": {"token-embedding"}, "norm_placement": {"pre-norm"}, "sequence_mixer": {None},
    "output_head": {"lm-head", "weight-tying"}, "residual": {"residual-connection"}, "attention": {"mha", "gqa", "mqa"}, "qk_norm": {None},
}  # fmt: skip
COMMON: Parts = {**PLAIN_PARTS, "position_encoding": {"rope"}, "norm": {"rms-norm"}, "activation": {"silu"}}
LAYERED: Parts = {**PLAIN_PARTS, "norm": {"layer-norm"}, "activation": {*ACTIVATIONS}, "ffn": {"feed-forward-network", "mlp"}}
LEARNED: set[str | None] = {"learned-position", "absolute-position"}
FAMILIES: dict[str, Parts] = {
    "llama": {**COMMON, "ffn": {"swiglu"}},
    "qwen3": {**COMMON, "ffn": {"swiglu"}, "qk_norm": {"qk-norm"}},
    "mixtral": {**COMMON, "ffn": {"sparse-moe"}, "moe_router": {"top-k-routing"}},
    "qwen3_moe": {**COMMON, "ffn": {"sparse-moe"}, "moe_router": {"top-k-routing"}, "qk_norm": {"qk-norm"}},
    "mistral": {**COMMON, "ffn": {"swiglu"}, "attention": {"sliding-window-attention", "local-attention"}},
    "gpt2": {**LAYERED, "position_encoding": LEARNED, "attention": {"mha"}},
    "gpt_bigcode": {**LAYERED, "position_encoding": LEARNED, "attention": {"mqa"}},
    "starcoder2": {**LAYERED, "position_encoding": {"rope"}},
    "gpt_neox": {**LAYERED, "position_encoding": {"partial-rope"}, "attention": {"mha"}},
    "falcon": {**LAYERED, "position_encoding": {"rope"}, "attention": {"mha", "mqa"}, "residual": {"parallel-residual"}},
    "mpt": {**LAYERED, "position_encoding": {"alibi"}, "attention": {"mha"}, "activation": {"gelu"}},
    "stablelm": {**LAYERED, "ffn": {"swiglu"}, "activation": {"silu"}, "position_encoding": {"rope", "partial-rope"},
                 "residual": {"residual-connection", "parallel-residual"}},
}  # fmt: skip
"""model_type -> slot -> components. BLOOM is not here: its GELU is the tanh approximation, which no component is, and all its maps have
biases, where a stack with ALiBi has none. Falcon divides ALiBi's slopes by the root of the head's width. Phi and GPT-J have a bias in the
head."""
OWN_HEAD_WIDTH = frozenset({"llama", "qwen3", "mixtral", "qwen3_moe", "mistral"})
"""Classes whose heads may be of another width than hidden size / heads."""
CLASSES = {"llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM", "mixtral": "MixtralForCausalLM", "qwen3_moe": "Qwen3MoeForCausalLM",
           "mistral": "MistralForCausalLM", "gpt2": "GPT2LMHeadModel", "gpt_bigcode": "GPTBigCodeForCausalLM",
           "starcoder2": "Starcoder2ForCausalLM", "gpt_neox": "GPTNeoXForCausalLM", "falcon": "FalconForCausalLM",
           "stablelm": "StableLmForCausalLM", "mpt": "MptForCausalLM"}  # fmt: skip
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
    family = family_of(spec)
    _sizes_fit(family, spec)
    made: dict[str, Any] = {
        "architectures": [CLASSES[family]],
        "model_type": family,
        "vocab_size": spec.tokenizer.vocab_size.value,
        "initializer_range": 0.02,
        "tie_word_embeddings": spec.architecture.tied_embeddings.value,
        "use_cache": True,
        "dtype": DTYPES[spec.precision.compute.value],
    }
    return made | fields_of(family, spec)


def _sizes_fit(family: str, spec: Spec) -> None:
    """Raises BlueprintError for sizes that the class does not take from its configuration."""
    shape = spec.architecture
    hidden, heads, inner, width = (one.value for one in (shape.hidden_size, shape.heads, shape.ffn_size, shape.head_dim))
    if family not in OWN_HEAD_WIDTH and heads * width != hidden:
        raise BlueprintError(
            f"{family} has heads of hidden size / heads, {hidden} / {heads}, the blueprint of {width}: pin head_dim to that"
        )
    if family == "mpt" and inner != 4 * hidden:
        raise BlueprintError(
            f"mpt has a feed-forward width of 4 times the hidden size, {4 * hidden}, the blueprint {inner}: pin ffn_hidden_size"
        )
    if family == "mpt" and heads & (heads - 1):
        raise BlueprintError(f"mpt spreads ALiBi's slopes as the blueprint for powers of two only, found {heads} heads: pin num_heads")


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
