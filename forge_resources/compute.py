"""What this process may use: cores and memory (of the container, not of its host), and GPUs.

GPUs are asked of `nvidia-smi`, so that neither torch nor CUDA is loaded. Standard library only.
"""

from __future__ import annotations

import math
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
UNLIMITED = 1 << 60  # version 1 writes "no limit" as a number near 2^63
QUERY = ("index", "uuid", "name", "memory.total", "memory.free", "driver_version", "compute_cap")


@dataclass(frozen=True, slots=True)
class Gpu:
    """`memory_mb` and `free_mb` in MiB; `capability` as in "9.0"."""

    index: int
    name: str
    memory_mb: int
    free_mb: int
    driver: str
    capability: str


@dataclass(frozen=True, slots=True)
class Compute:
    cores: int
    memory_bytes: int
    processor: str
    bf16: bool
    gpus: tuple[Gpu, ...]


def compute() -> Compute:
    return Compute(usable_cores(), usable_memory(), processor(), computes_bf16(), gpus())


def usable_cores() -> int:
    """Cores by affinity and by the control group's quota, whichever is less; at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = min((_quota(folder) for folder in _groups("cpu")), default=math.inf)
    return max(1, int(min(allowed, quota + 0.5)))


def usable_memory() -> int:
    """Bytes: the machine's memory or the control group's limit, whichever is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for folder in _groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _number(folder / name)
            if limit is not None and limit < UNLIMITED:
                total = min(total, int(limit))
    return total


def _groups(controller: str) -> Iterator[Path]:
    """The folders of this process's control group and of all above it, in version 2 and in version 1 of the file system."""
    yield from (CONTROL_GROUPS, CONTROL_GROUPS / controller)
    try:
        lines = MEMBERSHIP.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, names, path = line.split(":", 2)
        if number == "0" or controller in names.split(","):
            top = CONTROL_GROUPS if number == "0" else CONTROL_GROUPS / controller
            group = Path(path.lstrip("/"))
            yield from (top / part for part in (group, *group.parents) if (top / part).is_dir() and ".." not in part.parts)


def _quota(folder: Path) -> float:
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return math.inf if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    taken, of = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return taken / of if taken is not None and of and taken > 0 else math.inf


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text())
    except (OSError, ValueError):  # 'max' among them
        return None


def processor() -> str:
    found = _cpuinfo().get("model name", "")
    return found or platform.processor() or platform.machine()


def computes_bf16() -> bool:
    """True where bf16 products are faster than fp32: AMX, or AVX-512 bf16 of an AMD processor.

    Intel's cores multiply bf16 by AVX-512 at the rate of fp32, so that the conversions lose: on a Xeon whose AMX is hidden by the
    hypervisor MiniLM did 39 texts/s in bf16 and 63 in fp32 (OpenVINO; torch 37 and 63; bench/embed.py).
    """
    flags = _cpuinfo().get("flags", "").split()
    return "amx_bf16" in flags or ("avx512_bf16" in flags and _cpuinfo().get("vendor_id") != "GenuineIntel")


@cache
def _cpuinfo() -> dict[str, str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


@cache
def gpus() -> tuple[Gpu, ...]:
    """The NVIDIA GPUs that CUDA_VISIBLE_DEVICES leaves to this process; none where the driver does not answer."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    command = [program, f"--query-gpu={','.join(QUERY)}", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return _visible(listed, os.environ.get("CUDA_VISIBLE_DEVICES"))


def _visible(listed: str, visible: str | None) -> tuple[Gpu, ...]:
    """CUDA_VISIBLE_DEVICES names indexes or beginnings of UUIDs; what follows the first unknown name does not count (as in CUDA)."""
    found: dict[str, Gpu] = {}
    for line in listed.splitlines():
        values = [value.strip() for value in line.split(",")]
        if len(values) == len(QUERY):
            index, identity, name, memory, free, driver, capability = values
            found[identity] = Gpu(int(index), name, _megabytes(memory), _megabytes(free), driver, capability)
    if visible is None:
        return tuple(found.values())
    chosen: list[Gpu] = []
    for word in visible.split(","):
        match = [
            gpu for identity, gpu in found.items() if word.strip() and (word.strip() == str(gpu.index) or identity.startswith(word.strip()))
        ]
        if len(match) != 1:
            break
        chosen += match
    return tuple(chosen)


def _megabytes(value: str) -> int:
    return int(value) if value.isdigit() else 0  # '[N/A]' on machines that share their memory with the GPU
