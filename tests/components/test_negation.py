"""Whether a name is negated or ruled out. The name in each sentence is X or stands in its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_assets.components.negation import is_negated
from forge_assets.components.text import Reading


def negated(text: str, name: str = "X1") -> bool:
    start = text.index(name)
    return is_negated(Reading("d", text), start, start + len(name))


@pytest.mark.parametrize(
    "text",
    [
        "We train without X1.",
        "We train without any additional X1 or noise.",
        "We train without noise and X1.",
        "We train without noise, momentum, or X1.",
        "We train without noise, X1, or momentum.",
        "The model does not use X1.",
        "The model doesn't rely on X1 at all.",
        "It does not require the use of X1.",
        "We use Y instead of X1.",
        "Instead of X1, we use Y.",
        "Unlike X1, it is small.",
        "We use Y rather than X1.",
        "It uses Y as opposed to X1.",
        "We replace X1 with Y.",
        "There is no need for X1.",
        "It has no X1.",
        "It uses neither Y nor X1.",
        "dispensing with X1 entirely",
        "X1 is not used.",
        "X1 layers are no longer required.",
        "X1 was removed.",
        "an X1-free design",
        "The net is trained without using X1.",
    ],
)
def test_what_is_ruled_out_is_negated(text: str) -> None:
    assert negated(text)


@pytest.mark.parametrize(
    "text",
    [
        "We use X1.",
        "Without noise, X1 converges.",
        "We train without noise but with X1.",
        "Not only X1 but also Y is used.",
        "X1 does not converge.",
        "It does not outperform X1.",
        "Instead of Y, we use X1.",
        "We replace Y with X1.",
        "It runs without loss of accuracy on X1.",
        "It works without changing X1.",
        "No one knew. X1 is used.",
        "Y is not used; X1 is.",
        "There is no doubt that X1 works.",
        "X1 is used, while Y is not used.",
        "Y can be trained without noise by X1.",
    ],
)
def test_a_cue_reaches_no_further_than_its_clause(text: str) -> None:
    assert not negated(text)


@given(st.lists(st.sampled_from(["not", "without", ",", ".", "use", "we", "of", "instead", "(", "and", "or"]), max_size=12))
def test_any_words_before_a_name_give_an_answer_and_the_same_twice(words: list[str]) -> None:
    text = " ".join([*words, "X1 is here"])
    assert negated(text) is negated(text)
