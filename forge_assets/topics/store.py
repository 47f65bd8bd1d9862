"""Topics in Postgres: what stands, and every change of it, each in one transaction. Only who holds LOCK writes here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from forge_assets.topics.fitting import Fitted
from forge_assets.topics.kmeans import Labels
from forge_assets.topics.stable import Event
from forge_assets.topics.vectors import Floats, WorkVectors, work_id
from forge_resources.database import Database

LOCK = "forge.topics"


@dataclass(frozen=True, slots=True)
class Fit:
    fit_id: int
    embedder: str
    dims: int
    method: str
    works: int
    chosen_for: int
    digest: str
    at: datetime


@dataclass(slots=True)
class Topics:
    """The living topics of one level, by ascending id: `centroids` float32 [k, dims], `floors` float32 [k], `sizes` int64 [k]."""

    ids: list[int]
    centroids: Floats
    floors: Floats
    sizes: Any
    parents: list[int | None]


@dataclass(slots=True)
class NewFit:
    """A fit to be written. `ids`, `group_ids`: the id each topic or group keeps, None where it is new; `works`: those of `made`."""

    embedder: str
    dims: int
    method: str
    reason: str
    chosen_for: int
    ids: list[int | None]
    group_ids: list[int | None]
    works: WorkVectors
    made: Fitted


def current(db: Database) -> Fit | None:
    """The latest fit."""
    with db.begin() as connection:
        row = connection.execute(
            sa.text("SELECT fit_id, embedder, dims, method, works, chosen_for, digest, at FROM topic_fit ORDER BY fit_id DESC LIMIT 1")
        ).one_or_none()
    return Fit(*row) if row else None


def living(db: Database, level: int = 1) -> Topics:
    with db.begin() as connection:
        rows = connection.execute(
            sa.text("""SELECT topic_id, centroid, floor, works, parent FROM topic WHERE level = :level AND ended_fit IS NULL
                ORDER BY topic_id"""),
            {"level": level},
        ).all()
    centroids = [np.frombuffer(row.centroid, "<f4") for row in rows]
    return Topics(
        [row.topic_id for row in rows],
        np.array(centroids, np.float32) if rows else np.empty((0, 0), np.float32),
        np.array([row.floor for row in rows], np.float32),
        np.array([row.works for row in rows], np.int64),
        [row.parent for row in rows],
    )


def rows(db: Database, works: WorkVectors, ids: Sequence[int]) -> Labels:
    """The row in `ids` of the topic that each work belongs to, -1 where it waits or is new; int32 [n]."""
    row_of = {topic: row for row, topic in enumerate(ids)}
    with db.begin() as connection:
        found = connection.execute(sa.text("SELECT work_id, topic_id FROM work_topic WHERE topic_id IS NOT NULL"))
        of = {row.work_id.bytes.rstrip(b"\0"): row_of.get(row.topic_id, -1) for row in found}  # as keys of works: numpy drops such bytes
    return np.array([of.get(key, -1) for key in works.keys], np.int32)


@dataclass(frozen=True, slots=True)
class Counts:
    """`works` have been read, `unassigned` of them wait, `pending` works have no row yet."""

    works: int
    unassigned: int
    pending: int


def counts(db: Database) -> Counts:
    with db.begin() as connection:
        row = connection.execute(
            sa.text("""SELECT count(*) AS works, count(*) FILTER (WHERE topic_id IS NULL) AS unassigned,
                (SELECT count(*) FROM work) - count(*) AS pending FROM work_topic""")
        ).one()
    return Counts(row.works, row.unassigned, row.pending)


def coherence(db: Database, quantile: float) -> float:
    """That quantile, over the topics, of the mean cosine of a topic's works; 0 where there are none."""
    statement = """SELECT coalesce(percentile_cont(:quantile) WITHIN GROUP (ORDER BY mean), 0)
        FROM (SELECT avg(similarity) AS mean FROM work_topic WHERE topic_id IS NOT NULL GROUP BY topic_id) AS of_topic"""
    with db.begin() as connection:
        return float(connection.execute(sa.text(statement), {"quantile": quantile}).scalar_one())


def works_digest(db: Database) -> str:
    """Hash of which works of which content are in the table, in any order; begins with their number."""
    with db.begin() as connection:
        return _works_digest(connection)


def state(db: Database) -> str:
    """Hash of who belongs where and of what the topics are called: the data version of the asset."""
    with db.begin() as connection:
        members, topics = connection.execute(
            sa.text("""SELECT
                    (SELECT coalesce(sum(hashtextextended(work_id::text || coalesce(topic_id, 0), 0)::numeric), 0) FROM work_topic),
                (SELECT coalesce(sum(hashtextextended(concat_ws('|', topic_id, label, parent, slots), 0)::numeric), 0)
                 FROM topic WHERE ended_fit IS NULL)""")
        ).one()
    return f"{int(members) % 2**64:016x}-{int(topics) % 2**64:016x}"


def write_fit(db: Database, new: NewFit, at: datetime, events: Sequence[Event]) -> int:
    """All of a fit in one transaction. `events` name rows of `new` as -1 - row where the topic has no id yet."""
    with db.begin() as connection:
        fit_id = _put_fit(connection, new, at)
        written = _put_topics(connection, new, fit_id, at)
        topics = [written[label] if label >= 0 else None for label in new.made.labels]
        _members(db, connection, new.works, topics, new.made.similarity, whole=True)
        log(connection, fit_id, at, [_named(event, written) for event in events])
        _count(connection)
        statement = "UPDATE topic_fit SET digest = :digest WHERE fit_id = :fit"
        connection.execute(sa.text(statement), {"digest": _works_digest(connection), "fit": fit_id})
    return fit_id


def _put_fit(connection: sa.Connection, new: NewFit, at: datetime) -> int:
    statement = sa.text("""INSERT INTO topic_fit (embedder, dims, method, reason, works, chosen_for, digest, figures, at)
        VALUES (:embedder, :dims, :method, :reason, :works, :chosen_for, '', :figures, :at) RETURNING fit_id""")
    values = {"embedder": new.embedder, "dims": new.dims, "method": new.method, "reason": new.reason, "works": len(new.works),
              "chosen_for": new.chosen_for, "figures": new.made.figures, "at": at}  # fmt: skip
    return int(connection.execute(statement.bindparams(sa.bindparam("figures", type_=JSONB)), values).scalar_one())


def _put_topics(connection: sa.Connection, new: NewFit, fit_id: int, at: datetime) -> list[int]:
    """The ids of the rows of `new`; what is not among them has ended."""
    made = new.made
    groups = [put_topic(connection, kept, 2, None, made.groups[g], 0.0, fit_id, at) for g, kept in enumerate(new.group_ids)]
    parents = [groups[g] if groups else None for g in made.group_of]
    topics = [
        put_topic(connection, kept, 1, parents[row], made.centroids[row], float(made.floors[row]), fit_id, at)
        for row, kept in enumerate(new.ids)
    ]
    connection.execute(
        sa.text("UPDATE topic SET ended_fit = :fit, ended_at = :at, works = 0 WHERE ended_fit IS NULL AND NOT topic_id = ANY(:alive)"),
        {"fit": fit_id, "at": at, "alive": groups + topics},
    )
    return topics


def write_members(db: Database, works: WorkVectors, topics: Sequence[int | None], similarity: Floats) -> None:
    """Where these works belong, in one transaction; other works stay where they are."""
    with db.begin() as connection:
        _members(db, connection, works, topics, similarity, whole=False)


def write_births(db: Database, fit_id: int, at: datetime, works: WorkVectors, labels: Labels, centroids: Floats, floor: float,
                 parents: Sequence[int | None]) -> list[int]:  # fmt: skip
    """New topics among waiting works, in one transaction; returns their ids."""
    with db.begin() as connection:
        ids = [put_topic(connection, None, 1, parents[row], centroids[row], floor, fit_id, at) for row in range(len(centroids))]
        members = np.flatnonzero(labels >= 0)
        nearest = np.einsum("ij,ij->i", works.vectors[members], centroids[labels[members]])
        _members(db, connection, works.part(members), [ids[label] for label in labels[members]], nearest, whole=False)
        sizes = np.bincount(labels[members], minlength=len(ids))
        log(connection, fit_id, at, [Event("birth", topic, (), int(size)) for topic, size in zip(ids, sizes, strict=True)])
        _count(connection)
    return ids


def put_topic(connection: sa.Connection, kept: int | None, level: int, parent: int | None, centroid: Floats, floor: float, fit_id: int,
              at: datetime) -> int:  # fmt: skip
    values = {"level": level, "parent": parent, "centroid": centroid.astype("<f4").tobytes(), "floor": floor, "fit": fit_id, "at": at}
    if kept is not None:
        statement = "UPDATE topic SET parent = :parent, centroid = :centroid, floor = :floor WHERE topic_id = :kept"
        connection.execute(sa.text(statement), values | {"kept": kept})
        return kept
    statement = """INSERT INTO topic (level, parent, centroid, floor, born_fit, born_at)
        VALUES (:level, :parent, :centroid, :floor, :fit, :at) RETURNING topic_id"""
    return int(connection.execute(sa.text(statement), values).scalar_one())


def log(connection: sa.Connection, fit_id: int, at: datetime, events: Iterable[Event]) -> None:
    rows = [{"at": at, "fit": fit_id, "kind": e.kind, "topic": e.topic, "others": list(e.others), "works": e.works} for e in events]
    if rows:
        connection.execute(
            sa.text("""INSERT INTO topic_event (at, fit_id, kind, topic_id, others, works)
                VALUES (:at, :fit, :kind, :topic, CAST(:others AS integer[]), :works)"""),
            rows,
        )


def recount(db: Database) -> None:
    """Brings the numbers of works of all topics up to date."""
    with db.begin() as connection:
        _count(connection)


def _count(connection: sa.Connection) -> None:
    connection.execute(
        sa.text("""WITH fine AS (SELECT t.topic_id, t.parent, count(w.work_id) AS n FROM topic t LEFT JOIN work_topic w USING (topic_id)
                WHERE t.level = 1 AND t.ended_fit IS NULL GROUP BY t.topic_id),
            counted AS (SELECT topic_id, n FROM fine UNION ALL
                SELECT parent, sum(n) FROM fine WHERE parent IS NOT NULL GROUP BY parent)
        UPDATE topic t SET works = c.n FROM counted c WHERE t.topic_id = c.topic_id AND t.works <> c.n""")
    )


def _members(db: Database, connection: sa.Connection, works: WorkVectors, topics: Sequence[int | None], similarity: Floats, *,
             whole: bool) -> None:  # fmt: skip
    """Works that vanished meanwhile are passed over; rows that say the same already are not written."""
    columns = ["work_id", "topic_id", "similarity", "mark"]
    connection.execute(
        sa.text("CREATE TEMPORARY TABLE new_topic (work_id uuid, topic_id integer, similarity real, mark bigint) ON COMMIT DROP")
    )
    rows = (
        (work_id(key), topic, float(near), int(mark))
        for key, topic, near, mark in zip(works.keys, topics, similarity, works.marks, strict=True)
    )
    db.copy(connection, "new_topic", columns, rows, ["uuid", "int4", "float4", "int8"])
    connection.execute(sa.text("ANALYZE new_topic"))
    if whole:
        connection.execute(sa.text("DELETE FROM work_topic t WHERE NOT EXISTS (SELECT FROM new_topic n WHERE n.work_id = t.work_id)"))
    connection.execute(
        sa.text("""WITH alive AS (SELECT w.work_id FROM work w JOIN new_topic n USING (work_id) FOR KEY SHARE OF w)
        INSERT INTO work_topic (work_id, topic_id, similarity, mark)
        SELECT work_id, topic_id, similarity, mark FROM new_topic JOIN alive USING (work_id)
        ON CONFLICT (work_id) DO UPDATE SET topic_id = excluded.topic_id, similarity = excluded.similarity, mark = excluded.mark
        WHERE (work_topic.topic_id, work_topic.similarity, work_topic.mark) IS DISTINCT FROM
            (excluded.topic_id, excluded.similarity, excluded.mark)""")
    )  # fmt: skip
    connection.execute(sa.text("DROP TABLE new_topic"))


def _works_digest(connection: sa.Connection) -> str:
    count, total = connection.execute(
        sa.text("SELECT count(*), coalesce(sum(hashtextextended(work_id::text || mark, 0)::numeric), 0) FROM work_topic")
    ).one()
    return f"{count}-{int(total) % 2**64:016x}"


def _named(event: Event, written: Sequence[int]) -> Event:
    def name(topic: int) -> int:
        return written[-1 - topic] if topic < 0 else topic

    topic = name(event.topic) if event.topic is not None else None
    return Event(event.kind, topic, tuple(name(other) for other in event.others), event.works)
