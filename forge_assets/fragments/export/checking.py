"""Checks a 12-export that came from anywhere, running nothing of it: the weights against the text and the golden numbers, and each file
of another format against what this Forge makes of the weights."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.assembled import INDEX, index_of
from forge_assets.fragments.chain import ASSEMBLED, CHAIN, EXPORT
from forge_assets.fragments.export import gguf_file, hub, onnx_model
from forge_assets.fragments.export.formats import GGUF, GGUF_FILES, HUB, ONNX, ONNX_FILES
from forge_assets.fragments.export.fragment import PACKAGES, RECORD, packages
from forge_assets.fragments.export.llama_architectures import Array, Unrepresented, represented
from forge_assets.fragments.golden import TOLERANCE, difference, golden_outputs
from forge_assets.fragments.plan import Plan, toolchain
from forge_assets.fragments.reading import plan_of, read_json
from forge_assets.fragments.tokenizer import FILES, settings_of
from forge_assets.fragments.weights import weights_of
from forge_resources.errors import FdlError, FragmentError
from forge_resources.object_store.interface import digest

MODEL = CHAIN[ASSEMBLED].model
MOST_LAYERS = 10_000
NEEDED = ("fragment.fdl", "io.safetensors", RECORD, f"{HUB}/README.md", f"{HUB}/config.json", f"{HUB}/generation_config.json",
          *(f"{HUB}/{name}" for name in FILES))  # fmt: skip


def check(folder: Path, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Notes on what could not be compared. Raises FragmentError for the first thing that does not hold."""
    for needed in NEEDED:
        if not (folder / needed).is_file():
            raise FragmentError(f"{folder / needed} is missing; {EXPORT} has {', '.join(NEEDED)}: fetch it again")
    plan = plan_of(config, (folder / "fragment.fdl").read_text(encoding="utf-8"))
    program = _program(folder, plan)
    record = read_json(folder / RECORD)
    _text_files(folder, plan, program)
    shards = config.get("weights")
    tensors = _tensors(folder, plan, program, shards if isinstance(shards, list) else [])
    _golden(folder, plan, program, shards or [])
    return _formats(folder, config, plan, program, tensors, record)


def _program(folder: Path, plan: Plan) -> ir.Program:
    try:
        program = compiled(plan.text)
    except FdlError as error:
        raise FragmentError(f"{folder / 'fragment.fdl'} is no text that can be checked: {error}") from None
    if MODEL not in program.models:
        raise FragmentError(f"{folder / 'fragment.fdl'} has no model {MODEL}; expected the text of a whole model")
    if missing := sorted({*program.free_sizes} - {*plan.sizes, "b", "t", "s"}):
        raise FragmentError(f"{folder / 'config.json'}: forge.sizes lacks {', '.join(missing)}, which fragment.fdl needs")
    for run in ir.repeats(program.models[MODEL].stages):
        if run.count.value(plan.sizes) > MOST_LAYERS:
            raise FragmentError(
                f"{folder / 'config.json'}: forge.sizes ask for {run.count.value(plan.sizes):,} layers; {MOST_LAYERS:,} are the most"
            )
    return program


def _text_files(folder: Path, plan: Plan, program: ir.Program) -> None:
    """What transformers goes by: another configuration or another class would be code of the sender's."""
    expected = hub.texts(plan, program, weights_of(program, MODEL, plan.sizes), folder / HUB)
    expected |= {name: text for name, text in settings_of(plan).items() if name != "tokenizer.json"}
    for name in ("modeling_forge.py", "module_torch.py"):
        if name not in expected and (folder / HUB / name).exists():
            raise FragmentError(f"{folder / HUB / name} is code that the stack does not need; do not load it: take it out")
    for name, text in expected.items():
        path = folder / HUB / name
        if not path.is_file() or path.read_bytes() != text.encode():
            raise FragmentError(f"{path} is not what the plan gives; transformers would load or run something else: fetch it again")


def _tensors(folder: Path, plan: Plan, program: ir.Program, shards: Sequence[Any]) -> dict[str, Array]:
    tensors: dict[str, Array] = {}
    placed: dict[str, str] = {}
    for file in shards:
        if not isinstance(file, str) or Path(file).name != file or not (folder / HUB / file).is_file():
            raise FragmentError(f"{folder}: config.json names {str(file)[:80]!r} among the weights, and there is no such file in {HUB}")
        found = dict(st.arrays(folder / HUB / file))
        tensors |= found
        placed |= dict.fromkeys(found, file)
    weights = weights_of(program, MODEL, plan.sizes)
    for name, one in weights.items():
        if name not in tensors or tensors[name].shape != one.shape or tensors[name].dtype != np.float32:
            held = f"{tensors[name].dtype}{list(tensors[name].shape)}" if name in tensors else "nothing"
            raise FragmentError(f"{folder / HUB}: {name} is {held}; fragment.fdl needs float32{list(one.shape)}")
    if extra := sorted(tensors.keys() - weights.keys()):
        raise FragmentError(f"{folder / HUB}: it holds {extra[0]}, which fragment.fdl does not name")
    if len(shards) > 1 and read_json(folder / HUB / INDEX) != index_of(weights, placed):
        raise FragmentError(f"{folder / HUB / INDEX} is not what the shards give; fetch it again")
    return tensors


def _golden(folder: Path, plan: Plan, program: ir.Program, shards: Sequence[str]) -> None:
    path = folder / "io.safetensors"
    numbers = {name: np.array(one) for name, one in st.arrays(path)}
    ids, wanted = numbers.get("inputs.ids"), numbers.get("outputs.logits")
    if ids is None or wanted is None or ids.ndim != 2 or ids.min(initial=0) < 0 or ids.max(initial=0) >= plan.vocabulary:
        raise FragmentError(f"{path} has no ids [b, t] of the vocabulary with their logits; fetch it again")
    try:
        found = golden_outputs(program, MODEL, plan.sizes, [folder / HUB / file for file in shards], {"ids": ids})["logits"]
    except (RuntimeError, ValueError, IndexError) as error:
        raise FragmentError(f"{path}: its inputs do not fit ({str(error).splitlines()[0][:200]})") from None
    apart = difference(found, wanted)
    if not apart <= TOLERANCE:
        raise FragmentError(f"{path}: logits are {apart:.1e} of their scale off what the weights give; {TOLERANCE:g} is allowed")


def _formats(
    folder: Path, config: Mapping[str, Any], plan: Plan, program: ir.Program, tensors: Mapping[str, Array], record: Any
) -> tuple[str, ...]:
    """Made anew beside, and compared byte by byte; a note where another version of Forge or of a package made them."""
    told = record.get("formats") if isinstance(record, dict) else None
    if not isinstance(told, dict) or not all(isinstance(told.get(name), dict) for name in (HUB, GGUF, ONNX)):
        raise FragmentError(f"{folder / RECORD} does not tell what was made; fetch it again")
    here = packages()
    if missing := [name for name in PACKAGES if here[name] is None]:
        return (f"its GGUF and ONNX files were not compared: {', '.join(missing)} is not installed here",)
    if config["settings"].get("packages") != here or config["toolchain"] != toolchain():
        return ("its GGUF and ONNX files were made by other versions and were not compared; the sums tell that they are as they were sent",)
    with tempfile.TemporaryDirectory() as aside:
        if "refused" not in told[GGUF]:
            _gguf(folder, Path(aside), plan, program, tensors)
        _equal(folder, Path(aside), GGUF)
        if "refused" not in told[ONNX]:
            _onnx(Path(aside), plan, program, tensors)
        _equal(folder, Path(aside), ONNX)
    return ()


def _gguf(folder: Path, made: Path, plan: Plan, program: ir.Program, tensors: Mapping[str, Array]) -> None:
    (made / GGUF).mkdir()
    try:
        model = represented(plan, program, tensors)
        for kind, file in GGUF_FILES.items():
            gguf_file.write(made / file, model, plan, folder / HUB / "tokenizer.json", kind)
    except Unrepresented as error:
        raise FragmentError(f"{folder / RECORD} tells of GGUF, but {error}") from None


def _onnx(made: Path, plan: Plan, program: ir.Program, tensors: Mapping[str, Array]) -> None:
    (made / ONNX).mkdir()
    onnx_model.write(made / ONNX_FILES["f32"], program, plan.sizes, plan.context, tensors, onnx_model.about(plan))
    for kind in onnx_model.BITS:
        onnx_model.quantised(made / ONNX_FILES["f32"], made / ONNX_FILES[kind], kind)


def _equal(folder: Path, made: Path, name: str) -> None:
    expected = _names(made / name)
    if odd := sorted(expected ^ _names(folder / name)):
        state = "missing" if odd[0] in expected else "not among the files that the record tells of"
        raise FragmentError(f"{folder / name / odd[0]} is {state}; fetch the fragment again")
    for file in sorted(expected):
        if digest(made / name / file) != digest(folder / name / file):
            raise FragmentError(f"{folder / name / file} does not hold the weights of {HUB} as Forge writes them: fetch it again")


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()
