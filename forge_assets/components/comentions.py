"""Which components are named in the same works more often, or less often, than chance would have it.

Counts are of works, never of copies. For each pair: lift, Fisher's exact test on both sides, and the share of false discoveries after
Benjamini and Hochberg. Everything is one array operation over all pairs: 600 components cost about a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FEWEST_WORKS = 5
"""A component of fewer works enters no pair: no test on it could tell anything."""
SIGNIFICANT = 0.01
"""Largest share of false discoveries among neighbours."""
FEWEST_TOGETHER = 3
NEIGHBOURS = 10
TIES = 1e-7
"""A table is no likelier than the observed one when its probability is larger by less than this share (as in R and scipy)."""

NEGLIGIBLE = 1e-13
"""A tail is summed until the next probability is less than this share of it."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """One entry per pair a < b of components: int64 [m] numbers and works that name both; float64 [m] lift, p and q."""

    a: Numbers
    b: Numbers
    works: Numbers
    lift: Floats
    p: Floats
    q: Floats


def pairs(component: npt.NDArray[Any], work: npt.NDArray[Any], components: int, works: int) -> Pairs:
    """All pairs of components of FEWEST_WORKS works or more. `component`, `work` [n]: which component (0 ... components - 1) is named
    in which work (0 ... works - 1), each combination once. Pairs that no work names together are among them."""
    from scipy import sparse  # type: ignore[import-untyped, unused-ignore]

    ones = np.ones(len(component), np.int64)
    named = sparse.csr_matrix((ones, (work, component)), shape=(works, components))
    alone = np.bincount(component, minlength=components).astype(np.int64)
    kept = np.flatnonzero(alone >= FEWEST_WORKS)
    together = (named[:, kept].T @ named[:, kept]).toarray()
    row, column = np.triu_indices(len(kept), 1)
    a, b = kept[row], kept[column]
    both = together[row, column]
    expected = alone[a] * (alone[b] / max(1, works))
    p = fisher(both, alone[a], alone[b], works)
    return Pairs(a, b, both, both / np.maximum(expected, 1e-300), p, benjamini_hochberg(p))


def fisher(both: Numbers, a: Numbers, b: Numbers, works: int) -> Floats:
    """p of Fisher's exact test on both sides (R. A. Fisher 1935), for the tables with `both` works that have a and b, of `a` and `b` works.

    The sum of the probabilities of all tables of the same margins that are no likelier than the observed one. All arrays int64 [m].
    """
    mode = np.clip((a + 1) * (b + 1) // (works + 2), np.maximum(0, a + b - works), np.minimum(a, b))
    p = np.ones(len(both))
    for above in (False, True):
        some = np.flatnonzero(both > mode if above else both < mode)  # where the observed table is the likeliest, p is 1
        p[some] = _two_tails(both[some], mode[some], a[some], b[some], works, above)
    return p


def _two_tails(both: Numbers, mode: Numbers, a: Numbers, b: Numbers, works: int, above: bool) -> Floats:
    """p where all tables are observed above, or all below, the likeliest one."""
    log_p = _log_probability(both, a, b, works)
    least = log_p + np.log1p(TIES)
    outside = np.maximum(0, a + b - works) - 1 if above else np.minimum(a, b) + 1
    far = _rarest(outside, mode, least, a, b, works)
    p = np.exp(log_p) * _tail(both, a, b, works, up=above)
    there = np.flatnonzero(far != outside)
    others = far[there], a[there], b[there]
    p[there] += np.exp(_log_probability(*others, works)) * _tail(*others, works, up=not above)
    as_likely = _log_probability(mode, a, b, works) <= least  # two counts may share the top
    return np.where(as_likely, 1.0, np.minimum(p, 1.0))


def _log_probability(both: Numbers, a: Numbers, b: Numbers, works: int) -> Floats:
    """log of the hypergeometric probability; scipy's own is as fast, but its distribution function takes 0.2 ms a value."""
    from scipy.special import gammaln  # type: ignore[import-untyped, unused-ignore]

    def choose(n: Any, k: Any) -> Any:
        return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)

    return np.asarray(choose(a, both) + choose(works - a, b - both) - choose(np.float64(works), b))


def _tail(both: Numbers, a: Numbers, b: Numbers, works: int, *, up: bool) -> Floats:
    """The sum of the probabilities from `both` on, away from the mode, as a multiple of the first of them: each follows from the last."""
    total, term, at = np.ones(len(both)), np.ones(len(both)), both.astype(np.float64)
    open_ = np.arange(len(both))
    while len(open_):
        k, x, y = at[open_], a[open_], b[open_]
        rest = works - x - y + k
        ratio = (x - k) * (y - k) / ((k + 1) * (rest + 1)) if up else k * rest / ((x - k + 1) * (y - k + 1))
        term[open_] *= ratio
        total[open_] += term[open_]
        at[open_] += 1 if up else -1
        open_ = open_[term[open_] > NEGLIGIBLE * total[open_]]
    return total


def _rarest(outside: Numbers, mode: Numbers, least: Floats, a: Numbers, b: Numbers, works: int) -> Numbers:
    """The count nearest to the mode, on the side of `outside`, of a table no likelier than exp(least); `outside` where there is none.

    Probabilities only fall from the mode outwards, so the place is found by halving: some 15 steps for all pairs at once.
    """
    unlikely, likely = outside.copy(), mode.copy()
    while (apart := np.abs(likely - unlikely) > 1).any():
        middle = np.where(apart, (unlikely + likely) // 2, mode)
        rare = _log_probability(middle, a, b, works) <= least
        unlikely = np.where(apart & rare, middle, unlikely)
        likely = np.where(apart & ~rare, middle, likely)
    return unlikely


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjusted p of m tests (Benjamini and Hochberg 1995): the least share of false discoveries at which each is still taken for one."""
    if not len(p):
        return p
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.minimum.accumulate(scaled[::-1])[::-1]
    q = np.empty_like(p)
    q[order] = np.minimum(adjusted, 1.0)
    return q


def neighbours(found: Pairs, components: int) -> list[list[tuple[int, int, float, float]]]:
    """For each component up to NEIGHBOURS others as (component, works, lift, q), those with the highest lift first.

    Only pairs of FEWEST_TOGETHER works, lift above 1 and q of SIGNIFICANT at most.
    """
    taken = np.flatnonzero((found.lift > 1) & (found.q <= SIGNIFICANT) & (found.works >= FEWEST_TOGETHER))
    order = taken[np.argsort(-found.lift[taken], kind="stable")]
    lists: list[list[tuple[int, int, float, float]]] = [[] for _ in range(components)]
    for place in order:
        told = (int(found.works[place]), float(found.lift[place]), float(found.q[place]))
        for one, other in ((int(found.a[place]), int(found.b[place])), (int(found.b[place]), int(found.a[place]))):
            if len(lists[one]) < NEIGHBOURS:
                lists[one].append((other, *told))
    return lists
