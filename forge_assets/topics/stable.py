"""Topics that stay themselves: matching of old and new centroids, what became of each topic, and the changes a refit begins with.

Ids are matched by the Hungarian method (Kuhn 1955) on cosine; a pair below SAME is no match. No database here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from forge_assets.topics import kmeans
from forge_assets.topics.kmeans import Clustering, Labels
from forge_assets.topics.vectors import Floats, normalised

SAME = 0.7
"""Least cosine of two centroids that can be one topic."""
MERGED = 0.95
"""Two topics whose centroids are nearer than this are one."""
SPLIT_SIZE = 4.0  # times the mean size: a topic as large is cut in two
LEAST_WORKS = 8  # a topic with fewer works ends at the next refit
MARGIN = 0.02
"""At a refit a work changes its topic only for one that is nearer by more than this cosine: works on a border do not swing."""
FLOOR_PERCENTILE = 2.0
"""A work farther from its nearest centroid than all but this percentage of the topic's works waits as unassigned."""

Kind = Literal["fit", "refit", "birth", "death", "split", "merge"]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to `topic`; `others` are the topics it went into, came from, or took in. `works` counts those concerned."""

    kind: Kind
    topic: int | None
    others: tuple[int, ...] = ()
    works: int = 0


def match(old: Floats, new: Floats, least: float = SAME) -> dict[int, int]:
    """new row -> old row, one to one, so that the sum of cosines is the largest; pairs below `least` are left out."""
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped, unused-ignore]

    if not len(old) or not len(new):
        return {}
    cosines = new @ old.T
    rows, columns = linear_sum_assignment(np.where(cosines >= least, cosines, 0.0), maximize=True)
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if cosines[row, column] >= least}


def kept(vectors: Floats, made: Clustering, before: Labels) -> tuple[Labels, Floats]:
    """(labels, similarity) in which a work stays in its topic of `before` (a row, or -1) unless another is nearer by more than MARGIN."""
    labels, similarity = made.labels.copy(), made.similarity.copy()
    moved = np.flatnonzero((before >= 0) & (before != labels))
    own = np.einsum("ij,ij->i", vectors[moved], made.centroids[before[moved]])
    stays = own >= similarity[moved] - MARGIN
    labels[moved[stays]], similarity[moved[stays]] = before[moved[stays]], own[stays]
    return labels, similarity


def floors(labels: Labels, similarity: Floats, k: int) -> Floats:
    """The FLOOR_PERCENTILE-th percentile of the cosines in each cluster, float32 [k]; that of all where a cluster has few works."""
    overall = np.percentile(similarity, FLOOR_PERCENTILE) if len(similarity) else 0.0
    found = np.full(k, overall, np.float32)
    order = np.argsort(labels, kind="stable")
    for label, members in _groups(labels[order], order):
        if len(members) >= 100 / FLOOR_PERCENTILE:
            found[label] = np.percentile(similarity[members], FLOOR_PERCENTILE)
    return found


def placed(labels: Labels, similarity: Floats, floor: Floats) -> Labels:
    """The labels, -1 where a work lies below the floor of its cluster."""
    return np.where(similarity >= floor[labels], labels, -1).astype(np.int32)


def restructured(vectors: Floats, centroids: Floats, labels: Labels, seed: int) -> Floats:
    """The centroids a refit starts from: topics that have too few works are left out, twins joined, outgrown ones cut in two."""
    sizes = np.bincount(labels, minlength=len(centroids)).astype(np.float64)
    alive = [place for place in np.argsort(-sizes, kind="stable") if sizes[place] >= LEAST_WORKS] or [int(np.argmax(sizes))]
    kept: list[int] = []
    for place in alive:
        if not kept or float(np.max(centroids[kept] @ centroids[place])) < MERGED:
            kept.append(int(place))
    most = SPLIT_SIZE * len(vectors) / len(kept)
    out = []
    for place in sorted(kept):
        members = np.flatnonzero(labels == place) if len(kept) > 1 and sizes[place] > most else np.empty(0, np.int64)
        halves = kmeans.fit(vectors[members], 2, seed).centroids if len(members) >= 2 * LEAST_WORKS else None
        if halves is not None and float(halves[0] @ halves[1]) < MERGED:
            out += list(halves)
        else:
            out.append(centroids[place])
    return np.stack(out)


def lineage(old_ids: Sequence[int], new_ids: Sequence[int], before: npt.NDArray[np.int64], after: npt.NDArray[np.int64]) -> list[Event]:
    """What became of each topic, from the topic ids that works had before and have after (one entry per work that had one both times).

    A new id most of whose old works come from one topic that lives on was split from it, else it was born; an id that is gone and most of
    whose works went to one topic was merged into that one, else it died.
    """
    events = []
    for topic in sorted(set(new_ids) - set(old_ids)):
        came = before[after == topic]
        parent, share = _most(came)
        split = parent in new_ids and share > 0.5
        events.append(Event("split" if split else "birth", topic, (parent,) if split and parent is not None else (), len(came)))
    for topic in sorted(set(old_ids) - set(new_ids)):
        went = after[before == topic]
        heir, share = _most(went)
        merged = heir in old_ids and share > 0.5
        events.append(Event("merge" if merged else "death", topic, (heir,) if merged and heir is not None else (), len(went)))
    return events


def born(vectors: Floats, centroids: Floats, usual_floor: float, coherence: float, least: int, seed: int) -> tuple[Floats, Labels]:
    """New topics among waiting works: centroids [b, dims] and the new topic of each work, int32 [n], -1 where it goes on waiting.

    The works are clustered, three times `least` to a cluster; a cluster is a topic when at least `least` of its works lie as near to its
    centroid as works of the other topics do (`usual_floor`, the median of their floors), at `coherence` in the
    mean, and no topic is its twin.
    """
    labels = np.full(len(vectors), -1, np.int32)
    if len(vectors) < least:
        return centroids[:0], labels
    made = kmeans.fit(vectors, max(1, len(vectors) // (3 * least)), seed)
    found: list[Floats] = []
    for cluster in np.argsort(-made.sizes(), kind="stable"):
        near = np.flatnonzero((made.labels == cluster) & (made.similarity >= usual_floor))
        if len(near) < least:
            continue
        centroid = normalised(vectors[near].mean(axis=0, keepdims=True))[0]
        members = near[vectors[near] @ centroid >= usual_floor]
        others = np.concatenate([centroids, np.array(found, np.float32).reshape(-1, centroids.shape[1])])
        if len(members) < least or float(np.mean(vectors[members] @ centroid)) < coherence:
            continue
        if float(np.max(others @ centroid)) < MERGED:
            labels[members] = len(found)
            found.append(centroid)
    return np.array(found, np.float32).reshape(-1, centroids.shape[1]), labels


def _most(ids: npt.NDArray[np.int64]) -> tuple[int | None, float]:
    """The id that occurs most, and its share."""
    if not len(ids):
        return None, 0.0
    found, counts = np.unique(ids, return_counts=True)
    best = int(np.argmax(counts))
    return int(found[best]), float(counts[best] / len(ids))


def _groups(sorted_labels: Labels, order: npt.NDArray[np.intp]) -> list[tuple[int, npt.NDArray[np.intp]]]:
    first = np.flatnonzero(np.diff(sorted_labels, prepend=-2))
    return [(int(sorted_labels[start]), part) for start, part in zip(first, np.split(order, first[1:]), strict=True)] if len(order) else []
