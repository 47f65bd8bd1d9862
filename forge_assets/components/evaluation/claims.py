"""`forge eval relations`: claims that an agent judged in their sentences (tests/components/labels/claims.jsonl), pattern by pattern.

Two figures a pattern: its share of right ones in the last draw, and among all judged claims those that the rules of today still make.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forge_assets.components.evaluation.pieces import CORPUS, LABELS, Piece, documents_of, rows_of
from forge_assets.components.extraction import Extractor
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.relations import PATTERNS

Key = tuple[str, int, str, str, str]


@dataclass(slots=True)
class PatternScore:
    """Of one pattern: judged and right in the last draw; judged and right among what is still made, where the corpus was at hand."""

    name: str
    drawn: int = 0
    right: int = 0
    made: int | None = None
    made_right: int = 0

    @property
    def precision(self) -> float | None:
        return self.right / self.drawn if self.drawn else None

    def line(self) -> str:
        drawn = f"{self.right / self.drawn:.3f} ({self.right}/{self.drawn})" if self.drawn else "not measured"
        made = "" if not self.made else f"   still made {self.made_right}/{self.made}"
        return f"{self.name:<38} precision {drawn:<18}{made}"


def evaluate_claims(ontology: Ontology, labels: Path = LABELS, corpus: Path = CORPUS) -> list[PatternScore]:
    """All patterns and their sum last; without the corpus nothing is said of today's rules. Raises SettingError where labels miss."""
    rows = rows_of(labels / "claims.jsonl")
    still = made_today(rows, ontology, corpus) if corpus.is_dir() else None
    last = max(draw for row in rows for draw in row["draws"])
    scores = {pattern.name: PatternScore(pattern.name) for pattern in PATTERNS}
    total = PatternScore("all")
    for row in rows:
        for score in (scores.get(row["pattern"]), total):
            if score is not None:
                _count(score, row, last, still)
    return [*scores.values(), total]


def _count(score: PatternScore, row: Mapping[str, Any], last: int, still: set[Key] | None) -> None:
    if last in row["draws"]:
        score.drawn += 1
        score.right += row["verdict"]
    if still is not None:
        score.made = (score.made or 0) + (_key(row) in still)
        score.made_right += row["verdict"] and _key(row) in still


def _key(row: Mapping[str, Any]) -> Key:
    return row["id"], row["start"], row["subject"], row["relation"], row["object"]


def made_today(rows: Sequence[Mapping[str, Any]], ontology: Ontology, corpus: Path = CORPUS) -> set[Key]:
    """The claims that the rules make today of the documents of `rows`."""
    by_document: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_document[row["id"]].append(row)
    extractor = Extractor(ontology)
    found: set[Key] = set()
    for id_, document in documents_of([{"id": id_, "source": "article"} for id_ in by_document], corpus).items():
        reading = Piece(0, id_, 0, 0, "test", document).reading()
        found |= {(id_, one.start, one.subject, one.relation, one.object) for one in extractor.read(reading).relations}
    return found
