"""The optimizer and the schedule of a run. The schedule is the library's FDL text, printed; AdamW and Muon are PyTorch's own, which are
fused, and every other optimizer is printed from its text in the library as well.

Matrices decay, vectors such as norms and biases do not. Muon steps the matrices of the blocks, AdamW all else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from forge_assets.blueprints.composed import DECAYING
from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.running import imported
from forge_assets.blueprints.fdl.backends.stages import class_name, snake
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.library.joining import reduced
from forge_assets.blueprints.fdl.library.pieces import entries
from forge_assets.fragments.train.learner import blocks_of
from forge_assets.fragments.train.settings import Training
from forge_resources.errors import FragmentError


def schedule_of(training: Training) -> Callable[[int], float]:
    """The rate of a step, counted from 0."""
    module, unit = _printed("schedule", training.schedule, training)
    rate = getattr(module, snake(unit.name))
    return lambda step: float(rate(step))


def optimizers_of(model: nn.Module, training: Training) -> list[torch.optim.Optimizer]:
    """Those that together step every parameter once."""
    weights = [one for one in model.parameters() if one.requires_grad]
    if training.optimizer == "muon":
        hidden = {id(one) for block in blocks_of(model) for one in block.parameters() if one.ndim == 2}
        muon = torch.optim.Muon(
            [one for one in weights if id(one) in hidden], lr=training.learning_rate, weight_decay=training.weight_decay,
            momentum=training.momentum, adjust_lr_fn="match_rms_adamw",
        )  # fmt: skip
        return [muon, _adamw([one for one in weights if id(one) not in hidden], training)]
    if training.optimizer == "adamw":
        return [_adamw(weights, training)]
    module, unit = _printed("optimizer", training.optimizer, training)
    made: Any = getattr(module, class_name(unit.name))
    if any(len(one.axes) > 1 for one in unit.inputs):
        raise FragmentError(f"{training.optimizer} steps matrices only, and the model has vectors; pin optimizer to adamw, muon or lion")
    given = {"lr": training.learning_rate} if "lr" in inspect.signature(made).parameters else {}
    return [made(_groups(weights, training), **given)]


def _adamw(weights: list[nn.Parameter], training: Training) -> torch.optim.Optimizer:
    betas = (training.beta1, training.beta2)
    return torch.optim.AdamW(_groups(weights, training), lr=training.learning_rate, betas=betas, eps=training.epsilon, fused=True)


def _groups(weights: list[nn.Parameter], training: Training) -> list[dict[str, Any]]:
    matrices, vectors = [one for one in weights if one.ndim > 1], [one for one in weights if one.ndim < 2]
    return [{"params": held, "weight_decay": decay} for held, decay in ((matrices, training.weight_decay), (vectors, 0.0)) if held]


def _printed(slot: str, component: str, training: Training) -> tuple[Any, ir.Unit]:
    """The library's text of a rule with this run's numbers, as a module."""
    numbers = {name: value for name, value in asdict(training).items() if isinstance(value, float | int) and not isinstance(value, bool)}
    numbers |= {"peak": training.learning_rate, "warmup": max(1, training.warmup)}
    if component in ("wsd", "infinite-lr"):
        numbers["decay"] = max(1, round(DECAYING * training.steps))
    program = compiled(reduced(entries()[slot, component], {}, numbers))
    unit = next(one for one in program.units.values() if one.kind == slot)
    return imported("torch", BACKENDS["torch"].print(program)["module_torch.py"]), unit
