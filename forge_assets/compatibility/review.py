"""What waits for a person: candidates and edges that nobody has decided on, the most telling first.

An edge waits where documents alone claim it, of the ideas themselves: rules of code and decisions need no review, and that two names
stand together is no claim. Works that contradict each other come first, then what would keep components apart or force one upon a stack.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from forge_assets.compatibility.constraints.model import IDEA
from forge_assets.compatibility.graph.model import Edge
from forge_assets.compatibility.graph.rules import subject_of

DISAGREEMENT, BINDING = 2.0, 1.5
"""How much more an edge is worth looking at where works disagree, and where it would bind stacks."""
SETTLED = ("port", "fact", "arithmetic", "override")

Kind = Literal["candidate", "edge", "page"]
"""Pages are proposed by the room that writes them."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """`id`: what `forge review accept` takes; `said`: what would hold; `because`: why it is shown; `worth` orders those of one kind."""

    kind: Kind
    id: str
    said: str
    because: str
    slots: tuple[str, ...]
    worth: float


def of_candidates(rows: Iterable[Mapping[str, Any]]) -> list[Proposal]:
    """Of the rows of the queue, which has its own order."""
    return [
        Proposal("candidate", row["candidate"], _called(row), _brought_up(row), (row["slot"],) if row["slot"] else (), float(row["score"]))
        for row in rows
    ]


def of_edges(edges: Iterable[Edge], slot_of: Mapping[str, str], decided: Collection[str]) -> list[Proposal]:
    """`slot_of`: component -> slot; edges of other components are left out. `decided`: subjects of decisions in force.

    Of a relation and its reverse the surer one stands for both.
    """
    edges = list(edges)
    confidence = {edge.key: edge.confidence for edge in edges}
    found = []
    for edge in edges:
        one = edge.key
        if one.subject not in slot_of or one.object not in slot_of or one.scope != IDEA:
            continue
        if "claim" not in edge.origins or any(origin in SETTLED for origin in edge.origins):
            continue
        if subject_of(one.subject, one.relation, one.object) in decided:
            continue
        if (-edge.confidence, one.subject) > (-confidence.get(one.reverse, -1.0), one.object):
            continue
        slots = tuple(dict.fromkeys((slot_of[one.subject], slot_of[one.object])))
        found.append(Proposal("edge", one.id, edge.said, _claimed(edge), slots, worth(edge)))
    return sorted(found, key=lambda one: (-one.worth, one.said))


def worth(edge: Edge) -> float:
    """Logarithms of the independent works on both sides, more where they disagree or the relation would bind a stack."""
    found = math.log1p(edge.supporting) + math.log1p(edge.contradicting)
    if edge.supporting_works and edge.contradicting_works:
        found *= DISAGREEMENT
    return found * (BINDING if edge.key.relation in ("requires", "conflicts_with") else 1.0)


def in_turn(*queues: Sequence[Proposal]) -> list[Proposal]:
    """One of each kind after the other, so that a short look sees the best of every kind."""
    return [one for row in zip_longest(*queues) for one in row if one is not None]


def _called(row: Mapping[str, Any]) -> str:
    long = row["long_form"]
    name = row["name"] if not long or long.lower() == row["name"].lower() else f"{row['name']} ({long})"
    return f"{name} is a component" + (f" of the slot {row['slot']}" if row["slot"] else "")


def _brought_up(row: Mapping[str, Any]) -> str:
    signs = ", ".join(f"{sign} {count:,}" for sign, count in row["signs"].items())
    return f"{row['works']:,} works bring it up" + (f": {signs}" if signs else "")


def _claimed(edge: Edge) -> str:
    for_it, against = edge.supporting_works, edge.contradicting_works
    said = f"confidence {edge.confidence:.2f}"
    if for_it and against:
        return f"works disagree: {for_it:,} for it, {against:,} against; {said}"
    side = f"{for_it:,} for it" if for_it else f"{against:,} against it"
    return f"claimed by documents only: {side}; {said}"
