"""The second, coarser level: topics joined into groups by Ward's method over their centroids; a refit starts from the old groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forge_assets.topics.kmeans import Labels
from forge_assets.topics.vectors import Floats, normalised

POLISH = 20
FEWEST_TOPICS = 6
"""Fewer topics need no level above them."""


def groups_for(topics: int) -> int:
    """As many groups as a group has topics, roughly: two looks of equal length find a topic."""
    return max(2, round(topics**0.5 * 1.25)) if topics >= FEWEST_TOPICS else 1


def coarse(centroids: Floats, sizes: npt.NDArray[np.int64], start: Floats | None = None) -> tuple[Floats, Labels]:
    """(centroids float32 [groups, dims], group of each topic int32 [topics]); topics weigh by their number of works.

    First by Ward 1963 (on unit vectors the squared distance is 2 - 2 cosine), then k-means over the topics until none changes its group.
    """
    from scipy.cluster.hierarchy import fcluster, linkage  # type: ignore[import-untyped, unused-ignore]

    if len(centroids) < FEWEST_TOPICS:
        labels = np.zeros(len(centroids), np.int32)
    elif start is not None and 1 < len(start) <= len(centroids):
        labels = (centroids @ start.T).argmax(axis=1).astype(np.int32)
    else:
        labels = (fcluster(linkage(centroids, "ward"), groups_for(len(centroids)), "maxclust") - 1).astype(np.int32)
    for _ in range(POLISH):
        labels = np.unique(labels, return_inverse=True)[1].astype(np.int32)
        groups = _means(centroids, sizes, labels)
        again = (centroids @ groups.T).argmax(axis=1).astype(np.int32)
        if (again == labels).all():
            break
        labels = again
    labels = np.unique(labels, return_inverse=True)[1].astype(np.int32)
    return _means(centroids, sizes, labels), labels


def _means(centroids: Floats, sizes: npt.NDArray[np.int64], labels: Labels) -> Floats:
    sums = np.zeros((int(labels.max()) + 1, centroids.shape[1]), np.float32)
    np.add.at(sums, labels, centroids * np.maximum(sizes, 1)[:, None].astype(np.float32))
    return normalised(sums)
