"""What topics cost, whether they stay themselves, and how they agree with the categories of arXiv, beside mini-batch k-means and BERTopic.

    FORGE_HOME=HOME python bench/topics.py [--bertopic /tmp/venv/bin/python]

Reads HOME and writes nothing there. First what `forge eval topics` prints; then, on 20,000 works of arXiv, the agreement beside BERTopic's,
where a Python that has bertopic, umap-learn and hdbscan is named.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from common import machine, table

from forge_assets.topics import choose, kmeans, nights
from forge_assets.topics.evaluation import Timer, agreement, categories_of, evaluate_topics, mini_batches, read
from forge_resources.database import Database
from forge_resources.errors import ForgeError

SMALL = 20_000
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
    with Database.open(migrate=False) as db:
        try:
            print(evaluate_topics(db, options.seed).table())
        except ForgeError as error:
            raise SystemExit(str(error)) from None
        works = read(db)
        categories, titles = categories_of(db, works)
    known = np.flatnonzero(categories >= 0)
    some = np.sort(np.random.default_rng(options.seed).choice(known, min(SMALL, len(known)), replace=False))
    small(np.ascontiguousarray(works.vectors[some]), categories[some], [titles[n] for n in some], options)


def small(rows: np.ndarray, categories: np.ndarray, titles: list[str], options: argparse.Namespace) -> None:
    timed = Timer()
    k = timed("choose", lambda: choose.number_of_topics(rows, options.seed))[0]
    found = {f"Forge, {k} topics": timed("fit", lambda: kmeans.fit(rows, k, options.seed)).labels}
    found[f"MiniBatchKMeans, {k} clusters"] = timed("mini-batches", lambda: mini_batches(rows, k, options.seed))
    costs = dict(zip(found, (timed.steps[0].cpu + timed.steps[1].cpu, timed.steps[2].cpu), strict=True))
    if options.bertopic:
        labels, cpu = bertopic(options.bertopic, rows, titles, max(10, len(rows) // (10 * k)))
        clustered, topics = labels >= 0, int(labels.max()) + 1
        name = f"BERTopic, {topics} topics, {100 * np.mean(~clustered):.0f}% outliers as one"
        found[name], costs[name] = labels, cpu
        ours = found[f"Forge, {topics} topics"] = kmeans.fit(rows, topics, options.seed).labels
        only = agreement(np.where(clustered, categories, -1), {"BERTopic": labels, f"Forge with {topics} topics": ours})
        print(f"only the {clustered.sum()} works that BERTopic gives a topic:", {who: round(score, 4) for who, score in only.items()})
    scores = agreement(categories, found)
    print(f"\n{len(rows)} works of arXiv")
    rows_of_table = [(name, f"{score:.4f}", f"{costs[name]:.0f}" if name in costs else "") for name, score in scores.items()]
    print(table(["method", "NMI", "CPU s"], rows_of_table))


def bertopic(python: Path, rows: np.ndarray, titles: list[str], least: int) -> tuple[np.ndarray, float]:
    """Its labels, -1 for outliers, and its CPU seconds."""
    with tempfile.TemporaryDirectory(prefix="ft-") as folder:
        np.save(f"{folder}/vectors.npy", rows)
        Path(folder, "titles.json").write_text(json.dumps(titles))
        done = subprocess.run([str(python), "-c", BERTOPIC, folder, str(least)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"BERTopic failed:\n{done.stderr[-2000:]}")
        told = json.loads(done.stdout.strip().splitlines()[-1])
    return np.array(told["labels"]), float(told["cpu"])


if __name__ == "__main__":
    main()
