"""Evidence -> benefits, in thousandths: of a component in its slot, and of two components together; each item with what it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forge_assets.compatibility.stack.evidence import Claim, Evidence
from forge_assets.compatibility.stack.profile import Profile
from forge_assets.compatibility.stack.published import ORIGIN, families, field, published

BETTER = ("improves_on", "supersedes")
WITH = ("composes_with", "requires")
LEAST = 8.0
"""log2 of the namings that a component needs for full points where no other of its slot has more."""
SEEN = 20.0
"""Namings beside language models at which what is counted of a component has half its weight: three namings are no opinion yet."""
SURE = 5.0
"""Net works of claims at which a component has half of what claims can give."""


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a benefit. `kind`: as in the profile's goals; `source`: where what is said can be looked up."""

    kind: str
    points: int
    statement: str
    source: str


class Benefits:
    """Benefits under one goal."""

    def __init__(self, profile: Profile, goal: str, evidence: Evidence) -> None:
        self.profile, self.evidence, self.weights = profile, evidence, profile.goals[goal]
        self.leans = profile.leans.get(goal, {})
        self._claims = _net(evidence.claims)
        self._most: dict[str, int] = {}
        self._support: dict[tuple[str, str], list[Claim]] = {}
        for claim in evidence.claims:
            self._support.setdefault(tuple(sorted((claim.subject, claim.object))), []).append(claim)  # type: ignore[arg-type]
        self._field = field()

    def of_slot(self, slot: str, components: Iterable[str]) -> None:
        """Tells which components stand against each other: use counts by the most named of them."""
        counts = (self.evidence.named[one].beside for one in components if one in self.evidence.named)
        self._most[slot] = max(counts, default=0)

    def terms(self, slot: str, component: str) -> list[Term]:
        """What speaks for and against a component, the weightiest first."""
        found = [*self._named(slot, component), *self._claimed(component), *self._leaning(component), *self._alone(slot, component)]
        return sorted((term for term in found if term.points), key=lambda term: (-abs(term.points), term.kind))

    def pair_terms(self, a: tuple[str, str], b: tuple[str, str]) -> list[Term]:
        """What two (slot, component) give each other beside what each gives alone."""
        found = [*self._together(a[1], b[1]), *self._said(a[1], b[1]), *self._designed(a, b)]
        return [term for term in found if term.points]

    def pairs(self, slots: Mapping[str, str]) -> Iterable[tuple[str, str]]:
        """Pairs of components, in slots of their own, that have any support. `slots`: component -> slot."""
        seen: dict[tuple[str, str], None] = dict.fromkeys(pair for pair in self.evidence.pairs if pair[0] in slots and pair[1] in slots)
        seen |= dict.fromkeys(pair for pair in self._support if pair[0] in slots and pair[1] in slots)
        values = sorted({str(value) for slot, value in self._field.alone if slots.get(str(value)) == slot})
        seen |= dict.fromkeys((x, y) for x in values for y in values if x < y)
        return (pair for pair in seen if slots[pair[0]] != slots[pair[1]])

    def _named(self, slot: str, component: str) -> list[Term]:
        named = self.evidence.named.get(component)
        if named is None:
            return []
        source = f"catalogue {self.evidence.catalogue[:10]}: forge components show {component}"
        most = self._most.get(slot, 0)
        known = named.beside / (named.beside + SEEN)
        share = known * math.log2(1 + named.beside) / max(LEAST, math.log2(1 + most))
        affinity = known * max(-1.0, min(1.0, math.log2(named.lift) / 3)) if named.works else 0.0
        told = [
            Term("use", self._points("use", share), f"named beside language models {named.beside} times, in {named.works} works", source),
            Term("affinity", self._points("affinity", affinity), f"{named.lift:.2f} times as often beside them as by chance", source),
        ]
        if named.trend is not None:
            growth = known * max(-1.0, min(1.0, named.trend))
            told.append(Term("trend", self._points("trend", growth), f"its share of works changes by {named.trend:+.0%} a year", source))
        return told

    def _claimed(self, component: str) -> list[Term]:
        net, works, edges = self._claims.get(component, (0.0, 0, ()))
        share = net / (abs(net) + SURE)
        return [Term("claims", self._points("claims", share), f"{works} works compare it with others, {net:+.1f} net in its favour",
                     f"graph edges {', '.join(edges[:3])}: forge graph show {component}")]  # fmt: skip

    def _leaning(self, component: str) -> list[Term]:
        lean, usual = self.leans.get(component), self.profile.usual.get(component)
        told = [Term("lean", self._points("lean", lean.value), "by its nature", lean.source)] if lean else []
        return told + (
            [Term("usual", self._points("usual", usual.value), "part of a recipe that is known to work", usual.source)] if usual else []
        )

    def _alone(self, slot: str, component: str) -> list[Term]:
        weight = self._field.alone.get((slot, component))
        return [] if weight is None else [self._published(weight, f"in {_count(slot, component)} of {_asked(slot)} published designs")]

    def _together(self, a: str, b: str) -> list[Term]:
        pair = self.evidence.pairs.get((min(a, b), max(a, b)))
        if pair is None:
            return []
        share = min(1.0, math.log2(max(1.0, pair.lift)) / 3)
        told = f"{a} and {b} are named together in {pair.works} works, {pair.lift:.1f} times as often as by chance"
        source = f"catalogue {self.evidence.catalogue[:10]}: forge components show {a}"
        return [Term("pair", self._points("pair", share), told, source)]

    def _said(self, a: str, b: str) -> list[Term]:
        told = []
        for claim in self._support.get((min(a, b), max(a, b)), ()):
            sure = 2 * claim.confidence - 1
            sign = 1 if claim.relation in WITH else -1 if claim.relation == "conflicts_with" else 0
            points = self._points("claims", sign * max(0.0, sure) / 2)
            works = f"{claim.supporting} works say so, {claim.contradicting} deny it"
            statement = f"{claim.subject} {claim.relation.replace('_', ' ')} {claim.object}: {works}"
            told.append(Term("claims", points, statement, f"graph edge {claim.edge}: forge graph show {claim.subject}"))
        return told

    def _designed(self, a: tuple[str, str], b: tuple[str, str]) -> list[Term]:
        weight = self._field.together.get((a, b))
        return [] if weight is None else [self._published(weight, f"{a[1]} and {b[1]} in {_both(a, b)} published designs")]

    def _published(self, weight: float, statement: str) -> Term:
        return Term("published", round(max(-3.0, min(3.0, weight)) * self.weights["published"]), statement, ORIGIN)

    def _points(self, kind: str, share: float) -> int:
        return round(share * self.weights[kind])


def _net(claims: Iterable[Claim]) -> dict[str, tuple[float, int, tuple[str, ...]]]:
    """component -> works for it less works against it, each by confidence; works in all; edges."""
    found: dict[str, tuple[float, int, tuple[str, ...]]] = {}
    for claim in claims:
        if claim.relation in BETTER:
            sure = (2 * claim.confidence - 1) * claim.supporting
            for one, sign in ((claim.subject, 1), (claim.object, -1)):
                net, works, edges = found.get(one, (0.0, 0, ()))
                found[one] = net + sign * sure, works + claim.supporting, (*edges, claim.edge)
    return found


def _count(slot: str, component: str) -> int:
    return sum(one.stack.get(slot, "?") == component for one in (*published(), *families()))


def _asked(slot: str) -> int:
    return sum(slot in one.stack for one in (*published(), *families()))


def _both(a: tuple[str, str], b: tuple[str, str]) -> int:
    return sum(one.stack.get(a[0], "?") == a[1] and one.stack.get(b[0], "?") == b[1] for one in (*published(), *families()))
