"""How sure an edge is: no opinion at first, one voice per independent work, and no certainty from counting."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_assets.compatibility.graph.claims import names_of
from forge_assets.compatibility.graph.scoring import attributable, confidence, independence, precision, precisions
from forge_assets.components.relations import PATTERNS

LABELS = Path(__file__).resolve().parents[1] / "components" / "labels" / "claims.jsonl"
AMOUNTS = st.floats(0, 1e4)


def test_nothing_known_is_no_opinion_and_both_sides_weigh_the_same() -> None:
    assert confidence(0, 0) == 0.5
    assert confidence(1, 0) == pytest.approx(2 / 3) and confidence(0, 1) == pytest.approx(1 / 3)
    assert confidence(7, 7) == 0.5 and confidence(8, 0) == pytest.approx(0.9)


@given(AMOUNTS, AMOUNTS, st.floats(0.01, 100))
def test_more_support_is_surer_more_contradiction_less_and_neither_is_certain(supporting: float, contradicting: float, more: float) -> None:
    now = confidence(supporting, contradicting)
    assert 0 < now < 1
    assert confidence(supporting + more, contradicting) > now > confidence(supporting, contradicting + more)
    assert confidence(contradicting, supporting) == pytest.approx(1 - now)


def test_works_that_share_an_author_are_one_voice_and_a_chain_is_as_many_as_do_not() -> None:
    a, b, c = {"ann lee"}, {"bob ray"}, {"cyd fox"}
    assert independence([a, a, a]) == pytest.approx([1 / 3] * 3)
    assert independence([a, b, c]) == [1, 1, 1]
    assert independence([set(), set()]) == [1, 1], "nobody is known to have written both"
    assert sum(independence([a, a | b, b])) == pytest.approx(1 / 2 + 1 / 3 + 1 / 2)


@given(st.lists(st.sets(st.sampled_from("abcdef"), max_size=3), max_size=7))
def test_voices_are_never_more_than_works_without_a_common_author(authors: list[set[str]]) -> None:
    def largest(left: list[set[str]]) -> int:
        if not left:
            return 0
        first, rest = left[0], left[1:]
        return max(largest(rest), 1 + largest([one for one in rest if not one & first]))

    assert sum(independence(authors)) <= largest(authors) + 1e-9


def test_authors_are_told_apart_by_their_first_names() -> None:
    assert names_of(["José García", "Garcia, Jose"]) == names_of(["GARCÍA José"]) and len(names_of(["José García"])) == 1
    assert names_of(["J. Smith", "Smith", ""]) == frozenset(), "any number of people are called so"


def test_statistics_are_at_most_one_work_and_avoidance_is_none() -> None:
    assert attributable(4.0, 0.0) == pytest.approx(0.75) and attributable(1e9, 0.0) <= 1
    assert attributable(0.2, 0.0) == attributable(0.0, 0.0) == 0
    assert attributable(4.0, 0.01) < attributable(4.0, 0.0)


def test_patterns_weigh_what_the_labels_say_of_them() -> None:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line in LABELS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        counts[row["pattern"]][0] += row["verdict"]
        counts[row["pattern"]][1] += 1
    share = sum(right for right, _ in counts.values()) / sum(judged for _, judged in counts.values())
    measured, other = precisions()
    assert set(measured) == set(counts) and other == pytest.approx(share)
    for pattern, (right, judged) in counts.items():
        assert precision(pattern) == pytest.approx((right + 10 * share) / (judged + 10))
    assert {pattern.name for pattern in PATTERNS} & set(measured), "the names are those of the patterns"
    assert precision("nobody measured it") == other
