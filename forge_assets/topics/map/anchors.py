"""Anchors: means of some dozens of works of one topic. They alone are laid out; every work finds its place beside the nearest of them.

A refit moves anchors with their works and keeps their positions, so that the map stays the map; only a topic that is new, or much larger or
smaller than it was, gets new ones, beside those that are most like them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forge_assets.topics import kmeans
from forge_assets.topics.map.layout import beside, laid_out, relaxed
from forge_assets.topics.vectors import Floats, normalised

Ids = npt.NDArray[np.int64]

PER_ANCHOR = 64  # works
MOST_ANCHORS = 3000  # t-SNE of so many takes seconds; more make no better neighbours
FEW_ANCHORS = 500  # a small corpus has as many, as long as three works share one
CHANGED = 2.0
"""A topic with so many times more works to an anchor than usual, or fewer, gets new ones."""
PASSES = 8


@dataclass(frozen=True, slots=True)
class Anchors:
    """`topics` int64 [a]: the topic of each; `vectors` float32 [a, dims] of length one; `positions` float32 [a, 2] on the map."""

    topics: Ids
    vectors: Floats
    positions: Floats

    def __len__(self) -> int:
        return len(self.topics)


@dataclass(frozen=True, slots=True)
class Placed:
    """Works to lay out: `vectors` float32 [n, dims], `topics` int64 [n], 0 for none; and the living topics with their centroids."""

    vectors: Floats
    topics: Ids
    living: Sequence[int]
    centroids: Floats

    def members(self) -> Iterator[tuple[int, Floats]]:
        """(topic, vectors of its works) of each living topic; the centroid alone where it has no works."""
        order = np.argsort(self.topics, kind="stable")
        begins, ends = (np.searchsorted(self.topics[order], self.living, side) for side in ("left", "right"))
        for row, topic in enumerate(self.living):
            own = order[begins[row] : ends[row]]
            yield topic, self.vectors[own] if len(own) else self.centroids[row : row + 1]


def works_per_anchor(works: int) -> float:
    return works / max(1, min(MOST_ANCHORS, max(works // PER_ANCHOR, min(works // 3, FEW_ANCHORS))))


def laid_out_anew(works: Placed, per_anchor: float, seed: int, old: Anchors | None = None) -> Anchors:
    """New anchors in a new layout, which begins where the old one has what is most alike, so that it comes out turned the same way."""
    topics, vectors = _new(works.members(), per_anchor, seed)
    start = beside(vectors, old.vectors, old.positions) if old and len(old) else None
    return Anchors(topics, vectors, laid_out(vectors, seed, start))


def moved(works: Placed, per_anchor: float, seed: int, old: Anchors) -> Anchors:
    """The anchors after a refit: those of a topic that goes on follow its works and stay where they are."""
    kept: list[tuple[Ids, Floats]] = []
    positions: list[Floats] = []
    new: list[tuple[int, Floats]] = []
    for topic, members in works.members():
        own = np.flatnonzero(old.topics == topic)
        if len(own) and 1 / CHANGED <= len(members) / (len(own) * per_anchor) <= CHANGED:
            kept.append((old.topics[own], _followed(members, old.vectors[own])))
            positions.append(old.positions[own])
        else:
            new.append((topic, members))
    stay = Anchors(
        np.concatenate([np.empty(0, np.int64), *(topics for topics, _ in kept)]),
        np.concatenate([old.vectors[:0], *(vectors for _, vectors in kept)]),
        np.concatenate([old.positions[:0], *positions]),
    )
    return added(stay, _new(iter(new), per_anchor, seed), seed, old, pinned=False) if new else stay


def grown(works: Placed, per_anchor: float, seed: int, old: Anchors) -> Anchors:
    """The old anchors, which do not move, and those of living topics that have none yet."""
    without = [(topic, members) for topic, members in works.members() if topic not in old.topics]
    return added(old, _new(iter(without), per_anchor, seed), seed, old, pinned=True) if without else old


def added(stay: Anchors, new: tuple[Ids, Floats], seed: int, like: Anchors, *, pinned: bool) -> Anchors:
    """`new` (topics, vectors) put beside the anchors of `like` that resemble them; those around make room, unless they are pinned."""
    topics, vectors = new
    start = np.concatenate([stay.positions, beside(vectors, like.vectors, like.positions)])
    free = np.arange(len(start)) >= len(stay) if pinned else None
    return Anchors(np.concatenate([stay.topics, topics]), np.concatenate([stay.vectors, vectors]), relaxed(start, seed, free))


def _new(topics: Iterator[tuple[int, Floats]], per_anchor: float, seed: int) -> tuple[Ids, Floats]:
    names: list[int] = []
    vectors: list[Floats] = []
    for topic, members in topics:
        made = kmeans.fit(members, max(1, min(len(members), round(len(members) / per_anchor))), seed, passes=PASSES, device="cpu")
        vectors.append(made.centroids)
        names += [topic] * len(made.centroids)
    return np.array(names, np.int64), np.concatenate(vectors)


def _followed(members: Floats, anchors: Floats) -> Floats:
    """Each anchor as the mean of the works nearest to it; one without works stays."""
    labels, _ = kmeans.assign(members, anchors)
    sums = kmeans.sums_by(members, labels, len(anchors))
    empty = np.linalg.norm(sums, axis=1) < 1e-9
    sums[empty] = anchors[empty]
    return normalised(sums)
