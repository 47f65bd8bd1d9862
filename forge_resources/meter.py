"""What a piece of work costs this machine: wall time, CPU time of the process, its children and the embedded server, peak memory.

Read from /proc and getrusage, standard library only; where there is no /proc, what stands there is left out.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
RESET_PEAK = "5"
"""Written to clear_refs, it sets VmHWM back to what is resident now."""
UTIME, CHILDREN_STIME = 11, 14
"""Places in /proc/PID/stat behind the name in brackets: utime, stime, cutime, cstime."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu_seconds` are those of the process and of its children that have ended; `server_cpu_seconds` those of the embedded Postgres,
    None where the server is not ours. `peak_bytes` is the most the process itself had resident, None where that is not told."""

    seconds: float
    cpu_seconds: float
    server_cpu_seconds: float | None
    peak_bytes: int | None


class Meter:
    """Runs from its making; `read` tells what was spent since."""

    def __init__(self, home: Path | None = None) -> None:
        self._home = home
        with suppress(OSError):
            (PROC / "self" / "clear_refs").write_text(RESET_PEAK)
        self.started = time.time()
        self._wall, self._cpu, self._server = time.monotonic(), own_cpu(), self._server_cpu()

    def read(self) -> Cost:
        server = self._server_cpu()
        since = None if server is None else max(0.0, server - (self._server or 0.0))  # None before: it was started meanwhile
        return Cost(time.monotonic() - self._wall, own_cpu() - self._cpu, since, peak_bytes())

    def _server_cpu(self) -> float | None:
        return server_cpu(self._home) if self._home is not None else None


def own_cpu() -> float:
    """User and system seconds of this process and of its children that were waited for."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def peak_bytes() -> int | None:
    """The most this process had resident since its start, or since a Meter was made."""
    with suppress(OSError):
        for line in (PROC / "self" / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def server_cpu(home: Path) -> float | None:
    """CPU seconds of the embedded server of this home since it started, ended connections included; None where none runs."""
    server = postmaster(home)
    return None if server is None else sum(cpu_of(pid) for pid in tree(server))


def postmaster(home: Path) -> int | None:
    """The first process of the embedded server of this home, or None."""
    data = home / "postgres" / "data"
    with suppress(OSError, ValueError, IndexError):
        pid = abs(int((data / "postmaster.pid").read_text().split(maxsplit=1)[0]))
        if (PROC / str(pid) / "cwd").samefile(data):  # or the number has come to another process since
            return pid
    return None


def cpu_of(pid: int) -> float:
    """CPU seconds of a process and of its ended children; 0 for one that is gone."""
    with suppress(OSError, IndexError):
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[UTIME : CHILDREN_STIME + 1])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def tree(pid: int) -> Iterator[int]:
    """A process and all its living descendants."""
    yield pid
    children: list[str] = []
    with suppress(OSError):
        for task in (PROC / str(pid) / "task").iterdir():
            with suppress(OSError):
                children += (task / "children").read_text().split()
    for child in children:
        yield from tree(int(child))


def resident_share(pid: int) -> int:
    """Bytes of a process in memory, pages shared by n processes counted as 1/n (PSS); 0 for one that is gone."""
    with suppress(OSError, ValueError, IndexError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
