"""Which components of a slot are in play: those pinned, and of the others those that could matter most.

Components that no rule tells apart and whose best case is worse than another's worst case are left out without loss. Of the rest each
slot keeps the SHORTLIST with the greatest best case; how many were left out is told with every stack.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

SHORTLIST = 12

PairPoints = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """`alone`: points without partners; `best`, `worst`: with the best and the worst partner of every other slot."""

    component: str
    alone: int
    best: int
    worst: int


def reach(components: Mapping[str, str], alone: Mapping[str, int], pairs: PairPoints) -> dict[str, Candidate]:
    """component -> its range. `components`: component -> slot."""
    best: dict[str, dict[str, int]] = {one: {} for one in components}
    worst: dict[str, dict[str, int]] = {one: {} for one in components}
    for (a, b), points in pairs.items():
        for one, other in ((a, b), (b, a)):
            slot = components[other]
            best[one][slot] = max(best[one].get(slot, 0), points)
            worst[one][slot] = min(worst[one].get(slot, 0), points)
    return {
        one: Candidate(one, alone[one], alone[one] + sum(best[one].values()), alone[one] + sum(worst[one].values())) for one in components
    }


def shortlist(candidates: Sequence[Candidate], kept: Collection[str], told_apart: Callable[[str], object],
              most: int = SHORTLIST) -> list[str]:  # fmt: skip
    """The components in play, in the order given. `kept` are never left out; `told_apart`: what rules see of a component."""
    surest: dict[object, tuple[int, str]] = {}
    for one in candidates:
        seen = told_apart(one.component)
        surest[seen] = max(surest.get(seen, (one.worst, one.component)), (one.worst, one.component))
    able = [one for one in candidates if one.component in kept or not _beaten(one, surest[told_apart(one.component)])]
    ranked = sorted(able, key=lambda one: (one.component not in kept, -one.best))  # of equals the first stays
    chosen = {one.component for one in ranked[: max(most, len(kept))]}
    for seen in dict.fromkeys(told_apart(one.component) for one in ranked):  # the best of each kind stays: a rule may demand the kind
        chosen.add(next(one.component for one in ranked if told_apart(one.component) == seen))
    return [one.component for one in candidates if one.component in chosen]


def _beaten(one: Candidate, surest: tuple[int, str]) -> bool:
    return one.component != surest[1] and one.best < surest[0]
