"""`forge eval topics`: figures over planted works, by the code that serves."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from forge_app.cli import forge
from forge_assets.topics import evaluation, stable
from forge_assets.topics.fitting import Before, fit_topics
from forge_resources.database import Database
from forge_resources.errors import QueryError
from tests.topics.planted import SUBJECTS, around, directions, put_works

EACH = 60
PLANTED = 4
"""Subjects: as many as one number of the grid that `choose` tries, and the most that so few works are tried for."""


@pytest.fixture
def corpus(database: Database) -> Database:
    """Three subjects, each a category of arXiv of its own; a fourth that is not of arXiv."""
    for n, subject in enumerate((*SUBJECTS[:3], "robot grasping")):
        put_works(database, subject, around(directions(8)[n], EACH, n))
    with database.begin() as connection:
        connection.execute(
            sa.text("""UPDATE document SET external_id = 'arxiv:' || document_id,
                metadata = jsonb_build_object('keywords', jsonb_build_array(CASE WHEN title LIKE '%speech%' THEN 'cs.SD'
                    WHEN title LIKE '%protein%' THEN 'q-bio' ELSE 'cs.LG' END, 'pruning'))
                WHERE title NOT LIKE '%robot%'""")
        )
    return database


def test_figures_of_planted_topics(corpus: Database) -> None:
    report = evaluation.evaluate_topics(corpus)
    assert (report.works, report.topics, report.labelled, report.categories) == (PLANTED * EACH, PLANTED, 3 * EACH, 3)
    assert set(report.agreement) == {"Forge", "scikit-learn MiniBatchKMeans"} and report.agreement["Forge"] > 0.95
    assert report.kept.matched == report.kept.topics and 0.95 < report.kept.kept <= report.kept.nearest <= 1
    assert next(step.name for step in report.steps) == "read vectors" and all(step.cpu >= 0 and step.peak_mb > 50 for step in report.steps)
    with corpus.begin() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM topic")).scalar() == 0, "nothing is written"


def test_the_command_prints_them(corpus: Database) -> None:
    told = CliRunner().invoke(forge, ["eval", "topics"], catch_exceptions=False)
    assert told.exit_code == 0 and "old works: keep their topic" in told.output and "NMI with the first of 3 categories" in told.output
    as_json = json.loads(CliRunner().invoke(forge, ["eval", "topics", "--json"], catch_exceptions=False).output)
    assert as_json["works"] == PLANTED * EACH and as_json["kept"]["kept"] > 0.95


def test_too_few_works_are_told(database: Database) -> None:
    with pytest.raises(QueryError, match="0 works have vectors, topics need 20"):
        evaluation.evaluate_topics(database)


def test_agreement_is_one_for_the_same_partition_and_leaves_out_works_without_a_category() -> None:
    categories = np.array([0, 0, 1, 1, -1, -1], np.int32)
    scores = evaluation.agreement(categories, {"same": np.array([7, 7, 3, 3, 1, 2]), "none": np.array([0, 1, 0, 1, 0, 1])})
    assert scores["same"] == pytest.approx(1.0) and scores["none"] == pytest.approx(0.0)


def test_a_work_that_begins_to_wait_or_changes_its_topic_is_not_kept() -> None:
    rows = np.concatenate([around(d, EACH, seed) for seed, d in enumerate(directions(PLANTED))])
    first = fit_topics(rows, seed=1)
    assert len(first.centroids) == PLANTED
    before = Before(first.centroids, first.groups, first.nearest)
    again = fit_topics(rows, 1, before, warm=True)
    none_new = np.zeros(len(rows), bool)
    kept = evaluation._kept(rows, none_new, before, again)
    assert kept.kept == pytest.approx(np.mean(again.labels >= 0)) and kept.kept < kept.nearest == 1.0
    swapped = Before(first.centroids, first.groups, (first.nearest + 1) % PLANTED)
    assert evaluation._kept(rows, none_new, swapped, again).nearest == 0.0


def test_a_warm_fit_of_the_same_works_changes_next_to_nothing() -> None:
    rows = np.concatenate([around(d, 150, seed, 1.2) for seed, d in enumerate(directions(8))])
    first = fit_topics(rows, seed=1)
    again = fit_topics(rows, 1, Before(first.centroids, first.groups, first.labels), warm=True)
    assert again.former == list(range(len(first.centroids))) and len(again.former) == 8
    assert np.mean(again.nearest == first.nearest) > 0.995
    assert (stable.placed(again.nearest, again.similarity, again.floors) == again.labels).all()
