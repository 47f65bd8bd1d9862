"""The document that introduces a name: of the works that claim to, the first and plainest, unless others have used the name before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BY_TITLE = (0.0, 0.75, 2.0, 4.0)
PROPOSES, DEFINES = 2.0, 0.5
"""What each sign adds to a claim: the title, by the level below; that the text proposes what it names; that it defines an abbreviation."""
LEAST = 2.0
MOST_BEFORE = 0.02
PLAIN_ENOUGH = 4.0
MOST_BEFORE_PLAIN = 0.1
"""A claim fails where more than one work, and more than this share of those that use the name, are of an earlier year. A claim of
PLAIN_ENOUGH bears more of them, since short names mean other things as well."""


PLAIN, TITLED, OPENS, ENTITLED = 0, 1, 2, 3
"""How a document's title names something: not at all, somewhere, at its beginning, as all of it or all before its colon."""
LONGEST_FRONT = 60


@dataclass(frozen=True, slots=True)
class Use:
    """A document names something: places of document and work, year (0: unknown), how strongly it claims to introduce it, and by what."""

    document: int
    work: int
    year: int
    claim: float
    reason: str = ""


def front(title: str) -> str:
    """What a title puts before its colon, or all of a title without one; empty where that is too long for a name."""
    before = title.partition(":")[0].strip()
    return before if len(before) <= LONGEST_FRONT else ""


def level_of(name: str, title: str) -> int:
    """How a title names something."""
    if name not in title:
        return PLAIN
    if front(title) == name:
        return ENTITLED
    return OPENS if title.startswith(name) else TITLED


def claim(level: int, kinds: Iterable[str]) -> tuple[float, str]:
    """How strongly a document claims to introduce a name, and the main reason. `kinds`: the signs by which it brings it up."""
    signs = set(kinds)
    strength = BY_TITLE[level] + PROPOSES * ("proposed" in signs) + DEFINES * ("abbreviation" in signs)
    if level == ENTITLED:
        return strength, "its title is the name"
    if "proposed" in signs:
        return strength, "it proposes it"
    return strength, "its title begins with the name"


def introduction(claims: Iterable[Use], years: Sequence[int]) -> Use | None:
    """The claim that holds; None where none does. `years`: of all works that use the name and have a year, ascending.

    Claims are compared by strength, less one for each year after the first that stands: years of a preprint and of its printing differ.
    """
    standing = [use for use in claims if use.claim >= LEAST and not _used_before(use, years)]
    first = min((use.year for use in standing if use.year), default=0)

    def rank(use: Use) -> tuple[float, int, int]:
        return use.claim - ((use.year or 9999) - first), -use.year, -use.document

    return max(standing, key=rank, default=None)


def _used_before(use: Use, years: Sequence[int]) -> bool:
    share = MOST_BEFORE_PLAIN if use.claim >= PLAIN_ENOUGH else MOST_BEFORE
    return bool(use.year) and bisect_left(years, use.year) > max(1, share * len(years))
