"""`forge eval topics`: what topics cost, whether works keep them over a refit, and how they agree with the categories of arXiv.

The vectors are read once and nothing is written. A fit over 95% of the works, then a warm one over all, as after a week with 5% new works,
both by the code that serves. Plain mini-batch k-means (Sculley 2010) of scikit-learn stands beside it.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from forge_assets.topics import kmeans, stable, vectors
from forge_assets.topics.fitting import Before, Fitted, fit_topics
from forge_assets.topics.kmeans import Labels
from forge_assets.topics.nights import FEWEST_WORKS, SEED
from forge_assets.topics.vectors import Floats, WorkVectors
from forge_resources.database import Database
from forge_resources.errors import QueryError

NEW = 0.05
"""Share of works that come between fit and refit."""
CATEGORIES = """SELECT w.work_id, d.title, d.metadata->'keywords'->>0 AS category FROM work w
    JOIN document d ON d.document_id = w.main_document
    WHERE d.external_id LIKE 'arxiv' || chr(58) || '%' AND d.metadata->'keywords'->>0 ~ '^[a-z-]+(\\.[A-Za-z-]+)?$'"""

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Step:
    """CPU and wall seconds; `peak_mb`: largest resident size of the process so far."""

    name: str
    cpu: float
    seconds: float
    peak_mb: int


@dataclass(frozen=True, slots=True)
class Kept:
    """`kept`: share of the old works with a topic that have the same one after the refit, those that begin to wait counted as lost;
    `nearest`: the same with floors left out; `without_margin`: had each work gone to its nearest topic. `matched` of `topics` go on."""

    new: int
    topics: int
    matched: int
    kept: float
    nearest: float
    without_margin: float


@dataclass(slots=True)
class TopicsReport:
    """`agreement`: method -> normalized mutual information with the first category of `labelled` works of arXiv, of `categories`."""

    works: int
    topics: int
    groups: int
    kept: Kept
    labelled: int = 0
    categories: int = 0
    agreement: dict[str, float] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def table(self) -> str:
        """For people, as plain text."""
        kept = self.kept
        lines = [f"{self.works:,} works, {self.topics} topics in {self.groups} groups", f"{'':34}{'CPU s':>8}{'s':>8}{'peak MB':>9}"]
        lines += [f"{step.name:34}{step.cpu:8.1f}{step.seconds:8.1f}{step.peak_mb:9,}" for step in self.steps]
        lines.append(f"refit with {kept.new:,} new works: {kept.matched} of {kept.topics} topics go on")
        shares = (("keep their topic", kept.kept), ("where none waits", kept.nearest), ("without the margin", kept.without_margin))
        lines += [f"  {f'old works: {name}':32}{100 * share:7.2f}%" for name, share in shares]
        if self.agreement:
            lines.append(f"NMI with the first of {self.categories} categories of {self.labelled:,} works of arXiv:")
            lines += [f"  {name:32}{score:8.4f}" for name, score in self.agreement.items()]
        return "\n".join(lines)


class Timer:
    """Runs steps and keeps what each cost."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, name: str, work: Callable[[], Made]) -> Made:
        started, cpu = time.monotonic(), time.process_time()
        made = work()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        self.steps.append(Step(name, time.process_time() - cpu, time.monotonic() - started, peak))
        return made


def evaluate_topics(db: Database, seed: int = SEED) -> TopicsReport:
    """Raises QueryError where there are too few works with vectors."""
    timed = Timer()
    works = timed("read vectors", lambda: read(db))
    rows, new = works.vectors, np.random.default_rng(seed).random(len(works)) < NEW
    first = timed("choose the number and fit 95%", lambda: fit_topics(np.ascontiguousarray(rows[~new]), seed))
    before = _week_later(rows, new, first)
    again = timed("warm refit over all", lambda: fit_topics(rows, seed, before, warm=True))
    report = TopicsReport(len(works), len(again.centroids), len(again.groups), _kept(rows, new, before, again))
    categories, _ = categories_of(db, works)
    plain = timed("scikit-learn MiniBatchKMeans", lambda: mini_batches(rows, len(again.centroids), seed))
    report.labelled, report.categories = int(np.count_nonzero(categories >= 0)), int(categories.max(initial=-1)) + 1
    if report.labelled:
        report.agreement = agreement(categories, {"Forge": again.nearest, "scikit-learn MiniBatchKMeans": plain})
    report.steps = timed.steps
    return report


def read(db: Database) -> WorkVectors:
    """The vectors of all works. Raises QueryError where there are too few for topics."""
    found = vectors.current_embedder(db)
    works = vectors.read(db, found[0], found[2]) if found else None
    if works is None or len(works) < FEWEST_WORKS:
        raise QueryError(f"{len(works) if works else 0} works have vectors, topics need {FEWEST_WORKS}; `forge run` embeds them")
    return works


def categories_of(db: Database, works: WorkVectors) -> tuple[Labels, list[str]]:
    """The first category of each work as a number, -1 where it is not of arXiv, int32 [n]; and the titles of those of arXiv, '' else."""
    found, titles = np.full(len(works), -1, np.int32), [""] * len(works)
    names: dict[str, int] = {}
    with db.begin() as connection:
        for row in connection.execute(sa.text(CATEGORIES)):
            place = int(np.searchsorted(works.keys, row.work_id.bytes))
            if place < len(works) and works.work(place) == row.work_id:
                found[place], titles[place] = names.setdefault(row.category, len(names)), row.title or ""
    return found, titles


def mini_batches(rows: Floats, k: int, seed: int) -> Labels:
    """Labels of scikit-learn's mini-batch k-means: the best of three starts, as its documentation advises."""
    from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped, unused-ignore]

    made: Labels = MiniBatchKMeans(k, random_state=seed % 1000, n_init=3).fit_predict(rows).astype(np.int32)
    return made


def agreement(categories: Labels, methods: Mapping[str, npt.NDArray[np.integer]]) -> dict[str, float]:
    """Normalized mutual information of each method's labels with the categories, over the works that have one."""
    from sklearn.metrics import normalized_mutual_info_score  # type: ignore[import-untyped, unused-ignore]

    known = categories >= 0
    return {name: float(normalized_mutual_info_score(categories[known], labels[known])) for name, labels in methods.items()}


def _week_later(rows: Floats, new: npt.NDArray[np.bool_], first: Fitted) -> Before:
    """What stands when the refit begins: old works where the fit put them, new ones where nights would."""
    nearest, similarity = kmeans.assign(rows[new], first.centroids)
    labels = np.empty(len(rows), np.int32)
    labels[~new], labels[new] = first.labels, stable.placed(nearest, similarity, first.floors)
    return Before(first.centroids, first.groups, labels)


def _kept(rows: Floats, new: npt.NDArray[np.bool_], before: Before, again: Fitted) -> Kept:
    former = np.array([-2 if row is None else row for row in again.former] + [-2])  # the last for works that wait
    old = ~new & (before.labels >= 0)
    plain, _ = kmeans.assign(rows[old], again.centroids)
    shares = [float(np.mean(former[labels] == before.labels[old])) for labels in (again.labels[old], again.nearest[old], plain)]
    return Kept(int(new.sum()), len(before.centroids), int(np.count_nonzero(former >= 0)), *shares)
