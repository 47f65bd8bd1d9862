"""A world to be broken: the small corpus of yesterday and today, the states to start from, and drivers that run trials."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from subprocess import Popen
from typing import Any

import pytest
import sqlalchemy as sa

from forge_resources.database import Database
from forge_resources.settings import Settings
from tests.conftest import short_folder
from tests.faults.driver import start
from tests.faults.pipeline import add_sources, settings_of
from tests.faults.small_world import write_today, write_yesterday

STATES = ("empty", "yesterday")


@dataclass
class World:
    """`points` are the writes of an undisturbed run from each state; `clean` the digests of a rebuild from nothing."""

    base: Path
    server: sa.URL
    points: dict[str, list[str]] = field(default_factory=dict)
    clean: dict[str, str] = field(default_factory=dict)
    versions: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0
    _drivers: list[Popen[str]] = field(default_factory=list)

    def ask(self, task: dict[str, Any], driver: Popen[str] | None = None) -> dict[str, Any]:
        process = driver or self.driver(0)
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(task) + "\n")
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        if "error" in answer:
            raise AssertionError(f"{task}: {answer['error']}")
        return answer

    def driver(self, number: int) -> Popen[str]:
        while len(self._drivers) <= number:
            made = start(self.base, self.server.render_as_string(hide_password=False), f"trial{len(self._drivers)}")
            self._drivers.append(made)
            if self.versions:
                self.ask({"do": "learn", "versions": self.versions}, made)
        return self._drivers[number]

    def trials(self, tasks: Iterable[dict[str, Any]], at_once: int) -> list[dict[str, Any]]:
        """All trials, shared among so many drivers; what is wrong in an answer includes differences from the clean rebuild."""
        idle: Queue[Popen[str]] = Queue()
        for number in range(at_once):
            idle.put(self.driver(number))

        def one(task: dict[str, Any]) -> dict[str, Any]:
            process = idle.get()
            try:
                answer = self.ask({"do": "trial", **task}, process)
            finally:
                idle.put(process)
            answer["differences"] = self.differences(answer["digests"])
            if answer["differences"] or answer["wrong"]:
                print(f"FAULT {task} {answer['differences']} {answer['wrong'][:3]}", flush=True)
            return answer | {"task": task}

        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(one, tasks))

    def differences(self, digests: dict[str, str]) -> list[str]:
        """Names of the digests that are not those of the clean rebuild."""
        return sorted(name for name, value in digests.items() if value != self.clean[name])

    def name_sources(self, db: Database, chosen: Settings) -> None:
        """The corpus of today becomes the sources of another database."""
        add_sources(db, chosen, self.base / "corpus")

    def close(self) -> None:
        for process in self._drivers:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.close()
            process.wait(60)
            process.stdout.close()


@pytest.fixture(scope="session")
def world(postgres_server: sa.Engine) -> Iterator[World]:
    with made_world(postgres_server.url) as made:
        yield made


@contextmanager
def made_world(server: sa.URL) -> Iterator[World]:
    """`server` has a database template_forge with the schema."""
    base = short_folder("ffw-")
    made = World(base, server)
    try:
        corpus = base / "corpus"
        write_yesterday(corpus)
        _empty_state(made, corpus)
        first = made.ask({"do": "points", "state": "empty", "save": "yesterday"})
        write_today(corpus)
        clean = made.ask({"do": "points", "state": "empty"})
        later = made.ask({"do": "points", "state": "yesterday"})
        made.points = {"empty": clean["names"], "yesterday": later["names"]}
        made.clean, made.seconds = clean["digests"], clean["seconds"]
        made.versions = first["versions"] | clean["versions"]
        made.ask({"do": "learn", "versions": made.versions})
        assert made.differences(later["digests"]) == []
        yield made
    finally:
        made.close()
        for state in STATES:
            _statement(server, f"DROP DATABASE IF EXISTS state_{state} WITH (FORCE)")
        shutil.rmtree(base)


def _statement(server: sa.URL, statement: str) -> None:
    engine = sa.create_engine(server.set(database="postgres"), poolclass=sa.pool.NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)


def _empty_state(world: World, corpus: Path) -> None:
    """Sources are named, nothing is taken in."""
    (world.base / "empty").mkdir()
    _statement(world.server, "CREATE DATABASE state_empty TEMPLATE template_forge")
    chosen = settings_of(world.base / "empty", world.server.set(database="state_empty").render_as_string(hide_password=False))
    with Database.open(chosen) as db:
        add_sources(db, chosen, corpus)
