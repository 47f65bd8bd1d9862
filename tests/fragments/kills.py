"""Builds in a process of its own, killed while a fragment is being made.

The process kills itself where it was told to: from outside, a fast machine has gone on before a slow look at its files.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from forge_assets.fragments.folder import ASIDE
from forge_assets.fragments.train.loop import Run
from forge_resources.settings import PROJECT

DIES = "FORGE_TEST_DIES"


def built(name: str, root: Path, hash_seed: int = 0, steps: int | None = None) -> list[str]:
    """What a whole build prints; `steps`: of the training."""
    made = subprocess.run(_command(name, root, steps), env=_environment(hash_seed), cwd=PROJECT, capture_output=True, text=True, check=True)
    return made.stdout.splitlines()


def killed(name: str, root: Path, fragment: str, files: int = 0) -> None:
    """SIGKILL while `fragment` is being made, as it opens a file of its folder after `files` others (10-trained: once it has learned)."""
    _killed(name, root, None, f"file {fragment} {files}")


def killed_at_step(name: str, root: Path, step: int, steps: int | None = None) -> None:
    """SIGKILL when 10-trained has told of this step of its training, before it keeps anything of it."""
    _killed(name, root, steps, f"step {step}")


def _killed(name: str, root: Path, steps: int | None, where: str) -> None:
    made = subprocess.run(
        _command(name, root, steps), env=_environment(1) | {DIES: where}, cwd=PROJECT, stdout=subprocess.DEVNULL, check=False
    )
    assert made.returncode == -signal.SIGKILL, f"the build never came to {where}: it ended with {made.returncode}"


def dies_where_told() -> None:
    """Has this process killed where the environment says; called by what `killed` and `killed_at_step` start."""
    match os.environ.pop(DIES, "").split():
        case ["file", fragment, files]:
            sys.addaudithook(_at_file(f"{os.sep}{ASIDE}{fragment}{os.sep}", int(files)))
        case ["step", step]:
            _at_step(int(step))


def _at_file(aside: str, files: int) -> Any:
    left = [files]

    def look(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and aside in str(arguments[0]):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return look


def _at_step(step: int) -> None:
    tell = Run._tell

    def told(run: Run, file: str, line: dict[str, Any]) -> None:
        tell(run, file, line)
        if line["step"] == step:
            os.kill(os.getpid(), signal.SIGKILL)

    Run._tell = told  # type: ignore[method-assign, assignment]


def _command(name: str, root: Path, steps: int | None) -> list[str]:
    return [sys.executable, "-m", "tests.fragments.plans", name, str(root), *([] if steps is None else [str(steps)])]


def _environment(hash_seed: int) -> dict[str, str]:
    return os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(PROJECT)}
