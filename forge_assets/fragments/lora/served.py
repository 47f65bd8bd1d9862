"""What vLLM asks of an adapter that it is to serve, read from its loader, and the command that serves it.

From the sources of vLLM (vllm/lora/peft_helper.py, lora_model.py, utils.py and vllm/config/lora.py, as of 0.11 to 0.26).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.lora.adapter import CONFIG, WEIGHTS
from forge_assets.fragments.lora.settings import RANKS
from forge_assets.fragments.reading import read_json

ATTENTION = ("k_proj", "o_proj", "q_proj", "v_proj")
DENSE = (*ATTENTION, "down_proj", "gate_proj", "up_proj")
LINEAR: Mapping[str, tuple[str, ...]] = {
    "LlamaForCausalLM": DENSE, "Qwen2ForCausalLM": DENSE, "Qwen3ForCausalLM": DENSE, "MistralForCausalLM": DENSE,
    "MixtralForCausalLM": ATTENTION, "Qwen3MoeForCausalLM": ATTENTION,
}  # fmt: skip
"""Classes that vLLM serves adapters for -> linear modules by the names of checkpoints (its packed ones taken apart)."""
PREFIX = "base_model.model."
ENDS = {".lora_A.weight": 0, ".lora_B.weight": 1}
"""Ends of names, and the axis of the tensor that has the rank."""


def obstacles(folder: Path, base_class: str) -> Iterator[str]:
    """Each thing for which vLLM would refuse the adapter; none for one that it serves."""
    config: dict[str, Any] = read_json(folder / CONFIG)
    rank = config.get("r")
    for needed in ("r", "lora_alpha", "target_modules"):
        if needed not in config:
            yield f"{CONFIG} lacks {needed}"
    if not isinstance(rank, int) or not 0 < rank <= RANKS[-1]:
        yield f"rank {rank} is not 1 to {RANKS[-1]}"
    if config.get("modules_to_save"):
        yield "modules_to_save is not empty"
    if config.get("use_dora"):
        yield "DoRA is not served"
    if config.get("bias", "none") != "none":
        yield f"bias is {config['bias']!r}; only none is served"
    if config.get("target_parameters"):
        yield "bare parameters are adapted, which are no linear layers of vLLM's"
    if base_class not in LINEAR:
        yield f"{base_class} is no class that it is known to serve adapters for"
        return
    yield from _names(folder, LINEAR[base_class], rank)


def _names(folder: Path, served: tuple[str, ...], rank: Any) -> Iterator[str]:
    if not (folder / WEIGHTS).is_file():
        yield f"there is no {WEIGHTS}"
        return
    tensors = st.header(folder / WEIGHTS).tensors
    for name, one in tensors.items():
        end = next((end for end in ENDS if name.endswith(end)), None)
        if not name.startswith(PREFIX) or end is None:
            yield f"{name} is not named {PREFIX}...{' or '.join(ENDS)}"
            continue
        module = name.removesuffix(end)
        if module.rsplit(".", 1)[-1] not in served:
            yield f"{name} is on {module.rsplit('.', 1)[-1]}; served are {', '.join(served) or 'none'}"
        if len(one.shape) != 2 or one.shape[ENDS[end]] != rank:
            yield f"{name} has the shape {list(one.shape)}; expected the rank {rank} on axis {ENDS[end]}"
        if any(module + other not in tensors for other in ENDS):
            yield f"{module} has only one of A and B"


def command(base: str, rank: int, folder: str, name: str = "forge") -> str:
    """The line that serves base and adapter side by side; requests name the one they want as `model`."""
    most = next(one for one in RANKS if one >= rank)
    return f"vllm serve {base} --enable-lora --max-lora-rank {most} --lora-modules {name}={folder}"
