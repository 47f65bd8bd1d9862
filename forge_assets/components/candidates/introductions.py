"""The document that introduces a name: of the works that claim to, the first one, unless others have used the name before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STRONG = 2
"""Least strength of a claim: the work proposes what it names, or its title begins with the name."""
TITLE_IS_NAME, TITLE_BEGINS, PROPOSED, TITLE_HOLDS, NAMES = 4, 3, 2, 1, 0
REASONS = {TITLE_IS_NAME: "its title is the name", TITLE_BEGINS: "its title begins with the name", PROPOSED: "it says that it proposes it"}
MOST_BEFORE = 0.02
"""A claim fails where more than this share of the works that use a name, and more than one, are of an earlier year."""


@dataclass(frozen=True, slots=True)
class Use:
    """A document names something: places of document and work, year (0: unknown), and how strong a claim to it this is."""

    document: int
    work: int
    year: int
    strength: int


def introduction(uses: Sequence[Use]) -> Use | None:
    """The use that introduces the name; None where no claim stands.

    Claims that stand are compared by strength, less one for each year after the first of them: a preprint's year and its printing differ.
    """
    years = sorted({(use.year, use.work) for use in uses if use.year})
    standing = [use for use in uses if use.strength >= STRONG and not _used_before(use, years, len(years))]
    first = min((use.year for use in standing if use.year), default=0)
    return max(standing, key=lambda use: (use.strength - (use.year or 9999) + first, -use.year, -use.document), default=None)


def _used_before(use: Use, years: Iterable[tuple[int, int]], works: int) -> bool:
    before = sum(year < use.year and work != use.work for year, work in years)
    return bool(use.year) and before > max(1, MOST_BEFORE * works)
