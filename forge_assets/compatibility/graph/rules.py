"""What the constraint base and people say of two components: nogoods over two slots -> conflicts and requirements in their scope.

`slot:a is x` and `slot:b is y` must not both hold: x conflicts with y. `slot:a is x` and `slot:b is not y`: x requires y. A constraint of
more conditions, or of options and numbers, is no statement about two components and makes no edge.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from forge_assets.compatibility.constraints.model import Condition, Constraint
from forge_assets.compatibility.graph.model import RELATIONS, Evidence, Key, key
from forge_assets.compatibility.graph.scoring import RULE
from forge_resources.decisions import Decision
from forge_resources.errors import QueryError

KIND = "edge"
"""Decisions on edges; the subject is `adamw composes_with rope`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint that makes an edge, as its evidence."""

    severity: str
    evidence: Evidence


def rules(constraints: Iterable[Constraint], known: Collection[str]) -> dict[Key, list[Rule]]:
    """Edges between `known` components that constraints make, each with the constraints that do, hard ones first."""
    found: dict[Key, list[Rule]] = {}
    for constraint in constraints:
        for one in edges_of(constraint):
            if one.subject in known and one.object in known:
                found.setdefault(one, []).append(_rule(constraint))
    return {one: sorted(some, key=lambda rule: (rule.severity, str(rule.evidence.detail["constraint"]))) for one, some in found.items()}


def edges_of(constraint: Constraint) -> Iterator[Key]:
    """The edges that say what a constraint over two slots says; none for any other constraint."""
    if len(constraint.forbidden) != 2 or not all(one.variable.startswith("slot:") for one in constraint.forbidden):
        return
    first, second = sorted(constraint.forbidden, key=lambda one: not _positive(one))
    if first.variable == second.variable or not _positive(first):
        return
    if _positive(second):
        for a in _values(first):
            yield from (key(a, "conflicts_with", b, constraint.scope) for b in _values(second) if a != b)
    elif second.op in ("!=", "not in") and len(_values(second)) == 1:
        (needed,) = _values(second)
        yield from (key(a, "requires", needed, constraint.scope) for a in _values(first) if a != needed)


def subject_of(subject: str, relation: str, object: str) -> str:
    """What a decision on an edge is about. Raises QueryError where an edge cannot join the two."""
    if subject == object:
        raise QueryError(f"an edge joins two components; {subject!r} was given for both ends")
    one = key(subject, relation, object)  # type: ignore[arg-type]
    return f"{one.subject} {one.relation} {one.object}"


def decided(decisions: Mapping[tuple[str, str], Decision], known: Collection[str]) -> dict[Key, Decision]:
    """What people decided about edges, of those in force."""
    found = {}
    for (kind, subject), decision in decisions.items():
        words = subject.split()
        if kind == KIND and len(words) == 3 and words[1] in RELATIONS and words[0] in known and words[2] in known:
            found[key(words[0], words[1], words[2])] = decision
    return found


def evidence_of(decision: Decision) -> Evidence:
    said = {"statement": decision.reason, "place": f"overrides, {decision.author}, {decision.date}", "verdict": decision.verdict}
    return Evidence(decision.verdict == "accept", "override", RULE, detail=said)


def _rule(constraint: Constraint) -> Rule:
    source = constraint.source
    told = {"repository": source.repository, "commit": source.commit, "licence": source.licence}
    detail = {"constraint": constraint.id, "statement": constraint.statement, "place": source.place, "severity": constraint.severity}
    return Rule(constraint.severity, Evidence(True, constraint.origin, RULE, detail=detail | {k: v for k, v in told.items() if v}))


def _positive(condition: Condition) -> bool:
    return condition.op in ("==", "in")


def _values(condition: Condition) -> tuple[str, ...]:
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    return tuple(value for value in values if isinstance(value, str))
