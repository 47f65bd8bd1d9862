"""How well the map keeps neighbours: trustworthiness (Venna and Kaski 2001) on a sample, beside two principal axes of the same works."""

from __future__ import annotations

import numpy as np

from forge_assets.topics.map.layout import principal
from forge_assets.topics.vectors import Floats

SAMPLE = 3000
NEIGHBOURS = 10
FEWEST = 100


def kept_neighbours(vectors: Floats, positions: Floats, seed: int) -> dict[str, float]:
    """`trustworthiness` of the map and `trustworthiness_of_axes`; nothing for a handful of works."""
    from sklearn.manifold import trustworthiness  # type: ignore[import-untyped, unused-ignore]
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if len(vectors) < FEWEST:
        return {}
    some = np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE]
    axes = principal(vectors[some])
    with threadpool_limits(1):
        return {
            name: round(float(trustworthiness(vectors[some], flat, n_neighbors=NEIGHBOURS, metric="cosine")), 4)
            for name, flat in (("trustworthiness", positions[some]), ("trustworthiness_of_axes", axes))
        }
