"""Postgres dies with -9 in the middle of a COPY, of a commit, of anything: the run says so or goes on, and the next one mends it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from forge_resources.database import Database
from forge_resources.settings import Settings
from tests.conftest import short_folder, stop_server
from tests.faults.conftest import STATES, World, made_world

SERVERS = 3
TRIALS = 60


@contextmanager
def own_server() -> Iterator[World]:
    """A world on a server of its own, which nobody else misses while it is dead."""
    home = short_folder("ffp-")
    try:
        with Database.open(Settings(home=home), migrate=False) as server:
            with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("CREATE DATABASE template_forge")
            url = server.engine.url.set(database="template_forge")
            Database.open(Settings(home=home, database_url=url.render_as_string(hide_password=False))).close()
            with made_world(server.engine.url) as made:
                yield made
    finally:
        stop_server(home)
        shutil.rmtree(home, ignore_errors=True)


def judged(answers: list[dict[str, Any]]) -> None:
    assert [(a["task"], a["differences"], a["wrong"][:3]) for a in answers if a["differences"] or a["wrong"]] == []


def near(world: World, state: str, words: str, chance: random.Random) -> int:
    """The number of some point with these words in its name."""
    return chance.choice([number for number, name in enumerate(world.points[state], 1) if words in name])


def test_a_server_killed_in_a_copy_and_a_backend_in_a_commit(world: World) -> None:
    chance = random.Random(3)
    tasks = [
        {"state": "yesterday", "kills": [[near(world, "yesterday", "in COPY", chance), "postmaster"]]},
        {"state": "yesterday", "kills": [[near(world, "yesterday", "COMMIT sent", chance), "backend"]]},
    ]
    answers = world.trials(tasks, 1)
    judged(answers)
    assert [answer["killed"] for answer in answers] == [1, 1]


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_postgres_kill_trials(capsys: pytest.CaptureFixture[str]) -> None:
    """Half of the trials in COPY and commits, the rest anywhere; a third kills one backend, after which the server restarts itself."""

    def some(number: int) -> list[dict[str, Any]]:
        chance, tasks = random.Random(number), []
        with own_server() as world:
            for trial in range(TRIALS // SERVERS):
                state = chance.choice(STATES)
                words = chance.choice(["in COPY", "before the end of COPY", "COMMIT sent", "before COMMIT", "", ""])
                kills = [[near(world, state, words, chance), "backend" if trial % 3 == 0 else "postmaster"]]
                if trial % 4 == 3:
                    kills.append([chance.randint(1, 60), "postmaster"])
                tasks.append({"state": state, "kills": kills})
            return world.trials(tasks, 1)

    with ThreadPoolExecutor(SERVERS) as pool:
        answers = [answer for part in pool.map(some, range(SERVERS)) for answer in part]
    with capsys.disabled():
        told = sorted({answer.get("ended", "")[:150] for answer in answers})
        different = sum(bool(answer["differences"]) for answer in answers)
        print(f"\n{len(answers)} trials, {sum(a['killed'] for a in answers)} kills, {different} digest differences; runs ended with:")
        print("\n".join(told))
    judged(answers)
    assert sum(answer["killed"] for answer in answers) >= TRIALS
