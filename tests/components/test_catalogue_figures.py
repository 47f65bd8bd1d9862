"""Trends and typical values: pure functions of counts and of what works state."""

from __future__ import annotations

import math
from uuid import UUID

import numpy as np
import pytest

from forge_assets.components.catalogue.entries import growths, table_of_years
from forge_assets.components.catalogue.trends import FEWEST_WORKS, last_years, trends
from forge_assets.components.catalogue.values import Source, Stated, typical_values


def document(number: int) -> UUID:
    return UUID(int=number)


def test_a_share_that_doubles_each_year_grows_by_a_hundred_percent() -> None:
    counts = np.array([[100, 200, 400, 800, 1600], [500, 500, 500, 500, 500], [1600, 800, 400, 200, 100]])
    up, flat, down = trends(counts, np.full(5, 10_000))
    assert up == pytest.approx(1.0, abs=0.01)
    assert flat == pytest.approx(0.0, abs=1e-6)
    assert down == pytest.approx(-0.5, abs=0.01)


def test_the_trend_is_of_the_share_and_not_of_the_number() -> None:
    assert trends(np.array([[100, 200, 400, 800, 1600]]), np.array([1, 2, 4, 8, 16]) * 1000)[0] == pytest.approx(0.0, abs=1e-6)


def test_the_trend_is_the_mode_of_the_stated_likelihood() -> None:
    draw = np.random.default_rng(3)
    for _ in range(20):
        counts, totals = draw.integers(0, 40, 5), draw.integers(50, 5000, 5)
        if counts.sum() < FEWEST_WORKS:
            continue
        t = np.arange(5) - 2.0
        grid = np.linspace(-4, 4, 80_001)
        value = grid * (counts @ t) - counts.sum() * np.log(np.exp(np.outer(grid, t)) @ totals) - grid**2 / 2
        assert trends(counts[None], totals)[0] == pytest.approx(math.expm1(grid[value.argmax()]), rel=1e-3, abs=1e-3)


def test_too_few_works_or_years_have_no_trend() -> None:
    assert np.isnan(trends(np.array([[0, 0, 0, 0, FEWEST_WORKS - 1]]), np.full(5, 100))[0])
    assert np.isfinite(trends(np.array([[0, 0, 0, 0, FEWEST_WORKS]]), np.full(5, 100))[0]), "and one year alone does not grow beyond bounds"
    assert np.isnan(trends(np.array([[20]]), np.array([100]))[0])
    assert trends(np.zeros((0, 5)), np.full(5, 100)).shape == (0,)


def test_the_window_ends_with_the_last_full_year() -> None:
    assert last_years(np.array([2019] * 500 + [2020] * 400 + [2021] * 50)) == range(2017, 2022)
    assert last_years(np.array([2019] * 500 + [2020] * 400 + [2077])) == range(2016, 2021), "one misprinted date moves nothing"
    assert last_years(np.array([0, 0])) == range(0)


def test_years_are_counted_by_subject() -> None:
    table = table_of_years(np.array([0, 0, 0, 2]), np.array([2019, 2021, 2021, 0]), 3)
    assert [table.years(place) for place in range(3)] == [{2019: 1, 2021: 2}, {}, {}]
    assert table.within(range(2018, 2022)).tolist() == [[0, 1, 0, 2], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert np.isnan(growths(table, np.array([2019, 2021]))).all()


def test_quartiles_have_one_voice_per_work() -> None:
    stated = [Stated("adam", "learning_rate", "", 0, document(0), n, n + 4, 1.0, None) for n in range(50)]
    stated += [Stated("adam", "learning_rate", "", work, document(work), 7, 11, float(work), None) for work in (2, 3, 4, 5)]
    (one,) = typical_values(stated)
    assert one.works == 5
    assert one.quartiles == (1.0, 2.0, 3.0, 4.0, 5.0), "the fifty statements of one work count once"
    assert [source.value for source in one.sources] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert one.sources[1] == Source(document(2), 7, 11, 2.0)


def test_a_work_that_states_several_numbers_speaks_with_their_median() -> None:
    stated = [Stated("adam", "beta2", "", 0, document(0), n, n + 1, value, None) for n, value in enumerate((0.9, 0.95, 0.999))]
    (one,) = typical_values(stated)
    assert one.quartiles == (0.95,) * 5 and one.works == 1
    assert [source.value for source in one.sources] == [0.95]


def test_words_are_counted_by_work_and_units_apart() -> None:
    stated = [
        Stated("bert", "optimizer", "", 0, document(0), 0, 4, None, "adam"),
        Stated("bert", "optimizer", "", 0, document(0), 9, 13, None, "adam"),
        Stated("bert", "optimizer", "", 1, document(1), 0, 4, None, "adam"),
        Stated("bert", "optimizer", "", 1, document(1), 9, 12, None, "sgd"),
        Stated("bert", "batch_size", "sequences", 0, document(0), 20, 23, 256.0, None),
        Stated("bert", "batch_size", "tokens", 1, document(1), 20, 23, 4e6, None),
    ]
    sequences, tokens, optimizer = typical_values(stated)
    assert (sequences.unit, tokens.unit) == ("sequences", "tokens")
    assert optimizer.words == {"adam": 2, "sgd": 1} and optimizer.quartiles is None
    assert optimizer.sources == (Source(document(0), 0, 4, "adam"), Source(document(1), 9, 12, "sgd"))
    assert typical_values([]) == []
