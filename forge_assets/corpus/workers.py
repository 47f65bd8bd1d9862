"""Parses documents in a few supervised processes: tasks go in, results come out, in any order, with memory bounded.

A document that kills its process, or outlasts its time, is answered with a problem; its neighbours are parsed by a new process.
"""

from __future__ import annotations

import compileall
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from forge_assets.corpus.model import Document
from forge_assets.corpus.problems import problem
from forge_assets.corpus.readers.limits import Limits
from forge_assets.corpus.worker import read_answer, write_frame
from forge_resources.errors import DocumentProblem

log = logging.getLogger(__name__)
RECYCLE_BYTES = 700_000_000
"""A worker that has grown beyond this is replaced after its task."""
GRACE_S = 15.0
"""A reader watches its own time; the process is ended only when it is this much over it."""
_ENVIRONMENT = ("PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "TESSDATA_PREFIX", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE")
"""What a parser is told of the environment: no passwords, no tokens."""


@dataclass(frozen=True, slots=True)
class Job:
    """One document to parse. `key` is the caller's; `is_record` tells a line of a dump from a file."""

    key: Any
    data: bytes
    name: str
    is_record: bool


Result = tuple[Any, Document | DocumentProblem]


def parse_all(tasks: Iterable[list[Job]], limits: Limits, workers: int) -> Iterator[Result]:
    """Parses every job of every task; `tasks` is consumed lazily, at most two tasks ahead of each worker."""
    with _Crew(limits) as crew, ThreadPoolExecutor(workers, thread_name_prefix="parse") as pool:
        pending: set[Future[list[Result]]] = set()
        try:
            for task in tasks:
                pending.add(pool.submit(crew.run, task))
                if len(pending) >= 2 * workers:
                    finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in finished:
                        yield from future.result()
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield from future.result()
        finally:
            for future in pending:
                future.cancel()
            crew.stop()


class _Crew:
    """The worker processes: a task takes an idle one or starts one, and puts it back if it is still fit."""

    def __init__(self, limits: Limits) -> None:
        _compile_readers()
        self._limits = limits
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._stopped = False

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            workers, self._all, self._idle = list(self._all), set(), []
        for worker in workers:
            worker.end()

    def run(self, task: list[Job]) -> list[Result]:
        """One result per job. A group of records that ends its process is tried again one by one, to find the guilty one."""
        groups, results = [task], []
        while groups:
            group = groups.pop()
            answered, failure = self._attempt(group)
            results += answered
            left = group[len(answered) :]
            if failure is None:
                continue
            if len(left) > 1 and left[0].is_record:
                groups += [[job] for job in reversed(left)]
                continue
            log.warning("%s: %s", left[0].name, failure)
            results.append((left[0].key, failure))
            if left[1:]:
                groups.append(left[1:])
        return results

    def _attempt(self, group: list[Job]) -> tuple[list[Result], DocumentProblem | None]:
        """The results up to the first document that its process did not survive, and that failure."""
        worker = self._take()
        answered: list[Result] = []
        try:
            for job, answer in zip(group, worker.run(group, self._limits), strict=True):
                answered.append((job.key, answer))
        except TimeoutError:
            self._bury(worker)
            return answered, problem("timeout", f"took longer than the {self._limits.timeout_s:g} s of FORGE_DOCUMENT_TIMEOUT_S to read")
        except (EOFError, BrokenPipeError):
            how = self._bury(worker, died=True)
            if self._stopped:
                raise
            return answered, problem("crashed", f"ended the process that read it ({how})")
        if worker.largest > RECYCLE_BYTES:
            self._bury(worker)
        else:
            with self._lock:
                self._idle.append(worker)
        return answered, None

    def _take(self) -> _Worker:
        with self._lock:
            if self._stopped:
                raise EOFError("the crew has stopped")
            if self._idle:
                return self._idle.pop()
            worker = _Worker()
            self._all.add(worker)
            return worker

    def _bury(self, worker: _Worker, died: bool = False) -> str:
        with self._lock:
            self._all.discard(worker)
        return worker.end(died)


class _Worker:
    """One parser process, the pipe to it and the folder it may write; `largest` is the most memory it has had, in bytes."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="forge-parser-")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        # -P and the folder: a `json.py` among the user's papers must not be imported
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "forge_assets.corpus.worker"], env=_environment(self._folder), cwd=self._folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, bufsize=0, start_new_session=True,
        )  # fmt: skip
        self._ending = threading.Lock()
        self.largest = 0

    def run(self, jobs: list[Job], limits: Limits) -> Iterator[Document | DocumentProblem]:
        """One answer per job, in order. Raises EOFError when the process died, TimeoutError when a document took too long."""
        answers = _Timed(cast(FileIO, self._process.stdout))
        writer = threading.Thread(target=self._send, args=(([(job.data, job.name, job.is_record) for job in jobs], limits),), daemon=True)
        writer.start()
        for _ in jobs:
            answers.deadline = time.monotonic() + limits.timeout_s + GRACE_S
            answer, self.largest = read_answer(answers)
            if not isinstance(answer, Document | DocumentProblem):
                raise EOFError(f"an answer that is a {type(answer).__name__}")
            yield answer
        writer.join()

    def _send(self, task: object) -> None:
        try:
            write_frame(cast(FileIO, self._process.stdin), task)
        except (BrokenPipeError, ValueError):
            return  # the process died; the reading side notices

    def end(self, died: bool = False) -> str:
        """Kills the process and the programs it started; returns how it had ended, with the last line it wrote. Once is enough."""
        with self._ending:
            if self._log.closed:
                return "stopped"
            code = self._status(2.0 if died else 0.0)  # its pipe closes a moment before it is gone
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)  # it leads a session, hence a group, of its own
            self._process.kill()
            self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)
            for pipe in (self._process.stdin, self._process.stdout):
                cast(FileIO, pipe).close()
            self._log.seek(0)
            tail = self._log.read()[-400:].decode(errors="replace").strip().rpartition("\n")[2]
            self._log.close()
        state = "stopped" if code is None else f"signal {-code}" if code < 0 else f"exit status {code}"
        return state + (f": {tail}" if tail else "")

    def _status(self, patience: float) -> int | None:
        """As Popen.returncode; None while it runs. The process is not waited for, so that its number stays its own."""
        until = time.monotonic() + patience
        while (info := os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is None:
            if time.monotonic() >= until:
                return None
            time.sleep(0.01)
        return info.si_status if info.si_code == os.CLD_EXITED else -info.si_status


@lru_cache(maxsize=1)
def _compile_readers() -> None:
    """A parser may write no byte code beside the source, so that is done here, once; nothing where it is up to date or not allowed."""
    compileall.compile_dir(str(Path(__file__).parent), quiet=2)


class _Timed:
    """A pipe whose reads raise TimeoutError after `deadline` (of the monotonic clock)."""

    def __init__(self, pipe: FileIO) -> None:
        self._pipe = pipe
        self.deadline = 0.0

    def read(self, size: int, /) -> bytes | None:
        if not select.select([self._pipe], [], [], max(0.0, self.deadline - time.monotonic()))[0]:
            raise TimeoutError
        return self._pipe.read(size)


def _environment(folder: str) -> dict[str, str]:
    """Of our own environment what a parser needs; its home and its temporary files lie in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT or name.startswith(("LC_", "OMP_", "OPENBLAS_"))}
    if found := os.environ.get("PYTHONPATH"):
        kept["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in found.split(os.pathsep) if entry)
    return {**kept, "HOME": folder, "TMPDIR": folder}
