"""How many topics: the most that come out again when another part of the corpus is clustered.

For each number on a grid, two samples without a common work are clustered, and the topics of one are matched with those of the other by
the rule that also decides whether a topic keeps its id (stable.match). Reproducibility over splits as the measure of the right number:
Lange et al. 2004, "Stability-Based Validation of Clustering Solutions", and Tibshirani and Walther 2005, "Cluster Validation by Prediction
Strength" (the largest number above a bound). The one-standard-error allowance: Breiman et al. 1984.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from forge_assets.topics import kmeans
from forge_assets.topics.stable import match
from forge_assets.topics.vectors import Floats

GRID = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 320)
FOUND_AGAIN = 0.9
"""Least share of topics that the other sample shows too."""
SPLITS = 3
HALF = 12_000  # works in each sample
PER_TOPIC = 25  # works of the corpus, and of a sample, to a topic at least
PASSES = 8


@dataclass(frozen=True, slots=True)
class Tried:
    """`found_again`: mean share over the splits; `error`: its standard error."""

    k: int
    found_again: float
    error: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def number_of_topics(vectors: Floats, seed: int) -> tuple[int, list[Tried]]:
    """The number, and what was measured for each number tried: from the most downwards, until one suffices."""
    half = min(HALF, len(vectors) // 2)
    grid = [k for k in GRID if k * PER_TOPIC <= half]
    tried = []
    for k in reversed(grid):
        tried.append(try_number(vectors, k, half, seed))
        if tried[-1].found_again + tried[-1].error >= FOUND_AGAIN:
            return k, tried
    best = max(tried, key=lambda one: (one.found_again, one.k), default=None)
    return (best.k if best else 1), tried


def try_number(vectors: Floats, k: int, half: int, seed: int, splits: int = SPLITS) -> Tried:
    shares = []
    for split in range(splits):
        order = np.random.default_rng([seed, split]).permutation(len(vectors))
        parts = [vectors[order[:half]], vectors[order[half : 2 * half]]]
        made = [kmeans.fit(part, k, seed + 2 * split + side, passes=PASSES, device="cpu") for side, part in enumerate(parts)]
        shares.append(len(match(made[0].centroids, made[1].centroids)) / k)
    return Tried(k, float(np.mean(shares)), float(np.std(shares, ddof=1) / np.sqrt(splits)) if splits > 1 else 0.0)


def described(tried: Sequence[Tried]) -> list[dict[str, float]]:
    """For the table topic_fit."""
    return [{name: round(value, 4) for name, value in one.as_dict().items()} for one in tried]
