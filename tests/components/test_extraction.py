"""What is found in one document, as rows: all spans lie on its text, and the digest tells one reading from another."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest

from forge_assets.components.answer import Given, answer, failed
from forge_assets.components.extraction import Extractor
from forge_assets.components.rows import KEYS, TABLES, digest_of, rows_of
from forge_assets.components.text import Reading
from tests.components.readings import ontology

EXTRACTOR = Extractor(ontology())
TEXT = (
    "WobbleNorm: a new normalization\n\nWe propose WobbleNorm, a normalization layer. WobbleNorm outperforms LayerNorm by 1.5 points. "
    "We train BERT-base with Adam (beta1 = 0.9) and a learning rate of 3e-4 in bf16 on 8 A100 GPUs. The learning rate is 3e-4 again."
)


def rows(text: str = TEXT) -> dict[str, list[dict[str, object]]]:
    reading = Reading("d", text, title=text.split("\n")[0])
    made = rows_of(reading, EXTRACTOR.read(reading))
    return {table: [dict(zip(TABLES[table], row, strict=True)) for row in made[table]] for table in TABLES}


def test_mentions_lie_on_their_surface() -> None:
    found = [(row["component"], TEXT[row["start"] : row["end"]]) for row in rows()["mention"]]  # type: ignore[misc]
    assert found == [("layer-norm", "LayerNorm"), ("bert", "BERT"), ("adam", "Adam")]


def test_names_that_the_ontology_lacks_are_kept_with_their_sign() -> None:
    (name,) = [row for row in rows()["new_name"] if row["name"] == "WobbleNorm"]
    assert name["kind"] == "title" and TEXT[name["start"] : name["end"]] == "WobbleNorm"  # type: ignore[misc]


def test_a_value_tells_number_or_word_and_whose_it_is() -> None:
    found = {(row["parameter"], TEXT[row["start"] : row["end"]]): row for row in rows()["parameter_value"]}  # type: ignore[misc]
    rate = found["learning_rate", "3e-4"]
    assert (rate["number"], rate["word"]) == (3e-4, None)
    assert found["precision", "bf16"]["word"] is not None and found["precision", "bf16"]["number"] is None
    assert found["accelerators", "8"]["number"] == 8.0
    assert rate["quote_hash"] == hashlib.sha256(b"3e-4").hexdigest()


def test_the_subject_of_a_value_is_written_as_in_the_text_beside_the_component() -> None:
    text = "Training setup\n\nBERT has 12 layers."
    (value,) = rows(text)["parameter_value"]
    assert (value["component"], value["subject"]) in (("bert", "BERT"), (None, "BERT"))
    assert text[value["subject_start"] : value["subject_end"]] == "BERT"  # type: ignore[misc]


def test_a_relation_carries_the_hash_of_its_sentence() -> None:
    (relation,) = [row for row in rows()["relation"] if row["object"] == "layer-norm"]
    sentence = TEXT[relation["start"] : relation["end"]]  # type: ignore[misc]
    assert sentence == "WobbleNorm outperforms LayerNorm by 1.5 points."
    assert (relation["subject"], relation["relation"], relation["delta"]) == ("WobbleNorm", "improves_on", 1.5)
    assert relation["quote_hash"] == hashlib.sha256(sentence.encode()).hexdigest()


def test_no_key_comes_twice() -> None:
    reading = Reading("d", (TEXT + "\n\n") * 5)
    made = rows_of(reading, EXTRACTOR.read(reading))
    for table, key in KEYS.items():
        keys = [tuple(row[place] for place in key) for row in made[table]]
        assert made[table] and len(keys) == len(set(keys))


def test_the_digest_tells_versions_and_findings_apart() -> None:
    reading = Reading("d", TEXT)
    made = rows_of(reading, EXTRACTOR.read(reading))
    other = rows_of(Reading("d", TEXT + " Dropout helps."), EXTRACTOR.read(Reading("d", TEXT + " Dropout helps.")))
    assert digest_of("v", made) == digest_of("v", made)
    assert len({digest_of("v", made), digest_of("w", made), digest_of("v", other)}) == 3
    assert -(2**63) <= digest_of("v", made) < 2**63


def given(text: str, blocks: str = "[]") -> Given:
    return Given(UUID(int=7), "hash;1", text, blocks, None, 2024, "text/plain")


def test_what_a_rule_raises_is_the_answer_for_that_document() -> None:
    told = answer(EXTRACTOR, given("Adam", '[["paragraph", 0]]'))
    assert told.problem is not None and told.problem.startswith("a rule failed: TypeError at ") and told.rows == {}
    assert told == failed(given("Adam"), told.problem)
    assert answer(EXTRACTOR, given("We use Adam.", '[["paragraph", 0, 12, 0, null]]')).problem is None


@pytest.mark.parametrize("text", ["", " ", "\n\n", "x", "🤗", "a" * 70_000, "(" * 9_000, "1 " * 9_000])
def test_odd_texts_have_a_reading(text: str) -> None:
    assert answer(EXTRACTOR, given(text)).problem is None
