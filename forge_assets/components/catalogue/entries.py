"""One entry of the catalogue per component: how many works name and use it, since when, whether more and more, and beside what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from forge_assets.components.catalogue.introducing import Origin
from forge_assets.components.catalogue.reading import Named
from forge_assets.components.catalogue.trends import last_years, trends
from forge_assets.components.comentions import Pairs, neighbours
from forge_assets.components.ontology.model import Component


@dataclass(frozen=True, slots=True)
class Entry:
    """Counts are of works, `documents` apart; `used`: works that use or introduce it. `neighbours`: (component, works, lift, q)."""

    component: str
    slot: str
    documents: int
    works: int
    used: int
    first_year: int | None
    latest_year: int | None
    trend: float | None
    years: dict[int, int]
    introducing_document: UUID | None
    introducing_reason: str | None
    neighbours: list[tuple[str, int, float, float]]


def entries(components: Sequence[Component], named: Named, together: Pairs, origins: Mapping[str, Origin]) -> list[Entry]:
    """An entry for each component that a work names, in the order of the ontology; numbers in `named` and `together` are places in it."""
    count = len(components)
    works = np.bincount(named.component, minlength=count)
    used = np.bincount(named.component, weights=named.used, minlength=count).astype(int)
    by_year = table_of_years(named.component, named.years[named.work], count)
    growth = growths(by_year, named.years)
    years = [by_year.years(place) for place in range(count)]
    near = neighbours(together, count)
    return [
        Entry(
            one.id, one.slot, int(named.documents[place]), int(works[place]), int(used[place]),
            min(years[place], default=None), max(years[place], default=None), number_or_none(growth[place]), years[place],
            origins[one.id].document if one.id in origins else None, origins[one.id].reason if one.id in origins else None,
            [(components[other].id, works_, lift, q) for other, works_, lift, q in near[place]],
        )
        for place, one in enumerate(components) if works[place]
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class YearTable:
    """`works` int32 [subjects, years]: works of each in each year, the first of which is `first`. Works without a year are not in it."""

    first: int
    works: npt.NDArray[np.int32]

    def years(self, subject: int) -> dict[int, int]:
        """Year -> works, without the empty ones."""
        return {self.first + int(place): int(self.works[subject, place]) for place in np.flatnonzero(self.works[subject])}

    def within(self, window: range) -> npt.NDArray[np.int32]:
        """The columns of these consecutive years, which need not all be in the table; int32 [subjects, years]."""
        made = np.zeros((len(self.works), len(window)), np.int32)
        for place, year in enumerate(window):
            if 0 <= year - self.first < self.works.shape[1]:
                made[:, place] = self.works[:, year - self.first]
        return made


def table_of_years(subject: npt.NDArray[Any], year: npt.NDArray[Any], subjects: int) -> YearTable:
    """`subject`, `year` [n]: a work of that year (0: unknown) concerns that subject."""
    known = year > 0
    subject, year = subject[known].astype(np.int64), year[known]
    first, width = (int(year.min()), int(year.max() - year.min()) + 1) if len(year) else (0, 0)
    flat = np.bincount(subject * width + (year - first), minlength=subjects * width)
    return YearTable(first, flat.reshape(subjects, width).astype(np.int32))


def growths(by_year: YearTable, years: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The trend of each subject, given the years of all works; nan where there is none."""
    window = last_years(years)
    totals = np.array([(years == year).sum() for year in window])
    return trends(by_year.within(window), totals)


def number_or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
