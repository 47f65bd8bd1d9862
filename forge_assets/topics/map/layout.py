"""Vectors -> positions in the plane. t-SNE (van der Maaten and Hinton 2008; by trees: van der Maaten 2014) keeps neighbours together but
crowds them into clumps; what is crowded is then pushed apart until each vector has room, so that areas tell how much there is.

Positions are relative to the middle of the map; at a new layout nearly all lie within a distance of about one from it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forge_assets.topics.vectors import Floats

PERPLEXITY = 30
STEPS = 500
FEWEST_FOR_TSNE = 12
FILLED = 0.55
"""Share of the disc of radius one that the rooms of all anchors would cover together."""
PUSHES = 150
NEIGHBOURS = 5
SHARPNESS = 0.05  # of the weights by cosine: one that is less alike by this weighs e times less


def laid_out(vectors: Floats, seed: int, start: Floats | None = None) -> Floats:
    """Positions float32 [n, 2] of float32 [n, dims] rows of length one; begins at `start`, float32 [n, 2], else at their principal axes."""
    flat = start if start is not None else principal(vectors)
    if len(vectors) >= FEWEST_FOR_TSNE:
        flat = _tsne(vectors, seed, flat)
    middle = (flat.min(axis=0) + flat.max(axis=0)) / 2
    radius = np.percentile(np.linalg.norm(flat - middle, axis=1), 98)
    return relaxed(((flat - middle) / max(float(radius), 1e-9)).astype(np.float32), seed)


def principal(vectors: Floats) -> Floats:
    """The two principal axes, with signs that do not depend on the library; float32 [n, 2]."""
    middled = vectors - vectors.mean(axis=0)
    axes = np.linalg.svd(middled, full_matrices=False)[2][:2]
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    flat: Floats = np.pad(middled @ axes.T, ((0, 0), (0, 2 - len(axes)))).astype(np.float32)
    return flat


def beside(new: Floats, old: Floats, positions: Floats) -> Floats:
    """For each new vector the mean position of the old ones nearest to it, weighted by likeness; float32 [n, 2]."""
    products = new @ old.T
    nearest = np.argsort(-products, axis=1, kind="stable")[:, :NEIGHBOURS]
    weights = likeness(np.take_along_axis(products, nearest, axis=1))
    made: Floats = np.einsum("nk,nkd->nd", weights, positions[nearest]).astype(np.float32)
    return made


def likeness(cosines: Floats) -> Floats:
    """Weights that sum to one in each row, of float32 [n, k] cosines whose first column is the largest."""
    weights = np.exp((cosines - cosines[:, :1]) / SHARPNESS)
    made: Floats = weights / weights.sum(axis=1, keepdims=True)
    return made


def relaxed(positions: Floats, seed: int, free: npt.NDArray[np.bool_] | None = None) -> Floats:
    """Pushes apart what lies nearer together than the room for each; where `free` is given, bool [n], only those move."""
    from scipy.spatial import cKDTree  # type: ignore[import-untyped, unused-ignore]

    room = 2 * np.sqrt(FILLED / max(1, len(positions)))
    moves = np.ones(len(positions), bool) if free is None else free
    jitter = np.random.default_rng(seed).normal(scale=room * 1e-3, size=positions.shape)
    made = positions.astype(np.float64) + np.where(moves[:, None], jitter, 0.0)  # two at one place know no way apart
    for _ in range(PUSHES):
        pairs = cKDTree(made).query_pairs(room, output_type="ndarray")
        pairs = pairs[moves[pairs].any(axis=1)]
        if not len(pairs):
            break
        made += np.where(moves[:, None], _pushes(made, pairs, room), 0.0)
    return made.astype(np.float32)


def _pushes(positions: npt.NDArray[np.float64], pairs: npt.NDArray[np.intp], room: float) -> npt.NDArray[np.float64]:
    """How each position moves when every pair makes half of the room it lacks; in a crowd less, so that it does not swing."""
    between = positions[pairs[:, 0]] - positions[pairs[:, 1]]
    distance = np.maximum(np.linalg.norm(between, axis=1), 1e-9)
    half = between * ((room - distance) / (4 * distance))[:, None]
    first, second = pairs.T
    n = len(positions)
    sums = np.stack([np.bincount(first, part, n) - np.bincount(second, part, n) for part in half.T], axis=1)
    crowd = np.bincount(pairs.ravel(), minlength=n)[:, None]
    made: npt.NDArray[np.float64] = sums / np.maximum(1.0, crowd / 4)
    return made


def _tsne(vectors: Floats, seed: int, start: Floats) -> Floats:
    from sklearn.manifold import TSNE  # type: ignore[import-untyped, unused-ignore]
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    spread = max(float(start[:, 0].std()), 1e-9)
    method = TSNE(n_components=2, metric="cosine", init=(start / spread * 1e-4).astype(np.float32), max_iter=STEPS, random_state=seed,
                  perplexity=min(PERPLEXITY, (len(vectors) - 1) / 3), n_jobs=1)  # fmt: skip
    with threadpool_limits(1):  # waiting threads cost more than they bring
        made: Floats = method.fit_transform(vectors).astype(np.float32)
    return made
