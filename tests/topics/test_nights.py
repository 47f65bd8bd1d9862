"""Nights on the real database: first fit, new works, births, refits, kills, another embedder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from forge_assets.topics import catalogue, nights, store, vectors
from forge_assets.topics.describe import describe
from forge_resources.database import Database
from tests.embeddings.corpus_builder import remove
from tests.topics.planted import SUBJECTS, around, directions, put_vectors, put_works, topics_of
from tests.topics.test_labels import ontology

DAY = datetime(2026, 1, 5, 3, tzinfo=UTC)
EACH = 55


def night(db: Database, day: int = 0, **options: object) -> nights.TopicsReport:
    return nights.cluster(db, refit_days=7, now=DAY + timedelta(days=day), **options)  # type: ignore[arg-type]


@pytest.fixture
def corpus(database: Database) -> Database:
    """Four subjects, 60 works each, fitted and described on day 0."""
    for n in range(4):
        put_works(database, SUBJECTS[n], around(directions(8)[n], EACH, n))
    return database


def test_a_work_has_the_mean_vector_of_its_main_document(corpus: Database) -> None:
    number, name, dims = vectors.current_embedder(corpus) or (0, "", 0)
    works = vectors.read(corpus, number, dims)
    assert name == "planted" and works.vectors.shape == (4 * EACH, 32)
    assert np.allclose(np.linalg.norm(works.vectors, axis=1), 1, atol=1e-3) and (works.keys[:-1] < works.keys[1:]).all()
    with corpus.begin() as connection:
        place, text = (
            7,
            "SELECT v.vector FROM work w JOIN passage p ON p.document_id = w.main_document JOIN passage_vector v USING (passage_id)",
        )
        rows = connection.execute(sa.text(f"{text} WHERE w.work_id = :id"), {"id": works.work(place)}).scalars().all()
        mean = np.mean([np.asarray(row, np.float32) for row in rows], axis=0)
        assert np.allclose(works.vectors[place], mean / np.linalg.norm(mean), atol=1e-3)
        connection.execute(sa.text("DELETE FROM passage_vector WHERE passage_id = (SELECT passage_id FROM passage LIMIT 1)"))
    assert len(vectors.read(corpus, number, dims)) == 4 * EACH - 1, "a work that lacks a vector waits"


def test_topics_are_made_named_and_a_second_run_changes_nothing(corpus: Database) -> None:
    report = night(corpus)
    assert (report.fitted, report.topics, report.works) == ("first", 4, 4 * EACH) and report.unassigned <= 8
    assert describe(corpus, ontology()) == 4 and describe(corpus, ontology()) == 0
    named = {row["label"].lower() for row in catalogue.topics(corpus)}
    assert all(any(subject in label for label in named) for subject in ("speech recognition", "protein folding", "graph neural network"))
    before, found = store.state(corpus), topics_of(corpus)
    again = night(corpus, 1)
    assert (again.fitted, again.assigned, again.born) == (None, 0, 0) and store.state(corpus) == before and topics_of(corpus) == found


def test_a_night_assigns_new_and_changed_works_only_and_forgets_the_gone(corpus: Database) -> None:
    night(corpus)
    before = topics_of(corpus)
    new = put_works(corpus, SUBJECTS[1], around(directions(8)[1], 5, 99, spread=0.2), first=500)
    gone = next(iter(before))
    remove(corpus, gone)
    nights_report = put_works(corpus, SUBJECTS[2], around(directions(8)[2], 1, 98, spread=0.1), first=900) and night(corpus, 1)
    after = topics_of(corpus)
    assert nights_report.fitted is None and nights_report.assigned == 6 and gone not in after
    assert len({after[document] for document in new}) == 1
    assert {d: t for d, t in after.items() if d in before} == {d: t for d, t in before.items() if d != gone}


def test_far_works_wait_until_a_topic_is_born_of_them(corpus: Database) -> None:
    night(corpus)
    first = put_works(corpus, SUBJECTS[6], around(directions(8)[6], 8, 50, spread=0.3))
    assert night(corpus, 1).born == 0 and {topics_of(corpus)[d] for d in first} == {None}
    second = put_works(corpus, SUBJECTS[6], around(directions(8)[6], 30, 51, spread=0.3), first=100)
    assert night(corpus, 2).born == 1
    born = {topics_of(corpus)[d] for d in first + second} - {None}
    assert len(born) == 1 and [e["kind"] for e in catalogue.events(corpus)] == ["birth", "fit"]
    assert night(corpus, 3).born == 0


def test_a_weekly_refit_keeps_ids_and_logs_what_changed(corpus: Database) -> None:
    night(corpus)
    before = topics_of(corpus)
    assert night(corpus, 8).fitted is None, "nothing changed: the old fit stands"
    put_works(corpus, SUBJECTS[1], around(directions(8)[1], 12, 77), first=700)
    report = night(corpus, 9)
    after = topics_of(corpus)
    assert report.fitted == "age" and report.topics == 4
    assert np.mean([after[d] == t for d, t in before.items()]) >= 0.98
    with corpus.begin() as connection:
        connection.execute(sa.text("DELETE FROM document WHERE title LIKE '%protein%'"))
    put_works(corpus, SUBJECTS[5], around(directions(8)[5], 1, 76, spread=0.1), first=1)
    ended = night(corpus, 20)
    used = {row["topic_id"] for row in catalogue.topics(corpus)}
    assert ended.ended >= 1 and "death" in {e["kind"] for e in catalogue.events(corpus)}
    assert used <= set(after.values()) | set(range(max(t for t in after.values() if t) + 1, 100))


def test_a_corpus_that_doubles_gets_as_many_topics_as_it_bears_and_keeps_the_old_ids(corpus: Database) -> None:
    night(corpus)
    before = topics_of(corpus)
    for n in range(4, 8):
        put_works(corpus, SUBJECTS[n], around(directions(8)[n], EACH + 5, n))
    report = night(corpus, 1)
    after = topics_of(corpus)
    assert (report.fitted, report.topics) == ("grown", 8)
    assert np.mean([after[d] == t for d, t in before.items()]) >= 0.9


def test_a_run_killed_at_any_write_is_finished_by_the_next(corpus: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(store, "_count", killed)
        with pytest.raises(Killed):
            night(corpus)
    assert store.current(corpus) is None and topics_of(corpus) == {}
    night(corpus)
    put_works(corpus, SUBJECTS[1], around(directions(8)[1], 40, 5), first=600)
    monkeypatch.setattr(nights, "COMMIT", 10)
    real, calls = store.write_members, []

    def second_dies(*arguments: object) -> None:
        calls.append(1)
        real(*arguments) if len(calls) < 3 else killed()  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_members", second_dies)
        with pytest.raises(Killed):
            night(corpus, 1)
    assert store.counts(corpus).pending == 20
    assert night(corpus, 1).assigned == 20 and store.counts(corpus).pending == 0


def test_another_embedder_is_a_new_fit_with_new_ids(corpus: Database) -> None:
    night(corpus)
    old = {t for t in topics_of(corpus).values() if t}
    with corpus.begin() as connection:
        connection.execute(sa.text("DELETE FROM passage_vector"))
        documents = connection.execute(sa.text("SELECT document_id FROM document ORDER BY document_id")).scalars().all()
    put_vectors(corpus, documents, np.concatenate([around(d, EACH, 9) for d in directions(4, 16)]), embedder="other")
    report = night(corpus, 1)
    assert report.fitted == "embedder" and not old & {t for t in topics_of(corpus).values() if t}
    assert {t["topic_id"] for t in catalogue.topics(corpus)}.isdisjoint(old)


def test_too_few_works_make_no_topics(database: Database) -> None:
    assert night(database).topics == 0
    put_works(database, SUBJECTS[0], around(directions(8)[0], 10, 1))
    report = night(database)
    assert (report.topics, report.fitted, report.works) == (0, None, 0)
