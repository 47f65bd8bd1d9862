"""Abbreviations that a text defines (Schwartz and Hearst 2003)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_assets.components.abbreviations import definitions, match_long_form
from forge_assets.components.text import Reading


def pairs(text: str) -> list[tuple[str, str]]:
    return [(found.short, found.long) for found in definitions(Reading("d", text))]


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("We use rotary position embedding (RoPE) here.", "RoPE", "rotary position embedding"),
        ("The method of proximal policy optimization (PPO) learns.", "PPO", "proximal policy optimization"),
        ("Long Short-Term Memory (LSTM)", "LSTM", "Long Short-Term Memory"),
        ("convolutional neural networks (CNNs) see", "CNN", "convolutional neural networks"),
        ("byte pair encoding (BPE; Gage 1994)", "BPE", "byte pair encoding"),
        ("mean of sums (MoS, ours)", "MoS", "mean of sums"),
        (
            "BERT (Bidirectional Encoder Representations from Transformers) reads",
            "BERT",
            "Bidirectional Encoder Representations from Transformers",
        ),
        ("reinforcement learning from human feedback (RLHF)", "RLHF", "reinforcement learning from human feedback"),
        ("X-ray Analysis Tool (XAT)", "XAT", "X-ray Analysis Tool"),
    ],
)
def test_a_definition_is_found_either_way_round(text: str, short: str, long: str) -> None:
    assert pairs(text) == [(short, long)]


@pytest.mark.parametrize(
    "text",
    [
        "as shown (Fig. 2)",
        "in earlier work (Smith, 2019)",
        "it fell (see below)",
        "many models (e.g., BERT)",
        "no relation at all (XQZ)",
        "the CNN (CNN)",
        "It ended. (AB)",
        "an apple (a fruit)",
        "Adam (Kingma and Ba)",
    ],
)
def test_other_parentheses_define_nothing(text: str) -> None:
    assert pairs(text) == []


def test_the_first_letter_has_to_begin_a_word() -> None:
    assert match_long_form("AB", "carb") is None
    assert match_long_form("AB", "a crab") == 0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["Deep", "neural", "net", "(DNN)", "(", ")", "LSTM", ". ", "\n\n", "s", "é", "𝔸", ";", ",", "CNNs"]), max_size=30
    )
)
def test_spans_give_back_what_they_name(pieces: list[str]) -> None:
    text = " ".join(pieces)
    found = definitions(Reading("d", text))
    for one in found:
        assert text[one.short_start : one.short_end] == one.short
        assert text[one.long_start : one.long_end] == one.long
        assert one.short_end <= one.long_start or one.long_end <= one.short_start
    assert found == definitions(Reading("d", text))
