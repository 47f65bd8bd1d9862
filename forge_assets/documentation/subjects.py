"""Whose page a sentence belongs to: of all the components and candidates that it names, the one it speaks of.

The name nearest to the sentence's beginning speaks; one that is negated does not. A sentence has one subject, so that no two pages
quote it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

CANDIDATE = "candidate:"
"""Before the id of a candidate, where components stand by their ids."""


@dataclass(frozen=True, slots=True)
class Name:
    """text[start:end] of the document names a component of the ontology, or a candidate (`CANDIDATE` and its id)."""

    start: int
    end: int
    subject: str
    negated: bool = False

    @property
    def candidate(self) -> bool:
        return self.subject.startswith(CANDIDATE)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The name a sentence speaks of, and the other components in it."""

    name: Name
    others: tuple[str, ...]


def subject_of(names: Sequence[Name], start: int, broad: Collection[str]) -> Chosen | None:
    """The subject of the sentence that begins at `start` and holds `names`; None where all of them are negated.

    `broad`: components that order the tree; they are subjects where nothing narrower stands as near to the beginning.
    """
    able = [name for name in names if not name.negated]
    if not able:
        return None

    def distance(name: Name) -> tuple[int, int, str]:
        late = name.start - start + (40 if name.candidate else 25 if name.subject in broad else 0)
        return late, -(name.end - name.start), name.subject

    best = min(able, key=distance)
    others = {name.subject for name in names if not name.candidate and name.subject != best.subject}
    return Chosen(best, tuple(sorted(others)))
