"""Senses and where they stand -> candidates with works, years, growth, introducing document, slot and score, the best first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from forge_assets.components.candidates.names import id_of, key_of
from forge_assets.components.candidates.occurrences import is_made_up
from forge_assets.components.candidates.senses import Evidence, Sense
from forge_assets.components.folding import singular
from forge_assets.components.lexicon import WORD, Lexicon
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.terms import TASK_HEADS

SHOWN = 6
"""Ways to write it, and places, that a candidate is shown with."""
LEAST_DEFINING = 3
"""A name that no work introduces, but that works define as an abbreviation, needs so many of them."""
LEAST_USING = 5
"""A made-up word that works only use needs so many of them."""
PER_SIGN = 0.5
OF_GROWTH = 2.0
TASK = 0.5
COMMON_WORKS, COMMON_SHARE, NAMED_SHARE = 100, 0.01, 0.1
"""Of the works that use ordinary words, NAMED_SHARE or more bring them up where they are a name; where COMMON_WORKS use them and less than
COMMON_SHARE bring them up, they are common language."""
FIELD_HEADS = frozenset("learning system rate ai model language llm bound problem dataset sensor robot disease".split())
PERSONS = 0.2
"""A word that stands before "et al." in more than this share of its documents is a person."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A name that the ontology may lack. `independent`: works beside the one that introduced it; `signs`: sign -> works that give it.

    `slots`: (slot, share), the likeliest first; `evidence`: (document, start, end, sign), 0..0 for a title outside the text.
    """

    id: str
    name: str
    long_form: str | None
    aliases: tuple[str, ...]
    slot: str | None
    slot_share: float | None
    slots: tuple[tuple[str, float], ...]
    documents: int
    works: int
    independent: int
    first_year: int | None
    latest_year: int | None
    trend: float | None
    years: dict[int, int]
    signs: dict[str, int]
    introducing_document: UUID | None
    introducing_reason: str | None
    score: float
    evidence: tuple[tuple[UUID, int, int, str], ...]


def score(independent: int, trend: float | None, signs: int, named: float = 1.0, *, task: bool = False) -> float:
    """(log2(1 + independent works) + 2 * growth, -0.5 to 1 a year, + 0.5 for each kind of sign) * named; half of it for a task.

    Works count by their logarithm, since each doubling is as much news as the last; a name of one paper gets 0.5 to 2.
    `named`: see named_share.
    """
    growth = OF_GROWTH * min(1.0, max(-0.5, trend or 0.0))
    value = named * (math.log2(1 + independent) + growth + PER_SIGN * signs)
    return value * TASK if task else value


def named_share(sense: Sense, works: int) -> float:
    """How much of a name it is, 0 to 1: a made-up word is one; of others the root of the share of works that bring them up, 1 from a tenth.

    All works write "deep learning", few define it; of those that write "support vector machine" a fourth does.
    """
    own = [way for way in sense.surfaces if way not in sense.shared]
    if all(any(is_made_up(word) for word in WORD.findall(way)) for way in own):
        return 1.0
    return min(1.0, math.sqrt(_brought_up(sense, works) / NAMED_SHARE))


def _brought_up(sense: Sense, works: int) -> float:
    return len({one.work for one in sense.evidence}) / max(1, works)


def is_task(sense: Sense) -> bool:
    """Whether a name ends as tasks and fields do, and not as techniques: recognition, translation; learning, systems, rate."""
    words = WORD.findall(sense.long_form or sense.name)
    return bool(words) and singular(words[-1].lower()) in TASK_HEADS | FIELD_HEADS


def signs_of(evidence: Iterable[Evidence]) -> dict[str, int]:
    """Sign -> works that give it, most first."""
    counted = Counter(kind for kind, _ in {(one.kind, one.work) for one in evidence})
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def is_admitted(sense: Sense) -> bool:
    """Whether there is enough to ask a person about it: a work introduces it, or several define or use it."""
    if any(one.introduces or one.kind == "title" for one in sense.evidence):
        return True
    works: dict[str, set[int]] = {}
    for one in sense.evidence:
        works.setdefault(one.kind, set()).add(one.work)
    return len(works.get("abbreviation", ())) >= LEAST_DEFINING or "used" in works


class Known:
    """What the ontology has: also families whose common nouns extraction does not look for."""

    def __init__(self, ontology: Ontology, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._keys: dict[str, set[str]] = {}
        for component in ontology.components.values():
            for name in (component.id, component.name, *(alias.text for alias in component.aliases)):
                self._keys.setdefault(key_of(name), set()).add(component.id)

    def has(self, sense: Sense) -> bool:
        """Whether it is one of the components: by its long form, or by a name that no other long form contradicts."""
        if sense.long_form and self.called(sense.long_form):
            return True
        known = {component for way in sense.surfaces if way not in sense.shared for component in self.called(way)}
        if not known:
            return False
        return sense.long_form is None or any(self._lexicon.may_mean(component, sense.long_form) for component in known)

    def called(self, name: str) -> set[str]:
        """Ids of the components called so."""
        return self._keys.get(key_of(name), set()) | self._lexicon.components_of(name)


def is_ordinary(sense: Sense, documents: int, plain: int, persons: int) -> bool:
    """Whether it is common language, or a person, judged by how all texts write it."""
    if plain > documents or persons > PERSONS * documents:
        return True
    return documents >= COMMON_WORKS and named_share(sense, documents) < math.sqrt(COMMON_SHARE / NAMED_SHARE)


def shown_aliases(sense: Sense) -> tuple[str, ...]:
    """Ways to write it that mean nothing else, one of each spelling, most frequent first, without the name itself."""
    kept: dict[str, str] = {}
    for way in sense.surfaces:
        if way not in sense.shared:
            kept.setdefault(key_of(way), way)
    kept.pop(key_of(sense.name), None)
    return tuple(kept.values())[:SHOWN]


def shown_evidence(evidence: Sequence[Evidence], introducing: UUID | None) -> tuple[tuple[UUID, int, int, str], ...]:
    """The introducing document's places first, then one place of each work, the earliest first."""
    first = [one for one in evidence if one.document == introducing]
    works = {one.work for one in first}
    for one in evidence:
        if one.work not in works:
            works.add(one.work)
            first.append(one)
    return tuple((one.document, one.start, one.end, one.kind) for one in first[:SHOWN])


def ids_for(sense: Sense) -> list[str]:
    """The ids it may have: of its name, or of its long form where a component or another candidate has that id."""
    return [id_ for id_ in map(id_of, (sense.name, *([sense.long_form] if sense.long_form else []))) if id_]
