"""Which sentences a page quotes: relevance by TF-IDF and score, variety by MMR, near-duplicates merged into one with many citations.

A pool of quotes -> chosen quotes with their merged likes. Relevance is a mean of the sentence's own score, its cosine to what is looked
for, and its cosine to the centroid of the pool; then J. Carbonell and J. Goldstein's maximal marginal relevance (SIGIR 1998).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from forge_assets.documentation.quotes import Quote

Floats = npt.NDArray[np.float32]

ALIKE = 0.8
"""Sentences with a greater cosine say the same; they are merged."""
VARIETY = 0.45
"""Weight of the likeness to what is chosen already."""
MOST_OF_A_WORK = 2
STRANGE, FEWEST_OF_A_KIND = 0.6, 12
"""A sentence that is as like to the others, title and all, as that share of the median is a stranger; in smaller pools there are none."""
WEIGHTS = (0.5, 0.25, 0.25)
"""Of the sentence's own score, of the query, of the centroid."""
KIN = 0.3
"""Weight of the passages' vectors, where there are any."""
_WORD = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
_STOP = frozenset(
    "a an the of for to in on with and or by is are was were be been being as at from that which this these those it its "
    "their they them we our "
    "can could may might will would should has have had do does did not no than then such also into over under between "
    "among more most other "
    "some any all both each very but if while when where who whom whose how what why there here so only own same too just "
    "about across via per "
    "using use used based however thus through during within without against up down out off again further once one two".split()
)


@lru_cache(200_000)
def words(text: str) -> tuple[str, ...]:
    """Words that carry meaning, in small letters, without the plural's s."""
    found = (word.lower() for word in _WORD.findall(text))
    return tuple(_singular(word) for word in found if word not in _STOP)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@dataclass(slots=True)
class Picked:
    """A chosen sentence and those that say the same, each of another work."""

    quote: Quote
    alike: list[Quote] = field(default_factory=list)

    @property
    def works(self) -> set[UUID]:
        return {self.quote.work, *(one.work for one in self.alike)}


class Pool:
    """The sentences a page may choose from. `about`: the words it is about, such as a name and a description."""

    def __init__(self, quotes: Sequence[Quote], about: str, weights: tuple[float, float, float] = WEIGHTS) -> None:
        self.quotes = list(quotes)
        self._matrix, query = vectors([one.text for one in self.quotes], about)
        scores = np.array([one.score for one in self.quotes], np.float32)
        centroid = np.asarray(self._matrix.mean(axis=0)).ravel() if self.quotes else np.zeros(0, np.float32)
        length = float(np.linalg.norm(centroid)) or 1.0
        mine, wanted, central = weights
        self.relevance: Floats = (
            mine * scores + wanted * (self._matrix @ query) + central * (self._matrix @ (centroid / length))
            if self.quotes
            else np.zeros(0, np.float32)
        )
        self.relevance += KIN * self._kin()
        self._strange = self._strangers()
        self._chosen: list[int] = []
        self._used: Counter[UUID] = Counter()
        self._gone: set[int] = set()

    def pick(self, most: int, among: Iterable[int] | None = None, variety: float = VARIETY) -> list[Picked]:
        """Up to `most` more sentences, none of which says what was picked before, and at most MOST_OF_A_WORK of a work in all."""
        able = [number for number in (range(len(self.quotes)) if among is None else among) if number not in self._gone | self._strange]
        picked: list[Picked] = []
        if not able:
            return picked
        likeness = self._likeness(able)
        while able and len(picked) < most:
            values = self.relevance[able] - variety * likeness[able]
            number = able[int(np.argmax(values))]
            able.remove(number)
            self._gone.add(number)
            if likeness[number] > ALIKE or self._used[self.quotes[number].work] >= MOST_OF_A_WORK:
                continue
            one = self._take(number)
            picked.append(one)
            able = [other for other in able if other not in self._gone]
            np.maximum(likeness, self._to(number), out=likeness)
        return picked

    def where(self, **wanted: Any) -> list[int]:
        """Numbers of the quotes whose fields have these values."""
        return [number for number, one in enumerate(self.quotes) if all(getattr(one, name) == value for name, value in wanted.items())]

    def _kin(self) -> Floats:
        """How near the sentences' passages are to each other by their vectors; those without one count as the mean of the others."""
        known = [one.kin for one in self.quotes if one.kin is not None]
        usual = float(np.mean(known)) if known else 0.0
        return np.array([usual if one.kin is None else one.kin for one in self.quotes], np.float32)

    def _strangers(self) -> set[int]:
        """Sentences that share so little with the others that the name means another thing there; titles of their documents count too."""
        if len(self.quotes) < FEWEST_OF_A_KIND:
            return set()
        matrix, _ = vectors([f"{one.title} {one.text}" for one in self.quotes], "")
        kin = np.asarray(matrix @ np.asarray(matrix.mean(axis=0)).ravel())
        return {int(number) for number in np.flatnonzero(kin < STRANGE * np.median(kin))}

    def _likeness(self, able: Sequence[int]) -> Floats:
        likeness = np.zeros(len(self.quotes), np.float32)
        for number in self._chosen:
            np.maximum(likeness, self._to(number), out=likeness)
        return likeness

    def _to(self, number: int) -> Floats:
        return np.asarray((self._matrix @ self._matrix[number].T).todense(), np.float32).ravel()

    def _take(self, number: int) -> Picked:
        self._chosen.append(number)
        one = Picked(self.quotes[number])
        self._used[one.quote.work] += 1
        for other in np.flatnonzero(self._to(number) > ALIKE):
            if other != number and int(other) not in self._gone:
                self._gone.add(int(other))
                if self.quotes[other].work not in one.works:
                    one.alike.append(self.quotes[other])
        return one


def vectors(texts: Sequence[str], about: str) -> tuple[Any, Floats]:
    """TF-IDF rows of length one (scipy sparse float32 [n, words]) and the same of `about` [words]; idf is of these texts alone."""
    from scipy import sparse  # type: ignore[import-untyped, unused-ignore]

    columns: dict[str, int] = {}
    data: list[float] = []
    indices: list[int] = []
    indptr = [0]
    for text in texts:
        for word, count in Counter(words(text)).items():
            indices.append(columns.setdefault(word, len(columns)))
            data.append(1.0 + np.log(count))
        indptr.append(len(indices))
    matrix = sparse.csr_matrix((np.array(data, np.float32), indices, indptr), shape=(len(texts), max(1, len(columns))))
    found = np.bincount(matrix.indices, minlength=matrix.shape[1])
    idf = (np.log((1 + len(texts)) / (1 + found)) + 1).astype(np.float32)
    matrix = _unit(matrix @ sparse.diags(idf))
    query: Floats = np.zeros(matrix.shape[1], np.float32)
    for word in words(about):
        if word in columns:
            query[columns[word]] += idf[columns[word]]
    return matrix, query / np.float32(np.linalg.norm(query) or 1.0)


def _unit(matrix: Any) -> Any:
    from scipy import sparse

    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sparse.diags(1 / np.maximum(lengths, 1e-9)) @ matrix).tocsr().astype(np.float32)
