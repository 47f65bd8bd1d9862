"""Adapters at length: three stacks whose own 10-trained is the base, killed in the middle, and equal bytes in two processes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forge_assets.fragments.chain import LORA, TRAINED
from forge_assets.fragments.folder import sums_of
from forge_assets.fragments.verify import verify
from forge_resources.settings import PROJECT
from tests.fragments.lora_examples import chain
from tests.fragments.plans import TO_TRAINED

pytestmark = [pytest.mark.trial, pytest.mark.timeout(900)]
STACKS = {"qwen3": True, "alibi": False, "latent": False}
"""Stack -> whether its class of transformers is one that vLLM serves adapters for."""


@pytest.mark.parametrize("name", STACKS)
def test_the_stack_has_an_adapter_on_its_own_trained_model(name: str, tmp_path: Path) -> None:
    folder = chain(name, tmp_path)
    record = json.loads((folder / "config.json").read_text())["lora"]
    assert record["loss"]["after"] < record["loss"]["before"] and record["proof"]["effect"] > 1e-4
    assert record["proof"]["merged"] <= 1e-4 and (record["vllm"] == []) == STACKS[name]
    assert [one.name for one in verify(tmp_path)] == [*TO_TRAINED, LORA]
    assert record["base"]["address"] == f"../{TRAINED}"


@pytest.mark.parametrize("name", ["qwen3", "alibi"])
def test_kills_in_the_middle_end_in_the_bytes_of_an_undisturbed_run(name: str, tmp_path: Path) -> None:
    whole = chain(name, tmp_path / "whole")
    root, moments = tmp_path / "killed", random.Random(name)
    for number in range(4):
        with subprocess.Popen([sys.executable, "-m", "tests.fragments.lora_examples", name, str(root)], cwd=PROJECT,
                              env=os.environ | {"PYTHONHASHSEED": str(number)}) as process:  # fmt: skip
            while process.poll() is None and not list(root.glob(f".work-{LORA}-*/checkpoint.pt")):
                time.sleep(0.01)
            time.sleep(moments.uniform(0.2, 2.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert number or not (root / LORA).exists(), "the first run ended before it was killed"
    assert sums_of(chain(name, root)) == sums_of(whole)
