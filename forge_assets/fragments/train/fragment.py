"""10-trained: `room and time -> tokens -> the run, alone or by torchrun -> run.json -> trained pieces -> the whole model`.

Its folder has 09-assembled's layout with trained weights, and beside them the run (run.json, train.jsonl), its curve, samples, and in
`pieces` each piece once more as a complete folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.assembled import write_assembled
from forge_assets.fragments.chain import CHAIN, PIECES, RUN, TOKENIZER
from forge_assets.fragments.folder import seal, sums_of
from forge_assets.fragments.making import Making
from forge_assets.fragments.piece import COPIES, as_json, write_piece
from forge_assets.fragments.plan import Cited, Plan
from forge_assets.fragments.train import settings as chosen_settings
from forge_assets.fragments.train.record import RUN_FILE, check_run
from forge_assets.fragments.train.run import CURVE, LOG, SAMPLES, keep_speed, rows, show, trained
from forge_resources.errors import FragmentError

PIECES_IN = "pieces"
CHECKPOINT = 3
"""Copies of the weights in a checkpoint: they and two moments."""


def settings(plan: Plan, chosen: Mapping[str, Any]) -> dict[str, Any]:
    return chosen_settings.as_settings(chosen_settings.resolved(chosen, plan.context))


def needed(plan: Plan, settings: Mapping[str, Any]) -> int:
    """Whole model and pieces in three formats, checkpoints while it trains, and the tokens."""
    from forge_assets.fragments.space import bytes_of

    training = chosen_settings.of(settings)
    whole, pieces = bytes_of(plan, "09-assembled"), sum(bytes_of(plan, name) for name in PIECES)
    width = 2 if plan.vocabulary <= 1 << 16 else 4
    return COPIES * (whole + pieces) + (training.keep + 1) * CHECKPOINT * whole + whole + width * (training.tokens + training.validation)


def known(config: Mapping[str, Any]) -> frozenset[str]:
    return frozenset({RUN_FILE, LOG, CURVE, SAMPLES})


def check(folder: Path, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Beyond what a whole model is checked for: the settings are those of a training, and the run is the one that is named."""
    chosen_settings.of(config["settings"])
    check_run(folder, config)
    for name in (LOG, CURVE, SAMPLES):
        if not (folder / name).is_file():
            raise FragmentError(f"{folder / name} is missing; a trained model tells how it was trained: fetch the fragment again")
    return ()


def write(making: Making) -> None:
    training = chosen_settings.of(making.settings)
    record, result = trained(making, training)
    content = as_json(record).encode()
    plan = replace(making.plan, run=hashlib.sha256(content).hexdigest())
    values = dict(st.arrays(result))
    pieces = {name: making.folder / PIECES_IN / name for name in PIECES}
    for name, folder in pieces.items():
        folder.mkdir(parents=True)
        before = making.root / name
        held = replace(plan, sources=_sources(plan, name, before))
        write_piece(held, name, folder, {name: sums_of(before), RUN: plan.run}, values.__getitem__)
        (folder / RUN_FILE).write_bytes(content)
        seal(folder)
    write_assembled(
        plan, making.folder, making.parents, {TOKENIZER: making.root / TOKENIZER, **pieces}, name=making.name, settings=making.settings,
        version=making.version, rows=rows(record),
    )  # fmt: skip
    (making.folder / RUN_FILE).write_bytes(content)
    shutil.copyfile(making.work / LOG, making.folder / LOG)
    show(making, training, record, result)
    keep_speed(making)


def _sources(plan: Plan, name: str, untrained: Path) -> tuple[Cited, ...]:
    """The documents that the untrained piece rests on, under the component that it holds."""
    documents = json.loads(st.header(untrained / "model.safetensors").metadata.get("source_documents", "[]"))
    held = next((component for slot in CHAIN[name].slots if (component := plan.slots.get(slot))), name)
    return tuple(Cited(held, str(document), None) for document in documents)
