"""Pages measured against what experts want to read, beside lead and LexRank."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forge_assets.documentation.evaluation.reader import VolumeReader
from forge_assets.documentation.evaluation.rubrics import evaluate_rubrics, scored
from forge_assets.embeddings.lexical import LexicalIndex
from forge_resources.database import Database
from forge_resources.errors import QueryError
from tests.components.catalogue_corpus import put
from tests.documentation.volumes import Library, volume
from tests.documentation.written_corpus import SAID, papers


def test_coverage_is_the_share_of_the_evidence_that_a_page_has() -> None:
    rubrics = ((0.75, ("thin matrices change weights",)), (0.25, ("bread rises", "rivers freeze")))
    assert scored("Thin matrices change the weights; bread rises.", rubrics) == pytest.approx((0.875, 6 / 8, 5 / 7))
    assert scored("", rubrics) == (0.0, 0.0, 0.0)


def test_three_ways_write_of_the_same_documents(database: Database, tmp_path: Path) -> None:
    put(database, papers())
    LexicalIndex(tmp_path / "lexical").sync(database)
    gold = tmp_path / "questions.jsonl"
    wanted = [{"weight": 1.0, "evidence": ["LoRA learns the change of frozen weights by thin matrices"]}]
    gold.write_text(json.dumps({"question": "How does LoRA change weights?", "rubric": wanted}) + "\n")
    assert set(evaluate_rubrics(database, tmp_path / "lexical", gold).coverage) == {"ours", "lead", "LexRank"}, "there are no volumes yet"
    library = Library([SAID[2], SAID[7]])
    book, _ = volume(2, "adapter", library=library, per_page=2)
    report = evaluate_rubrics(database, tmp_path / "lexical", gold, volumes=[book])
    assert report.questions == 1 and set(report.coverage) == {"ours", "lead", "LexRank", "volumes"} and report.volume_pages == 2
    assert "learns their change" in " ".join(VolumeReader([book]).read("How does LoRA learn the change of weights?"))
    assert all(0 < value <= 1 for value in report.coverage.values())
    assert "LexRank" in report.table()
    with pytest.raises(QueryError, match="--gold names the questions"):
        evaluate_rubrics(database, tmp_path / "lexical", tmp_path / "none.jsonl")
