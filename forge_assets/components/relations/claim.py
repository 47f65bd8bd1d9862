"""What a relation is: two things, what a sentence says of them, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["requires", "conflicts_with", "composes_with", "alternative_to", "supersedes", "improves_on"]

SYMMETRIC: frozenset[Kind] = frozenset(("conflicts_with", "composes_with", "alternative_to"))
"""Relations that hold both ways; the subject is the one that the sentence's own order or grammar puts first."""


@dataclass(frozen=True, slots=True)
class Relation:
    """document.text[start:end] is a sentence that says `subject relation object`, or denies it where `polarity` is false.

    `subject` and `object`: ids of components, or names that the document brings up. `pattern`: what found it. Of improves_on alone:
    `metric` (what is better), `delta` in `unit` ("points", "%", "x": times) where the sentence states them. `quote_hash`: SHA-256 (hex)
    of the sentence.
    """

    start: int
    end: int
    subject: str
    relation: Kind
    object: str
    pattern: str
    metric: str | None
    delta: float | None
    unit: str | None
    polarity: bool
    quote_hash: str
