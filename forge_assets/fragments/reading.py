"""Reads the configuration of a fragment that may come from anywhere: strictly, and nothing of it is run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forge_assets.fragments.chain import CHAIN, EXPORT, LORA, SUMS, TOKENIZER, TRAINED
from forge_assets.fragments.folder import LARGEST_TEXT, bounded
from forge_assets.fragments.plan import Plan
from forge_resources.errors import FragmentError

NEEDED = ("README.md", "config.json")
CONTRACT = "test_contract.py"
LARGEST_SIZE = 1 << 24


def read_config(folder: Path) -> dict[str, Any]:
    """`forge` of config.json. Raises FragmentError where it is missing or not of this form."""
    for needed in NEEDED:
        if not (folder / needed).is_file():
            raise FragmentError(f"{folder / needed} is missing; every fragment has {', '.join(NEEDED)} and {SUMS}: fetch it again")
    content = read_json(folder / "config.json")
    config = content.get("forge") if isinstance(content, dict) else None
    if not isinstance(config, dict) or config.get("fragment") not in CHAIN:
        raise FragmentError(f"{folder / 'config.json'} names no fragment; expected `forge: {{fragment: one of {', '.join(CHAIN)}}}`")
    kinds = {"blueprint": str, "spec": str, "snapshot": str, "sizes": dict, "slots": dict, "parents": dict, "special": list, "context": int,
             "vocabulary": int, "seed": int, "toolchain": dict, "constants": dict, "licence": str, "run": str}  # fmt: skip
    if config["fragment"] in (TRAINED, LORA, EXPORT):
        kinds["settings"] = dict
    if config["fragment"] not in (TOKENIZER, LORA, EXPORT):
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
        config["constants"], config["seed"], config["spec"], config["snapshot"], config["licence"], config["run"],
    )  # fmt: skip


def read_card(folder: Path) -> str:
    """README.md; what is no UTF-8 in it is replaced."""
    bounded(folder / "README.md", LARGEST_TEXT)
    return (folder / "README.md").read_text(encoding="utf-8", errors="replace")


def read_json(path: Path) -> Any:
    bounded(path, LARGEST_TEXT)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise FragmentError(f"{path} is no JSON; fetch the fragment again") from None
