"""What the benches share: the machine in a line, tables, and a command's wall time, CPU seconds and peak memory with all its processes.

Memory is PSS (pages that several processes share count once), summed over the command's descendants and over the Postgres server
of the given home; CPU seconds likewise.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forge_resources.compute import processor, usable_cores

if TYPE_CHECKING:
    import sqlalchemy as sa

    from forge_assets.embeddings.hnsw import IndexState

WANTED_FLAGS = {"avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16"}
SAMPLED = 0.25  # seconds between two looks at memory
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    """`wall` and `cpu` in seconds, `peak_mb` in MiB; `told` is the JSON of the command's last line."""

    wall: float
    cpu: float
    peak_mb: float
    told: dict[str, Any]


def stored(connection: sa.Connection, state: IndexState) -> np.ndarray:
    """The vectors of an embedder, float16 [n, dims]."""
    raw: Any = connection.connection.driver_connection
    statement = f"COPY (SELECT vector FROM passage_vector WHERE embedder_id = {state.embedder_id}) TO STDOUT (FORMAT BINARY)"
    with raw.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(["halfvec"])
        return np.array([row[0] for row in copy.rows()])


def cpu_flags() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    return sorted(WANTED_FLAGS.intersection(next((line.split() for line in lines if line.startswith("flags")), [])))


def machine() -> str:
    return f"{usable_cores()} cores of {processor()}; {', '.join(cpu_flags()) or 'none of the flags that matter'}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Markdown; numbers are given as they shall look."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def measured(command: Sequence[str], *, home: Path | None = None, limit: float = 3600.0, **environment: str) -> Measured:
    """Runs the command. Raises SystemExit with the end of its error output where it fails or tells nothing."""
    server = home / "postgres/data/postmaster.pid" if home else None
    started, before = time.monotonic(), _tree(_postmaster(server))[0]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment, start_new_session=True
    )
    watch = _Watch(process.pid, server)
    try:
        out, err = process.communicate(timeout=limit)
    except BaseException:
        os.killpg(process.pid, 9)
        raise
    finally:
        watch.stop()
    wall = time.monotonic() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{err[-3000:]}")
    told: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return Measured(wall, watch.cpu - before, watch.peak / 2**20, told)


class _Watch(threading.Thread):
    def __init__(self, pid: int, server: Path | None) -> None:
        super().__init__(daemon=True)
        self.peak, self.cpu = 0, 0.0
        self._pid, self._server = pid, server
        self._own: dict[int, float] = {}
        self._done = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._done.wait(SAMPLED):
            self._look()

    def _look(self) -> None:
        own, memory = _tree(self._pid)
        of_server, shared = _tree(_postmaster(self._server))
        # processes are gone when the command ends: the last look at them counts
        self.cpu = max(self.cpu, own + of_server)
        self.peak = max(self.peak, memory + shared)

    def stop(self) -> None:
        self._done.set()
        self.join()


def _postmaster(file: Path | None) -> int | None:
    try:
        return int(file.read_text().split()[0]) if file else None
    except (OSError, ValueError, IndexError):
        return None


def _tree(root: int | None) -> tuple[float, int]:
    """CPU seconds (of ended children too) and bytes of a process and its descendants."""
    if root is None:
        return 0.0, 0
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(folder.name))
            seconds[int(folder.name)] = sum(map(int, fields[11:15])) / TICKS
    waiting, total, memory = [root], 0.0, 0
    while waiting:
        pid = waiting.pop()
        total += seconds.get(pid, 0.0)
        memory += _pss(pid)
        waiting += children.get(pid, [])
    return total, memory


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
