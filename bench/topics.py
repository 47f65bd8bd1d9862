"""How long topics take, whether they stay themselves, and how they agree with the categories of arXiv.

    FORGE_HOME=HOME python bench/topics.py [--bertopic /tmp/venv/bin/python]

Reads the vectors of HOME once and writes nothing there. Prints: CPU seconds and peak memory of each step; the share of works that keep
their topic's id after a refit with 5% new works; NMI with the first arXiv category beside scikit-learn's mini-batch k-means of the same
number of clusters, and on 20,000 works beside BERTopic, where a Python that has it is named.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from common import machine, table

from forge_assets.topics import choose, kmeans, levels, nights, stable, vectors
from forge_assets.topics.vectors import WorkVectors
from forge_resources.database import Database

NEW = 0.05
SMALL = 20_000
CATEGORIES = """SELECT w.work_id, d.title, d.metadata->'keywords'->>0 AS category FROM work w
    JOIN document d ON d.document_id = w.main_document
    WHERE d.external_id LIKE 'arxiv' || chr(58) || '%' AND d.metadata->'keywords'->>0 ~ '^[a-z-]+(\\.[A-Za-z-]+)?$'"""
BERTOPIC = """
import json, sys, time, numpy as np
from bertopic import BERTopic
from umap import UMAP
from hdbscan import HDBSCAN
folder = sys.argv[1]
rows, titles = np.load(folder + "/vectors.npy"), json.load(open(folder + "/titles.json"))
started, cpu = time.monotonic(), time.process_time()
model = BERTopic(umap_model=UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=1),
                 hdbscan_model=HDBSCAN(min_cluster_size=int(sys.argv[2]), prediction_data=False), calculate_probabilities=False)
labels, _ = model.fit_transform(titles, rows)
print(json.dumps({"labels": [int(n) for n in labels], "seconds": time.monotonic() - started, "cpu": time.process_time() - cpu}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bertopic", type=Path, help="a Python with bertopic, umap-learn and hdbscan")
    parser.add_argument("--seed", type=int, default=nights.SEED)
    options = parser.parse_args()
    print(machine())
    steps: list[tuple[str, str, str, str]] = []
    with Database.open(migrate=False) as db:
        works = timed(steps, "read vectors", lambda: read(db))
        categories, titles = categories_of(db, works)
    rows = works.vectors
    k, tried = timed(steps, "choose the number", lambda: choose.number_of_topics(rows, options.seed))
    made = timed(steps, f"fit {k} topics", lambda: kmeans.fit(rows, k, options.seed))
    groups = timed(steps, "second level", lambda: levels.coarse(made.centroids, made.sizes()))[1]
    ours = resource.getrusage(resource.RUSAGE_SELF)
    print(table(["step", "CPU s", "wall s", "peak MB so far"], steps))
    print(f"{len(works)} works, all steps {ours.ru_utime + ours.ru_stime:.1f} CPU s with start-up and titles; groups {groups.max() + 1}")
    print("numbers tried:", choose.described(tried))
    stability(rows, k, options.seed)
    agreement(rows, made, categories, options)
    small(rows, categories, titles, options)


def read(db: Database) -> WorkVectors:
    found = vectors.current_embedder(db)
    if found is None:
        raise SystemExit("no vectors in this home")
    return vectors.read(db, found[0], found[2])


def timed(steps: list[tuple[str, str, str, str]], name: str, work: Callable[[], Any]) -> Any:
    started, cpu = time.monotonic(), time.process_time()
    made = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    steps.append((name, f"{time.process_time() - cpu:.1f}", f"{time.monotonic() - started:.1f}", str(peak)))
    return made


def categories_of(db: Database, works: WorkVectors) -> tuple[np.ndarray, list[str]]:
    """The first category of each work as a number, -1 where it is not of arXiv, int32 [n]; and the titles of those of arXiv, '' else."""
    found, titles = np.full(len(works), -1, np.int32), [""] * len(works)
    names: dict[str, int] = {}
    with db.begin() as connection:
        for row in connection.execute(sa.text(CATEGORIES)):
            place = int(np.searchsorted(works.keys, row.work_id.bytes))
            if place < len(works) and works.work(place) == row.work_id:
                found[place], titles[place] = names.setdefault(row.category, len(names)), row.title or ""
    return found, titles


def stability(rows: np.ndarray, k: int, seed: int) -> None:
    """A fit over 95%, the other 5% come, a warm refit: what share of the old works keeps its topic's id."""
    new = np.random.default_rng(seed).random(len(rows)) < NEW
    old = np.ascontiguousarray(rows[~new])
    first = kmeans.fit(old, k, seed)
    nearest, _ = kmeans.assign(rows, first.centroids)
    cpu = time.process_time()
    start = stable.restructured(rows, first.centroids, nearest, seed)
    again = kmeans.fit(rows, len(start), seed, start=start)
    matched = stable.match(first.centroids, again.centroids)
    row_of = np.full(k, -1, np.int32)
    for row, former in matched.items():
        row_of[former] = row
    before = np.full(len(rows), -1, np.int32)
    before[~new] = row_of[first.labels]
    labels, similarity = stable.kept(rows, again, before)
    waits = stable.placed(labels, similarity, stable.floors(labels, similarity, len(start)))[~new] < 0
    was = stable.placed(first.labels, first.similarity, stable.floors(first.labels, first.similarity, k)) >= 0
    plain = float(np.mean(again.labels[~new] == before[~new]))
    kept = labels[~new] == before[~new]
    print(f"refit with {new.sum()} new works: {len(matched)} of {k} topics matched, {100 * kept.mean():.2f}% of old works keep their id "
          f"({100 * plain:.2f}% without the margin; {100 * np.mean(kept[was] & ~waits[was]):.2f}% if those that begin to wait are lost), "
          f"{time.process_time() - cpu:.1f} CPU s")  # fmt: skip


def agreement(rows: np.ndarray, made: kmeans.Clustering, categories: np.ndarray, options: argparse.Namespace) -> None:
    """NMI with arXiv's categories, of our topics and of scikit-learn's mini-batch k-means, over all works."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import normalized_mutual_info_score

    cpu = time.process_time()
    plain = MiniBatchKMeans(len(made.centroids), random_state=options.seed % 1000, n_init=3).fit_predict(rows)
    spent, known = time.process_time() - cpu, categories >= 0
    pairs = (("Forge", made.labels, "see above"), ("scikit-learn MiniBatchKMeans", plain, f"{spent:.1f}"))
    results = [(name, f"{normalized_mutual_info_score(categories[known], labels[known]):.4f}", used) for name, labels, used in pairs]
    print(f"\n{known.sum()} works of arXiv, {categories.max() + 1} first categories")
    print(table(["method", "NMI", "CPU s"], results))


def small(rows: np.ndarray, categories: np.ndarray, titles: list[str], options: argparse.Namespace) -> None:
    """The same on 20,000 works of arXiv, with BERTopic."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import normalized_mutual_info_score

    known = np.flatnonzero(categories >= 0)
    some = np.sort(np.random.default_rng(options.seed).choice(known, min(SMALL, len(known)), replace=False))
    part, truth = np.ascontiguousarray(rows[some]), categories[some]
    k, _ = choose.number_of_topics(part, options.seed)
    found: dict[str, np.ndarray] = {f"Forge, {k} topics": kmeans.fit(part, k, options.seed).labels}
    found[f"MiniBatchKMeans, {k} clusters"] = MiniBatchKMeans(k, random_state=options.seed % 1000, n_init=3).fit_predict(part)
    if options.bertopic:
        labels = bertopic(options.bertopic, part, [titles[n] for n in some], max(10, len(part) // (10 * k)))
        clustered, topics = labels >= 0, int(labels.max()) + 1
        found[f"BERTopic, {topics} topics, {100 * np.mean(~clustered):.0f}% outliers as one"] = labels
        ours = kmeans.fit(part, topics, options.seed).labels
        found[f"Forge, {topics} topics"] = ours
        print(f"\nonly works that BERTopic gives a topic ({clustered.sum()}): BERTopic "
              f"{normalized_mutual_info_score(truth[clustered], labels[clustered]):.4f}, Forge with {topics} topics "
              f"{normalized_mutual_info_score(truth[clustered], ours[clustered]):.4f}")  # fmt: skip
    print(f"\n{len(part)} works of arXiv")
    print(table(["method", "NMI"], [(name, f"{normalized_mutual_info_score(truth, labels):.4f}") for name, labels in found.items()]))


def bertopic(python: Path, rows: np.ndarray, titles: list[str], least: int) -> np.ndarray:
    with tempfile.TemporaryDirectory(prefix="ft-") as folder:
        np.save(f"{folder}/vectors.npy", rows)
        Path(folder, "titles.json").write_text(json.dumps(titles))
        done = subprocess.run([str(python), "-c", BERTOPIC, folder, str(least)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"BERTopic failed:\n{done.stderr[-2000:]}")
        told = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"\nBERTopic {told['cpu']:.0f} CPU s, {told['seconds']:.0f} s")
    return np.array(told["labels"])


if __name__ == "__main__":
    main()
