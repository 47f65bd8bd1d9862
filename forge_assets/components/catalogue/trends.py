"""How fast the share of works that name something has grown over the last years."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

YEARS = 5
"""The trend looks at so many years up to the latest one of the corpus."""
FEWEST_WORKS = 10
FEWEST_YEARS = 2
STEPS = 50
PRECISION = 1e-9


def trends(counts: npt.NDArray[Any], totals: npt.NDArray[Any]) -> Floats:
    """Yearly growth of a share, 0.2 = +20% a year; nan where there is too little to tell; float64 [k].

    `counts` [k, y]: works of each row in each of y consecutive years; `totals` [y]: all works of those years.
    The counts of a row are taken as Poisson with mean totals * exp(a + b t); b has the prior N(0, 1), without which ten works in one year
    would grow beyond all bounds. The growth is exp(b) - 1 at the mode. Given their sum the counts are multinomial, so a drops out:
    maximise b * sum(n t) - sum(n) * log(sum(totals * exp(b t))) - b**2 / 2, which is concave in b, by Newton's method.
    """
    counts, totals = np.asarray(counts, np.float64), np.asarray(totals, np.float64)
    t = np.arange(len(totals), dtype=np.float64)
    t -= t.mean() if len(t) else 0.0
    works = counts.sum(axis=1)
    if (totals > 0).sum() < FEWEST_YEARS:
        return np.full(len(counts), np.nan)
    observed = counts @ t
    b = np.zeros(len(counts))
    for _ in range(STEPS):
        weight = totals * np.exp(np.outer(b, t))
        weight /= weight.sum(axis=1, keepdims=True)
        mean = weight @ t
        spread = weight @ t**2 - mean**2
        step = np.clip((observed - works * mean - b) / (works * spread + 1.0), -1.0, 1.0)
        b += step
        if not len(step) or np.abs(step).max() < PRECISION:
            break
    return np.where(works >= FEWEST_WORKS, np.expm1(b), np.nan)


def last_years(years: npt.NDArray[Any]) -> range:
    """The years that the trend looks at, given the years of all works (0 where one has none); empty where no work has any.

    The latest year is the last one that holds at least a hundredth of the works of the fullest, so that one misprinted date does not
    move the window.
    """
    known = np.asarray(years)[np.asarray(years) > 0]
    if not len(known):
        return range(0)
    of_year = np.bincount(known)
    latest = int(np.flatnonzero(of_year * 100 >= of_year.max()).max())
    return range(latest - YEARS + 1, latest + 1)
