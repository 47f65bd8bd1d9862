"""Builds in a process of its own, killed as soon as a fragment is being made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from forge_assets.fragments.folder import ASIDE
from forge_resources.settings import PROJECT


def built(name: str, root: Path, hash_seed: int = 0) -> list[str]:
    """What a whole build prints."""
    made = subprocess.run(_command(name, root), env=_environment(hash_seed), cwd=PROJECT, capture_output=True, text=True, check=True)
    return made.stdout.splitlines()


def killed(name: str, root: Path, fragment: str, delay: float = 0.0) -> None:
    """SIGKILL while `fragment` is being made, `delay` seconds after it was begun."""
    with subprocess.Popen(_command(name, root), env=_environment(1), cwd=PROJECT, stdout=subprocess.DEVNULL) as process:
        while not (root / f"{ASIDE}{fragment}").exists():
            assert process.poll() is None, f"the build ended before {fragment} was begun"
            time.sleep(0.0005)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()


def _command(name: str, root: Path) -> list[str]:
    return [sys.executable, "-m", "tests.fragments.plans", name, str(root)]


def _environment(hash_seed: int) -> dict[str, str]:
    return os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(PROJECT)}
