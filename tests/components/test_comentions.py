"""Pairs of components: counts of works, lift, Fisher's exact test as scipy has it for one table, and Benjamini-Hochberg."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_assets.components.comentions import FEWEST_WORKS, benjamini_hochberg, fisher, neighbours, pairs


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    works = draw(st.integers(2, 400))
    a, b = draw(st.integers(0, works)), draw(st.integers(0, works))
    return draw(st.integers(max(0, a + b - works), min(a, b))), a, b, works


@given(tables())
@settings(max_examples=300, deadline=None)
def test_fisher_is_that_of_scipy(table: tuple[int, int, int, int]) -> None:
    from scipy.stats import fisher_exact

    both, a, b, works = table
    found = fisher(np.array([both]), np.array([a]), np.array([b]), works)[0]
    expected = fisher_exact([[both, a - both], [b - both, works - a - b + both]])[1]
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-300)


def test_fisher_of_many_large_tables_at_once() -> None:
    from scipy.stats import fisher_exact

    draw = np.random.default_rng(1)
    works = 316_000
    a, b = draw.integers(5, 20_000, 50), draw.integers(5, 20_000, 50)
    both = np.minimum(draw.poisson(a * b / works * draw.uniform(0.2, 4, 50)), np.minimum(a, b))
    for found, n, x, y in zip(fisher(both, a, b, works), both, a, b, strict=True):
        assert found == pytest.approx(fisher_exact([[n, x - n], [y - n, works - x - y + n]])[1], rel=1e-5, abs=1e-290)


def test_benjamini_hochberg_by_hand() -> None:
    p = np.array([0.04, 0.001, 0.03, 0.5])
    assert benjamini_hochberg(p) == pytest.approx([0.04 * 4 / 3, 0.004, 0.04 * 4 / 3, 0.5])
    assert len(benjamini_hochberg(np.zeros(0))) == 0


def corpus(*works: str) -> tuple[np.ndarray, np.ndarray]:
    """Each word is a work, each letter a component in it: a is 0."""
    found = sorted({(ord(letter) - ord("a"), work) for work, letters in enumerate(works) for letter in letters})
    component, work = np.array(found).T
    return component, work


def test_pairs_count_works_and_lift_compares_with_chance() -> None:
    component, work = corpus(*["ab"] * 8, *["a"] * 2, *["b"] * 2, *["c"] * 8)
    found = pairs(component, work, 3, 20)
    by = {(int(a), int(b)): place for place, (a, b) in enumerate(zip(found.a, found.b, strict=True))}
    assert set(by) == {(0, 1), (0, 2), (1, 2)}
    together = by[0, 1]
    assert found.works[together] == 8
    assert found.lift[together] == pytest.approx(8 * 20 / (10 * 10))
    assert found.works[by[0, 2]] == 0 and found.lift[by[0, 2]] == 0
    assert found.q[together] >= found.p[together] > 0


def test_a_component_of_few_works_enters_no_pair() -> None:
    component, work = corpus(*["ab"] * (FEWEST_WORKS - 1), *["a"] * 5)
    assert len(pairs(component, work, 2, 10).a) == 0


def test_neighbours_are_significant_and_the_highest_lift_comes_first() -> None:
    component, work = corpus(*["ab"] * 30, *["ac"] * 30, *["c"] * 30, *["d"] * 200, *["e", "de"] * 5)
    near = neighbours(pairs(component, work, 5, 300), 5)
    assert [other for other, *_ in near[0]] == [1, 2], "b only ever stands beside a, c not always"
    assert [other for other, *_ in near[1]] == [0]
    assert near[4] == []
    for other, works, lift, q in near[0]:
        assert works == 30 and lift > 1 and q <= 0.01, other


def test_six_hundred_components_cost_seconds() -> None:
    draw = np.random.default_rng(2)
    named = np.unique(draw.integers(0, 600, 400_000) * 100_000 + draw.integers(0, 100_000, 400_000))
    started = time.process_time()
    found = pairs(named // 100_000, named % 100_000, 600, 100_000)
    assert len(found.a) == 600 * 599 // 2
    assert time.process_time() - started < 15
