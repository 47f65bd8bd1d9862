"""Checks a fragment that computes, from the outside in: headers and provenance; tensors; pickles; the printed code; golden numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.fragments import pickles
from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.assembled import INDEX, config_of, index_of, modeling
from forge_assets.fragments.chain import CHAIN, WHOLE
from forge_assets.fragments.golden import TOLERANCE, difference, golden_outputs
from forge_assets.fragments.piece import PICKLED, contract, printed, provenance, run_by
from forge_assets.fragments.plan import toolchain
from forge_assets.fragments.reading import plan_of, read_json
from forge_assets.fragments.weights import weights_of
from forge_resources.errors import FdlError, FragmentError

COMPUTING = ("fragment.fdl", "io.safetensors", "main.cpp", "module.hpp", "module_jax.py", "module_torch.py", *PICKLED)
MOST_LAYERS = 10_000
UNCACHED = ("1", "2")
"""Versions of Forge whose own class had no cache; what they made is as it was."""


def check_computing(folder: Path, name: str, config: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Digests of its tensors by name, and notes. Raises FragmentError for the first thing that does not hold."""
    for needed in COMPUTING:
        if not (folder / needed).is_file():
            raise FragmentError(f"{folder / needed} is missing; {name} has {', '.join(COMPUTING)}: fetch it again")
    text = (folder / "fragment.fdl").read_text(encoding="utf-8")
    try:
        program = compiled(text)
    except FdlError as error:
        raise FragmentError(f"{folder / 'fragment.fdl'} is no text that can be checked: {error}") from None
    model = CHAIN[name].model
    if model not in program.models:
        raise FragmentError(f"{folder / 'fragment.fdl'} has no model {model}; expected the text of {name}")
    if missing := sorted({*program.free_sizes} - {*config["sizes"], "b", "t", "s"}):
        raise FragmentError(f"{folder / 'config.json'}: forge.sizes lacks {', '.join(missing)}, which fragment.fdl needs")
    for run in ir.repeats(program.models[model].stages):
        if run.count.value(config["sizes"]) > MOST_LAYERS:
            raise FragmentError(
                f"{folder / 'config.json'}: forge.sizes ask for {run.count.value(config['sizes']):,} layers; {MOST_LAYERS:,} are the most"
            )
    for key, told in run_by(program, model, config["sizes"]).items():
        if config.get(key) != told:
            raise FragmentError(f"{folder / 'config.json'}: forge.{key} is {str(config.get(key))[:80]!r}; expected {str(told)[:80]!r}")
    wanted = {tensor: one.shape for tensor, one in weights_of(program, model, config["sizes"]).items()}
    tensors = _weights(folder, name, config, text, wanted)
    if name in WHOLE:
        _laid_out(folder, name, config, text, program)
    _pickled(folder, tensors)
    notes = _code(folder, config, program)
    _golden(folder, name, config, program)
    return {tensor: _digest(one) for tensor, one in tensors.items()}, notes


def _weights(folder: Path, name: str, config: Mapping[str, Any], text: str, wanted: Mapping[str, tuple[int, ...]]) -> dict[str, st.Array]:
    """Tensors by name, after their headers were held against config, text and sizes."""
    expected = provenance(plan_of(config, text), name, config["parents"], text)
    tensors: dict[str, st.Array] = {}
    for file in (*config["weights"], "io.safetensors"):
        if Path(str(file)).name != file or not (folder / file).is_file():
            raise FragmentError(f"{folder}: config.json names {str(file)[:80]!r} among the weights, and there is no such file")
        head = st.header(folder / file)
        for key, value in expected.items():
            if key not in head.metadata:
                raise FragmentError(f"{folder / file}: its header does not tell {key}; expected {value[:80]!r}")
            if key != "source_documents" and head.metadata[key] != value:
                raise FragmentError(f"{folder / file}: its header says {key} {head.metadata[key][:80]!r}; expected {value[:80]!r}")
        if file != "io.safetensors":
            tensors |= dict(st.arrays(folder / file, head))
    for tensor, shape in wanted.items():
        if tensor not in tensors:
            raise FragmentError(f"{folder}: the tensor {tensor} is missing; fragment.fdl needs it with the shape {list(shape)}")
        if tensors[tensor].shape != shape or tensors[tensor].dtype != np.float32:
            found = tensors[tensor]
            raise FragmentError(f"{folder}: {tensor} is {found.dtype}{list(found.shape)}; expected float32{list(shape)}")
    if extra := sorted(tensors.keys() - wanted.keys()):
        raise FragmentError(f"{folder}: it holds {extra[0]}, which fragment.fdl does not name; it belongs to another piece")
    return tensors


def _laid_out(folder: Path, name: str, config: Mapping[str, Any], text: str, program: ir.Program) -> None:
    """What transformers goes by: its configuration and the index of shards."""
    plan = plan_of(config, text)
    weights = weights_of(program, CHAIN[name].model, plan.sizes)
    placed = {tensor: file for file in config["weights"] for tensor in st.header(folder / file).tensors}
    found = {key: value for key, value in read_json(folder / "config.json").items() if key != "forge"}
    derived = config_of(plan, program, weights, folder)
    if "auto_map" in derived and config["toolchain"].get("fragments") in UNCACHED:
        derived["use_cache"] = False
    for file, given, expected in (
        ("config.json", found, derived),
        (INDEX, read_json(folder / INDEX), index_of(weights, placed)),
    ):
        if given != expected:
            keys = given.keys() | expected.keys() if isinstance(given, dict) else expected.keys()
            wrong = next((key for key in sorted(keys) if not isinstance(given, dict) or given.get(key) != expected.get(key)), "it")
            raise FragmentError(f"{folder / file}: {wrong} is not what the pieces give; expected {str(expected.get(wrong))[:100]}")


def _pickled(folder: Path, tensors: Mapping[str, st.Array]) -> None:
    for file in PICKLED:
        found = pickles.load(folder / file)
        if found.keys() != tensors.keys():
            differing = sorted(found.keys() ^ tensors.keys())[0]
            raise FragmentError(f"{folder / file} does not hold the tensors of the safetensors: {differing} is in one of them only")
        for name, one in found.items():
            same = tuple(one.shape) == tensors[name].shape and str(one.dtype) == "torch.float32"
            if not same or one.contiguous().numpy().tobytes() != tensors[name].tobytes():
                raise FragmentError(f"{folder / file}: {name} is not what the safetensors hold; expected the same bytes")


def _code(folder: Path, config: Mapping[str, Any], program: Any) -> tuple[str, ...]:
    """The printed files against what this Forge prints; a note where another version printed them, for then they cannot be compared."""
    if (version := config["toolchain"].get("fragments")) != toolchain()["fragments"]:
        return (f"its code was printed by another version of Forge ({version}) and was not compared; read it before you run it",)
    expected = {**printed(program), "test_contract.py": contract()}
    if (folder / "modeling_forge.py").is_file():
        expected["modeling_forge.py"] = modeling()
    for name, text in expected.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode():
            raise FragmentError(f"{path} is not what fragment.fdl prints; expected Forge's own print; do not run it")
    return ()


def _golden(folder: Path, name: str, config: Mapping[str, Any], program: Any) -> None:
    model = CHAIN[name].model
    numbers = {key: np.array(one) for key, one in st.arrays(folder / "io.safetensors")}
    inputs = {}
    for one in program.models[model].inputs:
        found = numbers.get(f"inputs.{one.name}")
        if found is None or found.ndim != len(one.axes):
            raise FragmentError(f"{folder / 'io.safetensors'} has no input {one.name} with the axes {','.join(one.axes)}")
        if one.dtype == "i64" and (found.min(initial=0) < 0 or found.max(initial=0) >= config["vocabulary"]):
            raise FragmentError(f"{folder / 'io.safetensors'}: {one.name} holds tokens outside the vocabulary of {config['vocabulary']:,}")
        inputs[one.name] = found
    try:
        made = golden_outputs(program, model, config["sizes"], _weight_files(folder, config), inputs)
    except (RuntimeError, ValueError, IndexError) as error:
        raise FragmentError(f"{folder / 'io.safetensors'}: its inputs do not fit ({str(error).splitlines()[0][:200]})") from None
    for output, value in made.items():
        wanted = numbers.get(f"outputs.{output}", np.zeros(0, np.float32))
        apart = difference(value, wanted)
        if not apart <= TOLERANCE:
            raise FragmentError(
                f"{folder / 'io.safetensors'}: {output} is {apart:.1e} of its scale off what the weights give; {TOLERANCE:g} is allowed"
            )


def _weight_files(folder: Path, config: Mapping[str, Any]) -> list[Path]:
    return [folder / name for name in config["weights"]]


def _digest(array: st.Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
