"""Sentences about a topic: of its nearest works, those that speak of one of its phrases, in the roles that pages are ordered by."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components.text import Reading
from forge_assets.corpus.model import Block
from forge_assets.documentation.cues import said
from forge_assets.documentation.fitness import fitness
from forge_assets.documentation.quotes import Quote
from forge_assets.documentation.reading import FLOOR
from forge_resources.database import Database

NEAREST = 300
"""Works of a topic that are looked through."""
PHRASES = 10
DEFINITE = 45
"""Characters behind "The" in which a phrase is that of one certain thing."""
TEXTS = """SELECT w.main_document AS document_id, m.work_id, m.similarity, d.text, d.blocks, d.title, d.year, d.language, d.media_type,
        (SELECT array_agg(s.start) FROM doc_sentence s WHERE s.document_id = w.main_document) AS elsewhere,
        (SELECT array_agg(ARRAY[p.start::text, p."end"::text, p.passage_id::text] ORDER BY p.ordinal) FROM passage p
         WHERE p.document_id = w.main_document) AS passages
    FROM (SELECT * FROM work_topic WHERE topic_id = :topic ORDER BY similarity DESC, work_id LIMIT :nearest) AS m
    JOIN work w USING (work_id) JOIN document d ON d.document_id = w.main_document ORDER BY m.similarity DESC, m.work_id"""
SUBJECT = "topic:"


@dataclass(frozen=True, slots=True)
class TopicWork:
    """One of the nearest works of a topic. `elsewhere`: where sentences begin that pages of components may quote."""

    document: UUID
    work: UUID
    similarity: float
    text: str
    blocks: Sequence[Any]
    title: str | None
    year: int | None
    language: str | None
    media_type: str
    elsewhere: Collection[int]
    passages: Sequence[tuple[int, int, UUID]]


def works(db: Database, topic: int) -> list[TopicWork]:
    with db.begin() as connection:
        rows = connection.execute(sa.text(TEXTS), {"topic": topic, "nearest": NEAREST}).all()
    return [_work(row) for row in rows]


def _work(row: Any) -> TopicWork:
    return TopicWork(row.document_id, row.work_id, row.similarity, row.text, row.blocks, row.title, row.year, row.language, row.media_type,
                     frozenset(row.elsewhere or ()),
                     [(int(start), int(end), UUID(id_)) for start, end, id_ in row.passages or ()])  # fmt: skip


def phrase_pattern(phrase: str) -> re.Pattern[str]:
    """The phrase in any case, singular and plural, with any hyphens."""
    words = [re.escape(word.removesuffix("s")) + "s?" if len(word) > 3 else re.escape(word) for word in re.findall(r"[^\W_]+", phrase)]
    return re.compile(r"\b" + r"[\s-]".join(words) + r"(?:es)?\b", re.I)


def sentences(read: Sequence[TopicWork], phrases: Sequence[str]) -> list[Quote]:
    """The subject of each is `topic:` and its phrase. A sentence that a component's page may quote is left to it."""
    patterns = [(phrase, phrase_pattern(phrase)) for phrase in phrases[:PHRASES]]
    return [quote for one in read for quote in _of(one, patterns)]


def _of(one: TopicWork, patterns: Sequence[tuple[str, re.Pattern[str]]]) -> Iterator[Quote]:
    reading = Reading(str(one.document), one.text, [Block(*block) for block in one.blocks], one.title, one.year, one.media_type)
    for start, end in reading.sentences:
        if start in one.elsewhere or reading.in_heading(start):
            continue
        text = one.text[start:end]
        places = [(found.start(), found.end(), phrase) for phrase, pattern in patterns if (found := pattern.search(text))]
        if not places or (fit := fitness(text)) < FLOOR:
            continue
        begin, stop, phrase = min(places)
        if text.startswith("The ") and begin < DEFINITE:
            continue  # "The robot is equipped with ...": one certain robot, of that paper
        what = said(text, begin, stop, others=False, rivals=False, has_value=False)
        score = fit * (0.5 * what.strength + 0.5 * what.prominence)
        if what.role is not None and score >= FLOOR:
            passage = next((id_ for first, last, id_ in one.passages if first <= start < last), None)
            yield Quote(one.document, start, end, SUBJECT + phrase, what.role, round(score, 4), (), what.open, what.advice, text, one.work,
                        one.year, one.language, passage, title=(one.title or "")[:200])  # fmt: skip
