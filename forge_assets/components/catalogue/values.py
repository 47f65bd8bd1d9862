"""Values that works state for a component's parameters -> what is typical: quartiles or words, one voice per work, with sources."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import numpy as np

QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_WORDS = 10
"""Words and sources kept of a parameter whose values are words."""


class Stated(NamedTuple):
    """A work states a value: `number` in `unit`, or a `word`; text[start:end] of the document is the value as written."""

    component: str
    parameter: str
    unit: str
    work: int
    document: UUID
    start: int
    end: int
    number: float | None
    word: str | None


class Source(NamedTuple):
    """Where a value is written."""

    document: UUID
    start: int
    end: int
    value: float | str


@dataclass(frozen=True, slots=True)
class Typical:
    """`quartiles`: least, lower quartile, median, upper quartile and greatest of the works' voices; `words`: word -> works, most first.

    `sources`: for each of the five numbers the written value nearest to it, or for each word its first place.
    """

    component: str
    parameter: str
    unit: str
    works: int
    quartiles: tuple[float, ...] | None
    words: dict[str, int]
    sources: tuple[Source, ...]


def typical_values(stated: Iterable[Stated]) -> list[Typical]:
    """One entry per component, parameter and unit, in that order. A work that states several numbers speaks with their median."""
    groups: dict[tuple[str, str, str], list[Stated]] = defaultdict(list)
    for one in stated:
        groups[one.component, one.parameter, one.unit].append(one)
    return [_typical(*key, groups[key]) for key in sorted(groups)]


def _typical(component: str, parameter: str, unit: str, stated: Sequence[Stated]) -> Typical:
    ordered = sorted(stated, key=lambda one: (one.work, one.document, one.start))
    works = len({one.work for one in ordered})
    quartiles, sources = _of_numbers([one for one in ordered if one.number is not None])
    words, places = _of_words([one for one in ordered if one.word is not None])
    return Typical(component, parameter, unit, works, quartiles, words, (*sources, *places))


def _of_numbers(stated: Sequence[Stated]) -> tuple[tuple[float, ...] | None, list[Source]]:
    if not stated:
        return None, []
    by_work: dict[int, list[float]] = defaultdict(list)
    for one in stated:
        by_work[one.work].append(float(one.number or 0.0))
    voices = np.array([np.median(values) for values in by_work.values()])
    quartiles = tuple(float(value) for value in np.quantile(voices, QUANTILES))
    numbers = np.array([one.number for one in stated], np.float64)
    nearest = dict.fromkeys(int(np.argmin(np.abs(numbers - quartile))) for quartile in quartiles)
    return quartiles, [_source(stated[place]) for place in nearest]


def _of_words(stated: Sequence[Stated]) -> tuple[dict[str, int], list[Source]]:
    """A work that states several words speaks for each of them."""
    first: dict[str, Stated] = {}
    for one in stated:
        first.setdefault(str(one.word), one)
    works = Counter(word for _, word in dict.fromkeys((one.work, str(one.word)) for one in stated))
    most = sorted(works.items(), key=lambda item: (-item[1], item[0]))[:MOST_WORDS]
    return dict(most), [_source(first[word]) for word, _ in most]


def _source(one: Stated) -> Source:
    return Source(one.document, one.start, one.end, one.number if one.number is not None else str(one.word))
