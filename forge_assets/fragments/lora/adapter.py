"""The adapter: which weights it is put on, its files, and the proof that they reload and merge to the same numbers.

A stock class has linear modules, which peft wraps. Forge's own class reads its matrices as bare parameters; peft adapts those too, but only
while its parametrizations are switched on, hence `switched_on`; whoever uses such an adapter merges it first.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.golden import difference
from forge_assets.fragments.lora.base import OWN_CLASS, Base
from forge_assets.fragments.lora.settings import Adaptation
from forge_resources.errors import FragmentError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
LARGE = 1_000_000_000
"""Parameters of a base from which on activations are recomputed on a GPU."""
LAYER = re.compile(r"\.\d+\.")
SAME, MERGED, MERGED_HALF = 1e-6, 1e-4, 5e-2
"""Largest difference of logits, in the scale of the largest: of the adapter loaded again; of the base with it merged, f32 and bf16."""


@dataclass(frozen=True, slots=True)
class Targets:
    """`modules`: last names of linear modules; `parameters`: of matrices that are no modules; `left`: weights of layers without adapter."""

    modules: tuple[str, ...]
    parameters: tuple[str, ...]
    left: tuple[str, ...]


def targets(model: Any) -> Targets:
    """All matrices of the layers that peft can adapt. Raises FragmentError where there are none."""
    import torch

    head = model.get_output_embeddings() if type(model).__name__ != OWN_CLASS else None
    linear = {
        name: one for name, one in model.named_modules() if isinstance(one, torch.nn.Linear) and one is not head and LAYER.search(name)
    }
    modules = sorted({name.rsplit(".", 1)[-1] for name in linear})
    parameters, left = set[str](), set[str]()
    for name, one in model.named_parameters():
        if one.dim() < 2 or not LAYER.search(name) or name.rsplit(".", 1)[0] in linear:
            continue
        short = name[list(LAYER.finditer(name))[-1].end() :]
        (parameters if type(model).__name__ == OWN_CLASS and one.dim() == 2 else left).add(short)
    if not modules and not parameters:
        held = ", ".join(sorted(left)[:4]) or "no matrix in its layers"
        raise FragmentError(f"{type(model).__name__} has nothing that LoRA can be put on ({held}); take a base with linear layers")
    return Targets(tuple(modules), tuple(sorted(parameters)), tuple(sorted(left)))


def wrapped(base: Base, chosen: Adaptation, found: Targets) -> Any:
    """The base with an untrained adapter: B is zero, so it computes what the base does."""
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    model, recompute = base.model, False
    if base.precision == "4bit":
        prepare: Any = prepare_model_for_kbit_training  # switches recomputation on, too
        model, recompute = prepare(model), True
    elif base.device == "cuda" and base.parameters > LARGE:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
        recompute = True
    with torch.random.fork_rng(devices=[]), _quiet():
        torch.manual_seed(chosen.seed)
        made: Any = get_peft_model(
            model,
            LoraConfig(
                r=chosen.rank, lora_alpha=chosen.alpha, target_modules=list(found.modules),
                target_parameters=list(found.parameters) or None, bias="none", lora_dropout=0.0, task_type="CAUSAL_LM",
            ),
        )  # fmt: skip
    made.train(recompute)  # activations are recomputed only in this mode; without, dropout of the base stays off and no step draws numbers
    return made


@contextmanager
def switched_on(model: Any) -> Iterator[None]:
    """Bare parameters carry their adapters inside this block; modules always do."""
    from peft.tuners.lora.layer import ParamWrapper

    with ExitStack() as stack:
        for one in model.modules():
            if isinstance(one, ParamWrapper) and not one.merged:
                stack.enter_context(one._activate_lora(one.active_adapters))
        yield


def logits(model: Any, ids: Any) -> Any:
    with switched_on(model):
        return model(input_ids=ids, use_cache=False).logits


def tensors_of(model: Any) -> dict[str, st.Array]:
    """The adapter's tensors, f32, by the names that peft and vLLM read."""
    from peft import get_peft_model_state_dict

    return {name: one.detach().float().cpu().numpy() for name, one in sorted(get_peft_model_state_dict(model).items())}


def config_of(base: Base, chosen: Adaptation, found: Targets) -> dict[str, Any]:
    """adapter_config.json: what peft and vLLM need, and nothing that could name code."""
    return {
        "base_model_name_or_path": base.address,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": chosen.alpha,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": chosen.rank,
        "revision": base.revision or None,
        "target_modules": list(found.modules),
        "target_parameters": list(found.parameters) or None,
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": False,
    }


def save(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, st.Array], metadata: Mapping[str, str]) -> None:
    st.write_arrays(folder / WEIGHTS, tensors, metadata)
    (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Proof:
    """Largest differences of logits in their scale: the adapter loaded from its folder, and the base with it merged, against the trained
    model; and of the trained model against the bare base, which is no error but the adapter's effect."""

    reloaded: float
    merged: float
    effect: float


def prove(folder: Path, trained: Any, ids: Sequence[Sequence[int]]) -> Proof:
    """Takes the adapter off, reads it from the folder again, and merges it. Raises FragmentError where the numbers are not the same."""
    import torch
    from peft import PeftModel

    rows = [torch.tensor([list(one)], device=trained.device) for one in ids]
    with torch.no_grad(), _quiet():
        wanted = [_numbers(trained, one) for one in rows]
        bare = trained.unload()
        plain = [_numbers(bare, one) for one in rows]
        again = PeftModel.from_pretrained(bare, folder).eval()
        reloaded = [_numbers(again, one) for one in rows]
        merged = [_numbers(again.merge_and_unload(), one) for one in rows]
    found = Proof(*(max(difference(one, two) for one, two in zip(some, wanted, strict=True)) for some in (reloaded, merged, plain)))
    exact = next(iter(bare.parameters())).dtype == torch.float32
    for what, apart, allowed in (("loaded again", found.reloaded, SAME), ("merged", found.merged, MERGED if exact else MERGED_HALF)):
        if not apart <= allowed:
            raise FragmentError(
                f"{folder}: the adapter {what} gives logits that differ by {apart:.1e} of their scale; "
                f"expected {allowed:g} at most, please report it"
            )
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """peft 0.21 asks transformers 5 for a property by its old name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        yield


def _numbers(model: Any, ids: Any) -> st.Array:
    found: st.Array = logits(model, ids).float().cpu().numpy()
    return np.array(found)
