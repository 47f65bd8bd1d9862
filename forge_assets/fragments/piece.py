"""The folder of a piece that computes: text, printed code, weights in three formats, golden numbers, contract and card."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.stages import class_name, snake
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.fragments import pickles
from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.card import card
from forge_assets.fragments.chain import CHAIN
from forge_assets.fragments.golden import golden_inputs, golden_outputs, static_sizes
from forge_assets.fragments.plan import Plan, data_version, toolchain
from forge_assets.fragments.weights import Weight, first_values, weights_of
from forge_resources.errors import FragmentError

PRINTED = ("torch", "jax", "cpp")
PICKLED = ("model.pt", "pytorch_model.bin")
COPIES = 1 + len(PICKLED)
USE = """
from safetensors.torch import load_file
from module_torch import {torch}, Sizes

piece = {torch}({sizes})
piece.load_state_dict(load_file("model.safetensors"))
"""


def write_piece(
    plan: Plan, fragment: str, folder: Path, parents: Mapping[str, str], values: Callable[[str], st.Array] | None = None
) -> None:
    """Fills the folder of one of 02-embedding ... 08-head with these `values` of its tensors, else with first ones. Raises FragmentError
    where it does not fit onto the disk."""
    text = plan.parts[fragment]
    program = compiled(text)
    weights = weights_of(program, CHAIN[fragment].model, plan.sizes)
    room(folder, COPIES * sum(one.bytes for one in weights.values()), fragment)
    metadata = provenance(plan, fragment, parents, text)
    path = folder / "model.safetensors"
    shapes = {name: ("F32", one.shape) for name, one in weights.items()}
    st.write(path, shapes, values or (lambda name: first_values(name, weights[name], plan.seed)), metadata)
    write_pickles(folder, [path])
    config = program_config(plan, fragment, program, parents)
    write_text_files(folder, program, text)
    write_golden(plan, fragment, folder, program, [path], metadata)
    (folder / "config.json").write_text(as_json({"forge": config}), encoding="utf-8")
    (folder / "README.md").write_text(card(plan, fragment, parents, figures(weights), use(config)), encoding="utf-8")


def room(folder: Path, needed: int, fragment: str) -> None:
    free = shutil.disk_usage(folder).free
    if needed * 1.05 > free:
        raise FragmentError(
            f"{fragment} needs {needed / 2**30:,.1f} GiB (safetensors, .pt and .bin), {folder.parent} has {free / 2**30:,.1f} GiB free; "
            "make room, or let FORGE_HOME lie on another disk"
        )


def provenance(plan: Plan, fragment: str, parents: Mapping[str, str], text: str) -> dict[str, str]:
    """What the header of the weights says of where they come from."""
    documents = list(dict.fromkeys(one.document for one in plan.cited(fragment)))
    return {
        "format": "pt",
        "fragment": fragment,
        "blueprint": plan.blueprint,
        "parents": json.dumps(dict(parents), sort_keys=True),
        "spec_sha256": plan.spec,
        "fdl_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "corpus_snapshot": plan.snapshot,
        "seed": str(plan.seed),
        "training_run": plan.run,
        "source_documents": json.dumps(documents, ensure_ascii=False),
    }


def program_config(
    plan: Plan, fragment: str, program: ir.Program, parents: Mapping[str, str], settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`forge` in config.json: the resolved plan, and what the contract needs to run the printed code."""
    return {
        **({} if settings is None else {"settings": dict(settings)}),
        **plan.resolved(),
        "fragment": fragment,
        "parents": dict(parents),
        "toolchain": toolchain(),
        "data_version": data_version(plan, fragment, parents, settings),
        **run_by(program, CHAIN[fragment].model, plan.sizes),
        "weights": ["model.safetensors"],
    }


def run_by(program: ir.Program, name: str, sizes: Mapping[str, int]) -> dict[str, Any]:
    """By which the contract runs the printed code."""
    model = program.models[name]
    axes = [*(one.axes for one in model.inputs), *(one.axes for one in model.results)]
    along = all(len(one) > 1 and one[1] == "t" and "s" not in one for one in axes)
    return {
        "model": name,
        "torch": class_name(name),
        "jax": snake(name),
        "inputs": [one.name for one in model.inputs],
        "outputs": [one.name for one in model.results],
        "static": static_sizes(program, sizes),
        "cpp_sizes": {axis: sizes[axis] for axis in program.free_sizes if axis in sizes},
        "causal": along,
    }


def printed(program: ir.Program) -> dict[str, str]:
    """File name -> text: PyTorch, JAX, and C++ with the headers it includes."""
    return {name: text for backend in PRINTED for name, text in BACKENDS[backend].print(program).items()}


def write_text_files(folder: Path, program: ir.Program, text: str) -> None:
    (folder / "fragment.fdl").write_text(text, encoding="utf-8")
    for name, content in printed(program).items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "test_contract.py").write_text(contract(), encoding="utf-8")


def contract() -> str:
    return (resources.files(__package__) / "contract.py.txt").read_text(encoding="utf-8")


def write_pickles(folder: Path, paths: Sequence[Path]) -> None:
    """The same tensors as `.pt` and `.bin`, under their final names, from which their bytes depend."""
    import numpy as np
    import torch

    tensors = {name: torch.from_numpy(np.array(one)) for path in paths for name, one in st.arrays(path)}
    for name in PICKLED:
        pickles.write(folder / name, tensors)


def write_golden(
    plan: Plan, fragment: str, folder: Path, program: ir.Program, weights: Sequence[Path], metadata: Mapping[str, str]
) -> None:
    model = CHAIN[fragment].model
    inputs = golden_inputs(program, model, plan.sizes, plan.seed, plan.context)
    outputs = golden_outputs(program, model, plan.sizes, weights, inputs)
    arrays = {f"inputs.{name}": one for name, one in inputs.items()} | {f"outputs.{name}": one for name, one in outputs.items()}
    st.write_arrays(folder / "io.safetensors", arrays, metadata)


def figures(weights: Mapping[str, Weight]) -> dict[str, str]:
    return {"parameters": f"{sum(one.bytes // 4 for one in weights.values()):,}", "tensors": f"{len(weights):,}", "dtype": "float32"}


def use(config: Mapping[str, Any]) -> str:
    sizes = ", ".join(f"{name}={size}" for name, size in config["static"].items())
    told = USE.format(torch=config["torch"], sizes=f"Sizes({sizes})" if sizes else "")
    return told if sizes else told.replace(", Sizes\n", "\n")


def as_json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
