"""What picture and page show, read once: works with place, topic, year and title, and topics and groups with label, colour and spot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from forge_assets.topics.map.colours import Colour, group_colour, topic_colour
from forge_assets.topics.vectors import Floats
from forge_resources.database import Database

LONGEST_TITLE = 300
FETCHED = 20_000
UNASSIGNED = "no topic yet"
NAMES = 5  # phrases of a topic from which its name on the map is taken
CELLS = {1: 0.03, 2: 0.15}
"""On the map: where the most works of a topic, or of a group, lie is sought in squares of this side."""
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
HIDDEN = re.compile("[\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
"""Characters without a glyph: marks of direction, which could turn the page's own text, halves of pairs, tags."""
POINTS = """SELECT t.topic_id, w.title, w.year, p.x, p.y FROM work_topic t JOIN work_place p USING (work_id) JOIN work w USING (work_id)
    ORDER BY t.topic_id NULLS LAST, w.year NULLS FIRST, w.work_id"""
TOPICS = """SELECT t.topic_id, t.level, t.parent, t.label, t.phrases, t.works, coalesce(p.colour, t.colour) AS colour
    FROM topic t LEFT JOIN topic p ON p.topic_id = t.parent WHERE t.ended_fit IS NULL ORDER BY t.works DESC, t.topic_id"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A topic or a group. `phrases`: its name on the map, in two lines; `x`, `y`: where most of its works lie, None where it has none."""

    topic_id: int
    label: str
    phrases: tuple[str, ...]
    works: int
    group: int | None
    colour: Colour
    x: float | None
    y: float | None


@dataclass(frozen=True, slots=True)
class Shown:
    """`topic_of` int64 [n], 0 for none; `years` int16 [n], 0 for none; `positions` float32 [n, 2]; titles on one line, without controls."""

    topic_of: npt.NDArray[np.int64]
    years: npt.NDArray[np.int16]
    positions: Floats
    titles: list[str]
    topics: list[Entry]
    groups: list[Entry]

    @property
    def heads(self) -> list[Entry]:
        """Groups, and topics without one; each has a colour of its own."""
        return sorted(self.groups + [topic for topic in self.topics if topic.group is None], key=lambda head: (-head.works, head.topic_id))

    def __len__(self) -> int:
        return len(self.titles)


def read(db: Database) -> Shown:
    """In one snapshot; points come topic by topic, those without one last."""
    topic_of: list[int] = []
    years: list[int] = []
    positions: list[tuple[float, float]] = []
    titles: list[str] = []
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ", yield_per=FETCHED) as connection, connection.begin():
        for topic, title, year, x, y in connection.execute(sa.text(POINTS)):
            topic_of.append(topic or 0)
            years.append(year if year and 0 < year < 10_000 else 0)
            positions.append((x, y))
            titles.append(one_line(title or ""))
        rows = connection.execute(sa.text(TOPICS)).all()
    of, at = np.array(topic_of, np.int64), np.array(positions, np.float32).reshape(-1, 2)
    return Shown(of, np.array(years, np.int16), at, titles, _entries(rows, 1, of, at), _entries(rows, 2, of, at))


def _entries(rows: Sequence[sa.Row[Any]], level: int, topic_of: npt.NDArray[np.int64], positions: Floats) -> list[Entry]:
    """Topics (1) or groups (2), the largest first; works are those on the map."""
    made, used = [], set[str]()
    for row in (row for row in rows if row.level == level):
        own = [row.topic_id] if level == 1 else [child.topic_id for child in rows if child.parent == row.topic_id]
        here = positions[np.isin(topic_of, own)]
        x, y = densest(here, CELLS[level]) if len(here) else (None, None)
        colour = topic_colour(row.colour, row.topic_id) if level == 1 else group_colour(row.colour)
        label = one_line(row.label or f"topic {row.topic_id}")
        names = _names([one_line(phrase) for phrase, _ in row.phrases] or [label], used)
        made.append(Entry(row.topic_id, label, names, len(here), row.parent, colour, x, y))
    return made


def _names(phrases: list[str], used: set[str]) -> tuple[str, ...]:
    """Two of the phrases, the first of them one that no larger topic is called by."""
    first = next((phrase for phrase in phrases[:NAMES] if phrase.lower() not in used), phrases[0])
    used.add(first.lower())
    return tuple(dict.fromkeys((first, *phrases)))[:2]


def one_line(text: str) -> str:
    """Without line breaks, control characters and marks that turn the direction of what follows; cut where it is very long."""
    line = " ".join(HIDDEN.sub("", CONTROL.sub(" ", text)).split())
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1] + "…"


def densest(positions: Floats, cell: float) -> tuple[float, float]:
    """The mean of the positions in and around the square that has the most of them in and around it."""
    cells = np.floor(positions / cell).astype(np.int64)
    found, of, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    close = np.abs(found[:, None] - found[None]).max(axis=2) <= 1
    best = int(np.argmax(close @ counts))
    mean = positions[close[best][of.reshape(-1)]].mean(axis=0)
    return float(mean[0]), float(mean[1])
