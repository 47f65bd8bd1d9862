"""Claims that a person read: what stands in the file, what it says of the patterns, and that the rules still make the right ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forge_assets.components.evaluation.claims import evaluate_claims, made_today
from forge_assets.components.evaluation.pieces import LABELS, rows_of
from forge_assets.components.ontology import load_ontology
from forge_assets.components.relations import PATTERNS
from tests.components.labels.draw_claims import Drawn, draw, part_of
from tests.components.small_ontology import small_ontology
from tests.components.test_relations import claims

ROWS = rows_of(LABELS / "claims.jsonl")
LAST = max(draw for row in ROWS for draw in row["draws"])


def test_judged_claims_hold_no_text_and_come_from_the_final_part() -> None:
    keys = {"id", "start", "end", "subject", "relation", "object", "pattern", "metric", "delta", "unit", "polarity", "quote_hash"}
    assert all(set(row) == {*keys, "verdict", "draws"} for row in ROWS)
    assert all(part_of(row["id"]) == "final" for row in ROWS)
    assert sum(LAST in row["draws"] for row in ROWS) == 200


def test_the_last_draw_is_right_in_nine_of_ten_and_no_pattern_is_below_its_bound() -> None:
    *patterns, total = evaluate_claims(small_ontology(), corpus=Path("absent"))
    assert total.precision is not None and total.precision >= 0.9
    assert {score.name for score in patterns} == {pattern.name for pattern in PATTERNS}
    assert [score.name for score in patterns if score.precision is not None and score.precision < 0.85] == []


def test_a_draw_is_even_over_patterns_and_takes_a_sentence_once() -> None:
    text = "T5 outperforms BERT, GPT and LSTMs."
    many = [Drawn(f"d{number}", claim, text) for number in range(30) for claim in claims(text)]
    few = [Drawn("e", claim, text) for claim in claims("We combine BERT with LoRA.")]
    drawn = draw([*many, *few], "1", 10)
    assert len(drawn) == len({(one.id, one.claim.start) for one in drawn}) == 10
    assert sum(one.claim.pattern == "combine X with Y" for one in drawn) == 1
    assert drawn == draw([*few, *reversed(many)], "1", 10)
    assert drawn != draw([*many, *few], "2", 10)
    assert all(json.dumps(one.row()) for one in drawn)


@pytest.mark.trial
@pytest.mark.timeout(600)
def test_todays_rules_still_make_the_right_claims_and_few_wrong_ones(shared_corpus: Path) -> None:
    still = made_today(ROWS, load_ontology(), shared_corpus)
    kept = [row for row in ROWS if (row["id"], row["start"], row["subject"], row["relation"], row["object"]) in still]
    assert sum(row["verdict"] for row in kept) >= 0.8 * sum(row["verdict"] for row in ROWS)
    assert sum(row["verdict"] for row in kept) >= 0.95 * len(kept)
