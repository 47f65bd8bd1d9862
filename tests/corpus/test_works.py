"""Works: every document belongs to one, whatever came and went, and only documents of one paper share it."""

from __future__ import annotations

import json
import random
import threading
import uuid
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from forge_assets.corpus import candidates, works
from forge_assets.corpus.works import join_works
from forge_resources.database import Database
from forge_resources.errors import DatabaseError
from tests.corpus.test_similar import WORDS, prose

INSERT = """
    INSERT INTO document (document_id, uri, shard, source, external_id, content_hash, stage_version, media_type, title, text, blocks)
    VALUES (:id, :uri, 0, :source, :external, 'hash', '1', 'text/plain', :title, 'Some text.', '[]')"""


def add(database: Database, name: str, *, source: str = "s", external: str | None = None, title: str | None = None) -> None:
    """A document whose key and content depend on its name only."""
    values = {"id": uuid.uuid5(uuid.NAMESPACE_URL, name), "uri": name, "source": source, "external": external, "title": title or name}
    with database.begin() as connection:
        connection.execute(sa.text(INSERT), values)


def remove(database: Database, name: str) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("DELETE FROM document WHERE uri = :name"), {"name": name})


def together(database: Database) -> set[frozenset[str]]:
    """The addresses of each work."""
    statement = "SELECT array_agg(uri) AS uris FROM work_document JOIN document USING (document_id) GROUP BY work_id"
    with database.begin() as connection:
        return {frozenset(row.uris) for row in connection.execute(sa.text(statement))}


def test_a_document_that_comes_back_unchanged_belongs_to_a_work_again(database: Database) -> None:
    add(database, "a.md")
    add(database, "b.md")
    assert join_works(database).works == 2
    remove(database, "a.md")
    add(database, "a.md")
    report = join_works(database)
    assert (report.works, report.documents, report.rebuilt) == (2, 2, True)
    assert together(database) == {frozenset({"a.md"}), frozenset({"b.md"})}
    assert not join_works(database).rebuilt


def test_a_bare_id_joins_nothing_across_sources_and_an_id_with_a_scheme_does(database: Database) -> None:
    for source in ("one", "two"):
        add(database, f"{source}#0", source=source, external="0")
        add(database, f"{source}#arxiv", source=source, external="arxiv:2101.00001")
    add(database, "one/copy", source="one", external="0")
    join_works(database)
    assert together(database) == {
        frozenset({"one#0", "one/copy"}), frozenset({"two#0"}), frozenset({"one#arxiv", "two#arxiv"})
    }  # fmt: skip


def test_documents_that_vanish_while_they_are_joined_make_it_start_over(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add(database, "a.md")
    add(database, "b.md")
    monkeypatch.setattr(works, "_rebuild", _after(lambda: remove(database, "a.md"), times=1))
    report = join_works(database)
    assert (report.works, report.documents, report.rebuilt) == (1, 1, True)
    assert together(database) == {frozenset({"b.md"})}


def test_documents_that_never_rest_are_one_sentence(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add(database, "a.md")

    def replace() -> None:
        remove(database, "a.md")
        add(database, "a.md")

    monkeypatch.setattr(works, "_rebuild", _after(replace, times=works.TRIES))
    with pytest.raises(DatabaseError, match="run this again when they are at rest"):
        join_works(database)
    assert together(database) == set()


def test_another_database_error_is_not_tried_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works, "WANTED", "SELECT FROM nowhere")
    add(database, "a.md")
    with pytest.raises(sa.exc.ProgrammingError) as caught:
        join_works(database)
    assert isinstance(caught.value.orig, psycopg.errors.UndefinedTable)


def test_two_at_once_agree(database: Database) -> None:
    for n in range(50):
        add(database, f"{n}.md", external=f"x:{n // 2}")
    reports: list[Any] = []
    threads = [threading.Thread(target=lambda: reports.append(join_works(database))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((report.works, report.documents, report.rebuilt) for report in reports) == [
        (25, 50, False), (25, 50, False), (25, 50, True)
    ]  # fmt: skip


def _after(happens: Any, times: int) -> Any:
    """The real rebuilding, before which something happens in another transaction, so many times."""
    real, left = works._rebuild, [times]

    def rebuild(db: Database, connection: sa.Connection) -> Any:
        if left[0]:
            left[0] -= 1
            happens()
        return real(db, connection)

    return rebuild


# -- a night at a time, and all at once ----------------------------------------------------------------------------------------


def random_document(rng: random.Random) -> dict[str, Any]:
    """One of few texts, titles and ids, so that documents of a work, crowds and chains abound."""
    words = prose(rng.randrange(4), 60).split()
    for place in rng.sample(range(60), rng.choice((0, 1, 3, 12))):
        words[place] = rng.choice(WORDS)
    title = rng.choice(
        ("Readme", "A rather distinctive title of a paper", "Another title which is long enough", "Some third one, quite long too")
    )
    text = f"{title}\n\n{' '.join(words)}"
    return {
        "source": "s", "external": rng.choice((None, None, None, f"x:{rng.randrange(30)}")), "title": title, "text": text,
        "hash": str(rng.random()), "year": rng.choice((None, 2019, 2021)),
        "blocks": json.dumps([["title", 0, len(title), 0, None], ["paragraph", len(title) + 2, len(text), 0, None]]),
    }  # fmt: skip


PUT = """
    INSERT INTO document (document_id, uri, shard, source, external_id, content_hash, stage_version, media_type, title, text, blocks, year)
    VALUES (:id, :uri, 0, :source, :external, :hash, '1', 'text/plain', :title, :text, CAST(:blocks AS jsonb), :year)"""


def everything(database: Database) -> list[Any]:
    statement = """SELECT m.document_id, m.work_id, m.reason, w.title, w.year, w.main_document FROM work_document m
        JOIN work w USING (work_id) ORDER BY 1"""
    with database.begin() as connection:
        links = connection.execute(sa.text("SELECT a, b, reason, similarity FROM work_link ORDER BY a, b")).all()
        return [*connection.execute(sa.text(statement)), *links]


@pytest.mark.parametrize("seed", range(4))
def test_nights_in_any_order_end_where_a_clean_rebuild_does(database: Database, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(candidates, "CROWD", 5)  # so that groups become crowds and cease to be
    rng = random.Random(seed)
    held: set[str] = set()
    joined = 0
    for _ in range(6):
        with database.begin() as connection:
            gone = rng.sample(sorted(held), len(held) // 4)
            connection.execute(sa.text("DELETE FROM document WHERE uri = ANY(:gone)"), {"gone": gone})
            held -= set(gone)
            for name in rng.sample(range(60), 18):
                connection.execute(sa.text("DELETE FROM document WHERE uri = :uri"), {"uri": str(name)})
                document = {"id": uuid.uuid5(uuid.NAMESPACE_URL, str(name)), "uri": str(name), **random_document(rng)}
                connection.execute(sa.text(PUT), document)
                held.add(str(name))
        report = join_works(database)
        assert (report.documents, report.rebuilt) == (len(held), True)
        joined += report.joined
        by_nights = everything(database)
        with database.begin() as connection:
            connection.execute(sa.text("CREATE TABLE kept AS SELECT * FROM work_signature"))
            links = connection.execute(sa.text("SELECT a, b, reason, similarity FROM work_link")).all()
            connection.execute(sa.text("TRUNCATE work, work_document, work_signature, work_link CASCADE"))
        join_works(database)
        assert everything(database) == by_nights
        with database.begin() as connection:
            assert (
                connection.execute(sa.text("SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM work_signature) AS x")).scalar()
                == 0
            )
            connection.execute(sa.text("DROP TABLE kept"))
            assert len(links) == len(set(links))
    assert joined > 10
    assert not join_works(database).rebuilt


def test_a_new_version_of_the_joining_looks_at_all_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add(database, "a.md")
    add(database, "b.md")
    join_works(database)
    monkeypatch.setattr(works, "WORKS_VERSION", "next")
    report = join_works(database)
    assert (report.rebuilt, report.changed, report.works) == (True, 4, 2)  # two signatures came, two went
    assert not join_works(database).rebuilt


def test_many_new_documents_are_signed_in_batches_of_their_own(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works, "SIGN_BATCH", 2)
    for n in range(5):
        add(database, f"{n}.md", external=f"x:{n // 2}")
    monkeypatch.setattr(works, "MOVED", "SELECT FROM nowhere")
    with pytest.raises(sa.exc.ProgrammingError):
        join_works(database)
    with database.begin() as connection:
        assert connection.execute(sa.text("SELECT count(*), count(*) FILTER (WHERE joined) FROM work_signature")).one() == (5, 0)
    monkeypatch.undo()
    monkeypatch.setattr(works, "sign_in", None)  # nothing is signed twice
    assert join_works(database).works == 3
