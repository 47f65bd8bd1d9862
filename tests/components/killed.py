"""A process that forks: each child reads the documents of the database in force and kills itself at a write.

It reads lines "k which" on stdin (the number of the write, 0 for none; the ontology) and answers with the child's status and how many
writes there were. Imports are done once, and there are no threads, so a child starts in milliseconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from forge_assets.components import extract
from forge_assets.components.extraction import Extractor
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.text import Reading
from forge_resources.database import Database
from forge_resources.settings import PROJECT, settings
from tests.components.readings import ALL, SAYINGS, component, ontology, read_here
from tests.faults.points import Points

BATCH = 4
ONTOLOGIES: dict[str, Ontology] = {"base": ontology(), "more": ontology(component("frob", "Frob"), without=["gelu"])}


class Killer:
    """The other side of the process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, which: str, at: int = 0) -> tuple[bool, int]:
        """Whether the child killed itself, and how many writes it came to."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{at} {which}\n")
        self._process.stdin.flush()
        status, count = self._process.stdout.readline().split()
        assert status in ("0", "9"), f"a child ended with {status}"
        return status == "9", int(count)


@contextmanager
def killer() -> Iterator[Killer]:
    command = [sys.executable, "-m", "tests.components.killed"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        yield Killer(process)
        assert process.stdin is not None
        process.stdin.close()


def _child(at: int, by: Ontology, answers: int) -> None:
    points = Points(at, lambda points, name, subject: _tell_and_die(answers, points.count))
    points.install()
    with Database.open() as db:
        extract.extract_shards(db, by, settings(), ALL)
    os.write(answers, str(points.count).encode())
    os._exit(0)


def _tell_and_die(answers: int, count: int) -> None:
    os.write(answers, str(count).encode())
    os.kill(os.getpid(), 9)


def main() -> None:
    extract.COMMIT = extract.TASK = BATCH
    extract.read_all = read_here  # type: ignore[assignment]
    for text in SAYINGS:  # expressions are compiled once, before the forks
        Extractor(ONTOLOGIES["more"]).read(Reading("d", text))
    for line in sys.stdin:
        at, which = line.split()
        told, answers = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                _child(int(at), ONTOLOGIES[which], answers)
            except BaseException:
                traceback.print_exc()
            os._exit(1)
        os.close(answers)
        _, status = os.waitpid(child, 0)
        count = os.read(told, 100).decode() or "0"
        os.close(told)
        print(os.WTERMSIG(status) or os.WEXITSTATUS(status), count, flush=True)


if __name__ == "__main__":
    main()
