"""Checkpoints: all that a run needs to go on as if it had never stopped. No pickle in them.

A folder `step-00000020` holds `weights.safetensors`, `optimizer.safetensors`, and `state.json`, written last with the hashes of both; it is
written under another name, brought to the disk and renamed, so that a killed run leaves a whole checkpoint or none. Tensors are stored
whole; another number of processes can go on from them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from forge_assets.fragments.train.learner import Learner
from forge_assets.fragments.train.processes import Processes
from forge_resources.object_store.interface import digest

STATE, WEIGHTS, OPTIMIZER = "state.json", "weights.safetensors", "optimizer.safetensors"
Optimizers = list[torch.optim.Optimizer]


def save(folder: Path, step: int, learner: Learner, optimizers: Optimizers, keep: int, here: Processes) -> None:
    """Every process calls it, the first writes."""
    weights = {name: _whole(one) for name, one in learner.weights().items()}
    tensors, numbers = _states(optimizers)
    if here.first:
        aside, final = folder / f".writing-{step:08}", folder / f"step-{step:08}"
        for left in (aside, final):
            shutil.rmtree(left, ignore_errors=True)
        aside.mkdir(parents=True)
        save_file(weights, aside / WEIGHTS)
        save_file({**tensors, "random": torch.get_rng_state()}, aside / OPTIMIZER)
        state = {"step": step, "numbers": numbers, "sums": {name: digest(aside / name) for name in (WEIGHTS, OPTIMIZER)}}
        (aside / STATE).write_text(json.dumps(state) + "\n")
        for path in (*aside.iterdir(), aside):
            _to_disk(path)
        aside.rename(final)
        _to_disk(folder)
        for old in sorted(folder.glob("step-*"))[:-keep]:
            shutil.rmtree(old)
    here.wait()


def latest(folder: Path) -> Path | None:
    """The newest whole checkpoint; a damaged one is passed over."""
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            sums = json.loads((path / STATE).read_text())["sums"]
            if all(digest(path / name) == told for name, told in sums.items()):
                return path
        except (OSError, ValueError, KeyError):
            continue
    return None


def restore(found: Path, learner: Learner, optimizers: Optimizers) -> int:
    """Puts weights and optimizers back in place; returns the step."""
    state = json.loads((found / STATE).read_text())
    load_weights(learner, load_file(found / WEIGHTS))
    tensors = load_file(found / OPTIMIZER)
    torch.set_rng_state(tensors.pop("random"))
    for number, optimizer in enumerate(optimizers):
        held = optimizer.state_dict()
        weights = [one for group in optimizer.param_groups for one in group["params"]]
        found_state: dict[int, dict[str, Any]] = {}
        for name, value in {**tensors, **state["numbers"]}.items():
            which, index, key = name.split("/", 2)
            if int(which) == number:
                like = weights[int(index)]
                found_state.setdefault(int(index), {})[key] = _as(value, like) if isinstance(value, torch.Tensor) else value
        optimizer.load_state_dict({"state": found_state, "param_groups": held["param_groups"]})
    return int(state["step"])


def load_weights(learner: Learner, values: dict[str, torch.Tensor]) -> None:
    """Each weight of the model gets its value, split where the weight is."""
    with torch.no_grad():
        for name, one in learner.weights().items():
            one.copy_(_as(values[name], one))


def weights_digest(values: dict[str, torch.Tensor]) -> str:
    """SHA-256 over names and bytes."""
    found = hashlib.sha256()
    for name in sorted(values):
        found.update(name.encode() + values[name].contiguous().numpy().tobytes())
    return found.hexdigest()


def whole_weights(learner: Learner) -> dict[str, torch.Tensor]:
    """On the CPU, in float32; every process calls it."""
    return {name: _whole(one).float() for name, one in learner.weights().items()}


def _states(optimizers: Optimizers) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """`optimizer/weight/name` -> a tensor, or a number."""
    tensors: dict[str, torch.Tensor] = {}
    numbers: dict[str, float] = {}
    for number, optimizer in enumerate(optimizers):
        for index, held in optimizer.state_dict()["state"].items():
            for key, value in held.items():
                if isinstance(value, torch.Tensor):
                    tensors[f"{number}/{index}/{key}"] = _whole(value)
                else:
                    numbers[f"{number}/{index}/{key}"] = value
    return tensors, numbers


def _whole(one: torch.Tensor) -> torch.Tensor:
    full: torch.Tensor = getattr(one, "full_tensor", lambda: one)()
    return full.detach().cpu().clone(memory_format=torch.contiguous_format)


def _as(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if not hasattr(like, "full_tensor") or value.shape != like.shape:
        return value
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(like, DTensor)
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
