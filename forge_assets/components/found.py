"""What may be mentions, before the longest are chosen: asked for what ends at a place or is written like a short form, and thinned."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from forge_assets.components.lexicon import Via, Way, words_of
from forge_assets.components.text import Reading


@dataclass(frozen=True, slots=True)
class Found:
    start: int
    end: int
    way: Way
    via: Via


class Kept:
    """Items in the order in which they came."""

    def __init__(self, reading: Reading, found: Iterable[Found]) -> None:
        self._reading = reading
        self._items: dict[int, Found] = {}
        self._by_end: dict[int, list[int]] = {}
        self._by_words: dict[tuple[str, ...], list[int]] = {}
        self._dropped: dict[tuple[str, ...], int] = {}
        self._next = 0
        self.extend(found)

    def extend(self, found: Iterable[Found]) -> None:
        for item in found:
            number = self._next
            self._next += 1
            self._items[number] = item
            self._by_end.setdefault(item.end, []).append(number)
            self._by_words.setdefault(self._words(item), []).append(number)

    def _words(self, item: Found) -> tuple[str, ...]:
        return words_of(self._reading.text[item.start : item.end])

    def items(self) -> list[Found]:
        return list(self._items.values())

    def ending_at(self, end: int) -> list[Found]:
        return [self._items[number] for number in self._by_end.get(end, ()) if number in self._items]

    def state(self, short: str) -> tuple[int, ...]:
        """Differs when something written like a short form has come or gone."""
        return tuple(count for key in _keys(short) for count in (len(self._by_words.get(key, ())), self._dropped.get(key, 0)))

    def written(self, short: str) -> list[tuple[int, str]]:
        """Number and component of what is written like a short form."""
        near = [number for key in _keys(short) for number in self._by_words.get(key, ()) if number in self._items]
        return [(n, self._items[n].way.component) for n in near if _written_so(self._reading, self._items[n], short)]

    def drop(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            key = self._words(self._items.pop(number))
            self._dropped[key] = self._dropped.get(key, 0) + 1


def _keys(short: str) -> tuple[tuple[str, ...], ...]:
    """The folded words of a short form and of its plural."""
    return tuple(dict.fromkeys((words_of(short), words_of(short + "s"))))


def _written_so(reading: Reading, item: Found, short: str) -> bool:
    surface = reading.text[item.start : item.end]
    return surface == short or surface == short + "s" or words_of(surface) == words_of(short) and surface.isupper()


_start = attrgetter("start")


def longest(found: list[Found]) -> list[Found]:
    """Without overlap: longer before shorter, earlier before later, strict case and context before loose, then by id."""

    def rank(item: Found) -> tuple[int, int, bool, bool, bool, str]:
        way = item.way
        return item.start - item.end, item.start, item.via != "alias", not way.cased, way.context is None, way.component

    chosen: list[Found] = []  # by start, and so by end
    for item in sorted(found, key=rank):
        place = bisect_left(chosen, item.end, key=_start)
        if place == 0 or chosen[place - 1].end <= item.start:
            insort(chosen, item, key=_start)
    return chosen
