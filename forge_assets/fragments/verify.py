"""Checks fragments that came from anywhere, without a database and without running anything of theirs.

`verify(root)` goes from the outside in: sums; headers and provenance; names; parents; tensors that two pieces share; pickles; the printed
code against what this Forge prints of the text; golden numbers. The first thing that does not hold is told with what was expected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.cpp import HEADERS
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.fragments import pickles
from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.assembled import AUTO_MAP, INDEX, config_of, index_of, modeling
from forge_assets.fragments.chain import ASSEMBLED, CHAIN, SUMS, TOKENIZER
from forge_assets.fragments.folder import check_sums, files, fragments_in, listed, sums_of
from forge_assets.fragments.golden import TOLERANCE, difference, golden_outputs
from forge_assets.fragments.piece import PICKLED, contract, printed, provenance, run_by
from forge_assets.fragments.plan import Plan, toolchain
from forge_assets.fragments.tokenizer import FILES, check_tokenizer, settings_of
from forge_assets.fragments.weights import weights_of
from forge_resources.errors import FdlError, FragmentError

KEPT = ("blueprint", "seed", "spec", "snapshot", "sizes", "slots", "context", "vocabulary", "special", "constants")
"""What all pieces of one model say alike."""
NEEDED = ("README.md", "config.json", "test_contract.py")
COMPUTING = ("fragment.fdl", "io.safetensors", "main.cpp", "module.hpp", "module_jax.py", "module_torch.py", *PICKLED)
LARGEST_TEXT = 16 << 20
LARGEST_SIZE, MOST_LAYERS = 1 << 24, 10_000


@dataclass(frozen=True, slots=True)
class Checked:
    """A fragment that held: its sums, its parents' sums as its header says, and its tensors' digests by name."""

    name: str
    folder: Path
    config: Mapping[str, Any]
    sums: str
    tensors: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    tokenizer: str | None = None  # sum of its tokenizer.json

    @property
    def parents(self) -> Mapping[str, str]:
        parents: Mapping[str, str] = self.config["parents"]
        return parents


def verify(root: Path, names: Sequence[str] = ()) -> list[Checked]:
    """All fragments of a folder, or those named. Raises FragmentError for the first that does not hold."""
    found = fragments_in(root)
    if not found:
        raise FragmentError(f"{root} holds no fragment; expected folders such as {next(iter(CHAIN))} or {', '.join(list(CHAIN)[1:3])}")
    for name in names:
        if name not in found:
            raise FragmentError(f"{name} is missing in {root}; there are {', '.join(found)}: ask whoever sent them for it")
    checked: list[Checked] = []
    for name, folder in found.items():
        if not names or name in names:
            one = verify_one(folder, name)
            _fits(one, checked)
            checked.append(one)
    return checked


def verify_one(folder: Path, name: str) -> Checked:
    check_sums(folder)
    config = read_config(folder)
    _only_known(folder, name, config)
    if config["fragment"] != name:
        told = "is it renamed or swapped?" if name in CHAIN else f"a fragment's folder has its name; rename it to {config['fragment']}"
        raise FragmentError(f"{folder} should hold {name}, and holds {config['fragment']} of {config['blueprint']}; {told}")
    fragment = CHAIN[name]
    if set(config["parents"]) != set(fragment.parents):
        told = ", ".join(map(str, config["parents"])) or "none"
        raise FragmentError(f"{folder} names the parents {told[:200]}; expected {', '.join(fragment.parents) or 'none'}")
    if name == TOKENIZER:
        check_tokenizer(folder, config)
        return Checked(name, folder, config, sums_of(folder), tokenizer=listed(folder)["tokenizer.json"])
    return _computing(folder, name, config)


def _only_known(folder: Path, name: str, config: Mapping[str, Any]) -> None:
    """Nothing that a loader would pick up and this check would not look at: other code, other weights, code from elsewhere."""
    known = {*NEEDED, "io.safetensors"}
    if name == TOKENIZER:
        known |= {*FILES, "sources.tsv"}
    else:
        known |= {*COMPUTING, *HEADERS, *map(str, config["weights"])}
    if name == ASSEMBLED:
        known |= {*FILES, "modeling_forge.py", INDEX}
        if missing := sorted({*FILES, INDEX} - {path.name for path in files(folder)}):
            raise FragmentError(f"{folder / missing[0]} is missing; transformers needs it: fetch the fragment again")
        auto_map = _json(folder / "config.json").get("auto_map", {})
        if auto_map not in ({}, AUTO_MAP) or bool(auto_map) != (folder / "modeling_forge.py").is_file():
            raise FragmentError(
                f"{folder / 'config.json'} would load code by {str(auto_map)[:100]}; expected {AUTO_MAP} with modeling_forge.py, or none"
            )
    if extra := sorted(path.name for path in files(folder) if path.name not in known):
        raise FragmentError(f"{folder / extra[0]} is no part of {name}; expected {', '.join(sorted(known))}")
    for file in (one for one in FILES if one != "tokenizer.json" and (folder / one).is_file()):
        if (folder / file).read_text(encoding="utf-8", errors="replace") != settings_of(plan_of(config, ""))[file]:
            raise FragmentError(
                f"{folder / file} is not what the configuration gives; a tokenizer's settings can name code: fetch it again"
            )


def read_config(folder: Path) -> dict[str, Any]:
    """`forge` of config.json. Raises FragmentError where it is missing or not of this form."""
    for needed in NEEDED:
        if not (folder / needed).is_file():
            raise FragmentError(f"{folder / needed} is missing; every fragment has {', '.join(NEEDED)} and {SUMS}: fetch it again")
    content = _json(folder / "config.json")
    config = content.get("forge") if isinstance(content, dict) else None
    if not isinstance(config, dict) or config.get("fragment") not in CHAIN:
        raise FragmentError(f"{folder / 'config.json'} names no fragment; expected `forge: {{fragment: one of {', '.join(CHAIN)}}}`")
    kinds = {"blueprint": str, "spec": str, "snapshot": str, "sizes": dict, "slots": dict, "parents": dict, "special": list, "context": int,
             "vocabulary": int, "seed": int, "toolchain": dict, "constants": dict, "licence": str}  # fmt: skip
    if config["fragment"] != TOKENIZER:
        kinds |= {"weights": list, "inputs": list, "outputs": list, "model": str}
    for key, kind in kinds.items():
        if type(config.get(key)) is not kind:
            raise FragmentError(f"{folder / 'config.json'}: forge.{key} is no {kind.__name__}; fetch the fragment again")
    if not all(
        isinstance(one, str) for one in (*config["parents"].values(), *config["special"], *config["slots"].values()) if one is not None
    ):
        raise FragmentError(f"{folder / 'config.json'}: forge.parents, special and slots are not all words; fetch the fragment again")
    if not all(type(size) is int and 0 < size <= LARGEST_SIZE for size in config["sizes"].values()):
        raise FragmentError(f"{folder / 'config.json'}: forge.sizes are not all whole numbers above 0; fetch the fragment again")
    return config


def plan_of(config: Mapping[str, Any], text: str) -> Plan:
    """The plan as a fragment carries it; the sources stand in the headers."""
    return Plan(
        config["blueprint"], text, config["sizes"], config["slots"], config["context"], config["vocabulary"], tuple(config["special"]),
        config["constants"], config["seed"], config["spec"], config["snapshot"], config["licence"],
    )  # fmt: skip


def _computing(folder: Path, name: str, config: Mapping[str, Any]) -> Checked:
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
    if name == ASSEMBLED:
        _laid_out(folder, config, text, program)
    _pickled(folder, tensors)
    notes = _code(folder, config, program)
    _golden(folder, name, config, program)
    return Checked(
        name,
        folder,
        config,
        sums_of(folder),
        {tensor: _digest(one) for tensor, one in tensors.items()},
        notes,
        listed(folder).get("tokenizer.json"),
    )


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


def _laid_out(folder: Path, config: Mapping[str, Any], text: str, program: ir.Program) -> None:
    """What transformers goes by: its configuration and the index of shards."""
    plan = plan_of(config, text)
    weights = weights_of(program, CHAIN[ASSEMBLED].model, plan.sizes)
    placed = {tensor: file for file in config["weights"] for tensor in st.header(folder / file).tensors}
    found = {key: value for key, value in _json(folder / "config.json").items() if key != "forge"}
    for file, given, expected in (
        ("config.json", found, config_of(plan, program, weights, folder)),
        (INDEX, _json(folder / INDEX), index_of(weights, placed)),
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


def _fits(one: Checked, before: Sequence[Checked]) -> None:
    """One model: the same plan, the parents whose sums it names, and the same bytes in tensors that two pieces hold."""
    known = {other.name: other for other in before}
    for other in before:
        for key in KEPT:
            if one.config[key] != other.config[key]:
                raise FragmentError(
                    f"{one.name} and {other.name} are of different models: {key} is {_short(one.config[key])} in the one and "
                    f"{_short(other.config[key])} in the other; expected pieces of one blueprint"
                )
    for parent, expected in one.parents.items():
        if parent in known and known[parent].sums != expected:
            raise FragmentError(
                f"{one.name} was made from another {parent}: expected {expected[:16]}..., found {known[parent].sums[:16]}...; "
                f"one of the two is swapped or of an older build"
            )
    for other in before:
        if one.tokenizer and other.tokenizer and one.tokenizer != other.tokenizer:
            raise FragmentError(f"{one.name} and {other.name} have different tokenizers; one of the two is swapped")
        for tensor, value in one.tensors.items():
            if other.tensors.get(tensor, value) != value:
                raise FragmentError(f"{one.name} and {other.name} hold {tensor} with different bytes; one of the two is swapped")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _digest(array: st.Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _json(path: Path) -> Any:
    if path.stat().st_size > LARGEST_TEXT:
        raise FragmentError(f"{path} has {path.stat().st_size:,} bytes; expected at most {LARGEST_TEXT:,}")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise FragmentError(f"{path} is no JSON; fetch the fragment again") from None
