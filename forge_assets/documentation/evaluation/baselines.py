"""Two classic ways to choose sentences, which ours has to beat: lead (the first ones of each document) and LexRank.

In: sentences in the order of their documents. Out: numbers of the chosen ones, the best first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forge_assets.documentation.selection import vectors

DAMPING = 0.85
THRESHOLD = 0.1
"""Least cosine of an edge: G. Erkan and D. R. Radev, LexRank (JAIR 22, 2004), section 3."""
STEPS = 60


def lead(places: Sequence[int]) -> list[int]:
    """`places`: the number of each sentence in its document; the first of every document, then the second of every document, ..."""
    return sorted(range(len(places)), key=lambda number: (places[number], number))


def lexrank(texts: Sequence[str]) -> list[int]:
    """By the stationary distribution of a walk over sentences that are alike."""
    if not texts:
        return []
    matrix, _ = vectors(texts, "")
    likeness = (matrix @ matrix.T).toarray()
    joined = np.where(likeness >= THRESHOLD, 1.0, 0.0)
    walk = joined / np.maximum(joined.sum(axis=1, keepdims=True), 1.0)
    rank = np.full(len(texts), 1 / len(texts))
    for _ in range(STEPS):
        rank = (1 - DAMPING) / len(texts) + DAMPING * (walk.T @ rank)
    return [int(number) for number in np.argsort(-rank, kind="stable")]
