"""Golden numbers of a fragment: inputs drawn from the seed, and what its text makes of them, computed in double precision.

Double precision keeps the last bit of the rounded result from depending on the number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.arrays import View
from forge_assets.blueprints.fdl.backends.running import imported
from forge_assets.blueprints.fdl.backends.stages import class_name
from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.parts import TOTAL
from forge_assets.fragments.weights import stream

BATCH, POSITIONS = 2, 16
TOLERANCE = 1e-4
"""Largest difference between a back-end's f32 and the golden numbers, in the scale of the largest value."""
Array = np.ndarray[Any, Any]


def static_sizes(program: ir.Program, sizes: Mapping[str, int]) -> dict[str, int]:
    """What the printed `Sizes` takes."""
    return {name: sizes[name] for name in View.of(program).static}


def golden_inputs(program: ir.Program, model: str, sizes: Mapping[str, int], seed: int, context: int) -> dict[str, Array]:
    """`total` begins at zero; whole numbers are tokens; all else is normal."""
    length = min(POSITIONS, context)
    known = {**sizes, "b": BATCH, "t": length, "s": length}
    made: dict[str, Array] = {}
    for one in program.models[model].inputs:
        shape = tuple(program.axes[axis].size.value(known) for axis in one.axes)
        random = stream(seed, f"golden {model} {one.name}")
        if one.dtype == "i64":
            made[one.name] = random.integers(0, sizes["v"], shape, dtype=np.int64)
        elif one.name == TOTAL:
            made[one.name] = np.zeros(shape, np.float32)
        else:
            made[one.name] = random.standard_normal(shape, dtype=np.float32)
    return made


def golden_outputs(
    program: ir.Program, model: str, sizes: Mapping[str, int], weights: Sequence[Path], inputs: Mapping[str, Array]
) -> dict[str, Array]:
    """What Forge's own print of the text gives, with the weights of these files; nothing of the fragment's own code is run."""
    import torch

    module = imported("torch", BACKENDS["torch"].print(program)["module_torch.py"])
    static = static_sizes(program, sizes)
    made = getattr(module, class_name(model))(*([module.Sizes(**static)] if static else [])).double()
    given = {name: torch.from_numpy(np.array(one)).double() for path in weights for name, one in st.arrays(path)}
    made.load_state_dict(given)
    held = [torch.from_numpy(np.array(one)) for one in inputs.values()]
    with torch.no_grad():
        results = made(*(one.double() if one.is_floating_point() else one for one in held))
    several = list(results) if isinstance(results, tuple) else [results]
    names = [one.name for one in program.models[model].results]
    return {name: one.to(torch.float32).numpy() for name, one in zip(names, several, strict=True)}


def difference(found: Array, wanted: Array) -> float:
    """Largest difference in the scale of the largest wanted value; infinite where shapes differ or something is no number."""
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return float("inf")
    scale = float(np.abs(wanted).max(initial=0.0)) or 1.0
    return float(np.abs(found.astype(np.float64) - wanted).max(initial=0.0)) / scale
