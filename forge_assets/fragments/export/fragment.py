"""12-export: `trained model -> hf/, gguf/, onnx/ -> each held against transformers by its own client -> export.json and cards`."""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forge_assets.fragments.chain import EXPORT, SUMS
from forge_assets.fragments.making import Making
from forge_assets.fragments.plan import Plan
from forge_resources.errors import FragmentError

PACKAGES = ("gguf", "onnx", "onnxruntime", "onnxscript", "xllamacpp")
INSTALL = "`python3 -m tools.setup models` in a checkout, or `pip install 'forge-ai[models]'`"
RECORD = "export.json"
MEASURED, STEPS = 8192, 32
"""Tokens that perplexity is measured on, and tokens of greedy text that are compared."""
THREADS = 2
"""Of each client: their number goes into the last digits, so it is the same on every machine."""
COPIES = 3.9
"""Models on the disk: hf/, and f32, 8 and 4 bits for two programs."""


def settings(plan: Plan, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """`measured`, `steps`; with the versions of the packages, by which the files' bytes go."""
    made = {"measured": MEASURED, "steps": STEPS, **chosen}
    for name in ("measured", "steps"):
        if type(made[name]) is not int or made[name] < 2:
            raise FragmentError(f"{EXPORT}: {name} is {made[name]!r}; expected a whole number above 1")
    if unknown := sorted(made.keys() - {"measured", "steps"}):
        raise FragmentError(f"{EXPORT} has no setting {unknown[0]}; it has measured and steps")
    return {**made, "packages": packages()}


def packages() -> dict[str, str | None]:
    """Name -> version of those that are installed."""
    from importlib.metadata import version

    return {name: version(name) if importlib.util.find_spec(name) else None for name in PACKAGES}


def needed(plan: Plan, settings: Mapping[str, Any]) -> int:
    from forge_assets.fragments.space import bytes_of

    return int(COPIES * bytes_of(plan, "09-assembled"))


def write(making: Making) -> None:
    """Raises FragmentError where a package is missing, or where transformers or onnxruntime give other numbers than the fragments."""
    if missing := [name for name, found in packages().items() if found is None]:
        raise FragmentError(f"{EXPORT} needs the packages {', '.join(missing)}; install them by {INSTALL} and run the same again")
    from forge_assets.blueprints.fdl.check import compiled
    from forge_assets.fragments import safetensors_file as st
    from forge_assets.fragments.export import cards, formats, hub
    from forge_assets.fragments.export.measure import material
    from forge_assets.fragments.piece import as_json
    from forge_assets.fragments.reading import read_config
    from forge_assets.fragments.weights import weights_of

    plan, folder = making.plan, making.folder
    (parent,) = making.parents
    source = making.root / parent
    shards: list[str] = read_config(source)["weights"]
    program = compiled(plan.text)
    weights = weights_of(program, "LM", plan.sizes)
    (folder / formats.HUB).mkdir()
    hub.write(folder / formats.HUB, source, shards, plan, program, weights)
    shutil.copyfile(source / "io.safetensors", folder / "io.safetensors")
    (folder / "fragment.fdl").write_text(plan.text, encoding="utf-8")
    tensors = {name: one for file in shards for name, one in st.arrays(source / file)}
    with _threads(THREADS):
        client = hub.Transformers(folder / formats.HUB)
        text = material(making.texts, client, plan.special, making.settings["measured"], plan.context)
        work = formats.Exported(folder, plan, program, tensors, client, text, making.settings["steps"], THREADS)
        made = {}
        for name, make in ((formats.HUB, formats.hub), (formats.GGUF, formats.gguf), (formats.ONNX, formats.onnx)):
            made[name] = make(work)
            making.say(f"{EXPORT}: {name}, {made[name].get('refused') or 'read by ' + made[name]['client']}")
    record = {
        "formats": made,
        "measured": {"held_out": text.held_out, "tokens": len(text.tokens), "context": plan.context},
        "greedy": [{"prompt": one.prompt, "tokens": one.tokens, "text": one.text} for one in work.greedy],
        "weights": hub.placed_as(shards),
    }
    parameters = sum(math.prod(one.shape) for one in weights.values())
    (folder / RECORD).write_text(as_json(record), encoding="utf-8")
    (folder / "README.md").write_text(cards.fragment_card(plan, making.parents, record), encoding="utf-8")
    card = cards.model_card(plan, parameters, _training(source), record)
    (folder / formats.HUB / "README.md").write_text(card, encoding="utf-8")
    (folder / "config.json").write_text(as_json({"forge": {**making.config(), "weights": hub.placed_as(shards)}}), encoding="utf-8")


@contextmanager
def _threads(many: int) -> Iterator[None]:
    """PyTorch with so many threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(many)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _training(source: Path) -> dict[str, str]:
    """Rows of the training record, where the model has one."""
    from forge_assets.fragments.train.record import RUN_FILE
    from forge_assets.fragments.train.run import rows

    path = source / RUN_FILE
    return rows(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def known(config: Mapping[str, Any]) -> frozenset[str]:
    from forge_assets.fragments.assembled import INDEX
    from forge_assets.fragments.export.formats import GGUF_FILES, HUB, ONNX_FILES
    from forge_assets.fragments.tokenizer import FILES

    weights = [str(name) for name in config.get("weights", ())]
    in_hub = (*FILES, *weights, INDEX, "README.md", "config.json", "generation_config.json", "modeling_forge.py", "module_torch.py")
    data = (f"{name}.data" for name in ONNX_FILES.values())
    top = ("README.md", "config.json", "fragment.fdl", "io.safetensors", RECORD, SUMS)
    return frozenset({*top, *GGUF_FILES.values(), *ONNX_FILES.values(), *data, *(f"{HUB}/{name}" for name in in_hub)})


def check(folder: Path, config: Mapping[str, Any]) -> tuple[str, ...]:
    from forge_assets.fragments.export.checking import check

    return check(folder, config)
