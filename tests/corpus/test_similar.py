"""Similarity of texts and titles, and what is made of it: the same answer for every order, and templates stay apart."""

from __future__ import annotations

import random
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from forge_assets.corpus.clusters import works_of
from forge_assets.corpus.minhash import BANDS, bands, triples
from forge_assets.corpus.similar import abstract_of, judge, portraits
from forge_assets.corpus.work_keys import identifier_keys, is_distinct, is_other_piece, series_marks, surnames, title_key, title_words

WORDS = [f"{a}{b}{c}" for a in ("ka", "lo", "mi", "nu") for b in ("r", "st", "n", "v", "pl") for c in ("a", "en", "ing", "or", "y", "us")]


def prose(seed: int, words: int = 120) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def row(title: str, text: str, **more: Any) -> Any:
    whole = f"{title}\n\n{text}"
    blocks = [["title", 0, len(title), 0, None], ["paragraph", len(title) + 2, len(whole), 0, None]]
    given = {"authors": [], "year": None, "identifiers": {}, "external_id": None} | more
    return SimpleNamespace(title=title, text=whole, blocks=blocks, **given)


def verdict(one: Any, other: Any, title_counts: bool = True) -> str | None:
    a, b = portraits([one, other])
    there, back = judge(a, b, title_counts), judge(b, a, title_counts)
    assert there == back
    return there[0] if there else None


def edited(text: str, share: float) -> str:
    words, rng = text.split(), random.Random(1)
    for place in rng.sample(range(len(words)), int(share * len(words))):
        words[place] = f"other{place}"
    return " ".join(words)


@pytest.mark.parametrize(
    "variant",
    ["PRE-TRAINING OF DEEP RÉSEAUX", "Pretraining of Deep Réseaux.", r"Pre-training of \emph{Deep} R\'{e}seaux",
     "Pre-training of Deep Re\u0301seaux",
     "<i>Pre-training</i> of Deep R&eacute;seaux", r"Pre-training of {D}eep R\'eseaux"],
)  # fmt: skip
def test_a_title_has_one_key_however_it_is_written(variant: str) -> None:
    assert title_key(title_words(variant)) == title_key(title_words("Pre-training of deep réseaux")) == "pretrainingofdeepreseaux"


def test_marks_of_a_series_and_of_other_pieces() -> None:
    assert series_marks(title_words("Findings of WMT 2020, Part II")) == ("2020", "ii")
    assert series_marks(title_words("I see, said the model")) == ()
    assert not is_distinct(title_words("Introduction")) and is_distinct(title_words("Attention is all you really need"))
    assert is_other_piece("Corrigendum to: On trees") and is_other_piece("On trees: Erratum") and is_other_piece("Comments on On trees")
    assert not is_other_piece("Grammatical Error Correction for All") and not is_other_piece("Response generation with trees")
    assert surnames(["Ada Lovelace", "José García"]) == {"lovelace", "garcia"}


def test_identifiers_are_keys_without_their_versions() -> None:
    assert identifier_keys("s", "17", {"arxiv": "2101.00001v3", "doi": "10.1/AB"}) == ["arxiv:2101.00001", "doi:10.1/ab", "id of s:17"]
    assert identifier_keys("s", "acl:P1", {}) == ["id:acl:P1"]


def test_triples_do_not_see_case_accents_and_punctuation_nor_depend_on_the_batch() -> None:
    texts = [prose(1), "", "one two", "日本語の文章です。", prose(2) + " café"]
    hashes, places = triples([texts[0].upper().replace(" ", ", "), *texts[1:4], prose(2) + " CAFE\u0301"])
    assert list(np.diff(places)) == [118, 0, 0, 6, 119]
    for n, text in enumerate(texts):
        alone, _ = triples([text])
        assert (hashes[places[n] : places[n + 1]] == alone).all()
    many = bands(hashes, places)
    assert many.shape == (5, BANDS) and not many[1:4].any() and many[[0, 4]].all()
    assert (many[4] == bands(*triples([texts[4]]))[0]).all()


def test_the_share_of_common_bands_follows_the_formula() -> None:
    found = []
    for seed in range(200):
        text = prose(seed, 300)
        one, other = bands(*triples([text, edited(text, 0.1)]))
        found.append((one == other).mean())
    resemblance = 0.9**3 / (2 - 0.9**3)
    assert np.mean(found) == pytest.approx(resemblance**3, abs=0.03)


def test_the_abstract_is_found_under_its_heading_or_as_the_first_long_paragraph() -> None:
    text = "T\n\nBy A\n\nAbstract\n\nShort one.\n\nIntroduction\n\n" + prose(1)
    starts = [text.index(part) for part in ("T", "By A", "Abstract", "Short one.", "Introduction", prose(1))]
    kinds = ("title", "paragraph", "heading", "paragraph", "heading", "paragraph")
    lengths = (1, 4, 8, 10, 12, len(prose(1)))
    blocks = [[kind, start, start + length, 0, None] for kind, start, length in zip(kinds, starts, lengths, strict=True)]
    assert abstract_of(text, blocks) == "Short one."
    assert abstract_of(text, [*blocks[:2], *blocks[4:]]) == prose(1)


NOTICE = "Personal use of this material is permitted. " + prose(5)
TITLE = "A distinctive title of one long paper"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (row(TITLE, prose(1)), row(TITLE.upper(), edited(prose(1), 0.3)), "title"),
        (row(TITLE, prose(1)), row(TITLE, prose(2)), None),
        (row(TITLE, prose(1)), row(TITLE, ""), "title"),
        (row("Introduction", prose(1)), row("Introduction", ""), None),
        (row("Introduction", prose(1)), row("Introduction", edited(prose(1), 0.1)), "title"),
        (row("Trees", prose(1), authors=["A. Mu"], year=2020), row("Trees", prose(2), authors=["Bo Mu"], year=2022), "author"),
        (row("Trees", prose(1), authors=["A. Mu"], year=2010), row("Trees", prose(2), authors=["Bo Mu"], year=2022), None),
        (row(TITLE, "", authors=["A. Mu"]), row(TITLE, "", authors=["Li Ho"]), None),
        (row(TITLE, prose(1)), row("Quite another name for it here", edited(prose(1), 0.05)), "text"),
        (row(TITLE, prose(1)), row("Quite another name for it here", edited(prose(1), 0.3)), None),
        (row(TITLE, prose(1)), row("Quite another name for it here", prose(1) + " " + prose(3, 900)), "abstract"),
        (row(TITLE + " Part I", prose(1)), row(TITLE + " Part II", prose(1)), None),
        (row("WMT 2019 shared task findings", prose(1)), row("WMT 2020 shared task findings", prose(1)), None),
        (row(TITLE, prose(1)), row("Corrigendum to: " + TITLE, prose(1)), None),
        (row("org/bert-base", prose(1)), row("org/bert-large", prose(1)), None),
        (row("org/bert-base", prose(1)), row("mirror/bert-base", prose(1)), "text"),
        (row("Runs of a model", prose(1) + " 0.51 0.62 0.73"), row("More of the same", prose(1) + " 0.11 0.22 0.33"), None),
        (row("One thing", NOTICE), row("Another matter", NOTICE), None),
        (row("One thing", prose(1, 20)), row("Another matter", prose(1, 20)), None),
    ],
)  # fmt: skip
def test_two_documents_are_one_work_or_not(one: Any, other: Any, expected: str | None) -> None:
    assert verdict(one, other) == expected


def test_a_title_borne_by_a_crowd_says_nothing() -> None:
    one, other = row(TITLE, prose(1)), row(TITLE, edited(prose(1), 0.3))
    assert (verdict(one, other), verdict(one, other, title_counts=False)) == ("title", None)


def ids(*numbers: int) -> list[UUID]:
    return [UUID(int=number) for number in numbers]


def test_a_work_is_a_star_not_a_chain_and_identifiers_join_through() -> None:
    documents = ids(*range(1, 9))
    chain = [(a, b, "text", 0.7) for a, b in pairwise(documents[:5])]
    keyed = [("doi:x", documents[5:7]), ("arxiv:y", documents[6:8])]
    lengths = dict.fromkeys(documents, 10)
    expected = works_of(lengths, keyed, chain)
    assert {d.int: w.int for d, (w, _) in expected.items()} == {1: 1, 2: 1, 3: 1, 4: 4, 5: 4, 6: 6, 7: 6, 8: 6}
    assert [expected[d][1] for d in documents[4:]] == ["text", "identifier:doi", "identifier:arxiv", "identifier:arxiv"]
    for seed in range(20):
        rng = random.Random(seed)
        shuffled = rng.sample(list(lengths.items()), 8)
        assert works_of(dict(shuffled), rng.sample(keyed, 2), rng.sample(chain, len(chain))) == expected
