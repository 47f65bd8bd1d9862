"""09-assembled, and the top of 10-trained: the pieces as one model that transformers loads: sharded safetensors with an index, config,
tokenizer, and the whole text.

`verified pieces -> tensors, once each -> shards -> stock class that covers the stack, else modeling_forge.py -> loaded and compared`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import View
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.card import card
from forge_assets.fragments.chain import ASSEMBLED, CHAIN, PIECES, TOKENIZER
from forge_assets.fragments.golden import difference
from forge_assets.fragments.parts import joined
from forge_assets.fragments.piece import (
    COPIES,
    as_json,
    figures,
    program_config,
    provenance,
    room,
    write_golden,
    write_pickles,
    write_text_files,
)
from forge_assets.fragments.plan import Plan
from forge_assets.fragments.stock import stock_config
from forge_assets.fragments.tokenizer import FILES, loaded, roles
from forge_assets.fragments.weights import Weight, weights_of
from forge_resources.errors import FragmentError

INDEX = "model.safetensors.index.json"
SHARD = 4 << 30
"""Most bytes of a shard."""
LOGITS = 1e-5
"""Largest difference between transformers' logits and the fragments', in the scale of the largest."""
AUTO_MAP = {"AutoConfig": "modeling_forge.ForgeConfig", "AutoModelForCausalLM": "modeling_forge.ForgeForCausalLM"}
USE = """
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained("."{trust})
"""


def text_of(pieces: Mapping[str, Path]) -> str:
    """The model's text, joined from those of the pieces."""
    return joined({name: (pieces[name] / "fragment.fdl").read_text(encoding="utf-8") for name in PIECES})


def write_assembled(
    plan: Plan, folder: Path, parents: Mapping[str, str], pieces: Mapping[str, Path], shard: int = SHARD, *, name: str = ASSEMBLED,
    settings: Mapping[str, Any] | None = None, rows: Mapping[str, str] | None = None, version: str = "",
) -> None:  # fmt: skip
    """Fills the folder from verified pieces. Raises FragmentError where transformers would not load exactly this model. `settings`
    and another data `version` go into `forge` of config.json, `rows` onto the card."""
    program = compiled(plan.text)
    weights = weights_of(program, CHAIN[name].model, plan.sizes)
    room(folder, COPIES * sum(one.bytes for one in weights.values()), name)
    metadata = provenance(plan, name, parents, plan.text)
    shards = _shards(weights, shard)
    _write_shards(folder, weights, shards, _tensors(pieces, weights), metadata)
    paths = [folder / name for name in shards]
    write_pickles(folder, paths)
    write_text_files(folder, program, plan.text)
    write_golden(plan, name, folder, program, paths, metadata)
    for file in FILES:
        shutil.copy(pieces[TOKENIZER] / file, folder / file)
    forge = {**program_config(plan, name, program, parents, settings), "weights": list(shards)}
    forge["data_version"] = version or forge["data_version"]
    config = config_of(plan, program, weights, folder) | {"forge": forge}
    custom = "auto_map" in config
    if custom:
        (folder / "modeling_forge.py").write_text(modeling(), encoding="utf-8")
    (folder / "config.json").write_text(as_json(config), encoding="utf-8")
    origin = ", in modeling_forge.py" if custom else " of transformers"
    shown = figures(weights) | {"class": config["architectures"][0] + origin, "shards": f"{len(shards)}"} | dict(rows or {})
    trust = ", trust_remote_code=True" if custom else ""
    (folder / "README.md").write_text(card(plan, name, parents, shown, USE.format(trust=trust)), encoding="utf-8")
    check_loads(folder)


def modeling() -> str:
    return (resources.files(__package__) / "modeling_forge.py.txt").read_text(encoding="utf-8")


def check_loads(folder: Path) -> float:
    """Loads the folder as a user of transformers does. Raises FragmentError for a tensor that is missing, unexpected or of another shape,
    and for logits that are not the golden ones; returns how far they are apart."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    custom = (folder / "modeling_forge.py").is_file()
    bars: Any = logging  # it has no types
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        given: Any = AutoModelForCausalLM.from_pretrained(
            folder, output_loading_info=True, trust_remote_code=custom, dtype=torch.float32, local_files_only=True
        )
    finally:
        if shown:
            bars.enable_progress_bar()
    model, report = given
    for what, names in report.items():
        if names:
            raise FragmentError(
                f"{folder}: transformers reports {what} {sorted(map(str, names))[:3]}; expected none, please report the stack"
            )
    numbers = dict(st.arrays(folder / "io.safetensors"))
    with torch.no_grad():
        logits = model(torch.from_numpy(np.array(numbers["inputs.ids"]))).logits.numpy()
    (wanted,) = (one for name, one in numbers.items() if name.startswith("outputs."))
    apart = difference(logits, wanted)
    if not apart <= LOGITS:
        raise FragmentError(
            f"{folder}: logits of {type(model).__name__} differ by {apart:.1e} of their scale from the fragments'; "
            f"expected {LOGITS:g} at most, please report the stack"
        )
    return apart


def _tensors(pieces: Mapping[str, Path], weights: Mapping[str, Weight]) -> dict[str, st.Array]:
    """Each tensor of the model, mapped from the first piece that holds it."""
    found: dict[str, st.Array] = {}
    for name in PIECES:
        for tensor, array in st.arrays(pieces[name] / "model.safetensors"):
            found.setdefault(tensor, array)
    if missing := sorted(weights.keys() - found.keys()):
        raise FragmentError(f"no piece holds {missing[0]}; expected it in one of {', '.join(PIECES)}")
    return found


def _shards(weights: Mapping[str, Weight], most: int) -> dict[str, list[str]]:
    """File name -> tensors, in the order of their names; a shard has at least one."""
    groups: list[list[str]] = [[]]
    size = 0
    for name in sorted(weights):
        if groups[-1] and size + weights[name].bytes > most:
            groups.append([])
            size = 0
        groups[-1].append(name)
        size += weights[name].bytes
    return {f"model-{number:05}-of-{len(groups):05}.safetensors": names for number, names in enumerate(groups, 1)}


def _write_shards(folder: Path, weights: Mapping[str, Weight], shards: Mapping[str, Sequence[str]], tensors: Mapping[str, st.Array],
                  metadata: Mapping[str, str]) -> None:  # fmt: skip
    for file, names in shards.items():
        st.write(folder / file, {name: ("F32", weights[name].shape) for name in names}, tensors.__getitem__, metadata)
    (folder / INDEX).write_text(as_json(index_of(weights, dict(_placed(shards)))), encoding="utf-8")


def index_of(weights: Mapping[str, Weight], placed: Mapping[str, str]) -> dict[str, Any]:
    """Which shard holds which tensor, as transformers reads it."""
    return {"metadata": {"total_size": sum(one.bytes for one in weights.values())}, "weight_map": dict(placed)}


def _placed(shards: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    return ((name, file) for file, names in shards.items() for name in names)


def _ids(folder: Path, plan: Plan) -> dict[str, int]:
    """The numbers of begin, end and padding."""
    made = loaded(folder)
    named = {f"{role}_id": token for role, token in roles(plan.special).items()}
    return {key: number for key, token in named.items() if (number := made.token_to_id(token)) is not None}


def config_of(plan: Plan, program: ir.Program, weights: Mapping[str, Weight], folder: Path) -> dict[str, Any]:
    """config.json as transformers reads it, without `forge`; the tokenizer in the folder gives the numbers of its roles."""
    stock = stock_config(plan, program, weights)
    own = {"architectures": ["ForgeForCausalLM"], "model_type": "forge", "auto_map": AUTO_MAP, "tie_word_embeddings": False}
    cached = stock is not None or decodes(program)
    common = {"vocab_size": plan.vocabulary, "max_position_embeddings": plan.context, "dtype": "float32", "use_cache": cached}
    return {**(stock or own), **common, **_ids(folder, plan)}


def decodes(program: ir.Program) -> bool:
    """Whether the text is causal, so that its printed module goes on from a cache."""
    return View.of(program).decodes(program.models[CHAIN[ASSEMBLED].model])
