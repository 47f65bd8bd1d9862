"""`forge eval docs`: how much of what experts want in an answer stands on a page written of the corpus, beside lead and LexRank.

For each question of cs_rubrics the same documents are found by BM25; our selection, lead and LexRank write as many words of their
sentences. Beside them stands what a reader of the built volumes finds in as many words (reader.py); those know no question.
Coverage: of each rubric's evidence the share of content words that the page has, weighted by the rubrics.
ROUGE-1 and ROUGE-2 (C.-Y. Lin 2004): recall of words and of pairs of words of all evidence that the experts gave.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from forge_assets.corpus.sentences import split
from forge_assets.documentation.cues import said
from forge_assets.documentation.evaluation.baselines import lead, lexrank
from forge_assets.documentation.evaluation.reader import VolumeReader
from forge_assets.documentation.fitness import fitness
from forge_assets.documentation.quotes import Quote
from forge_assets.documentation.selection import Pool, words
from forge_assets.documentation.volume import Volume
from forge_assets.embeddings.lexical import LexicalIndex
from forge_resources.database import Database
from forge_resources.errors import QueryError

GOLD = Path(__file__).resolve().parents[4] / "shared" / "gold" / "cs_rubrics" / "questions.jsonl"
DOCUMENTS, WORDS = 60, 600
"""Documents found for a question, and words that a page may have."""
ASKED = (0.2, 0.5, 0.3)
"""Weights of a page that answers a question: what is asked counts more than what a sentence does by itself."""
TEXTS = """SELECT d.document_id, d.text, d.year, d.language, coalesce(w.work_id, d.document_id) AS work
    FROM document d LEFT JOIN work_document w USING (document_id) WHERE d.document_id = ANY(:documents)"""


@dataclass(frozen=True, slots=True)
class Case:
    question: str
    rubrics: tuple[tuple[float, tuple[str, ...]], ...]


@dataclass(slots=True)
class RubricReport:
    """Means over `questions`, by way of writing: coverage of the rubrics, ROUGE-1 and ROUGE-2 recall of the experts' evidence."""

    questions: int = 0
    volume_pages: int = 0
    coverage: dict[str, float] = field(default_factory=dict)
    rouge_1: dict[str, float] = field(default_factory=dict)
    rouge_2: dict[str, float] = field(default_factory=dict)
    better: dict[str, str] = field(default_factory=dict)

    def table(self) -> str:
        lines = [
            f"{self.questions} questions, {DOCUMENTS} documents each, or {self.volume_pages:,} pages of the volumes; {WORDS} words a page",
            f"{'':<10}coverage  ROUGE-1  ROUGE-2  who covers more",
        ]
        for name in self.coverage:
            lines.append(
                f"{name:<10}{self.coverage[name]:8.4f} {self.rouge_1[name]:8.4f} {self.rouge_2[name]:8.4f}  {self.better.get(name, '')}"
            )
        return "\n".join(lines)


def evaluate_rubrics(
    db: Database, lexical: Path, gold: Path | None, say: Callable[[str], None] = lambda text: None, volumes: Iterable[Volume] = ()
) -> RubricReport:
    """`volumes`: as they are built. Raises QueryError where the questions are not there."""
    cases = read_cases(gold or GOLD)
    reader = LexicalIndex(lexical).reader()
    built = VolumeReader(volumes)
    scores: dict[str, list[tuple[float, float, float]]] = {}
    for number, case in enumerate(cases, 1):
        ids = [hit.document_id for hit in reader.search(case.question, DOCUMENTS)]
        written = pages(db, case.question, ids)
        if built.pages:
            written["volumes"] = _cut(built.read(case.question))
        for name, text in written.items():
            scores.setdefault(name, []).append(scored(text, case.rubrics))
        say(f"{number} of {len(cases)}: {case.question[:80]}")
    report = RubricReport(len(cases), built.pages)
    for name, some in scores.items():
        report.coverage[name], report.rouge_1[name], report.rouge_2[name] = (float(value) for value in np.mean(some, axis=0))
    for name, some in scores.items():
        report.better[name] = "; ".join(_more(one, scores[one], some) for one in ("ours", "volumes") if one in scores and one != name)
    return report


def _more(name: str, mine: Sequence[tuple[float, float, float]], others: Sequence[tuple[float, float, float]]) -> str:
    more = sum(a[0] > b[0] for a, b in zip(mine, others, strict=True))
    less = sum(a[0] < b[0] for a, b in zip(mine, others, strict=True))
    return f"{name} on {more} questions, less on {less}"


def read_cases(path: Path) -> list[Case]:
    if not path.is_file():
        raise QueryError(f"{path} is not there; --gold names the questions of cs_rubrics")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Case(row["question"], tuple((float(one["weight"]), tuple(one["evidence"])) for one in row["rubric"])) for row in rows]


def pages(db: Database, question: str, documents: Sequence[Any]) -> dict[str, str]:
    """Way of writing -> the page's text, of the same documents and of the same length."""
    with db.begin() as connection:
        rows = {row.document_id: row for row in connection.execute(sa.text(TEXTS), {"documents": list(documents)})}
    texts: list[str] = []
    places: list[int] = []
    quotes: list[Quote] = []
    for rank, id_ in enumerate(documents):
        row = rows[id_]
        for place, (start, end) in enumerate(split(row.text)[1:]):  # the first is the title
            texts.append(row.text[start:end])
            places.append(place)
            if quote := _quote(row, start, end, question, 1 - rank / (2 * len(documents))):
                quotes.append(quote)
    picked = Pool(quotes, question, ASKED).pick(len(quotes))
    ways: Mapping[str, Iterable[str]] = {
        "ours": (one.quote.text for one in picked),
        "lead": (texts[number] for number in lead(places)),
        "LexRank": (texts[number] for number in lexrank(texts)),
    }
    return {name: _cut(some) for name, some in ways.items()}


def _quote(row: Any, start: int, end: int, question: str, found: float) -> Quote | None:
    """A sentence as our pages see it, with the question's words for its subject; None where it is not fit or does not speak of them.

    `found`: how well its document was found, 0 to 1.
    """
    text = row.text[start:end]
    fit = fitness(text)
    if fit == 0.0 or not set(words(question)) & set(words(text)):
        return None
    what = said(text, 0, 0, others=False, rivals=False, has_value=False)
    score = fit * found
    return Quote(row.document_id, start, end, "question", what.role or "result", score, (), what.open, what.advice, text, row.work,
                 row.year, row.language)  # fmt: skip


def _cut(texts: Iterable[str]) -> str:
    kept: list[str] = []
    left = WORDS
    for text in texts:
        count = len(text.split())
        if count <= left:
            kept.append(text)
            left -= count
        if left < 8:
            break
    return " ".join(kept)


def scored(text: str, rubrics: Sequence[tuple[float, tuple[str, ...]]]) -> tuple[float, float, float]:
    """Coverage, ROUGE-1 recall, ROUGE-2 recall."""
    have = set(words(text))
    total = sum(weight for weight, _ in rubrics) or 1.0
    covered = sum(weight * float(np.mean([_share(one, have) for one in evidence])) for weight, evidence in rubrics if evidence)
    wanted = words(" ".join(one for _, evidence in rubrics for one in evidence))
    mine = words(text)
    return covered / total, _recall(Counter(wanted), Counter(mine)), _recall(Counter(pairwise(wanted)), Counter(pairwise(mine)))


def _share(evidence: str, have: set[str]) -> float:
    wanted = set(words(evidence))
    return len(wanted & have) / len(wanted) if wanted else 0.0


def _recall(wanted: Counter[Any], mine: Counter[Any]) -> float:
    return sum((wanted & mine).values()) / max(1, sum(wanted.values()))
