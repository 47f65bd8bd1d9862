"""Topics -> the slots and tasks of the ontology: which of its words (names, aliases of components, titles of slots) stand in their titles.

A slot belongs to a topic when its share of the topic's titles, at the lower end of its 95% interval (Wilson 1927), is at least LIFT times
the share in the whole corpus, and at least LEAST_SHARE.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge_assets.topics.phrases import key_of, words

if TYPE_CHECKING:
    from forge_assets.components.ontology import Alias, Ontology

LIFT = 2.0
LEAST_SHARE = 0.02
MOST_SLOTS = 5
LONGEST = 6
Z = 1.96


@dataclass(frozen=True, slots=True)
class Entry:
    """A way a slot is named. `surface`: as it must be written, None for any case."""

    slots: tuple[str, ...]
    surface: str | None = None
    context: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(slots=True)
class Slots:
    """Titles of a topic by slot."""

    titles: int = 0
    counts: Counter[str] = field(default_factory=Counter)


class Vocabulary:
    """The ontology's words, by their key."""

    def __init__(self, ontology: Ontology) -> None:
        self._entries: dict[str, list[Entry]] = defaultdict(list)
        self._firsts: set[str] = set()
        self._tasks = {slot.id: slot.task for slot in ontology.slots.values()}
        for slot in ontology.slots.values():
            self._add(slot.title, Entry((slot.id,)))
        for component in ontology.components.values():
            slots = (component.slot, *component.also_slots)
            if key_of(component.name) not in {key_of(alias.text) for alias in component.aliases}:  # there its own rules hold
                self._add(component.name, Entry(slots, _exact(component.name, "auto")))
            for alias in component.aliases:
                self._add(alias.text, _entry(alias, slots))

    def slots_of(self, title: str) -> set[str]:
        """The slots that a title names."""
        said = [word for word in words(title.replace("-", " ")) if word[0].isalnum()]
        lower = f" {' '.join(said).lower()} "
        found: set[str] = set()
        for begin in range(len(said)):
            if key_of(said[begin]) not in self._firsts:
                continue
            for end in range(begin + 1, min(begin + LONGEST, len(said)) + 1):
                surface = " ".join(said[begin:end])
                for entry in self._entries.get(key_of(surface), ()):
                    if _fits(entry, surface, lower):
                        found.update(entry.slots)
        return found

    def tasks_of(self, slots: Sequence[str]) -> list[str]:
        """The tasks these slots serve, in the order of the slots."""
        return list(dict.fromkeys(self._tasks[slot] for slot in slots if slot in self._tasks))

    def _add(self, text: str, entry: Entry) -> None:
        key = key_of(" ".join(word for word in words(text.replace("-", " ")) if word[0].isalnum()))
        if key:
            self._entries[key].append(entry)
            self._firsts.add(key_of(key.split()[0]))


def chosen(topic: Slots, everywhere: Slots) -> list[tuple[str, float]]:
    """(slot, share of the topic's titles that name it), the most telling first, at most MOST_SLOTS."""
    found = []
    for slot, count in topic.counts.items():
        low = wilson_low(count, topic.titles)
        usual = everywhere.counts[slot] / max(1, everywhere.titles)
        if low >= max(LEAST_SHARE, LIFT * usual):
            found.append((slot, round(count / topic.titles, 4), low / max(usual, 1e-9)))
    found.sort(key=lambda one: (-one[1] * math.log(one[2]), one[0]))
    return [(slot, share) for slot, share, _ in found[:MOST_SLOTS]]


def wilson_low(count: int, total: int) -> float:
    """Lower end of the 95% interval of a share."""
    if not total:
        return 0.0
    share = count / total
    middle = share + Z * Z / (2 * total)
    return (middle - Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))) / (1 + Z * Z / total)


def joined(parts: Mapping[int, Slots] | Sequence[Slots]) -> Slots:
    whole = Slots()
    for part in parts.values() if isinstance(parts, Mapping) else parts:
        whole.titles += part.titles
        whole.counts.update(part.counts)
    return whole


def _entry(alias: Alias, slots: tuple[str, ...]) -> Entry:
    return Entry(slots, _exact(alias.text, alias.case), alias.context, alias.unless)


def _exact(text: str, case: str) -> str | None:
    """The text where case counts: always for `exact`; for `auto` where it has a capital inside a word, or is short and all capitals."""
    inside = any(c.isupper() for word in text.split() for c in word[1:])
    if case == "exact" or (case == "auto" and inside):
        return " ".join(word for word in words(text.replace("-", " ")) if word[0].isalnum())
    return None


def _fits(entry: Entry, surface: str, lower: str) -> bool:
    if entry.surface is not None and surface not in (entry.surface, entry.surface + "s"):
        return False
    if entry.context and not any(f" {word} " in lower for word in entry.context):
        return False
    return not any(f" {word} " in lower for word in entry.unless)
