"""How well confidence foretells: each work that compares two components is left out, and foretold from the others.

Of `improves_on` and `supersedes` alone, where works do say both: for each pair, which way round does the left-out work say it? Which of the
two counts as "the first" is the alphabet's choice, so with nothing known the answer is open, and 0.5 is what should be said.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from forge_assets.compatibility.graph.claims import ONE_WAY, Claim, side
from forge_assets.compatibility.graph.scoring import NO_OPINION, PRIOR, confidence

EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PRIORS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Foretold:
    """One work left out: independent works of the others that agree with it (`with_it`) and that do not (`against_it`)."""

    with_it: float
    against_it: float

    def chance(self, prior: float = PRIOR) -> float:
        """What was said of the way in which the left-out work turned out to see it."""
        return confidence(self.with_it, self.against_it, prior)


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases whose surer side was given a confidence in [low, high): how many, what was said on average, and the share that came true."""

    low: float
    high: float
    cases: int
    said: float
    true: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """`pairs` that several works compare, `cases` of a work left out; Brier scores (0.25: no opinion); the prior that fits best."""

    pairs: int
    cases: int
    brier: float
    bins: tuple[Bin, ...]
    best_prior: float


def calibrate(claims: Iterable[Claim]) -> Calibration | None:
    """None where no two works compare the same pair."""
    by_pair: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.key.relation in ONE_WAY:
            by_pair[min(claim.key.subject, claim.key.object), max(claim.key.subject, claim.key.object)].append(claim)
    cases, pairs = [], 0
    for some in by_pair.values():
        found = foretell(some)
        cases += found
        pairs += bool(found)
    if not cases:
        return None
    brier = sum((1 - case.chance()) ** 2 for case in cases) / len(cases)
    best = max(PRIORS, key=lambda prior: sum(math.log(case.chance(prior)) for case in cases))
    return Calibration(pairs, len(cases), brier, tuple(_bins(cases)), best)


def foretell(claims: Sequence[Claim]) -> list[Foretold]:
    """Each work of a pair left out once; a work that says both is not foretold."""
    first = min(claims[0].key.subject, claims[0].key.object)
    says: dict[UUID, set[bool]] = defaultdict(set)
    for claim in claims:
        says[claim.work].add(_first_wins(claim, first))
    made = []
    for work, said in says.items():
        if len(said) == 1 and len(says) > 1:
            (way,) = said
            others = [claim for claim in claims if claim.work != work]
            agreeing = side([claim for claim in others if _first_wins(claim, first) is way], True).independent
            made.append(Foretold(agreeing, side([claim for claim in others if _first_wins(claim, first) is not way], False).independent))
    return made


def _first_wins(claim: Claim, first: str) -> bool:
    """Whether a claim sees the first of the two ahead; who denies that the other is ahead does."""
    return (claim.key.subject == first) is claim.polarity


def _bins(cases: Sequence[Foretold]) -> Iterable[Bin]:
    """Both sides of a case hold one another's complement, so that the surer one is looked at; a tie counts half."""
    for low, high in pairwise(EDGES):
        chances = [
            (max(chance, 1 - chance), 0.5 if chance == NO_OPINION else float(chance > NO_OPINION)) for chance in map(Foretold.chance, cases)
        ]
        inside = [(sure, true) for sure, true in chances if low <= sure < high]
        if inside:
            yield Bin(low, high, len(inside), sum(sure for sure, _ in inside) / len(inside), sum(true for _, true in inside) / len(inside))
