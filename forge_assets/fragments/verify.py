"""Checks fragments that came from anywhere, without a database and without running anything of theirs.

`verify(root)` goes from the outside in: sums; headers and provenance; names; parents; tensors that two pieces share; pickles; the printed
code against what this Forge prints of the text; golden numbers. The first thing that does not hold is told with what was expected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forge_assets.blueprints.fdl.backends.cpp import HEADERS
from forge_assets.fragments.assembled import AUTO_MAP, INDEX
from forge_assets.fragments.chain import ASSEMBLED, CHAIN, EXPORT, LORA, PIECES, RUN, TOKENIZER, TRAINED, WHOLE
from forge_assets.fragments.computing import COMPUTING, check_computing
from forge_assets.fragments.folder import check_sums, fragments_in, listed, named, sums_of
from forge_assets.fragments.kinds import KINDS
from forge_assets.fragments.reading import CONTRACT, NEEDED, plan_of, read_config, read_json
from forge_assets.fragments.tokenizer import FILES, check_tokenizer, settings_of
from forge_assets.fragments.train.record import RUN_FILE, check_run
from forge_resources.errors import FragmentError

KEPT = ("blueprint", "seed", "spec", "snapshot", "sizes", "slots", "context", "vocabulary", "special", "constants")
"""What all pieces of one model say alike."""


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
    pieces: tuple[Checked, ...] = ()  # those of 10-trained

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
    if set(config["parents"]) != set(expected := parents_of(name, config)):
        told = ", ".join(map(str, config["parents"])) or "none"
        raise FragmentError(f"{folder} names the parents {told[:200]}; expected {', '.join(expected) or 'none'}")
    if name == TOKENIZER:
        check_tokenizer(folder, config)
        return Checked(name, folder, config, sums_of(folder), tokenizer=listed(folder)["tokenizer.json"])
    if name in (LORA, EXPORT):
        return Checked(name, folder, config, sums_of(folder), notes=KINDS[name].check(folder, config))
    tensors, notes = check_computing(folder, name, config)
    if name in PIECES and config["run"]:
        check_run(folder, config)
    made = Checked(name, folder, config, sums_of(folder), tensors, notes, listed(folder).get("tokenizer.json"))
    return _trained(made) if name == TRAINED else made


def parents_of(name: str, config: Mapping[str, Any]) -> tuple[str, ...]:
    """A trained piece is made of the untrained one by a run; an adapter may stand on a model from elsewhere."""
    if name in PIECES and config["run"]:
        return name, RUN
    return () if name == LORA and config["settings"].get("base") else CHAIN[name].parents


def _trained(one: Checked) -> Checked:
    """With the run and the pieces that are in it, each complete, which hold the same tensors."""
    notes = KINDS[TRAINED].check(one.folder, one.config)
    pieces: list[Checked] = []
    for name in PIECES:
        piece = verify_one(one.folder / "pieces" / name, name)
        _fits(piece, [*pieces, one])
        pieces.append(piece)
    return replace(one, notes=(*one.notes, *notes), pieces=tuple(pieces))


def _only_known(folder: Path, name: str, config: Mapping[str, Any]) -> None:
    """Nothing that a loader would pick up and this check would not look at: other code, other weights, code from elsewhere."""
    present = named(folder)
    known = _known(name, config)
    if name == TRAINED:
        present = {file: path for file, path in present.items() if not file.startswith(tuple(f"pieces/{piece}/" for piece in PIECES))}
    if name not in (LORA, EXPORT) and CONTRACT not in present:
        raise FragmentError(f"{folder / CONTRACT} is missing; {name} has one: fetch the fragment again")
    if name in WHOLE:
        if missing := sorted({*FILES, INDEX} - set(present)):
            raise FragmentError(f"{folder / missing[0]} is missing; transformers needs it: fetch the fragment again")
        auto_map = read_json(folder / "config.json").get("auto_map", {})
        if auto_map not in ({}, AUTO_MAP) or bool(auto_map) != (folder / "modeling_forge.py").is_file():
            raise FragmentError(
                f"{folder / 'config.json'} would load code by {str(auto_map)[:100]}; expected {AUTO_MAP} with modeling_forge.py, or none"
            )
    if extra := sorted(set(present) - known):
        raise FragmentError(f"{folder / extra[0]} is no part of {name}; expected {', '.join(sorted(known))}")
    for file in (one for one in FILES if one != "tokenizer.json" and one in present and name in (TOKENIZER, *WHOLE)):
        if (folder / file).read_text(encoding="utf-8", errors="replace") != settings_of(plan_of(config, ""))[file]:
            raise FragmentError(
                f"{folder / file} is not what the configuration gives; a tokenizer's settings can name code: fetch it again"
            )


def _known(name: str, config: Mapping[str, Any]) -> frozenset[str]:
    if name in (LORA, EXPORT):
        return KINDS[name].known(config)
    known = {*NEEDED, CONTRACT, "io.safetensors"}
    if name == TOKENIZER:
        return frozenset({*known, *FILES, "sources.tsv"})
    known |= {*COMPUTING, *HEADERS, *map(str, config["weights"])}
    if name in WHOLE:
        known |= {*FILES, "modeling_forge.py", INDEX}
    if name == TRAINED:
        known |= KINDS[name].known(config)
    return frozenset(known | {RUN_FILE} if name in PIECES and config["run"] else known)


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
        if other.name in PIECES and one.name in (*PIECES, ASSEMBLED) and one.config["run"] != other.config["run"]:
            raise FragmentError(
                f"{one.name} and {other.name} are of different training runs: {_ran(one)} and {_ran(other)}; expected pieces of one run"
            )
    for piece in (one, *one.pieces):
        _descends(piece, known)
    for other in before:
        if one.tokenizer and other.tokenizer and one.tokenizer != other.tokenizer:
            raise FragmentError(f"{one.name} and {other.name} have different tokenizers; one of the two is swapped")
        if one.config["run"] == other.config["run"]:
            for tensor, value in one.tensors.items():
                if other.tensors.get(tensor, value) != value:
                    raise FragmentError(f"{one.name} and {other.name} hold {tensor} with different bytes; one of the two is swapped")


def _descends(one: Checked, known: Mapping[str, Checked]) -> None:
    for parent, expected in one.parents.items():
        if parent in known and known[parent].sums != expected:
            raise FragmentError(
                f"{one.name} was made from another {parent}: expected {expected[:16]}..., found {known[parent].sums[:16]}...; "
                f"one of the two is swapped or of an older build"
            )


def _ran(one: Checked) -> str:
    return f"{one.config['run'][:16]}..." if one.config["run"] else "none"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
