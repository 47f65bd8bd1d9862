"""Names that a document says are its own, beyond "we propose X"."""

from __future__ import annotations

import pytest

from forge_assets.components.new_names import NewName, new_names
from forge_assets.components.text import Reading


def brought(text: str, title: str | None = None) -> dict[str, NewName]:
    return {item.name: item for item in new_names(Reading("d", text, title=title))}


@pytest.mark.parametrize(
    ("text", "name", "head"),
    [
        ("In this work we propose wobbling, a simple cooking rule for soups.", "wobbling", "cooking rule"),
        ("We propose, BigSoup, a sparse attention mechanism.", "BigSoup", "sparse attention mechanism"),
        ("To mend this, we introduce soup depth, a training procedure.", "soup depth", "training procedure"),
        ("Here our 'DeepSoup' system can boil.", "DeepSoup", "system"),
        ("The improved model, SOUPv2, is faster.", "SOUPv2", "model"),
        ("Our models (BigSoups) boil faster.", "BigSoups", "models"),
        ("We train GPS-3, an autoregressive language model of soups.", "GPS-3", "autoregressive language model"),
        ("We call our method R-CNX: Regions of soup.", "R-CNX", None),
        ("We derive a soup network, namely NoSoup, from it.", "NoSoup", None),
        ("We study two optimizers called AdaBoil and BoilBound here.", "BoilBound", None),
        ("We develop a new model family, SoupNots, which boils.", "SoupNots", "family"),
    ],
)
def test_a_sentence_says_that_a_name_is_its_own(text: str, name: str, head: str | None) -> None:
    found = brought(text)
    assert found[name].kind == "proposed" and text[found[name].start : found[name].end] == name
    if head is not None:
        assert found[name].head == head


@pytest.mark.parametrize(
    "text",
    [
        "We present results, a table and more.",
        "We describe methods, a survey of them.",
        "Prior work introduced SoupNet, a model.",
        "Our PyTorch implementation is here.",
        "Our SoupNet-based model is here.",
        "We propose a method, a new one.",
        "Recently they built SoupNet, a model.",
        "Our new model, however, boils.",
    ],
)
def test_what_says_no_such_thing(text: str) -> None:
    assert [name for name, item in brought(text).items() if item.kind == "proposed"] == []


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("We present a simple yet effective online hard soup mining (OHSM) for soups.", "OHSM"),
        ("The resulting cross-soup attention (CSA) boils in linear time.", "CSA"),
        ("We boil with a novel Octave Soup Unit (OctSoU) of ours.", "OctSoU"),
        ("The proposed layer, the Gated Soup Layer (GSoL), boils.", "GSoL"),
    ],
)
def test_an_abbreviation_is_proposed_whatever_its_head(text: str, short: str) -> None:
    assert brought(text)[short].kind == "proposed"


def test_a_title_may_begin_with_a_name_in_small_letters() -> None:
    assert brought("", "wobblup: Beyond Boiling")["wobblup"].kind == "title"
    assert brought("", "boiling: a survey") == {}
