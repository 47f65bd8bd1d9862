"""Documents read by processes over the cores: tasks go in, answers come out in any order, memory stays bounded.

A process starts when it is first needed, gets the ontology once, and takes task after task. A document that ends its process, or outlasts
its time, is answered with a problem; its neighbours are read by a new process.
"""

from __future__ import annotations

import logging
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from io import FileIO
from typing import cast

from forge_assets.components import reader_process
from forge_assets.components.answer import Answer, Given, failed
from forge_assets.components.ontology.model import Ontology
from forge_assets.corpus.worker import read_frame, write_frame

log = logging.getLogger(__name__)
Task = list[Given]


def read_all(tasks: Iterable[Task], ontology: Ontology, workers: int, timeout_s: float) -> Generator[list[Answer], None, None]:
    """The answers to each task; `tasks` is consumed lazily, at most two ahead of each process. `timeout_s`: for one document."""
    crew = _Crew(ontology, timeout_s)
    with ThreadPoolExecutor(workers, thread_name_prefix="read") as pool:
        pending: set[Future[list[Answer]]] = set()
        try:
            for task in tasks:
                pending.add(pool.submit(crew.run, task))
                if len(pending) >= 2 * workers:
                    finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in finished)
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in finished)
        finally:
            for future in pending:
                future.cancel()
            crew.stop()


class _Crew:
    """The processes: a task takes an idle one or starts one, and puts it back."""

    def __init__(self, ontology: Ontology, timeout_s: float) -> None:
        self._ontology, self._timeout_s = ontology, timeout_s
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._stopped = False

    def run(self, task: Task) -> list[Answer]:
        """A task that fails as a whole is read again document by document, so that only the guilty one is answered with a problem."""
        process = self._take()
        try:
            answers = process.run(task, self._timeout_s)
        except (EOFError, BrokenPipeError, TimeoutError) as error:
            how = self._bury(process, died=not isinstance(error, TimeoutError))
            if self._stopped:
                raise
            if len(task) > 1:
                return [each for given in task for each in self.run([given])]
            problem = f"ended the process that read it ({how})"
            if isinstance(error, TimeoutError):
                problem = f"took longer than the {self._timeout_s:g} s of FORGE_DOCUMENT_TIMEOUT_S to read"
            log.warning("document %s: %s", task[0].document_id, problem)
            return [failed(task[0], problem)]
        with self._lock:
            self._idle.append(process)
        return answers

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            processes, self._all, self._idle = list(self._all), set(), []
        for process in processes:
            process.end()

    def _take(self) -> _Process:
        with self._lock:
            if self._stopped:
                raise EOFError("the crew has stopped")
            if self._idle:
                return self._idle.pop()
            process = _Process(self._ontology)
            self._all.add(process)
            return process

    def _bury(self, process: _Process, died: bool) -> str:
        with self._lock:
            self._all.discard(process)
        return process.end(died)


class _Process:
    def __init__(self, ontology: Ontology) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", reader_process.__name__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, bufsize=0, start_new_session=True,
        )  # fmt: skip
        self._ontology: Ontology | None = ontology
        self._ending = threading.Lock()

    def run(self, task: Task, timeout_s: float) -> list[Answer]:
        """Raises EOFError or BrokenPipeError when the process died, TimeoutError when the task took longer than one document may."""
        stdin = cast(FileIO, self._process.stdin)
        if self._ontology is not None:
            write_frame(stdin, self._ontology)
            self._ontology = None
        write_frame(stdin, task)
        answers: list[Answer] = read_frame(_Timed(cast(FileIO, self._process.stdout), time.monotonic() + timeout_s))
        return answers

    def end(self, died: bool = False) -> str:
        """Kills the process; returns how it had ended, with the last line it wrote. Once is enough."""
        with self._ending:
            if self._log.closed:
                return "stopped"
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=2.0 if died else 0.0)  # its pipe closes a moment before it is gone
            code = self._process.returncode
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(BrokenPipeError):
                    cast(FileIO, pipe).close()
            self._log.seek(0)
            tail = self._log.read()[-400:].decode(errors="replace").strip().rpartition("\n")[2]
            self._log.close()
        state = "stopped" if code is None else f"signal {-code}" if code < 0 else f"exit status {code}"
        return state + (f": {tail}" if tail else "")


class _Timed:
    """A pipe whose reads raise TimeoutError after `deadline` (of the monotonic clock)."""

    def __init__(self, pipe: FileIO, deadline: float) -> None:
        self._pipe, self._deadline = pipe, deadline

    def read(self, size: int, /) -> bytes | None:
        if not select.select([self._pipe], [], [], max(0.0, self._deadline - time.monotonic()))[0]:
            raise TimeoutError
        return self._pipe.read(size)
