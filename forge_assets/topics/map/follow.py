"""What a night does to the map: new works and those that changed their topic get a place, topics just born get anchors, the rest stays.

After a refit of the topics the anchors follow their works and all works are placed again; where the number of topics was chosen anew, the
layout is made anew. A run killed anywhere is finished by the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from forge_assets.topics import kmeans, vectors
from forge_assets.topics import store as topics_store
from forge_assets.topics.kmeans import Labels
from forge_assets.topics.map import store
from forge_assets.topics.map.anchors import Anchors, Placed, grown, laid_out_anew, moved, works_per_anchor
from forge_assets.topics.map.colours import chosen
from forge_assets.topics.map.places import places
from forge_assets.topics.map.quality import kept_neighbours
from forge_assets.topics.nights import SEED
from forge_assets.topics.store import Fit, Topics
from forge_assets.topics.vectors import Floats, WorkVectors
from forge_resources.database import Database

METHOD = "1"
"""Version of the layout: another one is laid out anew. Who changes where things stand raises it."""
ANEW = frozenset({"first", "embedder", "method", "grown"})
"""Fits after which the map is another one too."""
COMMIT = 20_000  # works per transaction


@dataclass(slots=True)
class Followed:
    """`laid_out`: `anew`, `moved` after a refit, None where old works stayed put; `placed` works got a place.

    The rest is of the layout in force: see `quality`; `median_move` of works when it was made, the map's radius being one.
    """

    laid_out: str | None = None
    placed: int = 0
    anchors: int = 0
    trustworthiness: float | None = None
    trustworthiness_of_axes: float | None = None
    median_move: float | None = None


def follow(db: Database, now: datetime | None = None) -> Followed:
    """Brings the map up to the topics. Does nothing before there are any, or while another embedder's vectors wait for their first fit."""
    report = Followed()
    with db.advisory_lock(topics_store.LOCK):
        fit, embedder = topics_store.current(db), vectors.current_embedder(db)
        if fit is None or embedder is None or embedder[1] != fit.embedder:
            return report
        last = store.latest(db)
        if last is None or last.method != METHOD or last.fit_id != fit.fit_id:
            _lay_out(db, embedder[0], fit, last, now or datetime.now(UTC), report)
        else:
            _place_new(db, embedder[0], fit, last, report)
        store.write_colours(db, chosen(store.heads(db)))
    if layout := store.latest(db):
        for name in ("anchors", "trustworthiness", "trustworthiness_of_axes", "median_move"):
            setattr(report, name, layout.figures.get(name, getattr(report, name)))
    return report


@dataclass(frozen=True, slots=True)
class Shown:
    """Works with the row of their topic, or of the nearest one where they wait, and its id, None where they wait."""

    works: WorkVectors
    rows: Labels
    topics: list[int | None]
    living: Topics

    def placed(self) -> Placed:
        return Placed(self.works.vectors, np.array([topic or 0 for topic in self.topics], np.int64), self.living.ids, self.living.centroids)

    def positions(self, anchors: Anchors) -> Floats:
        return places(self.works.vectors, self.rows, np.array(self.living.ids, np.int64), self.living.centroids, anchors)


def _shown(db: Database, number: int, dims: int, selection: str) -> Shown:
    works, living = vectors.read(db, number, dims, selection), topics_store.living(db)
    rows = topics_store.rows(db, works, living.ids)
    waiting = rows < 0
    named = [None if waits else living.ids[row] for row, waits in zip(rows, waiting, strict=True)]
    rows[waiting] = kmeans.assign(works.vectors[waiting], living.centroids)[0]
    return Shown(works, rows, named, living)


def _lay_out(db: Database, number: int, fit: Fit, last: store.Layout | None, at: datetime, report: Followed) -> None:
    shown = _shown(db, number, fit.dims, "assigned")
    old = store.anchors(db) if last is not None and last.embedder == fit.embedder else None
    if last is None or old is None or last.method != METHOD or ANEW.intersection(last.reasons):
        report.laid_out, per_anchor = "anew", works_per_anchor(len(shown.works))
        anchors = laid_out_anew(shown.placed(), per_anchor, SEED, old)
    else:
        report.laid_out, per_anchor = "moved", last.per_anchor
        anchors = moved(shown.placed(), per_anchor, SEED, old)
    positions = shown.positions(anchors)
    figures = kept_neighbours(shown.works.vectors, positions, SEED) | {"anchors": len(anchors)}
    made = store.NewLayout(fit.fit_id, METHOD, report.laid_out == "anew", per_anchor, figures, anchors)
    store.write_layout(db, made, at, shown.works, shown.topics, positions)
    report.placed = len(shown.works)


def _place_new(db: Database, number: int, fit: Fit, last: store.Layout, report: Followed) -> None:
    shown = _shown(db, number, fit.dims, "unplaced")
    old = store.anchors(db)
    anchors = grown(shown.placed(), last.per_anchor, SEED, old)
    if len(anchors) > len(old):
        store.write_anchors(db, anchors)
    positions = shown.positions(anchors)
    for begin in range(0, len(shown.works), COMMIT):
        part = np.arange(begin, min(begin + COMMIT, len(shown.works)))
        store.write_places(db, shown.works.part(part), shown.topics[begin : begin + COMMIT], positions[part])
    report.placed = len(shown.works)
