"""Symbolic sizes: polynomials over the names of axes, with whole coefficients, such as 2*j + m."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOST_TERMS, MOST_FACTORS, LARGEST = 64, 12, 2**31 - 1
"""Of a size that a text declares; more is no model's, and would take for ever to multiply out."""


@dataclass(frozen=True, slots=True)
class Size:
    """`terms`: the names multiplied (sorted, with repetition) and their coefficient; sorted, none is zero."""

    terms: tuple[tuple[tuple[str, ...], int], ...]

    @staticmethod
    def of(value: int | str) -> Size:
        return Size.made({(value,): 1} if isinstance(value, str) else {(): value})

    @staticmethod
    def made(terms: Mapping[tuple[str, ...], int]) -> Size:
        return Size(tuple(sorted((names, count) for names, count in terms.items() if count)))

    def __add__(self, other: Size) -> Size:
        total = dict(self.terms)
        for names, count in other.terms:
            total[names] = total.get(names, 0) + count
        return Size.made(total)

    def __neg__(self) -> Size:
        return Size.made({names: -count for names, count in self.terms})

    def __sub__(self, other: Size) -> Size:
        return self + -other

    def __mul__(self, other: Size) -> Size:
        total: dict[tuple[str, ...], int] = {}
        for names, count in self.terms:
            for others, times in other.terms:
                key = tuple(sorted(names + others))
                total[key] = total.get(key, 0) + count * times
        return Size.made(total)

    @property
    def too_large(self) -> bool:
        """More than a size may be made of."""
        return len(self.terms) > MOST_TERMS or any(len(names) > MOST_FACTORS or abs(count) > LARGEST for names, count in self.terms)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for names, _ in self.terms for name in names))

    @property
    def constant(self) -> int | None:
        """The number, where no name is left."""
        return (self.terms[0][1] if self.terms else 0) if all(not names for names, _ in self.terms) else None

    @property
    def never_negative(self) -> bool:
        """No size is below zero, so a polynomial without a negative coefficient is none either."""
        return all(count >= 0 for _, count in self.terms)

    def value(self, sizes: Mapping[str, int]) -> int:
        """Raises KeyError for a name that `sizes` lacks."""
        total = 0
        for names, count in self.terms:
            for name in names:
                count *= sizes[name]
            total += count
        return total

    def text(self, spell: Mapping[str, str] | None = None) -> str:
        """As source code of Python, C++ and FDL alike; `spell` renames the axes."""
        told = ""
        for names, count in sorted(self.terms, key=lambda term: (term[1] < 0, not term[0], term[0])):
            factors = [str(abs(count))] * (abs(count) != 1 or not names) + [(spell or {}).get(name, name) for name in names]
            told += (" - " if count < 0 else " + ") * bool(told) + "-" * (count < 0 and not told) + " * ".join(factors)
        return told or "0"


def product(sizes: Iterable[Size]) -> Size:
    total = Size.of(1)
    for one in sizes:
        total *= one
    return total
