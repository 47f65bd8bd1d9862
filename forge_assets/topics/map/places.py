"""Where each work stands on the map: at its nearest anchor, drawn towards the others that resemble it, within the room of its own.

Only anchors of the topics nearest to the work's own are looked at, which makes hundreds of thousands of works a matter of seconds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forge_assets.topics.map.anchors import Anchors, Ids
from forge_assets.topics.map.layout import likeness
from forge_assets.topics.vectors import Floats

NEAR_TOPICS = 9  # the own one among them
DRAWN_BY = 8  # anchors
REACH = 2.0  # times the distance of an anchor to those around it; one farther off draws no more than one there
AROUND = 4  # anchors


def places(vectors: Floats, rows: npt.NDArray[np.int32], living: Ids, centroids: Floats, anchors: Anchors) -> Floats:
    """Positions float32 [n, 2] of works float32 [n, dims] whose topics, or nearest topics, are the `rows` of `living` and `centroids`."""
    from scipy.spatial import cKDTree  # type: ignore[import-untyped, unused-ignore]

    around = min(AROUND, len(anchors) - 1)
    reach = cKDTree(anchors.positions).query(anchors.positions, k=around + 1)[0][:, 1:].mean(axis=1) * REACH if around else np.ones(1)
    near = np.argsort(-(centroids @ centroids.T), axis=1, kind="stable")[:, :NEAR_TOPICS]
    made = np.empty((len(vectors), 2), np.float32)
    order = np.argsort(rows, kind="stable")
    for row in np.unique(rows):
        own = order[np.searchsorted(rows[order], row) : np.searchsorted(rows[order], row, "right")]
        chosen = np.flatnonzero(np.isin(anchors.topics, living[near[row]]))
        made[own] = _beside(vectors[own], anchors.vectors[chosen], anchors.positions[chosen], reach[chosen])
    return made


def _beside(vectors: Floats, anchors: Floats, positions: Floats, reach: npt.NDArray[np.float64]) -> Floats:
    cosines = vectors @ anchors.T
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :DRAWN_BY]
    weights = likeness(np.take_along_axis(cosines, nearest, axis=1))
    at = positions[nearest[:, 0]]
    drawn = positions[nearest] - at[:, None]
    far = np.linalg.norm(drawn, axis=2)
    drawn *= np.minimum(1.0, reach[nearest[:, 0]][:, None] / np.maximum(far, 1e-9))[:, :, None]
    made: Floats = (at + np.einsum("nk,nkd->nd", weights, drawn)).astype(np.float32)
    return made
