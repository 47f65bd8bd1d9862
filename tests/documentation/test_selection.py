"""Which sentences a page chooses: no repetition, two of a work at most, likes merged into one with many citations."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from forge_assets.documentation.citing import sentence
from forge_assets.documentation.evaluation.baselines import lead, lexrank
from forge_assets.documentation.quotes import Quote
from forge_assets.documentation.selection import Pool, vectors
from forge_assets.documentation.shares import share


def quote(number: int, text: str, score: float = 0.8, role: str = "result", work: int | None = None, **more: object) -> Quote:
    given = {"others": (), "open": False, "advice": False, "subject": "lora"} | more
    return Quote(UUID(int=number), 10, 10 + len(text), given["subject"], role, score, given["others"], given["open"], given["advice"],  # type: ignore[arg-type]
                 text, UUID(int=1000 + (work if work is not None else number)), 2022, "en")  # fmt: skip


def test_likes_are_one_sentence_with_many_citations() -> None:
    quotes = [quote(n, "LoRA reduces the memory of optimizer states by two thirds.") for n in range(3)]
    quotes.append(quote(9, "Thin matrices are merged into the weights after training ends."))
    picked = Pool(quotes, "LoRA memory").pick(5)
    assert len(picked) == 2
    merged = next(one for one in picked if one.alike)
    written = sentence(merged)
    assert len(written.citations) == 3 and written.text == written.citations[0].quote


def test_at_most_two_sentences_of_a_work() -> None:
    texts = ["Alpha beta gamma delta.", "Epsilon zeta eta theta.", "Iota kappa lambda mu.", "Nu xi omicron pi."]
    assert len(Pool([quote(n, text, work=1) for n, text in enumerate(texts)], "").pick(4)) == 2
    assert len(Pool([quote(n, text) for n, text in enumerate(texts)], "").pick(4)) == 4


def test_variety_goes_before_more_of_the_same() -> None:
    same = ["LoRA trains thin matrices of low rank on cards.", "LoRA trains thin matrices of low rank on small cards of memory."]
    other = "Quantized weights halve the traffic between chips."
    picked = Pool([quote(0, same[0], 0.9), quote(1, same[1], 0.89), quote(2, other, 0.7)], "").pick(2)
    assert {one.quote.text for one in picked} == {same[0], other}


def test_what_is_asked_for_comes_first() -> None:
    texts = ["Bread rises in warm kitchens over night.", "Rank decides how much LoRA can learn."]
    assert Pool([quote(n, text) for n, text in enumerate(texts)], "rank of LoRA").pick(1)[0].quote.text == texts[1]


def test_vectors_of_passages_count_where_there_are_any() -> None:
    quotes = [quote(0, "Bread rises in warm kitchens."), quote(1, "Rivers freeze in cold valleys.")]
    first = Pool(quotes, "").pick(1)[0].quote
    other = next(one for one in quotes if one is not first)
    near = [replace(one, kin=0.9 if one is other else 0.1) for one in quotes]
    assert Pool(near, "").pick(1)[0].quote.text == other.text
    unknown = [replace(one, kin=None) for one in quotes]
    assert Pool(unknown, "").pick(1)[0].quote.text == first.text


def test_no_sentence_belongs_to_two_pages() -> None:
    quotes = {
        "lora": [
            quote(1, "a", role="definition"), quote(2, "b", role="comparison", others=("dora", "adapters")), quote(3, "c", open=True),
            quote(4, "d", advice=True), quote(5, "e"),
        ],
        "small": [quote(6, "f", subject="small")],
    }  # fmt: skip
    made = share(quotes, {"lora"}, {"lora", "dora", "adapters", "small"})
    assert [one.text for one in made.components["lora"]] == ["a", "e"]
    assert [[one.text for one in some] for some in (made.comparison, made.problems, made.guide, made.survey)] == [
        ["b"],
        ["c"],
        ["d"],
        ["f"],
    ]


def test_vectors_have_length_one_and_rare_words_weigh_more() -> None:
    matrix, query = vectors(["common rare", "common other", "common third"], "rare")
    assert abs((matrix @ matrix.T).toarray()[0, 0] - 1) < 1e-5
    assert (matrix @ query).argmax() == 0


def test_baselines_are_lead_and_lexrank() -> None:
    assert lead([0, 1, 0, 1, 2]) == [0, 2, 1, 3, 4]
    ranked = lexrank(["red green blue", "red green yellow", "red blue yellow", "wholly unlike words"])
    assert ranked[-1] == 3 and lexrank([]) == []
