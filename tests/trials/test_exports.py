"""12-export at length: six stacks through three programs, the same bytes from two processes, and ONNX files of other weights."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from forge_assets.fragments.chain import EXPORT, TRAINED
from forge_assets.fragments.folder import seal
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


def test_two_processes_write_the_same_export(stack: tuple[str, Path], tmp_path: Path) -> None:
    name, root = stack
    shutil.copytree(root / TRAINED, tmp_path / TRAINED)
    code = f"from pathlib import Path; from tests.fragments.plans import exported; list(exported({name!r}, Path({str(tmp_path)!r})))"
    subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(PROJECT)}, cwd=PROJECT, check=True
    )
    assert tree(tmp_path / EXPORT) == tree(root / EXPORT)


@pytest.mark.parametrize("file", ["onnx/model.onnx", "onnx/model-int8.onnx", "onnx/model-int4.onnx"])
def test_an_onnx_file_of_other_weights_is_told_apart(stack: tuple[str, Path], file: str, tmp_path: Path) -> None:
    folder = shutil.copytree(stack[1] / EXPORT, tmp_path / EXPORT)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    seal(folder)
    with pytest.raises(FragmentError, match=f"{Path(file).name} does not hold the weights of hf"):
        verify(tmp_path, [EXPORT])
