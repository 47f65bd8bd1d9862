"""Runs printed PyTorch for `forge fdl test`."""

from __future__ import annotations

from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.arrays import View
from forge_assets.blueprints.fdl.backends.running import imported
from forge_assets.blueprints.fdl.backends.stages import class_name, snake
from forge_assets.blueprints.fdl.trial import Case, Ran, weighting


def absent_torch() -> str:
    return ""  # Forge depends on it


def run_torch(program: ir.Program, case: Case) -> Ran:
    import torch

    made = imported("torch", BACKENDS["torch"].print(program)["module_torch.py"])
    inputs = {name: torch.from_numpy(np.array(one)) for name, one in case.inputs.items()}
    if case.kind in ("optimizer", "schedule"):
        given = [one.item() if one.ndim == 0 else one for one in inputs.values()]
        return Ran([np.asarray(one, np.float32) for one in _several(getattr(made, snake(case.name))(*given))])
    static = View.of(program).static
    size = [made.Sizes(**{name: case.sizes[name] for name in static})] if static else []
    model = getattr(made, class_name(case.name))(*size)
    model.load_state_dict({name: torch.from_numpy(one) for name, one in case.weights.items()})
    results = _several(model(*inputs.values()))
    model.zero_grad()
    slopes = {}
    if results[0].requires_grad:
        (results[0] * torch.from_numpy(weighting(tuple(results[0].shape), case.seed))).sum().backward()
        slopes = {name: (torch.zeros_like(one) if one.grad is None else one.grad).numpy() for name, one in model.named_parameters()}
    stepped = _stepped(model, list(inputs.values()), case) if case.cuts else None
    return Ran([one.detach().numpy() for one in results], stepped, slopes)


def _several(results: Any) -> list[Any]:
    return list(results) if isinstance(results, tuple) else [results]


def _stepped(model: Any, inputs: list[Any], case: Case) -> list[np.ndarray[Any, Any]]:
    """Position by position, as the cuts say; the time axis is the second of every input and result."""
    import torch

    cache: dict[Any, Any] = {}
    parts = []
    with torch.no_grad():
        for low, high in case.cuts:
            parts.append(_several(model(*(one[:, low:high] for one in inputs), cache=cache)))
    return [torch.cat(some, 1).numpy() for some in zip(*parts, strict=True)]
