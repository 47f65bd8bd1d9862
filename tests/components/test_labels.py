"""How found mentions and values are scored against labels, on a corpus of our own beside labels of our own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from forge_assets.components.evaluation.labels import evaluate_mentions, evaluate_parameters
from forge_assets.components.evaluation.pieces import LABELS, half_of, labelled, rows_of
from forge_assets.components.ontology import load_ontology
from forge_assets.corpus.parse import parse_record
from forge_resources.errors import SettingError

RECORD = {
    "doc_id": "own:1",
    "title": "Training longer",
    "abstract": "We train with AdamW at a learning rate of 3e-4 and a batch size of 512. Layer normalization is used. Zorbit is a gate.",
}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """(labels, corpus) with one labelled record."""
    corpus, labels = tmp_path / "corpus", tmp_path / "labels"
    for name in ("articles", "hf_cards", "formats"):
        (corpus / name).mkdir(parents=True)
    labels.mkdir()
    (corpus / "articles" / "a.jsonl.zst").write_bytes(zstandard.compress(json.dumps(RECORD).encode() + b"\n"))
    text = parse_record(RECORD, RECORD["doc_id"]).text
    drawn = {
        "piece": 0,
        "id": "own:1",
        "start": 0,
        "end": len(text),
        "source": "article",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    rows = [json.dumps(drawn | {"set": name}) for name in ("components", "parameters")]
    (labels / "drawn.jsonl").write_text("\n".join(rows) + "\n")
    known = [span(text, "AdamW", name="AdamW", known=True), span(text, "gate", name="gating", known=True)]
    write(labels / "components.jsonl", [*known, span(text, "Zorbit", name="Zorbit", known=False)])
    write(labels / "parameters.jsonl", [span(text, "3e-4", parameter="learning_rate", value=0.0003),
                                        span(text, "512", parameter="batch_size", value=256),
                                        span(text, "AdamW", parameter="optimizer", value="adamw")])  # fmt: skip
    return labels, corpus


def span(text: str, surface: str, **more: Any) -> dict[str, Any]:
    start = text.index(surface)
    return {"piece": 0, "id": "own:1", "start": start, "end": start + len(surface), "slot": "-"} | more


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_mentions_count_as_right_false_and_missed(folders: tuple[Path, Path]) -> None:
    known, also, _ = evaluate_mentions(load_ontology(), None, *folders)
    assert (known.right, known.labels, known.found) == (1, 2, 1)
    assert known.predicted == 2  # layer normalization is found and not labelled
    assert sorted(error[0] for error in known.errors) == ["false", "missed"]
    assert also.labels == 3  # the new name counts there


def test_a_value_is_right_with_its_parameter_and_number_only(folders: tuple[Path, Path]) -> None:
    total = evaluate_parameters(load_ontology(), None, *folders)[0]
    assert (total.predicted, total.right, total.labels, total.found) == (3, 2, 3, 2)
    assert any(error[0] == "other" and "labelled batch_size=256" in error[4] for error in total.errors)


def test_a_text_that_is_parsed_otherwise_than_when_it_was_labelled_is_refused(folders: tuple[Path, Path]) -> None:
    labels, corpus = folders
    drawn = (labels / "drawn.jsonl").read_text()
    (labels / "drawn.jsonl").write_text(drawn.replace(json.loads(drawn.splitlines()[0])["sha256"], "0" * 64))
    with pytest.raises(SettingError, match="parsed otherwise"):
        labelled("components", None, labels, corpus)


def test_without_the_corpus_a_sentence_says_so(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="outside the repository"):
        labelled("components", None, folders[0], tmp_path / "nowhere")


def test_every_label_lies_in_its_piece_and_no_two_of_a_piece_overlap() -> None:
    drawn = {(row["set"], row["piece"]): row for row in rows_of(LABELS / "drawn.jsonl")}
    for purpose in ("components", "parameters"):
        before: dict[int, int] = {}
        for row in rows_of(LABELS / f"{purpose}.jsonl"):
            piece = drawn[purpose, row["piece"]]
            assert piece["id"] == row["id"] and piece["start"] <= row["start"] < row["end"] <= piece["end"]
            if purpose == "components":
                assert row["start"] >= before.get(row["piece"], 0)
                before[row["piece"]] = row["end"]
        halves = [half_of(purpose, number) for _, number in drawn]
        assert 0.4 < halves.count("dev") / len(halves) < 0.6
