"""What an estimate of memory consists of: named amounts of bytes, each with its formula and source, and a range."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FITS_UNDER = 0.8
"""An estimate fits a device when it stays under this share of its memory; the rest is for what no formula knows (issue 5)."""


@dataclass(frozen=True, slots=True)
class Item:
    """`bytes` on one device at the moment of the peak."""

    name: str
    bytes: int
    formula: str
    source: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """Memory of the fullest device. `moment`: when it is fullest; `low`, `high`: the range; `unvalidated`: why no measurement backs it."""

    items: tuple[Item, ...]
    moment: str
    low: int
    high: int
    unvalidated: str | None = None

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.items)

    @property
    def largest(self) -> Item:
        return max(self.items, key=lambda item: item.bytes)

    def of(self, name: str) -> int:
        """Bytes of the items of this name; 0 where there is none."""
        return sum(item.bytes for item in self.items if item.name == name)

    def fits(self, capacity: int) -> bool:
        return self.bytes <= FITS_UNDER * capacity


def estimate(items: Iterable[Item], moment: str, spread: tuple[float, float], extra: int, unvalidated: str | None) -> Estimate:
    """Drops empty items; the range is the sum times `spread`, and up to `extra` bytes more."""
    kept = tuple(item for item in items if item.bytes > 0)
    total = sum(item.bytes for item in kept)
    return Estimate(kept, moment, int(total * spread[0]), int(total * spread[1]) + extra, unvalidated)
