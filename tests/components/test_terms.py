"""Spans of methods and tasks by rules over noun phrases."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from forge_assets.components.terms import technical_terms
from forge_assets.components.text import Reading
from tests.components.small_ontology import LEXICON


def terms(text: str) -> list[tuple[str, str]]:
    return [(text[term.start : term.end], term.kind) for term in technical_terms(Reading("d", text))]


def test_heads_tell_methods_from_tasks() -> None:
    assert terms("We present a novel dependency parser for named entity recognition.") == [
        ("dependency parser", "method"),
        ("named entity recognition", "task"),
    ]
    assert terms("A hidden Markov model is used in part-of-speech tagging.") == [
        ("hidden Markov model", "method"),
        ("part-of-speech tagging", "task"),
    ]


def test_a_bare_head_is_no_term() -> None:
    assert terms("The method solves the problem.") == []


def test_short_forms_follow_their_long_form() -> None:
    found = terms("We study word sense disambiguation (WSD). WSD is hard.")
    assert found == [("word sense disambiguation", "task"), ("WSD", "task"), ("WSD", "task")]


def test_what_the_ontology_knows_is_a_method() -> None:
    reading = Reading("d", "It uses dropout.")
    assert [(term.start, term.end, term.kind) for term in technical_terms(reading, LEXICON.find(reading))] == [(8, 15, "method")]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["parser", "neural", "network", "(NN)", "of", "tagging", ". ", "é", "𝔸", "we", "use", ",", "machine", "translation"]
        )
    )
)
def test_terms_do_not_overlap_and_lie_inside_the_text(pieces: list[str]) -> None:
    text = " ".join(pieces)
    found = technical_terms(Reading("d", text))
    assert all(
        0 <= term.start < term.end <= len(text) and text[term.start : term.end].strip() == text[term.start : term.end] for term in found
    )
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert found == technical_terms(Reading("d", text))
