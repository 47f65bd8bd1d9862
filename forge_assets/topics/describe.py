"""Gives topics their labels, slots and tasks from the titles of their works, whenever topics, ontology or rules changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from forge_assets.topics import labels, mapping
from forge_resources.database import Database

if TYPE_CHECKING:
    from forge_assets.components.ontology import Ontology

LABELS_VERSION = "1"
STAGE = "topics.described"
FETCHED = 5000
TITLES = """SELECT t.topic_id, d.title, coalesce(d.metadata->'keywords', '[]') AS keywords
    FROM work_topic t JOIN work w USING (work_id) JOIN document d ON d.document_id = w.main_document
    WHERE t.topic_id IS NOT NULL AND d.title IS NOT NULL ORDER BY t.topic_id, t.work_id"""


def describe(db: Database, ontology: Ontology) -> int:
    """The number of topics described now; 0 when all were already, by this ontology and these rules."""
    wanted = _state(db, ontology.version)
    with db.begin() as connection:
        done = connection.execute(sa.text("SELECT state FROM stage_state WHERE stage = :stage"), {"stage": STAGE}).scalar()
    if done == wanted:
        return 0
    vocabulary = mapping.Vocabulary(ontology)
    said: dict[int, labels.Words] = {}
    slots: dict[int, mapping.Slots] = {}
    for topic, rows in _titles(db):
        counted, named = labels.Words(), mapping.Slots()
        for title, keywords in rows:
            counted.add(title, keywords)
            named.titles += 1
            named.counts.update(vocabulary.slots_of(title))
        said[topic], slots[topic] = counted.pruned(), named
    written = _written(db, said, slots, vocabulary)
    with db.begin() as connection:
        if written:
            statement = "UPDATE topic SET label = :label, phrases = :phrases, slots = :slots, tasks = :tasks WHERE topic_id = :topic"
            bound = sa.text(statement).bindparams(sa.bindparam("phrases", type_=JSONB), sa.bindparam("slots", type_=JSONB))
            connection.execute(bound, written)
        connection.execute(
            sa.text("""INSERT INTO stage_state (stage, state) VALUES (:stage, :state)
                ON CONFLICT (stage) DO UPDATE SET state = excluded.state, at = now()"""),
            {"stage": STAGE, "state": wanted},
        )
    return len(written)


def _state(db: Database, ontology: str) -> str:
    """Fits and births since; works that only came to a topic do not rename it."""
    with db.begin() as connection:
        fit, topic, alive = connection.execute(
            sa.text("""SELECT (SELECT coalesce(max(fit_id), 0) FROM topic_fit), coalesce(max(topic_id), 0),
                count(*) FILTER (WHERE ended_fit IS NULL) FROM topic""")
        ).one()
    return f"{LABELS_VERSION}:{fit}:{topic}:{alive}:{ontology}"


def _titles(db: Database) -> Iterator[tuple[int, Iterator[tuple[str, list[str]]]]]:
    """Topic by topic its (title, keywords), streamed."""
    from itertools import groupby

    with db.engine.connect().execution_options(yield_per=FETCHED) as connection:
        rows = connection.execute(sa.text(TITLES))
        for topic, group in groupby(rows, key=lambda row: int(row.topic_id)):
            yield topic, ((row.title, [k for k in row.keywords if isinstance(k, str)]) for row in group)


def _written(db: Database, said: dict[int, labels.Words], slots: dict[int, mapping.Slots], vocabulary: mapping.Vocabulary
             ) -> list[dict[str, Any]]:  # fmt: skip
    with db.begin() as connection:
        rows = connection.execute(sa.text("SELECT topic_id, level, parent FROM topic WHERE ended_fit IS NULL ORDER BY topic_id")).all()
    fine = [row.topic_id for row in rows if row.level == 1]
    groups = {row.topic_id: [child.topic_id for child in rows if child.parent == row.topic_id] for row in rows if row.level == 2}
    nothing, unnamed = labels.Words(), mapping.Slots()
    everywhere = mapping.joined(slots)
    of_groups = [labels.joined(said.get(child, nothing) for child in children) for children in groups.values()]
    found = dict(zip(fine, labels.ranked([said.get(topic, nothing) for topic in fine]), strict=True))
    found |= dict(zip(groups, labels.ranked(of_groups), strict=True))
    named = {topic: slots.get(topic, unnamed) for topic in fine}
    named |= {group: mapping.joined([slots.get(child, unnamed) for child in children]) for group, children in groups.items()}
    out = []
    for topic, phrases in found.items():
        chosen = mapping.chosen(named[topic], everywhere)
        out.append(
            {"topic": topic, "label": labels.label(phrases), "phrases": [list(pair) for pair in phrases],
             "slots": [list(pair) for pair in chosen], "tasks": vocabulary.tasks_of([slot for slot, _ in chosen])}
        )  # fmt: skip
    return out
