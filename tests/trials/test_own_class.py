"""The class that a model brings, for every kind of state and of positions: caches, padding on each side, beams."""

from __future__ import annotations

import pytest

from tests.fragments.own_class import AHEAD, CAUSAL, cached_as_whole, loaded, padded_as_alone, written_as_alone

pytestmark = [pytest.mark.trial, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", CAUSAL)
def test_a_cache_gives_the_logits_and_the_text_of_whole_rows(name: str) -> None:
    cached_as_whole(loaded(name))


@pytest.mark.parametrize("side", ["left", "right", "both"])
@pytest.mark.parametrize("name", [*CAUSAL, *AHEAD])
def test_padding_changes_nothing_of_a_row(name: str, side: str) -> None:
    padded_as_alone(loaded(name), side, causal=name in CAUSAL)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("name", [*CAUSAL, *AHEAD])
def test_a_padded_batch_writes_what_each_prompt_alone_does(name: str, beams: int) -> None:
    written_as_alone(loaded(name), beams)
