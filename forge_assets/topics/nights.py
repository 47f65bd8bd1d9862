"""What a night does to the topics: new works are assigned, waiting ones may form a new topic, and once a week all is fitted again.

A night without a refit reads only the works that are new or changed. Every step is a transaction and can be taken again: a run killed
anywhere is finished by the next one, and a run without news changes nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from forge_assets.topics import kmeans, stable, store, vectors
from forge_assets.topics.fitting import Before, Fitted, fit_topics
from forge_assets.topics.kmeans import Labels
from forge_assets.topics.stable import Event
from forge_resources.database import Database

METHOD = "1"
"""Version of the clustering: another one is a new fit. Who changes what it puts out raises it."""
FEWEST_WORKS = 20
GROWN = 2.0
"""The number of topics is chosen anew when there are so many times more works than at the last choice, or fewer."""
COMMIT = 20_000  # works per transaction
LEAST_BORN = 20
SHARE_BORN = 0.1  # of the median number of works of a topic: a new topic needs as many
LEAST_COHERENT = 0.1
"""A new topic is as dense, by the mean cosine of its works, as all but this share of the topics."""
SEED = 20_260_101


@dataclass(slots=True)
class TopicsReport:
    """`fitted`: why all was fitted in this run, None where works were only assigned. `unassigned` works wait; `seconds` of wall time."""

    topics: int = 0
    groups: int = 0
    works: int = 0
    unassigned: int = 0
    assigned: int = 0
    born: int = 0
    ended: int = 0
    fitted: str | None = None
    labelled: int = 0
    seconds: float = 0.0

    @property
    def done(self) -> int:
        return self.works if self.fitted else self.assigned


@dataclass(frozen=True, slots=True)
class Plan:
    """How a fit begins: cold with the number of topics chosen anew, or warm from the old centroids."""

    reason: str
    warm: bool


def cluster(db: Database, *, refit_days: float, now: datetime | None = None, asked: bool = False) -> TopicsReport:
    """Brings the topics up to the works and their vectors; `asked` fits again whatever the age. Waits for another run of itself."""
    started, at = time.monotonic(), now or datetime.now(UTC)
    report = TopicsReport()
    with db.advisory_lock(store.LOCK):
        embedder = vectors.current_embedder(db)
        if embedder is not None:
            number, name, dims = embedder
            plan = planned(db, name, at, refit_days, asked)
            if plan is None:
                _assign_new(db, number, dims, report)
                plan = planned(db, name, at, refit_days, asked)
            if plan is not None:
                _fit(db, number, name, dims, at, plan, report)
            if store.current(db) is not None:
                _births(db, number, dims, at, report)
        store.recount(db)
    _tell(db, report)
    report.seconds = time.monotonic() - started
    return report


def planned(db: Database, embedder: str, at: datetime, refit_days: float, asked: bool) -> Plan | None:
    """Whether to fit, and how; None: the last fit stands."""
    last = store.current(db)
    if last is None:
        return Plan("first", False)
    if last.embedder != embedder:
        return Plan("embedder", False)
    if last.method != METHOD:
        return Plan("method", False)
    digest = store.works_digest(db)
    works = int(digest.partition("-")[0])
    if not last.chosen_for / GROWN <= works <= last.chosen_for * GROWN:
        return Plan("grown", False) if works >= FEWEST_WORKS and digest != last.digest else None
    if asked:
        return Plan("asked", True)
    if at - last.at >= timedelta(days=refit_days) and digest != last.digest:
        return Plan("age", True)
    return None


def _fit(db: Database, number: int, name: str, dims: int, at: datetime, plan: Plan, report: TopicsReport) -> None:
    works = vectors.read(db, number, dims)
    if len(works) < FEWEST_WORKS:
        return
    last, old, groups = store.current(db), store.living(db), store.living(db, 2)
    comparable = last is not None and last.embedder == name and len(old.ids) > 0
    before = Before(old.centroids, groups.centroids, store.rows(db, works, old.ids)) if comparable else None
    warm = plan.warm and before is not None
    made = fit_topics(works.vectors, SEED, before, warm=warm)
    chosen_for = last.chosen_for if warm and last is not None else len(works)
    ids = [old.ids[row] if row is not None else None for row in made.former]
    group_ids = [groups.ids[row] if row is not None else None for row in made.former_groups]
    events = _events(old.ids, ids, before.labels if before else None, made)
    store.write_fit(db, store.NewFit(name, dims, METHOD, plan.reason, chosen_for, ids, group_ids, works, made), at, events)
    report.fitted, report.assigned = plan.reason, len(works)
    report.born += sum(event.kind in ("birth", "split") for event in events)
    report.ended += sum(event.kind in ("death", "merge") for event in events)


def _events(old_ids: list[int], ids: list[int | None], rows_before: Labels | None, made: Fitted) -> list[Event]:
    """What became of the topics; a topic that has no id yet is named -1 - row."""
    if not old_ids or rows_before is None:
        return [Event("fit", None, (), len(made.labels))]
    named = np.array([kept if kept is not None else -1 - row for row, kept in enumerate(ids)], np.int64)
    both = (rows_before >= 0) & (made.labels >= 0)
    before, after = np.array(old_ids, np.int64)[rows_before[both]], named[made.labels[both]]
    return [Event("refit", None, (), len(made.labels)), *stable.lineage(old_ids, named.tolist(), before, after)]


def _assign_new(db: Database, number: int, dims: int, report: TopicsReport) -> None:
    works = vectors.read(db, number, dims, "changed")
    topics = store.living(db)
    for begin in range(0, len(works), COMMIT):
        part = works.part(np.arange(begin, min(begin + COMMIT, len(works))))
        labels, similarity = kmeans.assign(part.vectors, topics.centroids)
        placed = stable.placed(labels, similarity, topics.floors)
        store.write_members(db, part, [topics.ids[label] if label >= 0 else None for label in placed], similarity)
    report.assigned = len(works)


def _births(db: Database, number: int, dims: int, at: datetime, report: TopicsReport) -> None:
    """Until no new topic forms, so that a second run finds nothing to do."""
    last = store.current(db)
    assert last is not None
    while True:
        works, topics, groups = vectors.read(db, number, dims, "waiting"), store.living(db), store.living(db, 2)
        least = max(LEAST_BORN, round(SHARE_BORN * float(np.median(topics.sizes))))
        coherence = store.coherence(db, LEAST_COHERENT)
        centroids, labels = stable.born(works.vectors, topics.centroids, float(np.median(topics.floors)), coherence, least, SEED)
        if not len(centroids):
            return
        parents = [groups.ids[int(np.argmax(groups.centroids @ one))] if groups.ids else None for one in centroids]
        floor = float(np.median(topics.floors))
        report.born += len(store.write_births(db, last.fit_id, at, works, labels, centroids, floor, parents))


def _tell(db: Database, report: TopicsReport) -> None:
    topics = store.living(db)
    counts = store.counts(db)
    report.topics, report.groups = len(topics.ids), len(store.living(db, 2).ids)
    report.works, report.unassigned = counts.works, counts.unassigned
