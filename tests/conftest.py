"""Fixtures of all rooms: a home and a database of its own for each test, on one real Postgres per test process.

`forge_home` sets FORGE_HOME to a fresh folder; `database` also sets FORGE_DATABASE_URL to a fresh, migrated database, so that
code under test and subprocesses find both by `settings()`. The FORGE_* variables and the .env of whoever runs the tests are not seen.
"""

from __future__ import annotations

import compileall
import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from absl import logging as absl_logging

from forge_assets.components.ontology import kept, load
from forge_resources.database import Database
from forge_resources.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]
PLENTY = 4 << 30
FIRST = ("tests/browser/test_ui.py", "tests/security/test_malformed.py", "tests/blueprints/scaffold/test_scaffold.py")
"""Files that take longest: begun last, one process would work on them while the others have ended."""
SHORT_RUN_S = 30.0
"""A run that takes less tells no sums."""
_numbers = itertools.count()

# OR-tools brings absl, whose handler keeps the stderr of its import and closes it when Dagster configures logging anew; that must not be
# the file into which pytest captures, which would end all tests that follow. A stream of the process itself it leaves open.
absl_logging.get_absl_handler().python_handler.stream = sys.__stderr__


# Where PYTHONDONTWRITEBYTECODE is set every test process would compile all tests anew, which takes longer than to load them, and each of
# the hundred `forge` processes all of Forge. pytest asks this flag before it keeps what it compiled; Forge is compiled once, below.
sys.dont_write_bytecode = False


def pytest_configure(config: pytest.Config) -> None:
    """Byte code of Forge itself, before the first process needs it; where it is up to date this only looks."""
    if not hasattr(config, "workerinput"):  # of pytest-xdist's processes only the first
        for package in ("forge_app", "forge_assets", "forge_resources"):
            compileall.compile_dir(PROJECT / package, quiet=2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def short_folder(prefix: str = "ft-") -> Path:
    """A folder with a short path (a socket's path may have 103 bytes), in memory where there is plenty: fsync costs nothing there."""
    memory = Path("/dev/shm")
    plenty = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > PLENTY
    return Path(tempfile.mkdtemp(prefix=prefix, dir=memory if plenty else "/tmp"))


def stop_server(home: Path) -> None:
    """Ends the embedded server of a home by its keeper, and waits for it."""
    keeper_file = home / "postgres.keeper"
    if not keeper_file.exists():
        return
    with keeper_file.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.kill(int(file.read()), signal.SIGTERM)
            fcntl.flock(file, fcntl.LOCK_EX)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds of each room's tests, summed over the processes: a room may take 60 of them in `make test`."""
    rooms: defaultdict[str, float] = defaultdict(float)
    for report in (one for reports in terminalreporter.stats.values() for one in reports if isinstance(one, pytest.TestReport)):
        rooms["/".join(report.nodeid.split("/")[1:2])] += report.duration
    if sum(rooms.values()) > SHORT_RUN_S:
        terminalreporter.section("seconds a room")
        terminalreporter.line(", ".join(f"{room} {seconds:.0f}" for room, seconds in sorted(rooms.items(), key=lambda one: -one[1])))


@pytest.fixture(autouse=True)
def _environment_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("FORGE_"):
            monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


@pytest.fixture
def forge_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh FORGE_HOME for this test; an embedded server that it starts ends with it."""
    home = short_folder()
    monkeypatch.setenv("FORGE_HOME", str(home))
    yield home
    stop_server(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def kept_ontology(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checked ontology as the first `forge` of a home keeps it, for rooms whose tests start many of them in fresh homes."""
    file = tmp_path_factory.mktemp("kept") / "ontology.json"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FORGE_HOME", str(file.parent))
        kept.keep(file, kept.key_of(load.FOLDER, [], None), load.load_ontology())
    return file


@pytest.fixture(scope="session")
def _made_cluster() -> Iterator[Path]:
    """A stopped cluster that was started once: copying it is faster than initdb."""
    home = short_folder()
    Database.open(Settings(home=home), migrate=False).close()
    stop_server(home)
    yield home / "postgres"
    shutil.rmtree(home)


@pytest.fixture
def made_home(forge_home: Path, _made_cluster: Path) -> Path:
    """A fresh FORGE_HOME whose embedded database exists, empty and stopped."""
    subprocess.run(["cp", "-a", str(_made_cluster), str(forge_home)], check=True)
    return forge_home


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sqlalchemy.Engine]:
    """One embedded server for all tests of this process, with a migrated database `template_forge` to copy from; yields its engine."""
    home = short_folder("fts-")
    with Database.open(Settings(home=home), migrate=False) as server:
        with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CREATE DATABASE template_forge")
        url = server.engine.url.set(database="template_forge").render_as_string(hide_password=False)
        Database.open(Settings(home=home, database_url=url)).close()
        yield server.engine
    stop_server(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def database_url(postgres_server: sqlalchemy.Engine, forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """FORGE_DATABASE_URL of a fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    with postgres_server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template_forge")
        url = postgres_server.url.set(database=name).render_as_string(hide_password=False)
        monkeypatch.setenv("FORGE_DATABASE_URL", url)
        yield url
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open Database on it."""
    with Database.open() as opened:
        yield opened


@pytest.fixture(scope="session")
def shared_corpus() -> Path:
    """Articles and files that do not belong to the repository."""
    return _beside_the_checkout("shared/corpus")


@pytest.fixture(scope="session")
def shared_gold() -> Path:
    """Questions with known answers over the shared corpus."""
    return _beside_the_checkout("shared/gold")


def _beside_the_checkout(path: str) -> Path:
    folder = PROJECT.parent / path
    if not folder.is_dir():
        pytest.skip(f"../{path} is not there; this test needs the shared material beside the checkout")
    return folder
