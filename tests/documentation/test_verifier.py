"""The verifier against faithful rewrites and what corrupts them: 300 of made-up sentences, and 1,281 of the corpus (`trial`)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from forge_assets.components.ontology import load_ontology
from forge_assets.documentation.verify.names import names_of
from forge_assets.documentation.verify.sentence import why_not
from tests.documentation.corpus_rewrites import PARTS, corpus_rewrites, judged_ones, rejected
from tests.documentation.rewrites import Rewrite, rewrites

SURE = ("number", "unit", "citation")


@pytest.fixture(scope="module")
def judged() -> list[tuple[Rewrite, str]]:
    names = names_of(load_ontology())
    return [(rewrite, why_not(rewrite.text, rewrite.quotes, names)) for rewrite in rewrites()]


def shares(judged: list[tuple[Rewrite, str]]) -> dict[str, float]:
    """The share that is rejected, by kind, of the sure kinds together and of all corruptions."""
    counted: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for rewrite, why in judged:
        corrupt = rewrite.kind != "faithful"
        for group in (rewrite.kind, *(["corrupt"] * corrupt), *(["sure"] * (rewrite.kind in SURE))):
            counted[group] += 1
            rejected[group] += bool(why)
    return {group: rejected[group] / counted[group] for group in counted}


def test_the_set_is_as_large_as_it_was_asked_for() -> None:
    kinds = Counter(rewrite.kind for rewrite in rewrites())
    assert kinds["faithful"] == 300 and sum(kinds.values()) - 300 >= 1000 and min(kinds.values()) >= 150
    assert len({quote for rewrite in rewrites() for quote in rewrite.quotes}) >= 150


def test_corruptions_are_rejected_and_faithful_rewrites_are_not(judged: list[tuple[Rewrite, str]]) -> None:
    found = shares(judged)
    assert found["sure"] >= 0.99 and found["corrupt"] >= 0.95 and found["faithful"] <= 0.15, found


@pytest.mark.parametrize("half", ["dev", "held back"])
def test_each_half_is_near_the_goal(judged: list[tuple[Rewrite, str]], half: str) -> None:
    found = shares([one for one in judged if one[0].half == half])
    assert found["corrupt"] >= 0.95 and found["faithful"] <= 0.15, found


def test_cases_written_afterwards_fare_alike() -> None:
    names = names_of(load_ontology())
    found = shares([(one, why_not(one.text, one.quotes, names)) for one in rewrites("verifier_unseen.txt")])
    assert found["sure"] >= 0.99 and found["corrupt"] >= 0.95 and found["faithful"] <= 0.15, found


@pytest.mark.trial
def test_rewrites_of_the_corpus_fare_alike(shared_corpus: Path) -> None:
    """All parts have been looked at since; figures of their first looks stand in docs/reference/figures.md."""
    found = {kind: out / of for kind, (out, of) in rejected(judged_ones(corpus_rewrites(shared_corpus, PARTS))).items()}
    assert found["sure"] >= 0.99 and found["corrupt"] >= 0.95 and found["faithful"] <= 0.15 and found["qualifier"] >= 0.8, found


SOURCE = (
    "In most tests, encoders of the source domain may infer the posterior of up to 30 unknown tasks, whereas decoders of the target "
    "domain fail."
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("In most tests, encoders of the source domain infer the posterior of up to 30 unknown tasks.", "leaves out 'may'"),
        ("In all tests, encoders of the source domain may infer the posterior of up to 30 unknown tasks.", "says 'all'"),
        ("In most tests, encoders of the source domain may infer the posterior of up to 30 known tasks.", "source says 'unknown'"),
        ("In most tests, encoders of the source domain may infer the prior of up to 30 unknown tasks.", "source says 'posterior'"),
        ("In most tests, encoders of the source domain may infer the posterior of 30 unknown tasks.", "but a bound"),
        ("In most tests, encoders of the source domain may infer the posterior of up to 30 unknown games.", "'games' stands in no source"),
    ],
)
def test_limits_opposites_and_rivals_are_seen(text: str, why: str) -> None:
    assert why in why_not(text, [SOURCE])


@pytest.mark.parametrize(
    "text",
    [
        "Mostly, encoders of the source domain may infer the posterior of at most 30 unknown tasks.",
        "It is possible in most tests that source-domain encoders infer the posterior of up to 30 unknown tasks.",
    ],
)
def test_other_words_for_a_limit_will_do(text: str) -> None:
    assert why_not(text, [SOURCE]) == ""


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (
            "The state is unavailable to the agent, and rewards are sparse.",
            "The state is not available to the agent, and rewards are sparse.",
        ),
        (
            "The graph model puts nodes into different classes by the dispersion between classes.",
            "The graph model puts nodes into different classes by inter-class dispersion.",
        ),
        ("Nodes are trained with a \\emph{phase transition} in mind.", "Nodes are trained by the phase transition."),
        ("The accuracy of the detector is above 90 percent.", "The detector has an accuracy of more than 90%."),
        ("Costs of less than 50 dollars are reported for labels.", "Costs of <50 dollars are reported for labels."),
        ("The raters of essays come from Italy.", "Italian ratings of essays are used."),
        (
            "Existing baselines are consistently outdone by the graph network.",
            "The graph network consistently outperforms existing baselines.",
        ),
    ],
)
def test_the_same_in_another_form_will_do(text: str, quote: str) -> None:
    assert why_not(text, [quote]) == ""


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (
            "The graph network is consistently outdone by existing baselines.",
            "The graph network consistently outperforms existing baselines.",
        ),
        ("The state is unavailable to the agent, and rewards are sparse.", "The state is available to the agent, and rewards are sparse."),
        ("The comments endpoint of the service is audited.", "The search endpoint of the service is audited."),
        ("Zero is no special point, but one is.", "Zero is a special point."),
        ("The result implies that one is a special point.", "The result implies that zero is a special point."),
        (
            "The authors present an established approach to the analysis of graphs.",
            "The authors present a novel approach to the analysis of graphs.",
        ),
        ("The accuracy of the detector is above 90 percent.", "The detector has an accuracy below 90%."),
    ],
)
def test_the_same_words_that_say_something_else_will_not(text: str, quote: str) -> None:
    assert why_not(text, [quote]) != ""


def test_equality_of_strings_fails_the_same_test() -> None:
    equal = [(rewrite, "" if rewrite.text in rewrite.quotes else "differs") for rewrite in rewrites()]
    assert shares(equal)["faithful"] > 0.9
    lenient = [(rewrite, "") for rewrite in rewrites()]
    assert shares(lenient)["corrupt"] == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Muon.", "no sentence"),
        ("Muon trains faster than AdamW", "no end"),
        ("Muon trains\nfaster than AdamW.", "line breaks"),
        ("Muon trains faster \u202ethan AdamW.", "cannot be shown"),
        ("Muon " * 200 + ".", "more than 600"),
    ],
)
def test_what_is_no_sentence_is_rejected(text: str, why: str) -> None:
    assert why in why_not(text, ["Muon trains faster than AdamW."])


def test_a_sentence_without_citation_is_rejected_and_a_quote_carries_itself() -> None:
    assert why_not("Muon trains faster than AdamW.", []) == "it cites nothing"
    for rewrite in rewrites():
        for quote in rewrite.quotes:
            assert why_not(quote, rewrite.quotes) == "", quote


@pytest.mark.parametrize(
    ("written", "same"),
    [("1.5B", "1,500 million"), ("3e-4", "$3 \\times 10^{-4}$"), ("3 × 10⁻⁴", "0.0003"), ("15%", "15 percent"), ("32k", "32,768")],
)
def test_numbers_are_compared_by_value(written: str, same: str) -> None:
    assert why_not(f"The model was trained with {written} here.", [f"The model was trained with {same} here."]) == ""
    assert why_not(f"The model was trained with {written} here.", [f"The model was trained with 7{same} here."]) != ""
