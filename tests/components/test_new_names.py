"""Names that a document brings up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_assets.components.new_names import NewName, new_names, plausible
from forge_assets.components.text import Reading
from tests.components.small_ontology import LEXICON


def brought(text: str, title: str | None = None) -> dict[str, NewName]:
    return {item.name: item for item in new_names(Reading("d", text, title=title))}


@pytest.mark.parametrize(
    ("text", "name", "head"),
    [
        ("We propose QuickSoup, a new optimizer for soups.", "QuickSoup", "optimizer"),
        ("We introduce a new attention mechanism called RingDance.", "RingDance", "attention mechanism"),
        ("We present a loss function, dubbed FooLoss, for it.", "FooLoss", "loss function"),
        ("We propose a sparse tokenizer, termed SoupTok.", "SoupTok", "sparse tokenizer"),
        ("This paper presents group normalization.", "group normalization", "group normalization"),
        ("In this work, we introduce Sorter, an optimizer.", "Sorter", "optimizer"),
    ],
)
def test_what_is_proposed_is_a_name_with_the_head_of_its_phrase(text: str, name: str, head: str) -> None:
    found = brought(text)
    assert found[name].kind == "proposed"
    assert found[name].head == head


def test_a_title_brings_up_a_name_before_its_colon() -> None:
    found = brought("", "QuickSoup: A Simple Optimizer for Soups")
    assert found["QuickSoup"] == NewName("QuickSoup", None, "title", 0, 0, "optimizer")
    inside = brought("Sorter: Fast Sorting Networks\n\nText.", "Sorter: Fast Sorting Networks")
    assert (inside["Sorter"].start, inside["Sorter"].end) == (0, 6)
    assert "NadaOpt" in brought("", "Training Transformers with NadaOpt")
    assert "Spectral Normalization" in brought("", "Spectral Normalization for Stable Training")


@pytest.mark.parametrize(
    "title",
    ["Introduction: what we know", "A survey: ten years", "Deep learning: a review", "Towards rest: sleep", "Image Classification: Notes"],
)
def test_ordinary_titles_bring_up_nothing(title: str) -> None:
    assert brought("", title) == {}


def test_an_abbreviation_of_a_technique_is_a_name_with_its_long_form() -> None:
    found = brought("Some use stochastic soup descent (SSD). We propose circular window attention (CWA).")
    assert (found["SSD"].kind, found["SSD"].long_form, found["SSD"].head) == (
        "abbreviation",
        "stochastic soup descent",
        "stochastic soup descent",
    )
    assert (found["CWA"].kind, found["CWA"].long_form) == ("proposed", "circular window attention")
    assert "WHO" not in brought("the World Health Organisation (WHO) said")


def test_what_others_propose_and_what_is_described_only_is_no_new_name() -> None:
    assert brought("Kim et al. propose QuickSoup, an optimizer.") == {}
    assert brought("We propose a novel method for soups.") == {}
    assert brought("We present an efficient neural network.") == {}


def test_known_components_are_no_new_names() -> None:
    reading = Reading("d", "We propose RoPE, an embedding. We introduce QuickSoup, an optimizer.")
    assert [item.name for item in new_names(reading, LEXICON.find(reading))] == ["QuickSoup"]


@pytest.mark.parametrize(("name", "verdict"), [("FlashSoup", True), ("SGD", True), ("the", False), ("method", False),
    ("sharpness-aware minimization", True), ("new method", False), ("42", False), ("", False), ("Learning", False)])  # fmt: skip
def test_a_plausible_name(name: str, verdict: bool) -> None:
    assert plausible(name) is verdict


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["We", "propose", "QuickSoup", ",", "an", "optimizer", "(QS)", ":", "called", "“", ". ", "\n\n", "é", "𝔸", "with", "new"]
        )
    )
)
def test_spans_give_back_the_name(pieces: list[str]) -> None:
    text = " ".join(pieces)
    found = new_names(Reading("d", text, title=text[:30]))
    assert all(text[item.start : item.end] == item.name for item in found if item.end)
    assert found == new_names(Reading("d", text, title=text[:30]))
    assert len({item.name for item in found}) == len(found)
