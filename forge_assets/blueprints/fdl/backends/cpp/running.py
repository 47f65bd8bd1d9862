"""Compiles printed C++ and runs it: weights and inputs go in, results come out, as safetensors files."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.cpp import print_cpp
from forge_resources.errors import ForgeError

if TYPE_CHECKING:
    from forge_assets.blueprints.fdl.trial import Case, Ran

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
        self,
        weights: Path,
        sizes: Mapping[str, int],
        inputs: Path,
        output: Path,
        *,
        name: str = "",
        steps: tuple[int, ...] = (),
        repeat: int = 0,
    ) -> dict[str, Any]:
        """The results by name, as numpy arrays; with `steps` computed that many positions at a time, with a cache. Raises CppError."""
        from safetensors.numpy import load_file

        self.started(weights, sizes, "--inputs", str(inputs), "--output", str(output), name=name, steps=steps, repeat=repeat)
        return load_file(output)

    def started(
        self, weights: Path, sizes: Mapping[str, int], *more: str, name: str = "", steps: tuple[int, ...] = (), repeat: int = 0
    ) -> tuple[str, str]:
        """What the program says on stdout and stderr. Raises CppError."""
        told = ",".join(f"{axis}={size}" for axis, size in sizes.items())
        pieces = ["--steps", ",".join(map(str, steps))] if steps else []
        command = [str(self.path), str(weights), "--sizes", told, "--run", name, "--repeat", str(repeat), *pieces, *more]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise CppError(f"the printed C++ program ended with {made.returncode}: {made.stderr.strip()[-500:] or 'it said nothing'}")
        return made.stdout, made.stderr


def compiler() -> str | None:
    return next((path for one in COMPILERS if (path := shutil.which(one))), None)


def absent_cpp() -> str:
    return "" if compiler() else "no C++ compiler is here; install g++ (Debian: apt-get install g++)"


def build(files: Mapping[str, str], folder: Path, flags: tuple[str, ...] = FAST) -> Executable:
    """Writes the files into the folder and compiles main.cpp. Raises CppError."""
    found = compiler()
    if found is None:
        raise CppError(absent_cpp())
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = [found, "-std=c++17", "-ffp-contract=fast", *flags, "-o", "model", "main.cpp"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode:
        raise CppError(f"the printed C++ does not compile: {made.stderr.strip()[:800]}")
    return Executable(folder / "model")


def run_cpp(program: ir.Program, case: Case, flags: tuple[str, ...] = QUICK) -> Ran:
    """What the compiled program gives for a case of `forge fdl test`: all at once, and in its cuts where it decodes. Raises CppError."""
    from safetensors.numpy import save_file

    from forge_assets.blueprints.fdl.trial import Ran

    one = program.models.get(case.name) or program.units[case.name]
    with tempfile.TemporaryDirectory(prefix="forge-fdl-") as place:
        folder = Path(place)
        built = build(print_cpp(program), folder, flags)
        save_file({name: _dense(array) for name, array in case.weights.items()}, folder / "weights.safetensors")
        save_file({name: _dense(array) for name, array in case.inputs.items()}, folder / "inputs.safetensors")

        def results(steps: tuple[int, ...]) -> list[Any]:
            output = folder / "output.safetensors"
            found = built.run(
                folder / "weights.safetensors", case.sizes, folder / "inputs.safetensors", output, name=case.name, steps=steps
            )
            return [found[result.name] for result in one.results]

        steps = tuple(end - start for start, end in case.cuts)
        return Ran(results(()), results(steps) if steps else None)


def _dense(array: Any) -> Any:
    import numpy as np

    return np.require(array, requirements="C")
