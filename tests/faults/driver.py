"""A process that forks: imports are done once, and it has no threads, so each child starts clean in milliseconds.

It reads tasks as JSON lines on stdin and answers each with one line. Orphaned grandchildren come to it (it is their subreaper), so a
parser process that outlives its killed parent is seen.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import forge_assets.corpus.parse
import forge_assets.embeddings.search  # noqa: F401
from forge_app.run import outage
from forge_resources.database import Database
from forge_resources.errors import ForgeError
from tests.faults.pipeline import run_all, settings_of, shrink
from tests.faults.points import Points, die
from tests.faults.state import digests, versions, violations, written

SUBREAPER = 36
ORPHANS_MAY_LIVE_S = 15.0


class Driver:
    """One base folder with a subfolder per state (objects and full-text index) and a database `<prefix>_<state>` for each."""

    def __init__(self, base: Path, server: str, name: str) -> None:
        self.base, self.name = base, name
        self.server = sa.make_url(server)
        self.known: dict[str, list[str]] | None = None
        self.number = 0

    def url(self, database: str) -> str:
        return self.server.set(database=database).render_as_string(hide_password=False)

    def admin(self, statement: str) -> None:
        engine = sa.create_engine(self.url("postgres"), poolclass=sa.pool.NullPool)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)

    def wait_for_server(self) -> None:
        """A killed server is started again by its keeper."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.admin("SELECT 1")
            except sa.exc.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    # -- a trial ---------------------------------------------------------------------------------------------------------

    def trial(self, task: dict[str, Any]) -> dict[str, Any]:
        """Runs from `state`; `kills` are the points at which the first run, the recovery, ... end; then one run to its end."""
        started = time.monotonic()
        self.number += 1
        home, database = self.base / f"{self.name}_{self.number}", f"{self.name}_{self.number}"
        shutil.copytree(self.base / task["state"], home)
        self.admin(f"CREATE DATABASE {database} TEMPLATE state_{task['state']}")
        chosen = settings_of(home, self.url(database), task.get("workers", 1))
        answer: dict[str, Any] = {"wrong": [], "killed": 0, "points": [], "seconds": 0.0}
        try:
            for kill in task["kills"]:
                if not self._killed_run(chosen, kill, answer, random.Random(task.get("seed", 0))):
                    break
            before = forked(lambda: _with(chosen, written))
            done = forked(lambda: _whole(chosen))
            answer |= done
            after = forked(lambda: _with(chosen, written))
            answer["wrong"] += done["violations"] + [
                f"done again: {row}" for row, xmin in before.items() if after.get(row, xmin) != xmin and row in after
            ]
            answer["wrong"] += ["the full-text index was made anew"] * done["done"]["index made anew"] + self.orphans()
        finally:
            self.admin(f"DROP DATABASE {database} WITH (FORCE)")
            shutil.rmtree(home)
        answer["seconds"] = time.monotonic() - started
        return answer

    def _killed_run(self, chosen: Any, kill: Any, answer: dict[str, Any], chance: random.Random) -> bool:
        """`kill` is the number of a point; as a float the second at which the process is killed from outside; or, as [point, 'backend']
        or [point, 'postmaster'], the point at which the server is killed in its place. False where the run came to its end before."""
        at = kill if isinstance(kill, int) else kill[0] if isinstance(kill, list) else 0
        points = Points(at, Assassin(self.server, kill[1]) if isinstance(kill, list) else die)

        def work() -> Any:
            points.install()
            return [_with(chosen, _told), points.count >= at]

        child = Child(work)
        if isinstance(kill, float):
            time.sleep(kill)
            os.kill(child.pid, signal.SIGKILL)
        killed, ended = child.result()
        if isinstance(kill, list):
            complaint, killed = ended
            answer["ended"] = complaint
            if complaint and not complaint.startswith("told: "):
                answer["wrong"].append(complaint)
            self.wait_for_server()
        elif ended and ended[0]:
            raise RuntimeError(ended[0])
        answer["killed"] += killed
        answer["wrong"] += self.orphans()
        seen = forked(lambda: _with(chosen, lambda db, given: violations(db, given, self.known)))
        answer["wrong"] += [f"after kill {kill}: {found}" for found in seen]
        return killed

    def orphans(self) -> list[str]:
        """Waits for processes that a killed run left behind; those that do not end are a fault."""
        deadline = time.monotonic() + ORPHANS_MAY_LIVE_S
        while time.monotonic() < deadline:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    time.sleep(0.002)
            except ChildProcessError:
                return []
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        found = [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in children]
        for pid in children:
            os.kill(int(pid), signal.SIGKILL)
        return [f"an orphan: {command}" for command in found]

    # -- other tasks -------------------------------------------------------------------------------------------------------

    def points(self, task: dict[str, Any]) -> dict[str, Any]:
        """The names of all points of an undisturbed run from a state, and the digest at its end."""
        self.number += 1
        home, database = self.base / f"{self.name}_{self.number}", f"{self.name}_{self.number}"
        shutil.copytree(self.base / task["state"], home)
        self.admin(f"CREATE DATABASE {database} TEMPLATE state_{task['state']}")
        chosen = settings_of(home, self.url(database))
        points = Points()

        def work() -> Any:
            points.install()
            return {"done": _with(chosen, run_all), "names": points.names}

        started = time.monotonic()
        answer = forked(work) | {"seconds": time.monotonic() - started}
        answer["digests"] = forked(lambda: _with(chosen, digests))
        answer["versions"] = forked(lambda: _with(chosen, _versions))
        if "save" in task:
            shutil.copytree(home, self.base / task["save"])
            self.admin(f"CREATE DATABASE state_{task['save']} TEMPLATE {database}")
        self.admin(f"DROP DATABASE {database} WITH (FORCE)")
        shutil.rmtree(home)
        return answer

    def learn(self, task: dict[str, Any]) -> dict[str, Any]:
        """The versions of documents that may be seen."""
        self.known = task["versions"]
        return {}


class Child:
    """A forked process that computes a value."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._read, write = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._read)
                answer = {"value": work()}
            except BaseException:
                answer = {"error": traceback.format_exc()}
            with os.fdopen(write, "w") as out:
                json.dump(answer, out)
            os._exit(0)
        os.close(write)

    def result(self) -> tuple[bool, Any]:
        """Whether it was killed, and its value. RuntimeError with its traceback where it failed."""
        with os.fdopen(self._read) as answers:
            text = answers.read()
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status):
            return True, None
        answer = json.loads(text)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return False, answer["value"]


class Assassin:
    """Kills the server, or the one of its processes that serves the connection of this point."""

    def __init__(self, server: sa.URL, what: str) -> None:
        self._data, self._what = Path(str(server.query["host"])) / "data", what

    def __call__(self, points: Points, name: str, connection: Any) -> None:
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        if self._what == "backend" and connection is not None:
            pid = connection.info.backend_pid
        os.kill(pid, signal.SIGKILL)


def _told(db: Database, chosen: Any) -> str:
    """'' for a run that came to its end, otherwise the sentence by which it tells the user why not, after 'told: '."""
    try:
        run_all(db, chosen)
    except ForgeError as error:
        return f"told: {error}"
    except Exception as error:
        deeper: BaseException | None = error  # as `forge run` looks for it
        while deeper is not None:
            if sentence := outage(type(deeper).__name__, str(deeper)):
                return f"told: {sentence}"
            deeper = deeper.__cause__ or deeper.__context__
        return traceback.format_exc()
    return ""


def forked(work: Callable[[], Any]) -> Any:
    killed, value = Child(work).result()
    if killed:
        raise RuntimeError("a process that nobody killed has died")
    return value


def _with(chosen: Any, work: Callable[..., Any]) -> Any:
    with Database.open(chosen) as db:
        return work(db, chosen) if work.__code__.co_argcount >= 2 else work(db)


def _versions(db: Database, chosen: Any) -> dict[str, list[str]]:
    with db.begin() as connection:
        return versions(connection)


def _whole(chosen: Any) -> dict[str, Any]:
    """A run to its end, and what it leaves."""
    with Database.open(chosen) as db:
        done = run_all(db, chosen)
        return {"done": done, "digests": digests(db, chosen), "violations": violations(db, chosen)}


def main() -> None:
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    shrink()
    driver = Driver(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        task = json.loads(line)
        try:
            answer = getattr(driver, task["do"])(task)
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")


def start(base: Path, server: str, name: str) -> subprocess.Popen[str]:
    """A driver as a subprocess; stop it by closing its stdin."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.driver", str(base), server, name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip


if __name__ == "__main__":
    main()
