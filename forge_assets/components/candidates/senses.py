"""Evidence that works bring up names -> senses: all ways to write one thing, a long form and its abbreviation together.

An abbreviation that works define in different ways has several senses; where it stands alone it counts for the one that four fifths of
those works mean, else for none of them. A work that introduces the bare name ("WaveNet: ...") speaks for a sense without a long form.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from forge_assets.components.candidates.introductions import OPENS
from forge_assets.components.candidates.names import is_fit, key_of, tidied
from forge_assets.components.folding import fold
from forge_assets.components.lexicon import WORD
from forge_assets.components.noun_phrases import VAGUE_HEADS, proper

DOMINANT = 0.8
"""An abbreviation alone stands for a sense that so large a share of the works which define it mean."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A document brings up a name: text[start:end], or its title where both are 0. `year` 0: unknown; `level`: how its title names it."""

    document: UUID
    work: int
    year: int
    start: int
    end: int
    name: str
    long_form: str | None
    kind: str
    head: str | None
    level: int

    @property
    def introduces(self) -> bool:
        """Whether the document says that the name is its own."""
        return self.kind == "proposed" or self.level >= OPENS


@dataclass(frozen=True, slots=True)
class Sense:
    """One thing that works bring up. `surfaces`: each way to write it -> works, most first; those in `shared` mean other things too."""

    name: str
    long_form: str | None
    surfaces: dict[str, int]
    shared: frozenset[str]
    evidence: tuple[Evidence, ...]


class _Row(NamedTuple):
    evidence: Evidence
    name: str
    key: str
    long_key: str


def senses(evidence: Iterable[Evidence]) -> list[Sense]:
    """The senses of all evidence whose names are fit, in the order of their keys."""
    rows = [row for one in evidence if (row := _row(one))]
    definitions: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    written: dict[str, str] = {}
    for row in rows:
        if row.long_key:
            definitions[row.key][row.long_key].add(row.evidence.work)
            written.setdefault(row.long_key, row.evidence.long_form or "")
    bare: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        if not row.long_key and row.evidence.introduces:
            bare[row.key].add(row.evidence.work)
    stems = {key: _stems(long_form) for key, long_form in written.items()}
    meaning = {key: _meanings(by_long, stems) for key, by_long in definitions.items()}
    shares = {key: _shares(key, by_long, meaning[key], bare[key]) for key, by_long in definitions.items()}
    as_long = _as_long_forms(definitions, meaning)
    groups: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        group = meaning[row.key][row.long_key] if row.long_key else as_long.get(row.key) or _alone(row.key, shares)
        groups[group].append(row)
    return [_sense(group, groups[group], shares) for group in sorted(groups)]


def _row(one: Evidence) -> _Row | None:
    name = tidied(one.name)
    long_key = key_of(one.long_form) if one.long_form and is_fit(one.long_form) else ""
    if not is_fit(name) and not (long_key and len(key_of(name)) > 1):
        return None
    return _Row(one, name, key_of(name), long_key)


def _meanings(by_long: dict[str, set[int]], stems: dict[str, frozenset[str]]) -> dict[str, str]:
    """Key of each long form of one abbreviation -> that of the most frequent one which means the same.

    The same mean those whose words are the same, but for endings and words such as "model", or one of which only adds words in front.
    """
    meant: dict[str, str] = {}
    heads: list[str] = []
    for key in sorted(by_long, key=lambda one: (-len(by_long[one]), one)):
        meant[key] = next((head for head in heads if _same(key, head, stems)), key)
        if meant[key] == key:
            heads.append(key)
    return meant


def _same(one: str, other: str, stems: dict[str, frozenset[str]]) -> bool:
    few, many = sorted((stems[one], stems[other]), key=len)
    return len(few) >= 2 and few <= many or min(len(one), len(other)) >= 12 and (one.endswith(other) or other.endswith(one))


def _stems(long_form: str) -> frozenset[str]:
    words = (fold(word) for word in WORD.findall(long_form))
    return frozenset(word[:5] for word in words if word not in VAGUE_HEADS and len(word) > 2)


def _shares(key: str, by_long: dict[str, set[int]], meaning: dict[str, str], bare: set[int]) -> dict[str, float]:
    """Sense -> its share of the works that define an abbreviation, or introduce it as a name that stands for nothing longer."""
    works: dict[str, set[int]] = defaultdict(set)
    for long_key, defining in by_long.items():
        works[meaning[long_key]] |= defining
    if others := bare.difference(*works.values()):
        works[key] = others
    total = sum(map(len, works.values()))
    return {group: len(of_group) / total for group, of_group in works.items()}


def _as_long_forms(definitions: dict[str, dict[str, set[int]]], meaning: dict[str, dict[str, str]]) -> dict[str, str]:
    """Key of a long form -> the sense it has under the abbreviation that most works define by it."""
    most: dict[str, tuple[int, str]] = {}
    for key, by_long in definitions.items():
        for long_key, works in by_long.items():
            most[long_key] = max(most.get(long_key, (0, "")), (len(works), meaning[key][long_key]))
    return {long_key: group for long_key, (_, group) in most.items()}


def _alone(key: str, shares: dict[str, dict[str, float]]) -> str:
    """The sense of an abbreviation, or any name, without a long form."""
    most = max(shares.get(key, {}).items(), key=lambda item: (item[1], item[0]), default=("", 0.0))
    return most[0] if most[1] >= DOMINANT else key


def _sense(group: str, rows: Sequence[_Row], shares: dict[str, dict[str, float]]) -> Sense:
    works: dict[str, set[int]] = defaultdict(set)
    long_forms: Counter[str] = Counter()
    for row in rows:
        works[row.name].add(row.evidence.work)
        if row.long_key:
            stated = row.evidence.long_form or ""
            works[stated].add(row.evidence.work)
            long_forms[stated] += 1
    surfaces = {name: len(works[name]) for name in sorted(works, key=lambda name: (-len(works[name]), name))}
    shared = frozenset(
        row.name for row in rows if shares.get(row.key) and shares[row.key].get(group, 0.0) < DOMINANT and row.key != row.long_key
    )
    long_form = max(long_forms, key=lambda one: (long_forms[one], one), default=None)
    evidence = tuple(sorted((row.evidence for row in rows), key=lambda one: (one.year or 9999, one.document, one.start)))
    return Sense(_name(surfaces, shared, long_form), long_form, surfaces, shared, evidence)


def _name(surfaces: dict[str, int], shared: frozenset[str], long_form: str | None) -> str:
    """What a person would call it: a made-up word of small and capital letters, else the long form, else what most works write."""
    short = next((name for name in surfaces if name not in shared and proper(name) and any(letter.islower() for letter in name)), None)
    if long_form and (short is None or len(short) > len(long_form)):
        return long_form[0].upper() + long_form[1:]
    return short if long_form and short else next(iter(surfaces))
