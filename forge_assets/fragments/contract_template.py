"""The contract of this fragment, as Forge wrote it beside the fragment: `pytest test_contract.py` needs torch, numpy and safetensors.

JAX and a C++ compiler are held against the same golden numbers where they are here.
"""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

HERE = Path(__file__).resolve().parent
CONFIG = json.loads((HERE / "config.json").read_text())["forge"]
TOLERANCE = 1e-4


def imported(name):
    spec = importlib.util.spec_from_file_location(f"{HERE.name.replace('-', '_')}_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def weights():
    found = {}
    for name in CONFIG["weights"]:
        found.update(load_file(HERE / name))
    return found


def golden():
    numbers = load_file(HERE / "io.safetensors")
    return ([numbers[f"inputs.{name}"] for name in CONFIG["inputs"]], [numbers[f"outputs.{name}"] for name in CONFIG["outputs"]])


def sized(module):
    return [module.Sizes(**CONFIG["static"])] if CONFIG["static"] else []


def built():
    module = imported("module_torch")
    model = getattr(module, CONFIG["torch"])(*sized(module))
    model.load_state_dict({name: torch.from_numpy(one) for name, one in weights().items()})
    return model


def several(results):
    return list(results) if isinstance(results, tuple) else [results]


def assert_equal(found, wanted):
    scale = np.abs(wanted).max() or 1.0
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() / scale <= TOLERANCE


def test_every_file_is_as_its_sum_says():
    for line in (HERE / "SHA256SUMS").read_text().splitlines():
        expected, name = line.split("  ")
        assert hashlib.sha256((HERE / name).read_bytes()).hexdigest() == expected, name


def test_the_header_tells_where_the_weights_come_from():
    for name in CONFIG["weights"]:
        with safe_open(HERE / name, "numpy") as file:
            metadata = file.metadata()
        assert metadata["fragment"] == CONFIG["fragment"]
        assert json.loads(metadata["parents"]) == CONFIG["parents"]
        assert {"spec_sha256", "seed", "source_documents", "blueprint", "fdl_sha256"} <= set(metadata)
        assert metadata["fdl_sha256"] == hashlib.sha256((HERE / "fragment.fdl").read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["model.pt", "pytorch_model.bin"])
def test_pt_and_bin_hold_the_tensors_of_safetensors(name):
    found, wanted = torch.load(HERE / name, weights_only=True), weights()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], torch.from_numpy(wanted[key])) for key in wanted)


def test_shapes_and_numbers_are_the_golden_ones_in_torch():
    inputs, outputs = golden()
    with torch.no_grad():
        found = several(built()(*map(torch.from_numpy, inputs)))
    for one, wanted in zip(found, outputs, strict=True):
        assert_equal(one.numpy(), wanted)


def test_gradients_are_finite():
    model = built()
    inputs = [torch.from_numpy(one).requires_grad_(one.dtype == np.float32) for one in golden()[0]]
    several(model(*inputs))[0].square().sum().backward()
    slopes = [one.grad for one in [*model.parameters(), *inputs] if one.grad is not None]
    assert slopes and all(torch.isfinite(one).all() for one in slopes)


@pytest.mark.skipif(not CONFIG["causal"], reason="this fragment reads no sequence in order")
def test_what_comes_later_changes_nothing_before():
    inputs, _ = golden()
    model = built()
    half = inputs[0].shape[1] // 2
    changed = [one.copy() for one in inputs]
    for one in changed:
        one[:, half:] = np.roll(one[:, half:], 1, axis=0) + one.dtype.type(one.dtype == np.float32)
    with torch.no_grad():
        before = several(model(*map(torch.from_numpy, inputs)))[0].numpy()
        after = several(model(*map(torch.from_numpy, changed)))[0].numpy()
    assert np.abs(before[:, :half] - after[:, :half]).max() <= 1e-6 * (np.abs(before).max() or 1.0)
    assert not np.array_equal(before[:, half:], after[:, half:])


def test_jax_gives_the_golden_numbers():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    inputs, outputs = golden()
    module = imported("module_jax")
    function = getattr(module, CONFIG["jax"])
    params = {name: jax.numpy.asarray(one) for name, one in weights().items()}
    found = several(function(params, *map(jax.numpy.asarray, inputs), *sized(module)))[: len(outputs)]
    for one, wanted in zip(found, outputs, strict=True):
        assert_equal(np.asarray(one), wanted)


def test_cpp_gives_the_golden_numbers(tmp_path):
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler is here")
    for path in [*HERE.glob("*.hpp"), HERE / "main.cpp"]:
        shutil.copy(path, tmp_path)
    subprocess.run([compiler, "-std=c++17", "-O0", "-o", "model", "main.cpp"], cwd=tmp_path, check=True)
    inputs, outputs = golden()
    save_file(dict(zip(CONFIG["inputs"], inputs, strict=True)), tmp_path / "inputs.safetensors")
    save_file(weights(), tmp_path / "weights.safetensors")
    sizes = ",".join(f"{name}={size}" for name, size in CONFIG["cpp_sizes"].items())
    command = ["./model", "weights.safetensors", "--sizes", sizes, "--run", CONFIG["model"], "--inputs", "inputs.safetensors"]
    subprocess.run([*command, "--output", "output.safetensors"], cwd=tmp_path, check=True)
    found = load_file(tmp_path / "output.safetensors")
    for name, wanted in zip(CONFIG["outputs"], outputs, strict=True):
        assert_equal(found[name], wanted)
