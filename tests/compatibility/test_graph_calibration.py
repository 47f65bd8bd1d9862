"""What is foretold of a work that was left out, by hand and on a planted corpus whose truth is known."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from forge_assets.compatibility.graph.calibration import calibrate, foretell
from forge_assets.compatibility.graph.claims import Claim
from forge_assets.compatibility.graph.model import Evidence, key


def claim(work: int, subject: str, object_: str, polarity: bool = True, relation: str = "improves_on") -> Claim:
    made = key(subject, relation, object_)  # type: ignore[arg-type]
    return Claim(made, polarity, UUID(int=work), 2020, frozenset(), 1.0, Evidence(True, "claim", 0.0))


def test_each_work_is_foretold_from_the_others_alone() -> None:
    found = foretell([claim(1, "a", "b"), claim(2, "a", "b"), claim(3, "b", "a"), claim(4, "b", "a", polarity=False)])
    assert [(one.with_it, one.against_it) for one in found] == [(2, 1), (2, 1), (0, 3), (2, 1)], "who denies that b is ahead sees a ahead"
    assert [one.chance() for one in found] == pytest.approx([0.6, 0.6, 0.2, 0.6])


def test_a_work_that_says_both_or_stands_alone_is_not_foretold() -> None:
    assert foretell([claim(1, "a", "b")]) == [] and calibrate([claim(1, "a", "b")]) is None
    assert len(foretell([claim(1, "a", "b"), claim(1, "b", "a"), claim(2, "a", "b")])) == 1
    assert calibrate([claim(1, "a", "b", relation="composes_with"), claim(2, "a", "b", relation="composes_with")]) is None


def test_where_works_agree_as_the_prior_expects_what_is_said_comes_true() -> None:
    """Pairs whose true share is drawn from the prior, Beta(1, 1): then the formula is the right one by Bayes' theorem."""
    drawn, claims, work = random.Random(3), [], 0
    for pair in range(1500):
        share = drawn.random()
        for _ in range(drawn.randint(2, 9)):
            work += 1
            ends = (f"a{pair}", f"b{pair}")
            claims.append(claim(work, *(ends if drawn.random() < share else ends[::-1])))
    found = calibrate(claims)
    assert found is not None and found.pairs == 1500 and found.best_prior == 2.0 and found.brier < 0.2
    for one in found.bins:
        assert one.said == pytest.approx(one.true, abs=0.04), one
    assert len(found.bins) >= 4
