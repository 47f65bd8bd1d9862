"""Which sentences can be quoted, what they say of their subject, and whose page they belong to."""

from __future__ import annotations

import pytest

from forge_assets.components.text import Reading
from forge_assets.documentation.candidate_names import CandidateNames
from forge_assets.documentation.collect import with_capitals
from forge_assets.documentation.cues import Said, said
from forge_assets.documentation.fitness import fitness
from forge_assets.documentation.reading import found_in
from forge_assets.documentation.role_model import ROLES, RoleModel, features, role_model, train
from forge_assets.documentation.subjects import Name, subject_of

WHOLE = "Dropout removes random units of a network during training to keep them from relying on each other."


@pytest.mark.parametrize(
    "broken",
    [
        "and removes random units of a network during training to keep them apart",  # a half
        "Dropout removes random units of a network during",
        "Dropout removes $p$ units of a network during training to keep them apart.",
        r"Dropout removes \textbf{random} units of a network during training to keep them apart.",
        "Dropout removes <b>random</b> units of a network during training to keep them apart.",
        "Dropout removes random units of a network, see https://example.org/dropout for more.",
        "Dropout removes random units (of a network during training to keep them apart.",
        "Dropout removes random units of a network.It keeps them from relying on each other.",
        "Dropout removes random units of a net-\nwork during training to keep them apart.",
        "Dropout removes random units of a network by0.5 during training to keep them apart.",
        "Abstract: Dropout removes random units of a network during training to keep them apart.",
        "DROPOUT REMOVES RANDOM UNITS OF A NETWORK DURING TRAINING TO KEEP THEM APART.",
        "Dropout removes units [ ] of a network during training to keep them apart.",
        "Dropout of random units.",
        "Dropout removes random units â€” of a network during training to keep them apart.",
    ],
)
def test_broken_sentences_are_never_quoted(broken: str) -> None:
    assert fitness(WHOLE) == 1.0
    assert fitness(broken) == 0.0


@pytest.mark.parametrize(
    "leaning",
    [
        "This removes random units of a network during training to keep them from relying on each other.",
        "However, dropout removes random units of a network during training to keep them apart.",
        "In this paper we propose dropout, which removes random units of a network during training.",
        "As shown in Figure 3, dropout removes random units of a network during training.",
        "Dropout of such methods removes the former units of the aforementioned network during training.",
        "Our dropout removes random units of a network during training to keep them apart.",
    ],
)
def test_sentences_that_need_their_context_rank_lower(leaning: str) -> None:
    assert fitness(leaning) <= 0.65


@pytest.mark.parametrize(
    "praising",
    [
        "Speech recognition technologies are gaining enormous popularity in various industrial applications.",
        "Automatic speech recognition systems have achieved remarkable performance on general transcription tasks.",
        "Extending the context length of language models has become a trend in recent years.",
    ],
)
def test_praise_that_tells_nothing_ranks_lower(praising: str) -> None:
    assert 0 < fitness(praising) <= 0.65
    assert fitness("Dropout reaches an accuracy of 91%, two points above the network without it.") == 1.0


def told(text: str, name: str, *, rivals: bool = False, has_value: bool = False) -> Said:
    start = text.index(name)
    return said(text, start, start + len(name), others=rivals, rivals=rivals, has_value=has_value)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("LoRA is a method that adds two small matrices to each frozen weight of a network.", "definition"),
        ("Low-rank adaptation refers to tuning by the product of two thin matrices.", "definition"),
        ("LoRA freezes the weights and learns their change by multiplying two thin matrices.", "mechanism"),
        ("LoRA suffers from slow convergence when its rank is small.", "limitation"),
        ("LoRA improves the accuracy of classifiers by 2.5 points.", "result"),
    ],
)
def test_roles_are_told_by_cues(text: str, role: str) -> None:
    assert told(text, text.split(" ")[0] if text.startswith("LoRA") else "Low-rank adaptation").role == role


def test_a_definition_is_of_what_opens_the_sentence() -> None:
    assert told("DoRA is a variant of LoRA that splits weights into length and direction.", "LoRA").role != "definition"
    assert told("LoRA is a challenging problem for people who tune networks in kitchens.", "LoRA").role != "definition"


def test_what_only_praises_defines_less() -> None:
    praise = told("LoRA is a popular method.", "LoRA")
    informed = told("LoRA is a method that adds two small matrices to each frozen weight of a large network.", "LoRA")
    assert praise.role == informed.role == "definition" and praise.strength < informed.strength


def test_what_somebody_does_away_with_is_no_limitation() -> None:
    assert told("LoRA alleviates the high memory cost of tuning by freezing weights.", "LoRA").role != "limitation"


def test_comparisons_name_a_rival() -> None:
    text = "LoRA outperforms adapters on long documents in every kitchen that was looked at."
    assert told(text, "LoRA", rivals=True).role == "comparison"
    assert told(text, "LoRA").role == "result"


def test_the_first_name_speaks_unless_it_is_negated() -> None:
    names = [Name(0, 4, "lora"), Name(20, 24, "adam")]
    chosen = subject_of(names, 0, frozenset())
    assert chosen is not None and chosen.name.subject == "lora" and chosen.others == ("adam",)
    denied = subject_of([Name(0, 4, "lora", negated=True), names[1]], 0, frozenset())
    assert denied is not None and denied.name.subject == "adam"
    assert subject_of([Name(0, 4, "lora", negated=True)], 0, frozenset()) is None


def test_one_document_gives_a_subject_two_sentences_of_a_role_at_most() -> None:
    text = " ".join(f"LoRA improves the accuracy of classifier number {n} by {n} points on five tasks." for n in range(2, 8))
    names = [Name(at, at + 4, "lora") for at in range(len(text)) if text.startswith("LoRA", at)]
    found = found_in(Reading("x", text), names, [], {"lora": "adapter"}, frozenset())
    assert len(found) == 2 and all(text[one.start : one.end].startswith("LoRA improves") for one in found)


def test_candidates_are_found_as_they_are_written() -> None:
    names = CandidateNames({"wobble-norm": ["WobbleNorm"], "slow-feature": ["Slow Feature Analysis", "SFA"]})
    text = "WobbleNorm and slow-feature analysis differ; sfa is a word, SFA a name, and slow features alone are none."
    assert [(text[one.start : one.end], one.subject) for one in names.found_in(text)] == [
        ("WobbleNorm", "candidate:wobble-norm"),
        ("slow-feature analysis", "candidate:slow-feature"),
        ("SFA", "candidate:slow-feature"),
    ]


def test_the_classifier_learns_words_and_stays_silent_where_it_is_not_sure() -> None:
    said = {
        role: f"{role} speaks of {word} number"
        for role, word in zip(ROLES, ("kinds", "wheels", "sizes", "accuracy", "rivals", "faults"), strict=True)
    }
    rows = [(role, f"{text} {n}") for role, text in said.items() for n in range(60)]
    made = train(rows)
    model = RoleModel(made["weights"], made["bias"])
    assert all(model.role(f"it is about {text}")[0] == role for role, text in said.items())
    assert "accuracy" in made["weights"] and "accuracy" in features("Accuracy rises.")
    assert role_model().role("")[0] is None


def test_a_sentence_may_begin_with_a_name_that_is_written_small_elsewhere() -> None:
    text = "Dropout is a technique that zeroes random units. Networks with dropout generalize. Droplets are wet."
    at = text.index("dropout")
    found = with_capitals(Reading("x", text), [Name(at, at + 7, "dropout")])
    assert [(text[one.start : one.end], one.subject) for one in found] == [("Dropout", "dropout"), ("dropout", "dropout")]
    assert with_capitals(Reading("x", text), []) == []
