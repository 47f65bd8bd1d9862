"""Anchors, layout, places and colours of the map, on planted vectors."""

from __future__ import annotations

import numpy as np
import pytest

from forge_assets.topics import kmeans
from forge_assets.topics.map import anchors, colours, layout
from forge_assets.topics.map.anchors import Anchors, Placed, grown, laid_out_anew, moved
from forge_assets.topics.map.places import places
from forge_assets.topics.map.quality import kept_neighbours
from forge_assets.topics.map.store import Head
from forge_assets.topics.vectors import Floats
from tests.topics.planted import around, directions

GROUPS, EACH, PER = 12, 60, 4.0


def planted(groups: int = GROUPS, each: int = EACH) -> Placed:
    """Groups of works around directions that are themselves in three clusters."""
    broad = directions(3)
    fine = np.concatenate([around(d, groups // 3, seed, 0.7) for seed, d in enumerate(broad)])
    rows = np.concatenate([around(d, each, 50 + n, 0.5) for n, d in enumerate(fine)])
    topics = np.repeat(np.arange(1, groups + 1), each)
    return Placed(rows, topics, list(range(1, groups + 1)), fine)


def put(works: Placed, made: Anchors) -> Floats:
    return places(works.vectors, (works.topics - 1).astype(np.int32), np.array(works.living), works.centroids, made)


def apart(works: Placed, positions: Floats) -> float:
    """Share of works whose nearest work on the map is of their own topic."""
    from scipy.spatial import cKDTree

    nearest = cKDTree(positions).query(positions, k=2)[1][:, 1]
    return float(np.mean(works.topics[nearest] == works.topics))


def test_works_of_a_topic_stand_together_and_neighbours_are_kept_better_than_by_the_principal_axes() -> None:
    works = planted()
    positions = put(works, laid_out_anew(works, PER, seed=1))
    assert apart(works, positions) > 0.9 > apart(works, layout.principal(works.vectors))
    found = kept_neighbours(works.vectors, positions, seed=1)
    assert found["trustworthiness"] > found["trustworthiness_of_axes"] + 0.03


def test_the_same_works_give_the_same_map() -> None:
    works = planted()
    first, second = (laid_out_anew(works, PER, seed=1) for _ in range(2))
    assert (first.positions == second.positions).all() and (put(works, first) == put(works, second)).all()


def test_the_radius_of_a_new_map_is_about_one() -> None:
    made = laid_out_anew(planted(), PER, seed=1)
    assert 0.8 < np.percentile(np.linalg.norm(made.positions, axis=1), 95) < 1.25


def test_a_refit_leaves_works_where_they_were() -> None:
    works = planted()
    before = laid_out_anew(works, PER, seed=1)
    more = np.concatenate([works.vectors, around(works.centroids[0], 12, 7, 0.5)])
    centroids = kmeans.fit(more, GROUPS, seed=1, start=works.centroids).centroids
    later = Placed(more, np.concatenate([works.topics, np.ones(12, np.int64)]), works.living, centroids)
    after = moved(later, PER, 1, before)
    assert len(after) == len(before)
    step = np.linalg.norm(put(later, after)[: len(works.vectors)] - put(works, before), axis=1)
    assert np.median(step) < 0.02 and np.percentile(step, 90) < 0.1


def test_a_topic_that_ended_takes_its_anchors_along_and_one_that_outgrew_them_gets_more() -> None:
    works = planted()
    before = laid_out_anew(works, PER, seed=1)
    rest = works.topics != 3
    grown_up = np.concatenate([works.vectors[rest], around(works.centroids[0], 3 * EACH, 8, 0.5)])
    topics = np.concatenate([works.topics[rest], np.ones(3 * EACH, np.int64)])
    living = [topic for topic in works.living if topic != 3]
    after = moved(Placed(grown_up, topics, living, np.delete(works.centroids, 2, axis=0)), PER, 1, before)
    assert 3 not in after.topics
    assert np.count_nonzero(after.topics == 1) == pytest.approx(4 * np.count_nonzero(before.topics == 1), rel=0.1)
    home = before.positions[before.topics == 1].mean(axis=0)
    assert np.linalg.norm(after.positions[after.topics == 1].mean(axis=0) - home) < 0.25, "new anchors stand beside the old"


def test_a_topic_that_was_born_gets_anchors_and_no_other_moves() -> None:
    works = planted()
    old = laid_out_anew(works, PER, seed=1)
    like = works.centroids[4]
    born = Placed(around(like, 40, 9, 0.6), np.full(40, 99), [*works.living, 99], np.concatenate([works.centroids, like[None]]))
    after = grown(born, PER, 1, old)
    assert (after.positions[: len(old)] == old.positions).all() and (after.vectors[: len(old)] == old.vectors).all()
    new = after.positions[len(old) :]
    assert len(new) == 10 and set(after.topics[len(old) :]) == {99}
    assert np.linalg.norm(new.mean(axis=0) - old.positions[old.topics == 5].mean(axis=0)) < 0.4
    assert grown(born, PER, 1, after) is after, "a second time nothing is new"


def test_what_is_crowded_is_pushed_apart_and_what_is_pinned_stays() -> None:
    crowd = np.random.default_rng(1).normal(scale=0.02, size=(200, 2)).astype(np.float32)
    crowd[:2] = 0.0
    free = np.arange(200) >= 100
    loose, pinned = layout.relaxed(crowd, seed=1), layout.relaxed(crowd, seed=1, free=free)
    from scipy.spatial.distance import pdist

    room = 2 * np.sqrt(layout.FILLED / 200)
    assert pdist(loose).min() > 0.4 * room > pdist(crowd).min() == 0.0
    assert (pinned[~free] == crowd[~free]).all() and (pinned[free] != crowd[free]).any()


@pytest.mark.parametrize("works", [1, 2, 5, 20])
def test_a_handful_of_works_has_a_map(works: int) -> None:
    rows = around(directions(1)[0], works, 3, 1.0)
    placed = Placed(rows, np.ones(works, np.int64), [1], directions(1))
    made = laid_out_anew(placed, anchors.works_per_anchor(works), seed=1)
    positions = put(placed, made)
    assert np.isfinite(positions).all() and np.abs(positions).max() < 4
    assert kept_neighbours(rows, positions, 1) == {}


@pytest.mark.parametrize(("works", "made"), [(1, 1), (30, 10), (3_000, 500), (100_000, 1562), (1_000_000, 3000)])
def test_anchors_are_as_many_as_the_corpus_bears(works: int, made: int) -> None:
    assert round(works / anchors.works_per_anchor(works)) == made


def heads(count: int) -> list[Head]:
    """On a spiral, the largest first."""
    return [Head(n + 1, 1000 - n, None, np.sqrt(n / count) * np.cos(2.4 * n), np.sqrt(n / count) * np.sin(2.4 * n)) for n in range(count)]


def test_groups_get_colours_that_differ_and_keep_them() -> None:
    some = heads(20)
    given = colours.chosen(some)
    assert len(set(given.values())) == 20
    known = [Head(h.topic_id, h.works, given[h.topic_id], h.x, h.y) for h in some]
    new = Head(99, 5, None, 0.1, 0.1)
    assert set(colours.chosen([*known, new])) == {99} and colours.chosen([*known, new])[99] not in given.values()
    assert len(colours.chosen(heads(60))) == 60, "more groups than colours share them"


def test_neighbours_on_the_map_have_unlike_colours() -> None:
    some = heads(22)
    given = colours.chosen(some)
    labs = {h.topic_id: np.array(colours.oklab(*colours.PALETTE[given[h.topic_id]])) for h in some}
    for head in some:
        near = min((o for o in some if o is not head), key=lambda o: (o.x - head.x) ** 2 + (o.y - head.y) ** 2)
        assert np.linalg.norm(labs[head.topic_id] - labs[near.topic_id]) > 0.12


def test_colours_are_those_of_their_definition_and_shades_stay_near_their_group() -> None:
    assert colours.srgb(1.0, 0.0, 0.0) == (255, 255, 255) and colours.srgb(0.0, 0.0, 0.0) == (0, 0, 0)
    assert colours.srgb(0.627955, 0.257683, 29.2339) == (255, 0, 0)  # Ottosson's own example of red
    group, topic = colours.group_colour(0), colours.topic_colour(0, 17)
    assert topic != group and colours.topic_colour(0, 17) == topic and len(topic.light) == 7
    assert group.light != group.dark
