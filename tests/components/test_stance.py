"""Whether a document introduces, uses or only names a component."""

from __future__ import annotations

import pytest

from forge_assets.components.text import Reading
from tests.components.small_ontology import LEXICON


def stances(text: str, title: str | None = None) -> list[str]:
    return [mention.stance for mention in LEXICON.find(Reading("d", text, title=title))]


@pytest.mark.parametrize(
    "text",
    [
        "We propose RoPE, an embedding of positions.",
        "In this paper, we introduce Adam, a method for stochastic objectives.",
        "This paper presents LoRA.",
        "We propose a new optimizer, Adam, that adapts.",
        "We propose a new optimizer called Adam.",
        "We introduce dropout, a way to regularize.",
        "We propose a rotary position embedding (XYZ) for text.",
        "We present layer normalization.",
    ],
)
def test_what_a_document_proposes_is_introduced(text: str) -> None:
    assert stances(text)[0] == "introduced"


@pytest.mark.parametrize(
    "text",
    [
        "We use Adam.",
        "The network is trained with Adam.",
        "Our model is based on BERT.",
        "We propose a tagger based on BERT.",
        "We propose a BERT-based tagger.",
        "We present a method that uses LSTMs.",
        "We fine-tune BERT on it.",
        "Adam is used for all runs of our model.",
        "We propose a contrastive dropout scheme for text.",
    ],
)
def test_what_a_document_works_with_is_used(text: str) -> None:
    assert stances(text)[0] == "used"


@pytest.mark.parametrize(
    "text",
    [
        "Experiments show that it outperforms BERT.",
        "It is better than Adam.",
        "Recently, LSTMs have been popular.",
        "Existing methods such as BERT are slow.",
        "Unlike BERT, our model is small.",
        "Previous work proposed Adam for this.",
        "We compare with baselines including BERT.",
    ],
)
def test_comparisons_and_background_only_name(text: str) -> None:
    assert stances(text)[0] == "named"


def test_a_title_introduces_uses_or_names() -> None:
    for title, stance in {
        "Adam: a method for stochastic optimization": "introduced",
        "Parsing with BERT": "used",
        "BERT-based parsing": "used",
        "What BERT knows": "named",
    }.items():
        assert stances(f"{title}\n\nCats sleep.", title) == [stance]
