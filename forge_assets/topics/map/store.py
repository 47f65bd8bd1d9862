"""The map in Postgres: its layout, anchors, places and colours. Only who holds topics.store.LOCK writes here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from forge_assets.topics.map.anchors import Anchors
from forge_assets.topics.vectors import Floats, WorkVectors, work_id
from forge_resources.database import Database

COLUMNS = ["work_id", "topic_id", "mark", "x", "y"]
TYPES = ["uuid", "int4", "int8", "float4", "float4"]


@dataclass(frozen=True, slots=True)
class Layout:
    """`reasons`: those of the fits since the one it shows."""

    fit_id: int
    embedder: str
    method: str
    per_anchor: float
    figures: dict[str, Any]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewLayout:
    """`figures`: what was measured, for the table topic_layout."""

    fit_id: int
    method: str
    anew: bool
    per_anchor: float
    figures: dict[str, Any]
    anchors: Anchors


@dataclass(frozen=True, slots=True)
class Head:
    """What has a colour of its own: a group, or a topic without one. `x`, `y`: the mean place of its works."""

    topic_id: int
    works: int
    colour: int | None
    x: float
    y: float


def latest(db: Database) -> Layout | None:
    statement = """SELECT l.fit_id, f.embedder, l.method, l.per_anchor, l.figures,
            ARRAY(SELECT reason FROM topic_fit s WHERE s.fit_id > l.fit_id ORDER BY s.fit_id) AS reasons
        FROM topic_layout l JOIN topic_fit f USING (fit_id) ORDER BY layout_id DESC LIMIT 1"""
    with db.begin() as connection:
        row = connection.execute(sa.text(statement)).one_or_none()
    return Layout(row.fit_id, row.embedder, row.method, row.per_anchor, row.figures, tuple(row.reasons)) if row else None


def anchors(db: Database) -> Anchors:
    with db.begin() as connection:
        rows = connection.execute(sa.text("SELECT topic_id, vector, x, y FROM topic_anchor ORDER BY topic_id, number")).all()
    return Anchors(
        np.array([row.topic_id for row in rows], np.int64),
        np.array([np.frombuffer(row.vector, "<f4") for row in rows], np.float32),
        np.array([(row.x, row.y) for row in rows], np.float32).reshape(-1, 2),
    )


def write_layout(db: Database, made: NewLayout, at: datetime, works: WorkVectors, topics: Sequence[int | None], positions: Floats) -> None:
    """A whole layout in one transaction, with how far the works that had a place moved: `median_move` in its figures."""
    with db.begin() as connection:
        _put_anchors(connection, made.anchors)
        _fill(db, connection, works, topics, positions)
        moved = connection.execute(
            sa.text("""SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY sqrt((p.x - n.x) ^ 2 + (p.y - n.y) ^ 2))
                FROM work_place p JOIN new_place n USING (work_id)""")
        ).scalar()
        connection.execute(sa.text("DELETE FROM work_place p WHERE NOT EXISTS (SELECT FROM new_place n WHERE n.work_id = p.work_id)"))
        _take(connection)
        figures = made.figures | ({} if moved is None else {"median_move": round(float(moved), 5)})
        connection.execute(
            sa.text("""INSERT INTO topic_layout (fit_id, method, anew, per_anchor, works, figures, at)
                VALUES (:fit, :method, :anew, :per_anchor, :works, :figures, :at)""").bindparams(sa.bindparam("figures", type_=JSONB)),
            {"fit": made.fit_id, "method": made.method, "anew": made.anew, "per_anchor": made.per_anchor, "works": len(works),
             "figures": figures, "at": at},
        )  # fmt: skip


def write_anchors(db: Database, made: Anchors) -> None:
    with db.begin() as connection:
        _put_anchors(connection, made)


def write_places(db: Database, works: WorkVectors, topics: Sequence[int | None], positions: Floats) -> None:
    """Places of these works, in one transaction; others stay."""
    with db.begin() as connection:
        _fill(db, connection, works, topics, positions)
        _take(connection)


def heads(db: Database) -> list[Head]:
    """Groups and topics without a group, the largest first."""
    statement = """SELECT h.topic_id, h.works, h.colour, coalesce(avg(p.x), 0) AS x, coalesce(avg(p.y), 0) AS y FROM topic h
            LEFT JOIN topic t ON t.ended_fit IS NULL AND (t.parent = h.topic_id OR (t.topic_id = h.topic_id AND t.level = 1))
            LEFT JOIN work_place p ON p.topic_id = t.topic_id
        WHERE h.ended_fit IS NULL AND h.parent IS NULL GROUP BY h.topic_id ORDER BY h.works DESC, h.topic_id"""
    with db.begin() as connection:
        return [Head(*row) for row in connection.execute(sa.text(statement))]


def write_colours(db: Database, colours: Mapping[int, int]) -> None:
    if colours:
        with db.begin() as connection:
            statement = "UPDATE topic SET colour = :colour WHERE topic_id = :topic"
            connection.execute(sa.text(statement), [{"topic": topic, "colour": colour} for topic, colour in colours.items()])


def _put_anchors(connection: sa.Connection, made: Anchors) -> None:
    connection.execute(sa.text("DELETE FROM topic_anchor"))
    seen: Counter[int] = Counter()
    numbers = []
    for topic in made.topics.tolist():
        numbers.append(seen[topic])
        seen[topic] += 1
    connection.execute(
        sa.text("INSERT INTO topic_anchor (topic_id, number, vector, x, y) VALUES (:topic, :number, :vector, :x, :y)"),
        [{"topic": int(topic), "number": number, "vector": vector.astype("<f4").tobytes(), "x": float(x), "y": float(y)}
         for topic, number, vector, (x, y) in zip(made.topics, numbers, made.vectors, made.positions, strict=True)],
    )  # fmt: skip


def _fill(db: Database, connection: sa.Connection, works: WorkVectors, topics: Sequence[int | None], positions: Floats) -> None:
    connection.execute(
        sa.text("CREATE TEMPORARY TABLE new_place (work_id uuid, topic_id integer, mark bigint, x real, y real) ON COMMIT DROP")
    )
    rows = (
        (work_id(key), topic, int(mark), float(x), float(y))
        for key, topic, mark, (x, y) in zip(works.keys, topics, works.marks, positions, strict=True)
    )
    db.copy(connection, "new_place", COLUMNS, rows, TYPES)
    connection.execute(sa.text("ANALYZE new_place"))


def _take(connection: sa.Connection) -> None:
    """Works that vanished meanwhile are passed over; rows that say the same already are not written."""
    connection.execute(
        sa.text("""WITH alive AS (SELECT w.work_id FROM work w JOIN new_place n USING (work_id) FOR KEY SHARE OF w)
        INSERT INTO work_place (work_id, topic_id, mark, x, y)
        SELECT work_id, topic_id, mark, x, y FROM new_place JOIN alive USING (work_id)
        ON CONFLICT (work_id) DO UPDATE SET topic_id = excluded.topic_id, mark = excluded.mark, x = excluded.x, y = excluded.y
        WHERE (work_place.topic_id, work_place.mark, work_place.x, work_place.y) IS DISTINCT FROM
            (excluded.topic_id, excluded.mark, excluded.x, excluded.y)""")
    )
