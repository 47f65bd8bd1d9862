"""12-export at length: six stacks through three programs, the same bytes after kills in another process, ONNX files of other weights."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from forge_assets.fragments.chain import EXPORT, TRAINED
from forge_assets.fragments.folder import ASIDE, seal
from forge_assets.fragments.verify import verify
from forge_resources.errors import FragmentError
from forge_resources.settings import PROJECT
from tests.conftest import short_folder
from tests.fragments.plans import STACKS, exported, made, tree

pytestmark = [pytest.mark.trial, pytest.mark.timeout(900)]

ARCHITECTURES = {"llama": "llama", "qwen3": "qwen3", "mixtral": "llama", "qwen3moe": "qwen3moe", "alibi": "mpt", "latent": "deepseek2"}
"""In llama.cpp."""


@pytest.fixture(scope="module", params=STACKS)
def stack(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    root = short_folder("fe-")
    list(made(request.param, root))
    list(exported(request.param, root))
    yield request.param, root
    shutil.rmtree(root)


def test_transformers_llama_cpp_and_onnxruntime_give_one_model(stack: tuple[str, Path]) -> None:
    name, root = stack
    record = json.loads((root / EXPORT / "export.json").read_text())
    formats = record["formats"]
    assert formats["gguf"].get("architecture") == ARCHITECTURES[name], formats["gguf"]
    assert formats["hf"]["logits_apart"] < 1e-5 and formats["onnx"]["logits_apart"] < 1e-5
    assert formats["gguf"]["log_probabilities_apart"] < 1e-3
    (whole,) = formats["hf"]["files"]
    assert all(abs(one["perplexity"] / whole["perplexity"] - 1) < 0.02 for kind in ("gguf", "onnx") for one in formats[kind]["files"])
    (checked,) = verify(root, [EXPORT])
    assert checked.notes == ()


def test_another_process_writes_the_same_export_killed_three_times_before(stack: tuple[str, Path], tmp_path: Path) -> None:
    name, root = stack
    shutil.copytree(root / TRAINED, tmp_path / TRAINED)
    moments, aside = random.Random(name), tmp_path / f"{ASIDE}{EXPORT}"
    for hash_seed in range(3):
        if aside.exists():
            (aside / "left").touch()
        with _exporting(name, tmp_path, hash_seed) as process:
            while not aside.exists() or (aside / "left").exists():  # what a killed one left is taken away first
                assert process.poll() is None, "the export ended before it was begun"
                time.sleep(0.005)
            time.sleep(moments.uniform(0.0, 4.0))
            process.send_signal(signal.SIGKILL)
        assert hash_seed or not (tmp_path / EXPORT).exists(), "the first process ended before it was killed"
        shutil.rmtree(tmp_path / EXPORT, ignore_errors=True)
    with _exporting(name, tmp_path, 7) as process:
        assert process.wait() == 0
    assert tree(tmp_path / EXPORT) == tree(root / EXPORT)


def _exporting(name: str, root: Path, hash_seed: int) -> subprocess.Popen[bytes]:
    code = f"from pathlib import Path; from tests.fragments.plans import exported; list(exported({name!r}, Path({str(root)!r})))"
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(PROJECT)}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=PROJECT)


@pytest.mark.parametrize("file", ["onnx/model.onnx", "onnx/model-int8.onnx", "onnx/model-int4.onnx"])
def test_an_onnx_file_of_other_weights_is_told_apart(stack: tuple[str, Path], file: str, tmp_path: Path) -> None:
    folder = shutil.copytree(stack[1] / EXPORT, tmp_path / EXPORT)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    seal(folder)
    with pytest.raises(FragmentError, match=f"{Path(file).name} does not hold the weights of hf"):
        verify(tmp_path, [EXPORT])
