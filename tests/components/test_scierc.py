"""Reading SciERC's files, its baseline, and the scores, on an abstract of our own; and on the real data where it is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forge_assets.components.evaluation.scierc import dictionary_of, evaluate_scierc, looked_up, read_part
from forge_resources.errors import SettingError
from tests.components.small_ontology import small_ontology

TOKENS = """-DOCSTART- NN O O

We NN O O
train NN O O
a NN O O
dependency NN O I-Method
parser NN O I-Method
-LRB- NN O O
BERT NN O I-Method
-RRB- NN O O
. NN O O

BERT NN O I-Method
outperforms NN O O
LSTMs NN O I-Method
T5 NN O B-Method
in NN O O
dependency NN O I-Task
parsing NN O I-Task
. NN O O

"""
PAIR = {"text": "<< BERT >> outperforms [[ LSTMs ]] T5 in dependency parsing .", "label": "COMPARE", "metadata": [2, 2, 0, 0]}


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    for part in ("train", "dev"):
        (tmp_path / f"ner_sciie_{part}.txt").write_text(TOKENS, encoding="utf-8")
        (tmp_path / f"text_classification_sciie-relation-extraction_{part}.txt").write_text(json.dumps(PAIR), encoding="utf-8")
    return tmp_path


def test_tokens_become_a_text_with_entities_and_pairs(gold: Path) -> None:
    (abstract,) = read_part(gold, "dev")
    assert abstract.text == "We train a dependency parser ( BERT ) . BERT outperforms LSTMs T5 in dependency parsing ."
    assert [(abstract.text[start:end], kind) for start, end, kind in abstract.entities] == [
        ("dependency parser", "Method"),
        ("BERT", "Method"),
        ("BERT", "Method"),
        ("LSTMs", "Method"),
        ("T5", "Method"),
        ("dependency parsing", "Task"),
    ]
    (((first, second), kind),) = abstract.pairs.items()
    assert (abstract.text[slice(*first)], abstract.text[slice(*second)], kind) == ("LSTMs", "BERT", "COMPARE")


def test_the_baseline_takes_the_longest_string_that_train_labels(gold: Path) -> None:
    (abstract,) = read_part(gold, "train")
    dictionary = dictionary_of([abstract])
    assert dictionary[("dependency", "parser")] == "Method"
    assert set(looked_up(abstract, dictionary)) == set(abstract.entities)


def test_scores_count_spans_with_their_kind(gold: Path) -> None:
    scores = {score.name: score for score in evaluate_scierc(small_ontology(), gold)}
    method, task = scores["Method: our extraction"], scores["Task: our extraction"]
    assert (method.right, method.predicted, method.labels) == (5, 5, 5)
    assert (task.right, task.predicted, task.labels) == (1, 1, 1)
    assert scores["Method and Task: longest match of train's entities"].right == 6


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="train part is not in"):
        read_part(tmp_path, "train")


def test_real_labels_are_read_whole_and_beat_the_dictionary(shared_gold: Path) -> None:
    dev = read_part(shared_gold / "scierc", "dev")
    assert (len(dev), sum(len(abstract.pairs) for abstract in dev)) == (50, 455)
    scores = {score.name: score for score in evaluate_scierc(small_ontology(), shared_gold / "scierc")}
    ours, plain = scores["Method and Task: our extraction"], scores["Method and Task: longest match of train's entities"]
    assert ours.precision > plain.precision and ours.recall > plain.recall
    claims = [scores[f"{group}: patterns on the labelled entities"] for group in ("comparison", "composition")]
    assert sum(score.right for score in claims) >= 0.5 * sum(score.predicted for score in claims) > 0
