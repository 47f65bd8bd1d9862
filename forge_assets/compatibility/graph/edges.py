"""Claims, statistics, constraints and decisions, each by edge -> the edges, with confidence and ordered evidence; decisions act last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from forge_assets.compatibility.graph.claims import NOTHING, Side
from forge_assets.compatibility.graph.model import Edge, Evidence, Key, Origin
from forge_assets.compatibility.graph.rules import Rule, evidence_of
from forge_assets.compatibility.graph.scoring import confidence
from forge_assets.compatibility.graph.together import Together
from forge_resources.decisions import Decision

KEPT = 200
"""Pieces of evidence kept per edge and side; the counts are of all."""


def edges(
    claimed: Mapping[Key, tuple[Side, Side]],
    together: Mapping[Key, Together],
    rules: Mapping[Key, Sequence[Rule]],
    decisions: Mapping[Key, Decision],
) -> list[Edge]:
    """All edges, in the order of their keys."""
    keys = sorted({*claimed, *together, *rules, *decisions}, key=lambda one: (one.subject, one.relation, one.object, one.scope))
    return [
        edge(one, claimed.get(one, (NOTHING, NOTHING)), together.get(one), rules.get(one, ()), decisions.get(one)) for one in keys
    ]  # fmt: skip


def edge(key: Key, sides: tuple[Side, Side], pair: Together | None, rules: Sequence[Rule], decision: Decision | None) -> Edge:
    """One edge. Statistics add at most one work to its support; a hard rule or a decision settles the confidence."""
    for_, against = sides
    supporting = for_.independent + (pair.weight if pair else 0.0) + sum(rule.evidence.weight for rule in rules)
    sure = confidence(supporting, against.independent)
    if any(rule.severity == "hard" for rule in rules):
        sure = 1.0
    if decision:
        sure = 1.0 if decision.verdict == "accept" else 0.0
    years = [*for_.years, *against.years]
    evidence = [
        *([evidence_of(decision)] if decision else ()),
        *(rule.evidence for rule in rules),
        *_strongest(for_.evidence),
        *_strongest(against.evidence),
        *(pair.evidence if pair else ()),
    ]
    return Edge(
        key, sure, supporting, against.independent, for_.works, against.works, min(years, default=None), max(years, default=None),
        _origins(evidence), _severity(rules, decision), {"works": pair.works, "lift": pair.lift, "q": pair.q} if pair else None,
        tuple(evidence),
    )  # fmt: skip


def _strongest(evidence: Sequence[Evidence]) -> list[Evidence]:
    return sorted(evidence, key=lambda one: (-one.weight, str(one.document), one.start))[:KEPT]


def _origins(evidence: Iterable[Evidence]) -> tuple[Origin, ...]:
    return tuple(dict.fromkeys(one.origin for one in evidence))


def _severity(rules: Sequence[Rule], decision: Decision | None) -> str | None:
    if decision or any(rule.severity == "hard" for rule in rules):
        return "hard"
    return "soft" if rules else None
