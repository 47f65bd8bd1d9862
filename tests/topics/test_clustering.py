"""k-means, the number of topics, the second level, matching and floors, on planted vectors."""

from __future__ import annotations

import numpy as np
import pytest

from forge_assets.topics import choose, kmeans, levels, stable
from tests.topics.planted import around, directions


def planted(groups: int, each: int, spread: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rows = np.concatenate([around(d, each, seed, spread) for seed, d in enumerate(directions(groups))])
    return rows, np.repeat(np.arange(groups), each)


def pure(labels: np.ndarray, truth: np.ndarray) -> bool:
    """Whether labels and truth are the same up to names."""
    pairs = set(zip(labels.tolist(), truth.tolist(), strict=True))
    return len(pairs) == len(set(truth.tolist())) == len(set(labels.tolist()))


def test_planted_groups_are_found() -> None:
    rows, truth = planted(8, 300)
    made = kmeans.fit(rows, 8, seed=1)
    assert pure(made.labels, truth)
    assert np.allclose(np.linalg.norm(made.centroids, axis=1), 1, atol=1e-5)
    assert np.allclose(made.similarity, np.einsum("ij,ij->i", rows, made.centroids[made.labels]), atol=1e-5)


def test_the_same_seed_gives_the_same_topics_and_another_may_not() -> None:
    rows = np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    first, second, other = (kmeans.fit(rows, 12, seed=seed) for seed in (5, 5, 6))
    assert (first.labels == second.labels).all() and (first.centroids == second.centroids).all()
    assert (first.labels != other.labels).any()


def test_torch_and_blas_agree() -> None:
    """The same code runs on CUDA; here its tensors lie on the CPU."""
    rows, _ = planted(6, 200, spread=1.5)
    by_blas, by_torch = (kmeans.fit(rows, 6, seed=2, device=device) for device in ("cpu", "torch"))
    assert np.mean(by_blas.labels == by_torch.labels) > 0.999
    assert np.allclose(by_blas.centroids, by_torch.centroids, atol=1e-3)


def test_products_go_to_cuda_only_where_there_is_one_and_enough_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forge_resources.compute.gpus", lambda: ["a GPU"])
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0+cu130")
    assert (kmeans.device_for(kmeans.LEAST_FOR_CUDA), kmeans.device_for(kmeans.LEAST_FOR_CUDA - 1)) == ("cuda", "cpu")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0+cpu")
    assert kmeans.device_for(kmeans.LEAST_FOR_CUDA) == "cpu"


def test_an_empty_cluster_starts_anew() -> None:
    rows, truth = planted(4, 100)
    far = -directions(4)[:1]
    start = np.concatenate([directions(4)[:3], far])
    made = kmeans.fit(rows, 4, seed=1, start=start)
    assert made.sizes().min() > 0 and pure(made.labels, truth)


def test_more_clusters_than_vectors_are_refused() -> None:
    with pytest.raises(ValueError, match="3 vectors cannot be put into 4 clusters"):
        kmeans.fit(directions(3), 4, seed=1)


def test_the_number_of_topics_is_the_most_that_come_out_again() -> None:
    rows, _ = planted(8, 110, spread=1.2)
    k, tried = choose.number_of_topics(rows, seed=1)
    assert k == 8
    assert all(one.found_again + one.error < choose.FOUND_AGAIN for one in tried if one.k > k)


def test_few_works_make_one_topic() -> None:
    assert choose.number_of_topics(directions(20), seed=1) == (1, [])


def test_topics_are_joined_to_groups_and_a_refit_starts_from_the_old_ones() -> None:
    broad = directions(4)
    fine = np.concatenate([around(d, 5, seed, 0.4) for seed, d in enumerate(broad)])
    groups, of = levels.coarse(fine, np.full(20, 10))
    again, same = levels.coarse(fine, np.full(20, 10), start=groups)
    assert len(np.unique(of)) == len(groups) == levels.groups_for(20)
    assert (of == same).all() and np.allclose(groups, again, atol=1e-6)
    assert len(levels.coarse(fine[:3], np.full(3, 1))[0]) == 1


def test_old_and_new_topics_are_matched_one_to_one_above_the_bound() -> None:
    old = directions(4)
    new = np.concatenate([old[2:3], old[0:1], -old[1:2]])
    assert stable.match(old, new) == {0: 2, 1: 0}
    assert stable.match(old[:0], new) == {}


def test_a_far_work_falls_below_the_floor_of_its_topic() -> None:
    rows, _ = planted(2, 200)
    made = kmeans.fit(rows, 2, seed=1)
    floor = stable.floors(made.labels, made.similarity, 2)
    placed = stable.placed(made.labels, made.similarity, floor)
    assert 0 < np.mean(placed == -1) <= 0.02
    assert made.similarity[placed == -1].max() < made.similarity[placed >= 0].mean()


def test_a_work_on_the_border_does_not_swing() -> None:
    centroids = directions(2)
    border = centroids[0] * 0.70 + centroids[1] * 0.714
    clear = centroids[0] * 0.3 + centroids[1] * 0.95
    rows = np.stack([border, clear]).astype(np.float32)
    labels, similarity = kmeans.assign(rows, centroids)
    made = kmeans.Clustering(centroids, labels, similarity, 1, 0.0)
    kept, near = stable.kept(rows, made, np.zeros(2, np.int32))
    assert kept.tolist() == [0, 1] and near[0] == pytest.approx(0.70, abs=1e-3)


def test_twins_are_joined_and_the_outgrown_is_cut() -> None:
    a, b = directions(2)
    twin = np.stack([a, a + 0.05 * b, b]).astype(np.float32)
    rows = np.concatenate([around(a, 60, 1), around(b, 60, 2)])
    labels, _ = kmeans.assign(rows, twin)
    assert len(stable.restructured(rows, twin / np.linalg.norm(twin, axis=1, keepdims=True), labels, seed=1)) == 2
    five = directions(5)
    uneven = np.concatenate([around(five[0] + five[1], 150, 1), around(five[0] - five[1], 150, 2), *(around(d, 8, 3) for d in five[2:])])
    start = np.concatenate([five[:1], five[2:]])
    wide = np.concatenate([start, *(np.eye(32, dtype=np.float32)[n : n + 1] for n in range(4))])
    labels = np.repeat([0, 1, 2, 3], [300, 8, 8, 8]).astype(np.int32)
    labels[:32] = np.repeat([4, 5, 6, 7], 8)
    assert len(stable.restructured(uneven, wide, labels, seed=1)) == len(wide) + 1


def test_the_log_tells_births_deaths_splits_and_merges() -> None:
    before = np.array([1] * 10 + [2] * 10 + [3] * 10)
    after = np.array([1] * 4 + [9] * 6 + [2] * 10 + [2] * 10)
    told = {(event.kind, event.topic, event.others) for event in stable.lineage([1, 2, 3, 4], [1, 2, 9, 10], before, after)}
    assert told == {("split", 9, (1,)), ("merge", 3, (2,)), ("birth", 10, ()), ("death", 4, ())}
