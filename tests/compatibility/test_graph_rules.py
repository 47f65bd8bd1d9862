"""Which constraints say something of two components, and what people decide about edges."""

from __future__ import annotations

from datetime import date

import pytest

from forge_assets.compatibility.constraints.model import IDEA, Condition, Constraint, Source
from forge_assets.compatibility.graph.model import key
from forge_assets.compatibility.graph.rules import decided, edges_of, rules
from forge_resources.decisions import Decision

X = Condition("slot:optimizer", "==", "adam")
KNOWN = ("adam", "muon", "gelu", "relu")


def constraint(*forbidden: Condition, severity: str = "hard", scope: str = IDEA) -> Constraint:
    return Constraint("c-1", "fact", severity, scope, forbidden, "they do not fit", Source("a.py:3", "x/y", "0" * 40))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("forbidden", "expected"),
    [
        ((X, Condition("slot:activation", "==", "gelu")), [key("adam", "conflicts_with", "gelu")]),
        (
            (X, Condition("slot:activation", "in", ("gelu", "relu"))),
            [key("adam", "conflicts_with", "gelu"), key("adam", "conflicts_with", "relu")],
        ),
        ((Condition("slot:activation", "!=", "gelu"), X), [key("adam", "requires", "gelu")]),
        ((X, Condition("slot:activation", "not in", ("gelu",))), [key("adam", "requires", "gelu")]),
        ((X, Condition("slot:activation", "not in", ("gelu", "relu"))), []),
        ((X, Condition("slot:activation", "unset")), []),
        ((X, Condition("option:x/y:flag", "on")), []),
        ((X, Condition("slot:optimizer", "==", "muon")), []),
        ((X,), []),
        ((X, Condition("slot:activation", "==", "gelu"), Condition("slot:norm", "==", "rms-norm")), []),
        ((Condition("slot:activation", "!=", "gelu"), Condition("slot:norm", "!=", "rms-norm")), []),
    ],
)
def test_a_nogood_over_two_slots_is_an_edge_and_nothing_else_is(forbidden: tuple[Condition, ...], expected: list[object]) -> None:
    assert list(edges_of(constraint(*forbidden))) == expected


def test_rules_keep_scope_place_and_severity_and_join_known_components_only() -> None:
    scope = "implementation: x/y@" + "0" * 40
    given = [
        constraint(X, Condition("slot:activation", "==", "gelu"), severity="soft", scope=scope),
        constraint(X, Condition("slot:activation", "==", "stranger"), scope=scope),
    ]
    ((one, (found,)),) = rules(given, KNOWN).items()
    assert one == key("adam", "conflicts_with", "gelu", scope)
    assert found.severity == "soft" and found.evidence.detail["place"] == "a.py:3" and found.evidence.detail["repository"] == "x/y"


def test_decisions_on_edges_name_two_known_components_and_a_relation() -> None:
    made = {
        ("edge", subject): Decision("accept", "edge", subject, "seen", "jo", date(2026, 1, 31))
        for subject in ("gelu composes_with adam", "adam likes gelu", "adam composes_with stranger", "adam composes_with")
    }
    made["component", "adam composes_with relu"] = Decision("accept", "component", "x", "seen", "jo", date(2026, 1, 31))
    assert set(decided(made, KNOWN)) == {key("adam", "composes_with", "gelu")}
