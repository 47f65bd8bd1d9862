"""Whether the disk has room for all fragments that are to be built, asked before the first of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forge_assets.blueprints.fdl.check import compiled
from forge_assets.fragments.chain import CHAIN, SUMS, TOKENIZER
from forge_assets.fragments.kinds import KINDS
from forge_assets.fragments.piece import COPIES
from forge_assets.fragments.plan import Plan
from forge_assets.fragments.weights import weights_of
from forge_resources.errors import FragmentError


def check_room(plan: Plan, root: Path, names: Sequence[str], settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises FragmentError where those that are not there yet would not fit."""
    needed = {name: needed_by(plan, name, settings.get(name, {})) for name in names if not (root / name / SUMS).is_file()}
    free, total = shutil.disk_usage(root).free, sum(needed.values())
    if total * 1.05 > free:
        largest = ", ".join(f"{name} {size / 2**30:,.1f}" for name, size in sorted(needed.items(), key=lambda one: -one[1])[:3])
        raise FragmentError(
            f"the fragments of {plan.blueprint} need {total / 2**30:,.1f} GiB ({largest}), {root} has {free / 2**30:,.1f} GiB free; "
            "make room, let FORGE_HOME lie on another disk, or stop before with --until"
        )


def needed_by(plan: Plan, name: str, settings: Mapping[str, Any]) -> int:
    """Bytes."""
    if name == TOKENIZER:
        return 0
    return KINDS[name].needed(plan, settings) if name in KINDS else COPIES * bytes_of(plan, name)


def bytes_of(plan: Plan, name: str) -> int:
    """Of the float32 weights that a fragment holds."""
    return sum(one.bytes for one in weights_of(compiled(plan.parts[name]), CHAIN[name].model, plan.sizes).values())
