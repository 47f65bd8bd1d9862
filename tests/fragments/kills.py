"""Builds in a process of its own, killed as soon as a fragment is being made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from forge_assets.fragments.build import WORK
from forge_assets.fragments.chain import TRAINED
from forge_assets.fragments.folder import ASIDE
from forge_resources.settings import PROJECT


def built(name: str, root: Path, hash_seed: int = 0, steps: int | None = None) -> list[str]:
    """What a whole build prints; `steps`: of the training."""
    made = subprocess.run(_command(name, root, steps), env=_environment(hash_seed), cwd=PROJECT, capture_output=True, text=True, check=True)
    return made.stdout.splitlines()


def killed(name: str, root: Path, fragment: str, delay: float = 0.0, steps: int | None = None) -> None:
    """SIGKILL while `fragment` is being made, `delay` seconds after it was begun."""
    with subprocess.Popen(_command(name, root, steps), env=_environment(1), cwd=PROJECT, stdout=subprocess.DEVNULL) as process:
        while not (root / f"{ASIDE}{fragment}").exists():
            assert process.poll() is None, f"the build ended before {fragment} was begun"
            time.sleep(0.0005)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()


def killed_at_step(name: str, root: Path, step: int, steps: int | None = None) -> None:
    """SIGKILL as soon as 10-trained has told of this step of its training."""
    with subprocess.Popen(_command(name, root, steps), env=_environment(1), cwd=PROJECT, stdout=subprocess.DEVNULL) as process:
        while f'"step": {step},' not in "".join(path.read_text() for path in root.glob(f"{WORK}{TRAINED}-*/train.jsonl")):
            assert process.poll() is None, f"the build ended before step {step}"
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.wait()


def _command(name: str, root: Path, steps: int | None) -> list[str]:
    return [sys.executable, "-m", "tests.fragments.plans", name, str(root), *([] if steps is None else [str(steps)])]


def _environment(hash_seed: int) -> dict[str, str]:
    return os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(PROJECT)}
