"""Names of candidates: one key for spellings, what is no name, senses of abbreviations, where names stand, who introduces them."""

from __future__ import annotations

from uuid import UUID

import pytest

from forge_assets.components.candidates.introductions import ENTITLED, OPENS, PLAIN, TITLED, Use, claim, front, introduction, level_of
from forge_assets.components.candidates.names import id_of, is_fit, key_of, tidied
from forge_assets.components.candidates.occurrences import Occurrences, is_made_up
from forge_assets.components.candidates.senses import Evidence, senses
from forge_assets.components.ontology.entries import COMPONENT_ID


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("WobbleNorm", "wobblenorm"),
        ("Wobble-Norm", "Wobble Norm"),
        ("soup normalization", "Soup Normalisations"),
        ("β-Soup", "beta-Soup"),
        ("Soupé", "Soupe"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert key_of(one) == key_of(other) != ""


@pytest.mark.parametrize(("one", "other"), [("Soup", "Soup+"), ("Soup2", "Soup3"), ("Soup", "SoupNet")])
def test_other_names_have_other_keys(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)


@pytest.mark.parametrize(
    ("written", "name", "id_"),
    [
        ("“WobbleNorm”", "WobbleNorm", "wobblenorm"),
        ("the WobbleNorm framework", "WobbleNorm", "wobblenorm"),
        ("Low-Rank Soup", "Low-Rank Soup", "low-rank-soup"),
        ("SoupNet+", "SoupNet+", "soupnet-plus"),
        ("Soup-2.5", "Soup-2.5", "soup-2-5"),
        ("k-means", "k-means", "k-means"),
    ],
)
def test_a_name_is_tidied_and_its_id_is_one_of_a_component(written: str, name: str, id_: str) -> None:
    assert (tidied(written), id_of(tidied(written))) == (name, id_)
    assert COMPONENT_ID.fullmatch(id_)


@pytest.mark.parametrize("name", ["Learning", "soup-based", "X", "\\beta_t", "new method", "123", "https://soup.example", "", "a" * 61])
def test_what_is_no_name(name: str) -> None:
    assert not is_fit(name)


@pytest.mark.parametrize("name", ["WobbleNorm", "Flash-Soup", "Mamba", "stochastic soup descent", "SSD", "GPT-9"])
def test_what_may_be_a_name(name: str) -> None:
    assert is_fit(name)


def brought(
    name: str, long_form: str | None = None, *, work: int = 0, kind: str = "abbreviation", year: int = 2020, level: int = PLAIN
) -> Evidence:
    return Evidence(UUID(int=work), work, year, 10, 10 + len(name), name, long_form, kind, None, level)


def test_a_long_form_and_its_abbreviation_are_one() -> None:
    (one,) = senses([
        brought("SSD", "stochastic soup descent", work=1),
        brought("SSD", "Stochastic Soup Descents", work=2),
        brought("stochastic soup descent", work=3, kind="proposed"),
        brought("SSD", work=4, kind="title"),
    ])  # fmt: skip
    assert one.long_form is not None and key_of(one.long_form) == "stochasticsoupdescent"
    assert set(one.surfaces) == {"SSD", "stochastic soup descent", "Stochastic Soup Descents"}
    assert one.surfaces["SSD"] == 3 and one.shared == frozenset()
    assert one.name == one.long_form[0].upper() + one.long_form[1:], "a plain abbreviation is called by its long form"


def test_a_made_up_word_keeps_its_name_beside_a_long_form() -> None:
    (one,) = senses([brought("SoRA", "Soup-Rank Adaptation", work=work) for work in range(3)])
    assert (one.name, one.long_form) == ("SoRA", "Soup-Rank Adaptation")


def test_an_abbreviation_with_two_meanings_has_two_senses_and_stands_for_neither() -> None:
    found = senses([
        *[brought("DAN", "deep averaging network", work=work) for work in range(3)],
        *[brought("DAN", "dual attention network", work=work) for work in range(3, 6)],
    ])  # fmt: skip
    assert [one.long_form for one in found] == ["deep averaging network", "dual attention network"]
    assert all(one.shared == {"DAN"} for one in found)


def test_a_rare_other_meaning_does_not_take_the_abbreviation_away() -> None:
    found = senses([
        *[brought("DAN", "deep averaging network", work=work) for work in range(9)],
        brought("DAN", "dual attention network", work=9),
        brought("DAN", work=10, kind="title", level=TITLED),
    ])  # fmt: skip
    usual, rare = sorted(found, key=lambda one: -len(one.evidence))
    assert usual.shared == frozenset() and usual.surfaces["DAN"] == 10, "where it stands alone it is the usual one"
    assert rare.shared == {"DAN"}


def test_works_that_introduce_the_bare_name_speak_for_a_sense_of_their_own() -> None:
    found = senses([
        brought("SoupNet", "Soup networks of old", work=1),
        *[brought("SoupNet", work=work, kind="title", level=ENTITLED) for work in (2, 3)],
    ])  # fmt: skip
    assert [(one.name, one.long_form) for one in found] == [("SoupNet", None), ("Soup networks of old", "Soup networks of old")]


def test_long_forms_that_differ_in_endings_or_length_are_one_sense() -> None:
    (one,) = senses([
        brought("SCN", "soup convolutional networks", work=1),
        brought("SCN", "soup convolution network model", work=2),
        brought("SCN", "deep soup convolutional networks", work=3),
    ])  # fmt: skip
    assert len(one.evidence) == 3


def seen(text: str, *surfaces: str) -> set[str]:
    return {surfaces[number] for number in Occurrences(enumerate(surfaces)).in_text(text).names}


@pytest.mark.parametrize(
    ("text", "surface"),
    [
        ("We use WobbleNorm here.", "WobbleNorm"),
        ("All WobbleNorms are alike.", "WobbleNorm"),
        ("(WobbleNorm)-based soup", "WobbleNorm"),
        ("a WobbleNorm-like layer", "WobbleNorm"),
        ("Stochastic Soup Descent works.", "stochastic soup descent"),
        ("two stochastic-soup descents", "stochastic soup descent"),
        ("a soup kernel", "soup kernels"),
        ("SoupNet+ is better.", "SoupNet+"),
    ],
)
def test_where_a_name_stands(text: str, surface: str) -> None:
    assert seen(text, surface) == {surface}


@pytest.mark.parametrize(
    ("text", "surface"),
    [
        ("wobblenorm is a word.", "WobbleNorm"),
        ("WobbleNorm-XL and Pre-WobbleNorm are others.", "WobbleNorm"),
        ("WobbleNormalizer", "WobbleNorm"),
        ("SoupNet++ and SoupNet+", "SoupNet"),
        ("stochastic soup. Descent follows", "stochastic soup descent"),
        ("SoupNet is worse.", "SoupNet+"),
    ],
)
def test_where_it_does_not(text: str, surface: str) -> None:
    assert seen(text, surface) == set()


def test_one_pass_tells_plain_words_persons_and_made_up_ones() -> None:
    found = Occurrences([(0, "Lion"), (1, "Mamba")]).in_text("A lion by Mamba et al. met CycleSoup, node2soup, GPUs and NASA.")
    assert (found.names, found.plain, found.person) == ({1}, {0}, {1})
    assert set(found.made_up) == {"CycleSoup", "node2soup"}


@pytest.mark.parametrize("word", ["CycleSoup", "YOLOv2", "A3C", "node2vec", "iSoup"])
def test_made_up_words(word: str) -> None:
    assert is_made_up(word)


@pytest.mark.parametrize("word", ["soup", "Soup", "NASA", "GPUs", "3D", "2d", "b4", "F1"])
def test_words_that_are_not_made_up(word: str) -> None:
    assert not is_made_up(word)


def test_how_a_title_names_something() -> None:
    assert level_of("Soup", "Soup: a kitchen") == ENTITLED
    assert level_of("Soup", "Soup") == ENTITLED
    assert level_of("Soup", "Soup for everyone") == OPENS
    assert level_of("Soup", "Cooking with Soup") == TITLED
    assert level_of("Soup", "A kitchen") == PLAIN
    assert front("Soup: a kitchen: part two") == "Soup" and front("x" * 70) == ""


def use(document: int, year: int, level: int = PLAIN, *kinds: str) -> Use:
    return Use(document, document, year, *claim(level, kinds))


def test_the_first_plain_claim_introduces() -> None:
    first, later = use(1, 2018, ENTITLED), use(2, 2020, ENTITLED)
    assert introduction([later, first], [2018, 2020, 2020, 2021]) == first
    assert first.reason == "its title is the name"


def test_a_stronger_claim_a_year_later_may_be_the_printed_version() -> None:
    weak, strong = use(1, 2018, PLAIN, "proposed"), use(2, 2019, ENTITLED, "proposed")
    assert introduction([weak, strong], [2018, 2019, 2019]) == strong
    assert introduction([weak, use(3, 2021, ENTITLED)], [2018, 2021]) == weak


def test_nobody_introduces_what_others_used_before() -> None:
    late = use(9, 2020, PLAIN, "proposed")
    assert introduction([late], [2016, 2017, 2020, 2021]) is None
    assert introduction([late], [2017, 2020, 2021]) == late, "one earlier work may have a wrong year"
    assert introduction([use(1, 2020, TITLED), use(2, 2020, PLAIN, "abbreviation")], [2020]) is None, "a mention is no claim"


def test_a_plain_title_bears_a_few_earlier_uses_of_a_short_name() -> None:
    years = sorted([2001, 2004, *[2020 + n % 5 for n in range(40)]])
    assert introduction([use(1, 2020, ENTITLED)], years) is not None
    assert introduction([use(1, 2020, PLAIN, "proposed")], years) is None


def test_a_claim_without_a_year_comes_last() -> None:
    dated, undated = use(1, 2021, OPENS), use(2, 0, OPENS)
    assert introduction([undated, dated], [2021]) == dated
    assert introduction([undated], []) == undated
