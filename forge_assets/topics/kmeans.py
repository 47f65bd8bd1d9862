"""Spherical k-means (Dhillon and Modha 2001) over vectors of length one: cosine is the measure, a centroid the normalised mean.

k-means++ (Arthur and Vassilvitskii 2007) on a sample, mini-batches (Sculley 2010) over the rest, then full passes (Lloyd 1982) by BLAS in
blocks until hardly a vector moves. Where there is a CUDA device the products run there. The same seed gives the same result on one machine.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forge_assets.topics.vectors import Floats, normalised

Labels = npt.NDArray[np.int32]
Nearest = Callable[[Floats], tuple[Labels, Floats]]

BLOCK = 8192  # vectors multiplied with all centroids at once
SEEDED_PER_CLUSTER = 30  # size of the sample for k-means++
MOST_SEEDED = 12_000
BATCH = 8192
MOST_BATCHES = 24
PASSES = 40
SETTLED = 0.005
"""Share of vectors that may still change their cluster in the last pass."""
LEAST_FOR_THREADS = 1 << 28  # products of one pass, like the next
LEAST_FOR_CUDA = 1 << 33  # products of one pass; below it the copy there and the start of torch cost more than they save


@dataclass(frozen=True, slots=True)
class Clustering:
    """`centroids` float32 [k, dims] of length one; `labels` int32 [n]; `similarity` float32 [n], the cosine to the own centroid."""

    centroids: Floats
    labels: Labels
    similarity: Floats
    passes: int
    moved: float

    def sizes(self) -> npt.NDArray[np.int64]:
        return np.bincount(self.labels, minlength=len(self.centroids)).astype(np.int64)


def fit(vectors: Floats, k: int, seed: int, *, start: Floats | None = None, passes: int = PASSES, settled: float = SETTLED,
        device: str | None = None) -> Clustering:  # fmt: skip
    """Clusters float32 [n, dims] rows of length one into k <= n clusters, from the centroids `start` where they are given."""
    if not 1 <= k <= len(vectors):
        raise ValueError(f"{len(vectors)} vectors cannot be put into {k} clusters")
    rng = np.random.default_rng(seed)
    chosen = device or device_for(len(vectors) * vectors.shape[1] * k)
    with threads(len(vectors) * vectors.shape[1] * k):
        if start is None:
            sample = rng.permutation(len(vectors))[: min(len(vectors), max(SEEDED_PER_CLUSTER * k, 2000), max(MOST_SEEDED, k))]
            start = _mini_batches(vectors, plus_plus(vectors[sample], k, rng), rng)
        return _settled(vectors, start, passes, settled, chosen)


def _settled(vectors: Floats, start: Floats, passes: int, settled: float, device: str) -> Clustering:
    """Full passes until at most the share `settled` of the vectors changes its cluster."""
    centroids, labels = start.astype(np.float32), np.full(len(vectors), -1, np.int32)
    placed = _placed(vectors, device)
    similarity, moved, done = np.zeros(len(vectors), np.float32), 1.0, 0
    while done < passes and moved > settled:
        before = labels
        labels, similarity, sums = placed(centroids)
        moved, done = float(np.mean(labels != before)), done + 1
        centroids = _moved(vectors, centroids, labels, similarity, sums)
    labels, similarity, _ = placed(centroids)
    return Clustering(centroids, labels, similarity, done, moved)


def assign(vectors: Floats, centroids: Floats) -> tuple[Labels, Floats]:
    """The nearest centroid of each vector, int32 [n], and the cosine to it, float32 [n]."""
    labels, similarity = np.empty(len(vectors), np.int32), np.empty(len(vectors), np.float32)
    for begin in range(0, len(vectors), BLOCK):
        products = vectors[begin : begin + BLOCK] @ centroids.T
        nearest = products.argmax(axis=1)
        labels[begin : begin + BLOCK] = nearest
        similarity[begin : begin + BLOCK] = products[np.arange(len(nearest)), nearest]
    return labels, similarity


def plus_plus(vectors: Floats, k: int, rng: np.random.Generator) -> Floats:
    """k of the vectors, each drawn with a chance proportional to 1 - cosine to the nearest drawn before it: half the squared distance."""
    drawn = np.empty((k, vectors.shape[1]), np.float32)
    place = int(rng.integers(len(vectors)))
    far = np.full(len(vectors), np.inf)
    for number in range(k):
        drawn[number] = vectors[place]
        far = np.minimum(far, np.clip(1.0 - vectors @ drawn[number], 0.0, None))
        far[place] = 0.0
        total = far.sum()
        place = int(rng.choice(len(vectors), p=far / total)) if total > 0 else int(rng.integers(len(vectors)))
    return drawn


def sums_by(vectors: Floats, labels: Labels, k: int) -> Floats:
    """Sum of the vectors of each label, float32 [k, dims]."""
    sums = np.zeros((k, vectors.shape[1]), np.float32)
    for begin in range(0, len(vectors), BLOCK):
        some = labels[begin : begin + BLOCK]
        order = np.argsort(some, kind="stable")
        first = np.flatnonzero(np.diff(some[order], prepend=-1))
        sums[some[order[first]]] += np.add.reduceat(vectors[begin : begin + BLOCK][order], first, axis=0)
    return sums


def threads(products: int) -> AbstractContextManager[object]:
    """One BLAS thread where there is so little to multiply that waking others costs more."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limited: AbstractContextManager[object] = threadpool_limits(1) if products < LEAST_FOR_THREADS else nullcontext()
    return limited


def device_for(products: int) -> str:
    """`cuda` where there is such a device and enough to do for it, else `cpu`; torch is not loaded to find out that there is none."""
    from importlib.metadata import version

    from forge_resources.compute import gpus

    return "cuda" if products >= LEAST_FOR_CUDA and gpus() and "+cpu" not in version("torch") else "cpu"


def _mini_batches(vectors: Floats, centroids: Floats, rng: np.random.Generator) -> Floats:
    counts = np.zeros((len(centroids), 1), np.float32)
    order = rng.permutation(len(vectors))[: BATCH * MOST_BATCHES]
    for begin in range(0, len(order), BATCH):
        batch = vectors[order[begin : begin + BATCH]]
        labels, _ = assign(batch, centroids)
        here = np.bincount(labels, minlength=len(centroids)).astype(np.float32)[:, None]
        counts += here
        step = (sums_by(batch, labels, len(centroids)) - here * centroids) / np.maximum(counts, 1.0)
        centroids = normalised((centroids + step).astype(np.float32))
    return centroids


def _moved(vectors: Floats, centroids: Floats, labels: Labels, similarity: Floats, sums: Floats) -> Floats:
    """The normalised means; an empty cluster starts anew at one of the vectors that lie farthest from their own centroid."""
    sizes = np.bincount(labels, minlength=len(centroids))
    empty = np.flatnonzero((sizes == 0) | (np.linalg.norm(sums, axis=1) < 1e-9))
    new = normalised(sums.copy())
    if len(empty):
        new[empty] = vectors[np.argpartition(similarity, len(empty) - 1)[: len(empty)]]
    return new


def _placed(vectors: Floats, device: str) -> Callable[[Floats], tuple[Labels, Floats, Floats]]:
    """A function from centroids to (labels, similarity, sums); on a GPU the vectors lie there from now on."""
    if device == "cpu":

        def on_cpu(centroids: Floats) -> tuple[Labels, Floats, Floats]:
            labels, similarity = assign(vectors, centroids)
            return labels, similarity, sums_by(vectors, labels, len(centroids))

        return on_cpu
    return _placed_by_torch(vectors, "cpu" if device == "torch" else device)


def _placed_by_torch(vectors: Floats, device: str) -> Callable[[Floats], tuple[Labels, Floats, Floats]]:
    """Sums are products with the 0-1 matrix of who belongs where: index_add_ on CUDA adds in another order each time."""
    import torch

    there = torch.from_numpy(vectors).to(device)

    def on_device(centroids: Floats) -> tuple[Labels, Floats, Floats]:
        turned = torch.from_numpy(np.ascontiguousarray(centroids)).to(device)
        sums = torch.zeros_like(turned)
        labels: list[Any] = []
        similarity: list[Any] = []
        for block in torch.split(there, BLOCK * 4):
            best = (block @ turned.T).max(dim=1)
            sums += torch.nn.functional.one_hot(best.indices, len(turned)).to(block.dtype).T @ block
            labels.append(best.indices.int())
            similarity.append(best.values)
        return torch.cat(labels).cpu().numpy(), torch.cat(similarity).cpu().numpy(), sums.cpu().numpy()

    return on_device
