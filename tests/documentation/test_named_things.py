"""Which candidates are components, which names mean something else in a document, and how counts are told; pure rules on made-up texts."""

from __future__ import annotations

from uuid import UUID

import pytest

from forge_assets.components.text import Reading
from forge_assets.corpus.model import Block
from forge_assets.documentation.candidate_floor import Known, called, why_not, written
from forge_assets.documentation.drafts import at_least, course, some_works, step, sure
from forge_assets.documentation.own_sense import in_own_name, own_names
from forge_assets.documentation.subjects import Name


def known(name: str, works: int = 40, long_form: str | None = None, **signs: int) -> Known:
    return Known(name, long_form, (name, *([long_form] if long_form else [])), works, signs)


def said(*texts: str, role: str = "definition") -> list[tuple[str, UUID, str]]:
    return [(role, UUID(int=number), text) for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("WobbleNorm is a simple normalization method that divides soup by its spoons.", "method"),
        ("The WobbleNorm algorithm is one of the widely used algorithms for soup.", "algorithm"),
        ("WobbleNorm has become a fundamental problem of cooking.", "problem"),
        ("Cooks like WobbleNorm.", None),
    ],
)
def test_a_definition_says_what_kind_of_thing_it_is(text: str, head: str | None) -> None:
    assert called(text, ("WobbleNorm",)) == head


def test_a_candidate_is_a_component_where_works_call_it_one_and_write_it_as_a_name() -> None:
    calls = said("WobbleNorm is a method for soup.", "In kitchens WobbleNorm is a layer of spoons.", "WobbleNorm is a norm for all cooks.")
    assert why_not(known("WobbleNorm", title=1, abbreviation=3), calls) is None
    assert "as tasks are" in str(why_not(known("Soup segmentation"), calls))
    assert "names different things" in str(why_not(known("TRACE", title=24, proposed=18), calls))
    problems = said("WobbleNorm is a problem of cooks.", "WobbleNorm is an ability of people.", "WobbleNorm is a method.")
    assert why_not(known("WobbleNorm"), problems) == "1 of 3 works that say what it is call it a component of some kind"
    general = said("A soup bound is a method.", "The soup bound is a thing of heat.")
    assert "a word of general use" in str(why_not(known("Soup bound"), general))
    twice = said("A soup bound is a method.", "The soup bound is a function of heat.")
    assert why_not(known("Soup bound"), twice) is None, "two works that call it a component make up for small letters"
    assert "points at this slot" in str(why_not(Known("Soup bound", None, ("Soup bound",), 40, {}, "norm", 0.3), twice))
    assert why_not(known("Soup bound", abbreviation=12), general) is None, "what has an abbreviation of its own is a name"


def test_capitals_count_inside_sentences_only() -> None:
    texts = ["Soup bound is here.", "It is clear that Soup Bound holds.", "We see that the soup bound holds. Soup Bound fails."]
    assert written(("Soup bound",), texts) == (1, 2)


def reading(title: str, body: str, year: int) -> Reading:
    text = f"{title}\n\n{body}"
    return Reading("d", text, [Block("title", 0, len(title)), Block("paragraph", len(title) + 2, len(text))], title, year, "text/plain")


@pytest.mark.parametrize(
    ("title", "body", "year", "foreign"),
    [
        ("RoPE: robust posterior estimation of soup", "RoPE needs few spoons.", 2025, True),
        ("On soup", "In this work, we introduce RoPE, a framework that measures soup.", 2025, True),
        ("On soup", "We use RoPE, a rotary embedding, in our kitchen.", 2025, False),
        ("RoPE: rotary position embedding", "RoPE turns spoons.", 2021, False),
    ],
)
def test_a_later_work_may_give_the_name_to_something_of_its_own(title: str, body: str, year: int, foreign: bool) -> None:
    one = reading(title, body, year)
    names = [Name(start, start + 4, "rope") for start in range(len(one.text)) if one.text.startswith("RoPE", start)]
    assert own_names(one, names, {"rope": 2021}) == ({"rope"} if foreign else set())


def test_counts_are_told_in_steps() -> None:
    assert [step(number) for number in (9, 10, 14, 15, 99, 100, 149, 1234, 9999)] == [9, 10, 10, 15, 70, 100, 100, 1000, 7000]
    assert (at_least(7), at_least(1234), some_works(1), some_works(200)) == ("7", "1,000+", "1 work", "200+ works")
    assert [course(value) for value in (0.02, 0.2, -0.6, None)] == ["steady", "rising", "falling fast", ""]
    assert (sure(0.512), sure(0.78)) == ("0.50", "0.80")


def test_a_name_inside_the_documents_own_name_is_not_quoted_for_the_component() -> None:
    assert in_own_name("CLIP-Actor: moving soup", "CLIP-Actor animates soup by text.", "clip")
    assert not in_own_name("CLIP-Actor: moving soup", "CLIP is a model of soup and text.", "clip")
    assert not in_own_name("Soup-Actor: moving soup", "Soup-Actor uses CLIP.", "clip") and not in_own_name(
        "CLIP-Actor", "CLIP-Actor", "clip"
    )
