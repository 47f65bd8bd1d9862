"""A spec as the configurations of torchtitan (TOML, 0.2.2) and nanotron (YAML, 19f88fb).

Both refuse what they do not know, so nothing else stands there; the sizes of torchtitan's model are comments, for a flavour with
them has to be registered under the blueprint's name. What a trainer cannot do is a BlueprintError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from forge_assets.blueprints.spec.hugging_face import family_of
from forge_assets.blueprints.spec.model import Spec
from forge_resources.errors import BlueprintError

DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32", "fp8": "bfloat16"}
TITAN_DTYPES = ("bfloat16", "float32")
OPTIMIZERS = {"torchtitan": {"adamw": "AdamW", "adam": "Adam"}, "nanotron": {"adamw": "adamW", "sgd": "sgd"}}
DECAYS = {"cosine-decay": "cosine", "linear-decay": "linear", "wsd": "linear", "constant-learning-rate": "linear"}
TITAN_MODELS = {"llama": "llama3", "qwen3": "qwen3", "qwen3_moe": "qwen3"}
"""Architecture of transformers -> model of torchtitan; another is registered under the blueprint's name."""
DECAYING = 0.2
"""Share of the steps in which warmup-stable-decay falls (Hägele et al. 2024, arXiv 2405.18392, section 4)."""


def _able(trainer: str, slot: str, component: str, able: Mapping[str, str]) -> str:
    if component not in able:
        raise BlueprintError(
            f"{trainer} has no {component} as {slot}; it has {', '.join(able)}: pin {slot} to one of them, or train by the scaffold"
        )
    return able[component]


def _family(spec: Spec) -> str:
    try:
        return family_of(spec)
    except BlueprintError:
        return ""


def _falling(spec: Spec) -> int:
    """Steps in which the rate falls, the last ones."""
    plan = spec.schedule
    after_warmup = plan.steps.value - plan.warmup_steps.value
    return min(after_warmup, round(DECAYING * plan.steps.value)) if plan.component.value == "wsd" else after_warmup


def _least(spec: Spec) -> float:
    """The last learning rate."""
    constant = spec.schedule.component.value == "constant-learning-rate"
    return spec.optimizer.learning_rate.value if constant else spec.schedule.final_learning_rate.value


def torchtitan(spec: Spec) -> str:
    """job_config.toml: sections and names of torchtitan's JobConfig. Raises BlueprintError for what it does not have."""
    degrees, cut, plan = spec.parallelism, spec.batching, spec.schedule
    dtype = DTYPES[spec.precision.compute.value]
    if dtype not in TITAN_DTYPES:
        raise BlueprintError(f"torchtitan does not train in {dtype}; it has {' and '.join(TITAN_DTYPES)}: ask for another precision")
    sharded = degrees.zero_stage.value >= 3
    tables: dict[str, dict[str, Any]] = {
        "job": {"description": spec.identity.title, "dump_folder": "outputs"},
        "model": {"name": TITAN_MODELS.get(_family(spec), spec.identity.name), "flavor": spec.identity.name},
        "optimizer": {
            "name": _able("torchtitan", "optimizer", spec.optimizer.component.value, OPTIMIZERS["torchtitan"]),
            "lr": spec.optimizer.learning_rate.value,
            **{name: one.value for name in ("beta1", "beta2") if (one := getattr(spec.optimizer, name))},
            **({"eps": spec.optimizer.epsilon.value} if spec.optimizer.epsilon else {}),
            "weight_decay": spec.optimizer.weight_decay.value,
        },
        "lr_scheduler": {
            "warmup_steps": plan.warmup_steps.value,
            "decay_type": _able("torchtitan", "schedule", plan.component.value, DECAYS),
            **({"decay_ratio": DECAYING} if plan.component.value == "wsd" else {}),
            "min_lr_factor": _least(spec) / spec.optimizer.learning_rate.value,
        },
        "training": {
            "local_batch_size": cut.micro_batch.value,
            "global_batch_size": cut.global_batch.value,
            "seq_len": spec.architecture.context.value,
            "max_norm": spec.optimizer.gradient_clip.value,
            "steps": plan.steps.value,
            "mixed_precision_param": dtype,
        },
        "parallelism": {
            "data_parallel_replicate_degree": 1 if sharded else degrees.data.value,
            "data_parallel_shard_degree": degrees.data.value if sharded else 1,
            "tensor_parallel_degree": degrees.tensor.value,
            "pipeline_parallel_degree": degrees.pipeline.value,
            "context_parallel_degree": degrees.context.value,
            "expert_parallel_degree": degrees.expert.value,
        },
        "checkpoint": {
            "enable": True,
            "folder": "checkpoint",
            "interval": spec.checkpoints.every_steps.value,
            "keep_latest_k": spec.checkpoints.keep.value,
        },
    }
    sizes = "".join(f"# {key} = {_toml(value)}\n" for key, value in _sizes(spec).items())
    tables_text = (f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items()) for name, table in tables.items())
    return "\n".join(
        [*tables_text, f"# The flavor {spec.identity.name} of the model {tables['model']['name']}, to be registered:\n{sizes}"]
    )


def _toml(value: object) -> str:
    """JSON's strings, numbers, booleans and lists are TOML's; its exponents need a dot or digit before them, as repr writes."""
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _sizes(spec: Spec) -> dict[str, Any]:
    shape = spec.architecture
    made: dict[str, Any] = {
        "dim": shape.hidden_size.value, "n_layers": shape.layers.value, "n_heads": shape.heads.value, "n_kv_heads": shape.kv_heads.value,
        "head_dim": shape.head_dim.value, "hidden_dim": shape.ffn_size.value, "vocab_size": spec.tokenizer.vocab_size.value,
        "norm_eps": shape.norm_epsilon.value, "max_seq_len": shape.context.value,
    }  # fmt: skip
    if shape.rope_theta:
        made["rope_theta"] = shape.rope_theta.value
    if shape.experts:
        made |= {"num_experts": shape.experts.experts.value, "top_k": shape.experts.per_token.value,
                 "moe_hidden_dim": shape.experts.width.value}  # fmt: skip
    return made


def nanotron(spec: Spec) -> str:
    """config.yaml: sections and names of nanotron's Config. Raises BlueprintError for what it does not have."""
    shape, degrees, cut, plan = spec.architecture, spec.parallelism, spec.batching, spec.schedule
    rate = spec.optimizer
    if _family(spec) != "llama":
        raise BlueprintError(
            "nanotron's model here is Llama, which has not all parts of this stack; pin those of Llama, or train by the scaffold"
        )
    content = {
        "general": {"project": spec.identity.name, "run": spec.identity.pins.stack, "seed": 0},
        "model": {
            "dtype": DTYPES[spec.precision.compute.value],
            "init_method": {"std": 0.02},
            "model_config": {
                "hidden_size": shape.hidden_size.value, "num_hidden_layers": shape.layers.value, "num_attention_heads": shape.heads.value,
                "num_key_value_heads": shape.kv_heads.value, "intermediate_size": shape.ffn_size.value,
                "vocab_size": spec.tokenizer.vocab_size.value, "max_position_embeddings": shape.context.value,
                "rms_norm_eps": shape.norm_epsilon.value, "rope_theta": shape.rope_theta.value if shape.rope_theta else None,
                "tie_word_embeddings": shape.tied_embeddings.value, "is_llama_config": True,
            },
        },
        "parallelism": {
            "dp": degrees.data.value, "tp": degrees.tensor.value, "pp": degrees.pipeline.value,
            "context_parallel_size": degrees.context.value,
            "expert_parallel_size": degrees.expert.value, "pp_engine": "1f1b",
        },
        "tokens": {
            "sequence_length": shape.context.value, "micro_batch_size": cut.micro_batch.value,
            "batch_accumulation_per_replica": cut.gradient_accumulation.value, "train_steps": plan.steps.value,
            "val_check_interval": spec.evaluation.every_steps.value,
        },
        "optimizer": {
            "zero_stage": min(1, degrees.zero_stage.value),
            "weight_decay": rate.weight_decay.value,
            "clip_grad": rate.gradient_clip.value,
            "accumulate_grad_in_fp32": True,
            "optimizer_factory": _nanotron_optimizer(spec),
            "learning_rate_scheduler": {
                "learning_rate": rate.learning_rate.value, "lr_warmup_steps": plan.warmup_steps.value, "lr_warmup_style": "linear",
                "lr_decay_style": _able("nanotron", "schedule", plan.component.value, DECAYS), "lr_decay_steps": _falling(spec),
                "lr_decay_starting_step": plan.steps.value - _falling(spec), "min_decay_lr": _least(spec),
            },
        },
        "checkpoints": {"checkpoint_interval": spec.checkpoints.every_steps.value, "checkpoints_path": "checkpoints"},
    }  # fmt: skip
    text: str = yaml.safe_dump(content, sort_keys=False)
    return text


def _nanotron_optimizer(spec: Spec) -> dict[str, Any]:
    rate = spec.optimizer
    name = _able("nanotron", "optimizer", rate.component.value, OPTIMIZERS["nanotron"])
    if name == "sgd":
        return {"name": name}
    found = {f"adam_{name}": one.value for name, one in (("beta1", rate.beta1), ("beta2", rate.beta2), ("eps", rate.epsilon)) if one}
    return {"name": name, **found, "torch_adam_is_fused": True}
