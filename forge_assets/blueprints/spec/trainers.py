"""A spec in the style of trainers' configurations: torchtitan (TOML) and nanotron (YAML). Sizes of the model stand in both, so that a
reader needs no second file; a flavour of torchtitan has to be registered under the blueprint's name with these sizes."""

from __future__ import annotations

import json
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from forge_assets.blueprints.spec.model import Spec

DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32", "fp8": "bfloat16"}
OPTIMIZERS = {"adamw": "AdamW", "adam": "Adam"}
DECAYS = {"cosine-decay": "cosine", "linear-decay": "linear", "wsd": "linear", "inverse-sqrt": "sqrt"}


def torchtitan(spec: Spec) -> str:
    """job_config.toml: sections and names of torchtitan's JobConfig."""
    degrees, cut, plan = spec.parallelism, spec.batching, spec.schedule
    sharded = degrees.zero_stage.value >= 3
    tables: dict[str, dict[str, Any]] = {
        "job": {"description": spec.identity.title, "dump_folder": "outputs"},
        "model": {"name": "llama3", "flavor": spec.identity.name},
        "model_args": _sizes(spec),
        "optimizer": {
            "name": OPTIMIZERS.get(spec.optimizer.component.value, spec.optimizer.component.value),
            "lr": spec.optimizer.learning_rate.value,
            **{name: one.value for name in ("beta1", "beta2") if (one := getattr(spec.optimizer, name))},
            **({"eps": spec.optimizer.epsilon.value} if spec.optimizer.epsilon else {}),
            "weight_decay": spec.optimizer.weight_decay.value,
        },
        "lr_scheduler": {
            "warmup_steps": plan.warmup_steps.value,
            "decay_type": DECAYS.get(plan.component.value, plan.component.value),
            "min_lr_factor": plan.final_learning_rate.value / spec.optimizer.learning_rate.value,
        },
        "training": {
            "local_batch_size": cut.micro_batch.value,
            "global_batch_size": cut.global_batch.value,
            "seq_len": spec.architecture.context.value,
            "max_norm": spec.optimizer.gradient_clip.value,
            "steps": plan.steps.value,
            "mixed_precision_param": DTYPES[spec.precision.compute.value],
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
    return "\n".join(f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items()) for name, table in tables.items())


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
    """config.yaml: sections and names of nanotron's Config."""
    shape, degrees, cut, plan = spec.architecture, spec.parallelism, spec.batching, spec.schedule
    rate = spec.optimizer
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
                "tie_word_embeddings": shape.tied_embeddings.value,
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
            "optimizer_factory": {
                "name": rate.component.value,
                **({"adam_beta1": rate.beta1.value} if rate.beta1 else {}),
                **({"adam_beta2": rate.beta2.value} if rate.beta2 else {}),
                **({"adam_eps": rate.epsilon.value} if rate.epsilon else {}),
            },
            "learning_rate_scheduler": {
                "learning_rate": rate.learning_rate.value, "lr_warmup_steps": plan.warmup_steps.value, "lr_warmup_style": "linear",
                "lr_decay_style": DECAYS.get(plan.component.value, plan.component.value),
                "lr_decay_steps": plan.steps.value - plan.warmup_steps.value, "min_decay_lr": plan.final_learning_rate.value,
            },
        },
        "checkpoints": {"checkpoint_interval": spec.checkpoints.every_steps.value, "checkpoints_path": "checkpoints"},
    }  # fmt: skip
    text: str = yaml.safe_dump(content, sort_keys=False)
    return text
