"""Signatures -> pairs of documents worth comparing: those that share a title or a band with few others.

What more than CROWD documents share is boilerplate (licences, cards made from a template, `readme`) and names nobody.
A night looks only at the pairs of new documents, and at those groups which have become a crowd or ceased to be one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from forge_assets.corpus.signatures import GROUPS, KEPT, NEW, OLD, Signed

CROWD = 24

Numbers = npt.NDArray[np.int64]


def reopened(signed: Signed) -> Numbers:
    """Places of the signatures joined before that lie in a group which crossed CROWD, either way, since then."""
    if not (signed.state == KEPT).any():
        return np.zeros(0, dtype=np.int64)
    found = [np.zeros(0, dtype=np.int64)]
    touched = signed.state != KEPT
    for _, order, starts, sizes in _groups(signed, touched):
        state = signed.state[order]
        old, new = (np.add.reduceat((state == which).astype(np.int64), starts) for which in (OLD, NEW))
        crossed = (sizes - new > CROWD) != (sizes - old > CROWD)
        members = order[np.repeat(crossed, sizes)]
        found.append(members[signed.state[members] == KEPT])
    return np.unique(np.concatenate(found))


def pairs(signed: Signed, opened: npt.NDArray[np.bool_]) -> tuple[Numbers, Numbers, npt.NDArray[np.bool_]]:
    """Places (first < second) of the pairs to compare: at least one of the two is `opened`, neither is OLD.

    The third array says of which pairs the title is one that is not borne by a crowd.
    """
    count = len(signed.state)
    found = [np.zeros(0, dtype=np.int64)]
    titles = list(found)
    for column, order, starts, sizes in _groups(signed, opened, without_old=True):
        for size in range(2, CROWD + 1):
            groups = starts[sizes == size]
            if not len(groups):
                continue
            members = np.sort(order[groups[:, None] + np.arange(size)], axis=1)
            left, right = np.triu_indices(size, 1)
            first, second = members[:, left].ravel(), members[:, right].ravel()
            keep = opened[first] | opened[second]
            (titles if column == 0 else found).append(np.unique(first[keep] * count + second[keep]))
    every = np.unique(np.concatenate(titles + found))
    return every // count, every % count, np.isin(every, np.concatenate(titles))


def _groups(signed: Signed, wanted: npt.NDArray[np.bool_], without_old: bool = False) -> Iterator[tuple[int, Numbers, Numbers, Numbers]]:
    """Of each column, the groups of two and more that share a value which a wanted one has: (column, places in order,
    start and size of each group)."""
    for first, count in GROUPS:
        table = signed.columns(first, count)
        for column in range(count):
            values = table[:, column]
            there = values != 0
            if without_old:
                there &= signed.state != OLD
            if not wanted.all():
                there &= np.isin(values, np.unique(values[wanted & there]))
            places = np.flatnonzero(there)
            if not len(places):
                continue
            order = places[np.argsort(values[places], kind="stable")]
            starts = np.flatnonzero(np.concatenate([[True], np.diff(values[order]) != 0]))
            yield first + column, order, starts, np.diff(np.concatenate([starts, [len(order)]]))
