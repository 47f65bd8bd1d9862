"""The schema's history: in order, once each, never changed afterwards, never by two at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import text

from forge_resources import migrations
from forge_resources.database import Database
from forge_resources.errors import DatabaseError
from forge_resources.migrations import Migration, migrate
from forge_resources.settings import Settings

ONE = Migration(1, "one", "CREATE TABLE one (n int); INSERT INTO one VALUES (1); -- 100%")
TWO = Migration(2, "two", "ALTER TABLE one ADD COLUMN m int DEFAULT 2")


@pytest.fixture
def empty(postgres_server: sqlalchemy.Engine) -> Iterator[Database]:
    """A database without a schema."""
    with postgres_server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE DATABASE empty")
        url = postgres_server.url.set(database="empty").render_as_string(hide_password=False)
        with Database.open(Settings(database_url=url), migrate=False) as opened:
            yield opened
        connection.exec_driver_sql("DROP DATABASE empty WITH (FORCE)")


def numbers(database: Database) -> list[int]:
    with database.begin() as connection:
        return list(connection.execute(text("SELECT number FROM schema_migration ORDER BY number")).scalars())


def test_files_are_applied_in_order_and_once(empty: Database) -> None:
    assert migrate(empty, [ONE]) == [1]
    assert migrate(empty, [ONE, TWO]) == [2]
    assert migrate(empty, [ONE, TWO]) == []
    assert numbers(empty) == [1, 2]
    with empty.begin() as connection:
        assert connection.execute(text("SELECT n, m FROM one")).one() == (1, 2)


def test_a_failing_file_leaves_nothing_and_names_itself(empty: Database) -> None:
    broken = Migration(2, "broken", "CREATE TABLE half (n int); SELECT nonsense()")
    with pytest.raises(DatabaseError, match=r"002_broken\.sql cannot be applied .*nonsense"):
        migrate(empty, [ONE, broken])
    assert numbers(empty) == [1]
    with empty.begin() as connection:
        assert connection.execute(text("SELECT to_regclass('half')")).scalar() is None
    assert migrate(empty, [ONE, TWO]) == [2]


def test_a_file_that_changed_after_it_was_applied_is_refused(empty: Database) -> None:
    migrate(empty, [ONE])
    with pytest.raises(DatabaseError, match=r"001_one\.sql changed after it was applied .*put the change into a new file"):
        migrate(empty, [Migration(1, "one", ONE.sql + " "), TWO])
    assert numbers(empty) == [1]


def test_a_database_newer_than_the_code_is_refused(empty: Database) -> None:
    migrate(empty, [ONE, TWO])
    with pytest.raises(DatabaseError, match="is newer than this Forge: it has the schema change 002_two, this code ends at 001"):
        migrate(empty, [ONE])


def test_concurrent_openers_apply_each_file_once(empty: Database) -> None:
    slow = Migration(1, "slow", "SELECT pg_sleep(0.3); CREATE TABLE slow (n int)")
    applied: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda: applied.append(migrate(empty, [slow, Migration(2, "next", "CREATE TABLE next (n int)")])))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [[], [], [], [1, 2]]


def test_the_schema_of_this_repository_is_found_and_whole(database: Database) -> None:
    known = migrations.read(migrations.folder())
    assert numbers(database) == [migration.number for migration in known]
    assert known[0].name == "corpus"


@pytest.mark.parametrize("names", [["001_a.sql", "001_b.sql"], []])
def test_a_number_given_twice_and_an_empty_folder_are_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(DatabaseError, match="each number once"):
        migrations.read(tmp_path)


def test_rooms_may_leave_numbers_free_for_each_other_and_fill_them_later(empty: Database) -> None:
    first, third = Migration(1, "a", "CREATE TABLE a (n int)"), Migration(3, "c", "CREATE TABLE c (n int)")
    assert migrate(empty, [first, third]) == [1, 3]
    assert migrate(empty, [first, Migration(2, "b", "CREATE TABLE b (n int)"), third]) == [2]


def test_a_file_with_another_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1-first.sql").write_text("SELECT 1")
    with pytest.raises(DatabaseError, match="is not named NNN_name"):
        migrations.read(tmp_path)
