"""What `forge topics` shows: the list, one topic with its works, and the log."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from forge_resources.database import Database
from forge_resources.errors import QueryError

COLUMNS = "t.topic_id, t.level, t.parent, t.label, t.works, t.tasks, t.slots, t.born_at, t.ended_at"


def topics(db: Database, level: int | None = None, task: str | None = None) -> list[dict[str, Any]]:
    """The living topics, groups first by size, each followed by its topics by size."""
    statement = f"""SELECT {COLUMNS} FROM topic t LEFT JOIN topic p ON p.topic_id = t.parent
        WHERE t.ended_fit IS NULL AND (CAST(:level AS integer) IS NULL OR t.level = :level)
            AND (CAST(:task AS text) IS NULL OR :task = ANY(t.tasks))
        ORDER BY coalesce(p.works, t.works) DESC, coalesce(t.parent, t.topic_id), t.level DESC, t.works DESC, t.topic_id"""
    with db.begin() as connection:
        return [dict(row) for row in connection.execute(sa.text(statement), {"level": level, "task": task}).mappings()]


def topic(db: Database, topic_id: int, works: int = 10) -> dict[str, Any]:
    """One topic, living or ended: its phrases, slots, nearest works, works per year, neighbours of its group, and its history.

    Raises QueryError for an id that no topic has.
    """
    with db.begin() as connection:
        row = connection.execute(
            sa.text(f"SELECT {COLUMNS}, t.phrases FROM topic t WHERE topic_id = :topic"), {"topic": topic_id}
        ).mappings().one_or_none()  # fmt: skip
        if row is None:
            raise QueryError(f"no topic has the id {topic_id}; `forge topics list` lists them")
        one = {"topic": topic_id, "n": works}
        members = "SELECT topic_id FROM topic WHERE (topic_id = :topic OR parent = :topic) AND ended_fit IS NULL"
        nearest = connection.execute(
            sa.text(f"""SELECT w.work_id, w.title, w.year, d.uri, m.similarity FROM work_topic m JOIN work w USING (work_id)
                JOIN document d ON d.document_id = w.main_document WHERE m.topic_id IN ({members})
                ORDER BY m.similarity DESC, w.work_id LIMIT :n"""),
            one,
        ).mappings()
        years = connection.execute(
            sa.text(f"""SELECT w.year, count(*) AS works FROM work_topic m JOIN work w USING (work_id)
                WHERE m.topic_id IN ({members}) AND w.year IS NOT NULL GROUP BY w.year ORDER BY w.year"""),
            one,
        )
        children = connection.execute(
            sa.text("SELECT topic_id, label, works FROM topic WHERE parent = :topic AND ended_fit IS NULL ORDER BY works DESC, topic_id"),
            one,
        ).mappings()
        told = dict(row) | {
            "nearest": [dict(work) for work in nearest],
            "years": {row.year: row.works for row in years},
            "topics": [dict(child) for child in children],
        }
    return told | {"events": events(db, topic_id=topic_id, last=1000)}


def events(db: Database, *, topic_id: int | None = None, last: int = 50) -> list[dict[str, Any]]:
    """What happened, the latest first; of one topic: where it was concerned."""
    statement = """SELECT e.event_id, e.at, e.fit_id, f.reason, e.kind, e.topic_id, t.label, e.others, e.works FROM topic_event e
        JOIN topic_fit f USING (fit_id) LEFT JOIN topic t ON t.topic_id = e.topic_id
        WHERE CAST(:topic AS integer) IS NULL OR e.topic_id = :topic OR :topic = ANY(e.others) ORDER BY e.event_id DESC LIMIT :n"""
    with db.begin() as connection:
        return [dict(row) for row in connection.execute(sa.text(statement), {"topic": topic_id, "n": last}).mappings()]
