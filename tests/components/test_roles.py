"""The role of a sentence in its document."""

from __future__ import annotations

import pytest

from forge_assets.components.roles import heading_role, role_at, roles
from forge_assets.components.text import Reading
from forge_assets.corpus.model import Block


def of(text: str) -> list[str]:
    return list(roles(Reading("d", text)))


@pytest.mark.parametrize(
    ("sentence", "role"),
    [
        ("Recently, large models have become popular.", "background"),
        ("Existing methods often suffer from noise.", "background"),
        ("However, the limitations of existing methods are many.", "background"),
        ("In this paper, we propose a new optimizer.", "method"),
        ("The model was trained with Adam.", "method"),
        ("Our network consists of two parts.", "method"),
        ("Experiments show that it outperforms the baseline.", "result"),
        ("We find that depth helps.", "result"),
        ("It reaches an accuracy of 93.1% on it.", "result"),
        ("A limitation of our method is its cost.", "limitation"),
        ("We leave other languages to future work.", "limitation"),
    ],
)
def test_cue_words_tell_the_role(sentence: str, role: str) -> None:
    assert of(sentence) == [role]


def test_without_cues_the_place_in_an_abstract_decides() -> None:
    text = "Cats sleep. We propose a bed. Beds hold cats. Experiments show that it outperforms floors. Cats purr."
    assert of(text) == ["background", "method", "method", "result", "result"]


def test_headings_decide_where_they_say_it_and_nest() -> None:
    parts = ["Training", "We find cats.", "Optimizer", "Cats outperform dogs.", "Limitations", "Cats sleep.", "Conclusion", "Trees grow."]
    levels = {0: 1, 2: 2, 4: 1, 6: 1}
    text, blocks = "", []
    for at, part in enumerate(parts):
        blocks.append(Block("heading" if at in levels else "paragraph", len(text), len(text) + len(part), levels.get(at, 0)))
        text += part + "\n\n"
    reading = Reading("d", text, blocks)
    found = roles(reading)
    assert [role_at(reading, found, text.index(part)) for part in parts[1::2]] == ["method", "method", "limitation", "other"]


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("2. Related Work", "background"),
        ("Training hyperparameters", "method"),
        ("Evaluation results", "result"),
        ("Bias, Risks, and Limitations", "limitation"),
        ("How to cite", "other"),
        ("RoBERTa", None),
    ],
)
def test_a_heading_names_a_role(heading: str, role: str | None) -> None:
    assert heading_role(heading) == role


def test_a_text_without_sentences_has_no_roles() -> None:
    assert of(" \n ") == []
    assert role_at(Reading("d", ""), [], 0) == "other"
