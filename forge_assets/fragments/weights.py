"""The tensors of a text: their names, shapes and first values, each from its own stream of random numbers.

A tensor's values follow from the seed and its name, so two pieces that hold one tensor hold the same bytes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Weight:
    shape: tuple[int, ...]
    init: tuple[str, float]

    @property
    def bytes(self) -> int:
        return 4 * math.prod(self.shape)


def weights_of(program: ir.Program, model: str, sizes: Mapping[str, int]) -> dict[str, Weight]:
    """Full name -> shape and init; a tied tensor stands once."""
    known = dict(sizes)
    found: dict[str, Weight] = {}
    for step, layer in ir.unrolled(program.models[model], known):
        unit = program.units[step.unit]
        prefix = step.prefix.replace("{i}", str(layer))
        for one in unit.parameters:
            shape = tuple(math.prod(unit.size(axis).value(known) for axis in group) for group in one.groups)
            found.setdefault(prefix + one.stored, Weight(shape, one.init))
    return found


def first_values(name: str, weight: Weight, seed: int) -> Array:
    """f32 values before training."""
    kind, value = weight.init
    if kind != "normal":
        return np.full(weight.shape, {"zeros": 0.0, "ones": 1.0}.get(kind, value), np.float32)
    made = stream(seed, name).standard_normal(weight.shape, dtype=np.float32)
    made *= np.float32(value)
    return made


def stream(seed: int, name: str) -> np.random.Generator:
    key = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(key[:16], "little")))
