"""One fit of all works, without a database: how many topics, k-means, which of them go on from earlier ones, groups, who waits.

A cold fit chooses the number of topics; a warm one starts from the earlier centroids. What comes out is written by `nights` and measured by
`evaluation`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forge_assets.topics import choose, kmeans, levels, stable
from forge_assets.topics.kmeans import Clustering, Labels
from forge_assets.topics.vectors import Floats

WARM_PASSES = 8
"""Of a warm fit: enough to follow new works; more only go on with the descent that the cold fit left off."""


@dataclass(frozen=True, slots=True)
class Before:
    """What an earlier fit left: centroids of topics and groups, and the row of the topic each work had, int32 [n], -1 for none."""

    centroids: Floats
    groups: Floats
    labels: Labels


@dataclass(frozen=True, slots=True)
class Fitted:
    """`centroids` float32 [k, dims]; `labels` int32 [n], -1 for a work that waits; `nearest` the same without floors.

    `former`: the row of Before.centroids that each topic continues, None for a new one; `former_groups` likewise. `groups` is empty where
    there are too few topics for a second level; `group_of` int32 [k].
    """

    centroids: Floats
    floors: Floats
    nearest: Labels
    labels: Labels
    similarity: Floats
    former: list[int | None]
    groups: Floats
    group_of: Labels
    former_groups: list[int | None]
    figures: dict[str, Any] = field(default_factory=dict)


def fit_topics(vectors: Floats, seed: int, before: Before | None = None, *, warm: bool = False) -> Fitted:
    """Topics of float32 [n, dims] rows of length one. Without `before` no topic goes on from an earlier one; `warm` needs it."""
    made, tried = _clustered(vectors, seed, before if warm else None)
    k = len(made.centroids)
    matched = stable.match(before.centroids, made.centroids) if before else {}
    former = [matched.get(row) for row in range(k)]
    nearest, similarity = made.labels, made.similarity
    if before:
        nearest, similarity = stable.kept(vectors, made, _rows_before(before, matched))
    floors = stable.floors(nearest, similarity, k)
    groups, group_of = levels.coarse(made.centroids, made.sizes(), before.groups if warm and before else None)
    same = stable.match(before.groups, groups) if before else {}
    if len(groups) == 1:
        groups = groups[:0]
    figures = {"seed": seed, "tried": tried, "passes": made.passes, "moved": round(made.moved, 5),
               "mean_cosine": round(float(made.similarity.mean()), 4)}  # fmt: skip
    return Fitted(made.centroids, floors, nearest, stable.placed(nearest, similarity, floors), similarity, former, groups, group_of,
                  [same.get(row) for row in range(len(groups))], figures)  # fmt: skip


def _clustered(vectors: Floats, seed: int, before: Before | None) -> tuple[Clustering, list[dict[str, float]]]:
    """The clustering, and what was tried to choose the number of topics: nothing where it starts from earlier ones."""
    if before is None:
        k, tried = choose.number_of_topics(vectors, seed)
        return kmeans.fit(vectors, k, seed), choose.described(tried)
    labels, _ = kmeans.assign(vectors, before.centroids)
    start = stable.restructured(vectors, before.centroids, labels, seed)
    return kmeans.fit(vectors, len(start), seed, start=start, passes=WARM_PASSES), []


def _rows_before(before: Before, matched: dict[int, int]) -> Labels:
    """The row among the new topics of the topic that each work had, -1 where it had none or that topic is gone."""
    row_of = np.full(len(before.centroids) + 1, -1, np.int32)  # the last for -1
    for row, former in matched.items():
        row_of[former] = row
    return row_of[before.labels]
