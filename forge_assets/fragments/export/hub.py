"""`hf/`: a model as the Hugging Face Hub wants it, and transformers as its client."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.fragments.assembled import INDEX, config_of, modeling
from forge_assets.fragments.export.llama_architectures import Array
from forge_assets.fragments.golden import static_sizes
from forge_assets.fragments.piece import as_json
from forge_assets.fragments.plan import Plan
from forge_assets.fragments.tokenizer import CHAT, FILES, loaded
from forge_assets.fragments.weights import Weight
from forge_resources.errors import FragmentError

WEIGHTS = "model.safetensors"


def write(folder: Path, source: Path, shards: Sequence[str], plan: Plan, program: ir.Program, weights: Mapping[str, Weight]) -> None:
    """All but the card. `source`: a model laid out as 09-assembled, `shards` its weights; their bytes stay as they are."""
    for name in FILES:
        shutil.copyfile(source / name, folder / name)
    for name, placed in zip(shards, placed_as(shards), strict=True):
        shutil.copyfile(source / name, folder / placed)
    if len(shards) > 1:
        shutil.copyfile(source / INDEX, folder / INDEX)
    for name, text in texts(plan, program, weights, folder).items():
        (folder / name).write_text(text, encoding="utf-8")


def placed_as(shards: Sequence[str]) -> list[str]:
    """File names in `hf/`: a single shard is the whole and is called so."""
    return [WEIGHTS] if len(shards) == 1 else list(shards)


def texts(plan: Plan, program: ir.Program, weights: Mapping[str, Weight], folder: Path) -> dict[str, str]:
    """The files that follow from the plan: configuration, generation, and the model's own class where no stock class covers it."""
    config = config_of(plan, program, weights, folder)
    made = {}
    if "auto_map" in config:
        config["forge"] = {"static": static_sizes(program, plan.sizes)}
        made = {"modeling_forge.py": modeling(), "module_torch.py": BACKENDS["torch"].print(program)["module_torch.py"]}
    return {"config.json": as_json(config), "generation_config.json": as_json(_generation(config, folder)), **made}


def _generation(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A text ends with its end token, or with the end of a turn of chat."""
    ids = {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id") if key in config}
    turn = loaded(folder).token_to_id(CHAT[1])
    ends = [one for one in (ids.get("eos_token_id"), turn) if one is not None]
    return {**ids, "eos_token_id": ends, "do_sample": False, "use_cache": config["use_cache"]}


class Transformers:
    """`hf/` as a user of transformers loads it, in f32 on the CPU. Raises FragmentError for a tensor that is missing, unexpected or of
    another shape."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        bars: Any = logging  # it has no types
        shown = bars.is_progress_bar_enabled()
        bars.disable_progress_bar()
        custom = (folder / "modeling_forge.py").is_file()
        try:
            given: Any = AutoModelForCausalLM.from_pretrained(
                folder, output_loading_info=True, trust_remote_code=custom, dtype=torch.float32, local_files_only=True
            )
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        finally:
            if shown:
                bars.enable_progress_bar()
        self.model, report = given
        for what, names in report.items():
            if names:
                raise FragmentError(
                    f"{folder}: transformers reports {what} {sorted(map(str, names))[:3]}; expected none, please report the stack"
                )
        ends = self.model.generation_config.eos_token_id
        self.ends: list[int] = ends if isinstance(ends, list) else [ends]

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False).input_ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text

    def logits(self, ids: Array) -> Array:
        """`ids` [b, t] -> f32 [b, t, v]."""
        import torch

        with torch.no_grad():
            made: Array = self.model(torch.from_numpy(np.array(ids, np.int64))).logits.float().numpy()
        return made

    def greedy(self, ids: Sequence[int], most: int) -> list[int]:
        """The likeliest token again and again, up to and with one that ends a text."""
        import torch

        given = torch.tensor([list(ids)])
        made = self.model.generate(given, attention_mask=torch.ones_like(given), max_new_tokens=most, do_sample=False)
        found: list[int] = made[0, given.shape[1] :].tolist()
        return found
