"""What this process may use, told without torch: limits of the container count, hidden GPUs do not."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from forge_resources import compute
from forge_resources.compute import Gpu

LISTED = """0, GPU-aaaa1111, NVIDIA H100 80GB HBM3, 81559, 81000, 550.54.15, 9.0
1, GPU-aabb2222, NVIDIA H100 80GB HBM3, 81559, 80000, 550.54.15, 9.0
2, GPU-cccc3333, NVIDIA GB10, [N/A], [N/A], 580.95.05, 12.1
"""


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty tree of control groups in place of the machine's."""
    monkeypatch.setattr(compute, "CONTROL_GROUPS", tmp_path)
    return tmp_path


def test_without_limits_it_is_the_machine(groups: Path) -> None:
    assert compute.usable_cores() == len(os.sched_getaffinity(0))
    assert compute.usable_memory() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(("quota", "cores"), [("150000 100000", 2), ("50000 100000", 1), ("100000 100000", 1), ("max 100000", None)])
def test_the_quota_of_the_container_limits_the_cores(groups: Path, quota: str, cores: int | None) -> None:
    (groups / "cpu.max").write_text(quota + "\n")
    machine = len(os.sched_getaffinity(0))
    assert compute.usable_cores() == (machine if cores is None else min(cores, machine))


def test_affinity_limits_the_cores() -> None:
    one = min(os.sched_getaffinity(0))
    program = f"import os; os.sched_setaffinity(0, {{{one}}}); from forge_resources.compute import usable_cores; print(usable_cores())"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "1\n"


def test_limits_of_the_first_version_of_control_groups_count(groups: Path) -> None:
    (groups / "memory").mkdir()
    (groups / "memory/memory.limit_in_bytes").write_text(f"{1 << 30}\n")
    (groups / "cpu").mkdir()
    (groups / "cpu/cpu.cfs_quota_us").write_text("100000\n")
    (groups / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert compute.usable_memory() == 1 << 30
    assert compute.usable_cores() == 1
    (groups / "memory/memory.limit_in_bytes").write_text("9223372036854771712\n")
    (groups / "cpu/cpu.cfs_quota_us").write_text("-1\n")
    assert compute.usable_memory() > 1 << 30
    assert compute.usable_cores() == len(os.sched_getaffinity(0))


def test_the_memory_limit_of_the_container_counts(groups: Path) -> None:
    (groups / "memory.max").write_text("max\n")
    assert compute.usable_memory() > 1 << 30
    (groups / "memory.max").write_text(f"{512 << 20}\n")
    assert compute.usable_memory() == 512 << 20


@pytest.mark.parametrize(("line", "top", "file"), [("0::/a/b", "", "memory.max"), ("7:cpu,memory:/a/b", "memory", "memory.limit_in_bytes")])
def test_a_limit_on_a_group_above_counts(groups: Path, monkeypatch: pytest.MonkeyPatch, line: str, top: str, file: str) -> None:
    monkeypatch.setattr(compute, "MEMBERSHIP", groups / "membership")
    (groups / "membership").write_text(f"3:cpuset:/\n{line}\n")
    (groups / top / "a/b").mkdir(parents=True)
    (groups / top / "a" / file).write_text(f"{256 << 20}\n")
    assert compute.usable_memory() == 256 << 20


@pytest.mark.parametrize(
    ("visible", "indexes"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("-1", []),
        ("1", [1]),
        ("2,0", [2, 0]),
        ("0,7,1", [0]),
        ("GPU-cc", [2]),
        ("GPU-aa", []),
        ("NoDevFiles", []),
    ],
)
def test_hidden_gpus_do_not_count(visible: str | None, indexes: list[int]) -> None:
    assert [gpu.index for gpu in compute._visible(LISTED, visible)] == indexes


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of nvidia-smi; what it prints is the test's."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    compute.gpus.cache_clear()
    return tmp_path / "nvidia-smi"


def script(path: Path, text: str) -> None:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_gpus_are_asked_of_the_driver(driver: Path) -> None:
    script(driver, f"echo '{LISTED.splitlines()[0]}'\n")
    assert compute.gpus() == (Gpu(0, "NVIDIA H100 80GB HBM3", 81559, 81000, "550.54.15", "9.0"),)
    compute.gpus.cache_clear()


@pytest.mark.parametrize("text", ["echo 'NVIDIA-SMI has failed'; exit 9", "echo garbage", ""])
def test_a_broken_driver_is_no_gpu(driver: Path, text: str) -> None:
    script(driver, text + "\n")
    assert compute.gpus() == ()
    compute.gpus.cache_clear()


def test_no_driver_is_no_gpu(driver: Path) -> None:
    assert compute.gpus() == ()
    compute.gpus.cache_clear()


def test_nothing_heavy_is_imported() -> None:
    program = "import sys, forge_resources.compute as c; c.compute(); "
    program += "print([m for m in ('torch', 'numpy', 'pydantic', 'sqlalchemy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("vendor", "flags", "bf16"),
    [
        ("GenuineIntel", "avx512f avx512_bf16", False),
        ("GenuineIntel", "avx512f avx512_bf16 amx_bf16", True),
        ("AuthenticAMD", "avx512f avx512_bf16", True),
        ("AuthenticAMD", "avx512f", False),
    ],
)
def test_bf16_is_taken_where_it_is_faster(vendor: str, flags: str, bf16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "_cpuinfo", lambda: {"vendor_id": vendor, "flags": flags})
    assert compute.computes_bf16() is bf16
