"""Picture and page of the map in the object store, under keys made of their content; written only when what they show changed.

Keys are noted in `topic_picture` before their bytes are stored, so that what a killed run leaves is deleted by the next one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from forge_assets.topics.map import shown
from forge_assets.topics.map.page import page
from forge_assets.topics.map.picture import picture
from forge_resources.database import Database
from forge_resources.errors import QueryError
from forge_resources.object_store import ObjectStore

VERSION = "1"
"""Of picture and page: another one is drawn again. Who changes how they look raises it."""
FOLDER = "topics/map"
LOCK = "forge.topic_picture"


@dataclass(frozen=True, slots=True)
class Published:
    """`figures`: bytes of both and the number of works, topics and groups they show."""

    state: str
    page_key: str
    image_key: str
    figures: dict[str, Any]
    drawn: bool = False


def publish(db: Database, store: ObjectStore) -> Published | None:
    """Picture and page of the map as it is; None while no work has a place."""
    with db.advisory_lock(LOCK):
        state, last = state_of(db), latest(db)
        if last and last.state == state and store.exists(last.page_key) and store.exists(last.image_key):
            return last
        what = shown.read(db)
        if not len(what):
            return None
        made = {"html": page(what), "png": picture(what)}
        keys = {kind: f"{FOLDER}/{hashlib.sha256(data).hexdigest()}.{kind}" for kind, data in made.items()}
        figures = {"page_bytes": len(made["html"]), "image_bytes": len(made["png"]), "works": len(what), "topics": len(what.topics),
                   "groups": len(what.groups)}  # fmt: skip
        announced = _announce(db, state, keys, figures)
        store.put(keys["html"], made["html"], media_type="text/html; charset=utf-8")
        store.put(keys["png"], made["png"], media_type="image/png")
        with db.begin() as connection:
            connection.execute(sa.text("UPDATE topic_picture SET made_at = now() WHERE picture_id = :id"), {"id": announced})
        _forget_others(db, store, announced, set(keys.values()))
    return Published(state, keys["html"], keys["png"], figures, drawn=True)


def latest(db: Database) -> Published | None:
    statement = (
        """SELECT state, page_key, image_key, figures FROM topic_picture WHERE made_at IS NOT NULL ORDER BY picture_id DESC LIMIT 1"""
    )
    with db.begin() as connection:
        row = connection.execute(sa.text(statement)).one_or_none()
    return Published(row.state, row.page_key, row.image_key, row.figures) if row else None


def drawn(db: Database) -> Published:
    """The latest map. Raises QueryError where there is none."""
    found = latest(db)
    if found is None:
        raise QueryError("no map has been drawn yet; `forge run topic_clusters topic_map` draws one")
    return found


def state_of(db: Database) -> str:
    """Hash of all that is shown, and how: places, topics, titles, years, labels, colours."""
    with db.begin() as connection:
        works, topics = connection.execute(
            sa.text("""SELECT
                (SELECT coalesce(sum(hashtextextended(concat_ws('|', t.topic_id, p.x, p.y, w.year, w.title), 0)::numeric), 0)
                 FROM work_topic t JOIN work_place p USING (work_id) JOIN work w USING (work_id)),
                (SELECT coalesce(sum(hashtextextended(concat_ws('|', topic_id, parent, colour, phrases, label), 0)::numeric), 0)
                 FROM topic WHERE ended_fit IS NULL)""")
        ).one()
    return f"{VERSION}:{int(works) % 2**64:016x}-{int(topics) % 2**64:016x}"


def _announce(db: Database, state: str, keys: Mapping[str, str], figures: Mapping[str, Any]) -> int:
    statement = """INSERT INTO topic_picture (state, page_key, image_key, figures)
        VALUES (:state, :html, :png, CAST(:figures AS jsonb)) RETURNING picture_id"""
    with db.begin() as connection:
        return int(connection.execute(sa.text(statement), {"state": state, **keys, "figures": json.dumps(figures)}).scalar_one())


def _forget_others(db: Database, store: ObjectStore, kept: int, keys: set[str]) -> None:
    with db.begin() as connection:
        statement = "SELECT picture_id, page_key, image_key FROM topic_picture WHERE picture_id <> :kept"
        others = connection.execute(sa.text(statement), {"kept": kept}).all()
    for row in others:
        for key in {row.page_key, row.image_key} - keys:
            store.delete(key)
        with db.begin() as connection:
            connection.execute(sa.text("DELETE FROM topic_picture WHERE picture_id = :id"), {"id": row.picture_id})
