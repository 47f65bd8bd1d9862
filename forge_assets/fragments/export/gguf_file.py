"""GGUF files: a model under llama.cpp's names with its tokenizer, in f32 or quantised by blocks of 32 weights.

The stock converter knows a tokenizer by a hash of what it gives for one text, and so refuses one that was trained here; this writer says
which splitting rule the tokenizer has, and the client checks that llama.cpp gives its tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forge_assets.fragments.export.llama_architectures import Array, Represented, Unrepresented
from forge_assets.fragments.plan import Plan
from forge_assets.fragments.tokenizer import CHAT, CHAT_TEMPLATE, kind_of, roles

QUANTISED = ("q8_0", "q4_0")
BLOCK = 32
KEPT = ("_norm.weight", "ffn_gate_inp.weight", ".bias")
"""Tensors that stay in f32, as llama.cpp's own quantiser leaves them."""
TABLES = ("token_embd.weight", "output.weight")
"""Stay in 8 bits where the rest has 4: each of their rows is one token's."""
SPLITTING = "gpt-2"
"""llama.cpp's name for the rule by which ByteLevel of `tokenizers` cuts text into words (Radford et al. 2019)."""
NORMAL, CONTROL, UNUSED = 1, 3, 5
"""Types of tokens."""


def write(path: Path, made: Represented, plan: Plan, tokenizer: Path, kind: str = "f32") -> None:
    """`tokenizer`: path of tokenizer.json. Raises Unrepresented for a tokenizer that llama.cpp does not have."""
    import gguf
    from gguf import GGMLQuantizationType, LlamaFileType, quants

    vocabulary = dict(_vocabulary(plan, tokenizer))
    file = gguf.GGUFWriter(path, made.architecture)
    types = {"f32": LlamaFileType.ALL_F32, "q8_0": LlamaFileType.MOSTLY_Q8_0, "q4_0": LlamaFileType.MOSTLY_Q4_0}
    about = {
        "general.name": plan.blueprint,
        "general.license": plan.licence.lower(),
        "general.description": f"planned by Forge; spec {plan.spec[:16]}, corpus {plan.snapshot[:16]}, run {plan.run[:16]}",
        "general.file_type": int(types[kind]),
    }
    if kind != "f32":
        about["general.quantization_version"] = gguf.GGML_QUANT_VERSION
    for key, value in (about | {f"{made.architecture}.{key}": value for key, value in made.settings.items()} | vocabulary).items():
        _add(file, key, value)
    for name, tensor in made.tensors.items():
        chosen = GGMLQuantizationType[_type_of(name, tensor, kind).upper()]
        file.add_tensor(name, quants.quantize(tensor, chosen), raw_dtype=chosen)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


def _type_of(name: str, tensor: Array, kind: str) -> str:
    if kind == "f32" or tensor.ndim < 2 or name.endswith(KEPT):
        return "f32"
    if tensor.shape[-1] % BLOCK:
        return "f16"
    return "q8_0" if name in TABLES else kind


def _add(file: Any, key: str, value: Any) -> None:
    if isinstance(value, bool):
        file.add_bool(key, value)
    elif isinstance(value, int):
        file.add_uint32(key, value)
    elif isinstance(value, float):
        file.add_float32(key, value)
    elif isinstance(value, str):
        file.add_string(key, value)
    else:
        file.add_array(key, value)


def _vocabulary(plan: Plan, path: Path) -> Iterator[tuple[str, Any]]:
    if kind_of(plan) != "bpe":
        raise Unrepresented(
            "llama.cpp has no Unigram tokenizer over bytes that keeps words apart, and would cut texts otherwise; "
            "to have GGUF, pin tokenizer=byte-level-bpe"
        )
    held = json.loads(path.read_text(encoding="utf-8"))
    ids: dict[str, int] = held["model"]["vocab"]
    control: dict[str, int] = {one["content"]: one["id"] for one in held["added_tokens"]}
    named = {number: token for token, number in (ids | control).items()}
    special = set(control.values())
    yield "tokenizer.ggml.model", "gpt2"
    yield "tokenizer.ggml.pre", SPLITTING
    yield "tokenizer.ggml.tokens", [named.get(number, f"[unused{number}]") for number in range(plan.vocabulary)]
    yield "tokenizer.ggml.token_type", [CONTROL if one in special else NORMAL if one in named else UNUSED for one in range(plan.vocabulary)]
    yield "tokenizer.ggml.merges", [" ".join(pair) for pair in held["model"]["merges"]]
    keys = {"bos_token": "bos", "eos_token": "eos", "pad_token": "padding"}
    for role, token in roles(plan.special).items():
        yield f"tokenizer.ggml.{keys[role]}_token_id", control[token]
    yield "tokenizer.ggml.eot_token_id", control[CHAT[1]]
    yield "tokenizer.ggml.add_bos_token", False
    yield "tokenizer.chat_template", CHAT_TEMPLATE
