"""What the project can build for each slot of a stack, and what it builds instead of anything else. Data in the words of the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """`kind`: the branch of the templates; `told`: its name and where it is described."""

    kind: str
    told: str


BYTES = Part("byte-level-bpe", "byte-level BPE (Radford et al. 2019, section 2.2)")
PIECES = Part("byte-fallback-bpe", "BPE that falls back to bytes (Sennrich et al. 2016, arXiv 1508.07909)")
TOKENIZERS = {
    "byte-level-bpe": BYTES,
    "tiktoken": BYTES,
    "bpe": PIECES,
    "sentencepiece": Part("byte-fallback-bpe", "BPE with ▁ for spaces (Kudo and Richardson 2018, arXiv 1808.06226)"),
    "byte-level-tokenization": Part("bytes", "a token for each byte (Xue et al. 2021, arXiv 2105.13626)"),
}
MOMENTUM = "SGD with momentum (Sutskever et al. 2013)"
OPTIMIZERS = {
    "adamw": Part("adamw", "AdamW (Loshchilov and Hutter 2017, arXiv 1711.05101)"),
    "adam": Part("adam", "Adam (Kingma and Ba 2014, arXiv 1412.6980)"),
    "adafactor": Part("adafactor", "Adafactor (Shazeer and Stern 2018, arXiv 1804.04235)"),
    "lion": Part("lion", "Lion (Chen et al. 2023, arXiv 2302.06675)"),
    "muon": Part("muon", "Muon for the matrices of the blocks (Jordan et al. 2024), AdamW for all else"),
    "sgd": Part("sgd", MOMENTUM),
    "heavy-ball-momentum": Part("sgd", MOMENTUM),
    "nesterov-momentum": Part("nesterov", "SGD with Nesterov's momentum (Sutskever et al. 2013)"),
}
SMALL_RATES = {"adamw": 3e-3, "adam": 3e-3, "adafactor": 1e-2, "lion": 1e-3, "muon": 3e-3, "sgd": 0.3, "nesterov": 0.3}
"""Learning rates with which the small model learns something in 20 steps."""
SCHEDULES = {
    "cosine-decay": Part("cosine", "a warm-up, then half a cosine (Loshchilov and Hutter 2016, arXiv 1608.03983)"),
    "linear-decay": Part("linear", "a warm-up, then a line down"),
    "wsd": Part("linear", "warm-up, stable, decay (Hu et al. 2024, arXiv 2404.06395, section 4)"),
    "constant-learning-rate": Part("constant", "a warm-up, then constant"),
    "inverse-sqrt": Part(
        "inverse-sqrt", "a warm-up, then one over the root of the step (Vaswani et al. 2017, arXiv 1706.03762, section 5.3)"
    ),
}
DECAYING = {"wsd": 0.1}
"""The share of the steps in which a schedule falls, where that is not all of them (Hu et al. 2024, section 4)."""


@dataclass(frozen=True, slots=True)
class Sampling:
    told: str
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0


DECODING = {
    "greedy-decoding": Sampling("the likeliest token", temperature=0.0),
    "temperature-sampling": Sampling("sampling at a temperature"),
    "nucleus-sampling": Sampling("sampling from the nucleus (Holtzman et al. 2019, arXiv 1904.09751)", top_p=0.9),
    "top-k-sampling": Sampling("sampling from the likeliest (Fan et al. 2018, arXiv 1805.04833)", top_k=40),
}
PRECISIONS = {"fp32": "fp32", "bf16": "bf16", "fp16": "fp16", "fp8": "bf16"}
SHARDED = frozenset({"zero", "zero-1", "zero-2", "zero-3", "zero-plus-plus", "fsdp", "fsdp2", "hybrid-sharding"})
REPLICATED = frozenset({"data-parallelism", "pytorch-ddp"})
WHOLE_MATRICES = frozenset({"muon", "adafactor"})
"""Optimizers whose step looks at rows and columns of a matrix together, which FSDP2 has split."""
RECOMPUTING = frozenset({"activation-checkpointing", "selective-recomputation"})
MODEL_SLOTS = frozenset(
    "architecture embedding position_encoding attention attention_kernel qk_norm norm norm_placement residual activation ffn moe_router"
    " output_head".split()
)
BUILT: Mapping[str, frozenset[str]] = {
    "tokenizer": frozenset(TOKENIZERS),
    "optimizer": frozenset(OPTIMIZERS),
    "schedule": frozenset(SCHEDULES),
    "decoding": frozenset(DECODING),
    "parallelism": SHARDED | REPLICATED,
    "activation_memory": RECOMPUTING,
    "precision": frozenset({"fp32", "bf16", "fp16", "mixed-precision-training"}),
    "batching": frozenset({"concat-and-chunk"}),
    "objective": frozenset({"causal-lm"}),
    "initialization": frozenset({"normal-init"}),
    "regularization": frozenset({"weight-decay"}),
    "kv_cache": frozenset({"kv-cache"}),
}
"""Slot -> components that the project builds."""
FILES = {
    "tokenizer": "tokenizer.py",
    "batching": "data.py",
    "objective": "model.py",
    "optimizer": "optimizer.py",
    "schedule": "schedule.py",
    "precision": "train.py",
    "parallelism": "distributed.py",
    "activation_memory": "model.py",
    "decoding": "generate.py",
    "initialization": "network.py",
    "regularization": "optimizer.py",
    "kv_cache": "network.py",
}
"""Slot -> the module of the package; those of the model stand in network.py."""
INSTEAD = {
    "tokenizer": "byte-level BPE, whose training gives the same tokens each time",
    "optimizer": "AdamW",
    "schedule": "half a cosine",
    "decoding": "sampling at a temperature",
    "parallelism": "FSDP2 over all devices",
    "precision": "bf16",
    "batching": "concat-and-chunk",
    "objective": "causal language modelling",
    "initialization": "normal, deviation 0.02",
}
"""Slot -> what is built where the component is none of these; nothing for others."""


def is_built(slot: str, component: str) -> bool:
    return slot in MODEL_SLOTS or component in BUILT.get(slot, ())


def file_of(slot: str) -> str:
    return "network.py" if slot in MODEL_SLOTS else FILES[slot]
