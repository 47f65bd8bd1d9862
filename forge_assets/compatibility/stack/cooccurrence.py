"""Stacks that were published -> weights of choices and of pairs of choices: a pairwise Markov field fitted by pseudo-likelihood.

Besag 1975: the likelihood of each slot given all others, whose weights are those of the joint field. A lineage of n checkpoints counts
like sqrt(n): its members are copies of each other more than independent designs. Weights are shrunk towards no opinion (Gaussian prior).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Value = str | None
PRIOR = 0.03
PRIOR_ALONE = 0.003
STEPS = 300
RATE = 0.05


@dataclass(frozen=True, slots=True)
class Published:
    """One checkpoint or family: what fills each slot. A slot that is missing is not known; None is an empty slot."""

    checkpoint: str
    lineage: str
    stack: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Field:
    """log-weights: `alone` of (slot, value), `together` of two of them, in natural logarithms; a pair stands under both orders."""

    alone: dict[tuple[str, Value], float]
    together: dict[tuple[tuple[str, Value], tuple[str, Value]], float]


def fit(stacks: Sequence[Published], prior: float = PRIOR) -> Field:
    """The field of these stacks; deterministic."""
    slots = list(dict.fromkeys(slot for one in stacks for slot in one.stack))
    values = [(slot, value) for slot in slots for value in sorted({one.stack[slot] for one in stacks if slot in one.stack}, key=str)]
    known = np.array([[slot in one.stack and one.stack[slot] == value for slot, value in values] for one in stacks], np.float64)
    asked = np.array([[slot in one.stack for slot, _ in values] for one in stacks], np.float64) * _shares(stacks)[:, None]
    of_slot = np.array([slots.index(slot) for slot, _ in values])
    alone, together = _ascend(known, of_slot, asked, prior)
    pairs = {
        (values[i], values[j]): float(together[i, j]) for i in range(len(values)) for j in range(len(values)) if of_slot[i] != of_slot[j]
    }
    return Field(dict(zip(values, map(float, alone), strict=True)), pairs)


def _shares(stacks: Sequence[Published]) -> Floats:
    """What each stack counts; they add up to 1."""
    size = Counter(one.lineage for one in stacks)
    shares = np.array([1 / math.sqrt(size[one.lineage]) for one in stacks])
    return np.asarray(shares / shares.sum(), np.float64)


def _ascend(known: Floats, of_slot: npt.NDArray[Any], asked: Floats, prior: float) -> tuple[Floats, Floats]:
    """Maximises the shrunken pseudo-likelihood by Adam (Kingma and Ba 2014).

    `known` [n, values] is 1 where a stack has the value; `asked` [n, values] is what the stack counts, 0 where its slot is not known.
    """
    same = of_slot[:, None] == of_slot[None, :]
    number = known.shape[1]
    point = np.zeros((number + 1, number))  # the last row: values alone
    mean, square = np.zeros_like(point), np.zeros_like(point)
    penalty = np.vstack([np.full((number, number), prior), np.full((1, number), PRIOR_ALONE)])
    for step in range(1, STEPS + 1):
        left = (known - _softmax(known @ point[:-1] + point[-1], of_slot)) * asked
        slope = known.T @ left
        slope = np.where(same, 0.0, slope + slope.T)
        gradient = np.vstack([slope, left.sum(0)]) - penalty * point
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        point = point + RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-9)
    return point[-1], point[:-1]


def _softmax(scores: Floats, of_slot: npt.NDArray[Any]) -> Floats:
    """Probabilities of the values, slot by slot."""
    found = np.empty_like(scores)
    for slot in range(int(of_slot.max()) + 1):
        of_it = of_slot == slot
        part = np.exp(scores[:, of_it] - scores[:, of_it].max(1, keepdims=True))
        found[:, of_it] = part / part.sum(1, keepdims=True)
    return found
