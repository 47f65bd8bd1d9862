"""Compiles printed C++ and runs it: weights and inputs go in, results come out, as safetensors files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forge_resources.errors import ForgeError

COMPILERS = ("g++", "clang++")
FAST = ("-O3", "-march=native")
QUICK = ("-O0",)
"""Quick to compile: for comparing values."""


class CppError(ForgeError):
    """C++ cannot be compiled or run here."""


@dataclass(frozen=True, slots=True)
class Executable:
    """A compiled program. `sizes` are the base axes and counts of repeats."""

    path: Path

    def run(
        self, weights: Path, sizes: Mapping[str, int], inputs: Path, output: Path, *, name: str = "", step: int = 0, repeat: int = 0
    ) -> dict[str, Any]:
        """The results by name, as numpy arrays; with `step` computed that many positions at a time, with a cache. Raises CppError."""
        from safetensors.numpy import load_file

        self.started(weights, sizes, "--inputs", str(inputs), "--output", str(output), name=name, step=step, repeat=repeat)
        return load_file(output)

    def started(
        self, weights: Path, sizes: Mapping[str, int], *more: str, name: str = "", step: int = 0, repeat: int = 0
    ) -> tuple[str, str]:
        """What the program says on stdout and stderr. Raises CppError."""
        told = ",".join(f"{axis}={size}" for axis, size in sizes.items())
        command = [str(self.path), str(weights), "--sizes", told, "--run", name, "--step", str(step), "--repeat", str(repeat), *more]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise CppError(f"the printed C++ program ended with {made.returncode}: {made.stderr.strip()[-500:] or 'it said nothing'}")
        return made.stdout, made.stderr


def compiler() -> str | None:
    return next((path for one in COMPILERS if (path := shutil.which(one))), None)


def build(files: Mapping[str, str], folder: Path, flags: tuple[str, ...] = FAST) -> Executable:
    """Writes the files into the folder and compiles main.cpp. Raises CppError."""
    found = compiler()
    if found is None:
        raise CppError("no C++ compiler is here; install g++ (Debian: apt-get install g++), or leave out the back-end cpp")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = [found, "-std=c++17", "-ffp-contract=fast", *flags, "-o", "model", "main.cpp"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode:
        raise CppError(f"the printed C++ does not compile: {made.stderr.strip()[:800]}")
    return Executable(folder / "model")
