"""Printed C++: equal to transformers, also step by step; the headers it comes with; what it says of wrong files."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from forge_assets.blueprints.fdl.backends.cpp import HEADERS, print_cpp
from forge_assets.blueprints.fdl.backends.cpp.running import QUICK, CppError, Executable, build, compiler
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.trial import TOLERANCE, compare
from tests.blueprints.fdl.architectures import CASES
from tests.blueprints.fdl.parity import relative

pytestmark = pytest.mark.skipif(compiler() is None, reason="needs a C++ compiler: run tools/debian.sh as root")
EXACT = 1e-5
AT_ONCE = ("gemma2", "gpt_neox", "deepseek_v3")
STRICT = ("-O0", "-Wall", "-Wextra", "-Wpedantic", "-Werror")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Executable, Path, Any]]:
    """An architecture's program, the file of its weights, and the transformers model they are from; compiled once."""

    @cache
    def made(name: str) -> tuple[Executable, Path, Any]:
        case, folder = CASES[name], tmp_path_factory.mktemp(name)
        reference = case.make()
        weights = {key: np.ascontiguousarray(one.numpy()) for key, one in reference.state_dict().items()}
        save_file(weights, folder / "weights.safetensors")
        return build(print_cpp(compiled(case.text, case.constants)), folder, STRICT), folder / "weights.safetensors", reference

    return made


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in AT_ONCE else pytest.mark.trial) for name in CASES])
def test_equals_transformers_all_at_once_and_step_by_step(name: str, prepared: Any, tmp_path: Path) -> None:
    import torch

    program, weights, reference = prepared(name)
    ids = np.random.default_rng(3).integers(0, CASES[name].sizes["v"], (2, 13))
    with torch.no_grad():
        wanted = reference(torch.from_numpy(ids)).logits.numpy()
    save_file({"ids": ids}, tmp_path / "ids.safetensors")
    for steps in ((), (1,), (5, 1, 1, 3)):
        (found,) = program.run(weights, CASES[name].sizes, tmp_path / "ids.safetensors", tmp_path / "out.safetensors", steps=steps).values()
        assert relative(found, wanted) <= EXACT, steps


def ran(program: Executable, folder: Path, sizes: dict[str, int], inputs: str, **more: Any) -> dict[str, Any]:
    return program.run(folder / "weights.safetensors", sizes, folder / f"{inputs}.safetensors", folder / "out.safetensors", **more)


EVERYTHING = """axis auto2 = auto
fragment Delta(x: f32[b,t,d]) -> f32[b,t,v]:
  param Wk: f32[k,d] from "wk.weight"
  param Wv: f32[v,d] from "wv.weight"
  param Wb: f32[d] from "wb.weight"
  kk[b,t,k] = sum[d](x[b,t,d] * Wk[k,d])
  n[b,t] = rsqrt(sum[k](kk[b,t,k] * kk[b,t,k]) + 1e-6)
  u[b,t,v] = sum[d](x[b,t,d] * Wv[v,d])
  beta[b,t] = sigmoid(sum[d](x[b,t,d] * Wb[d]))
  S[b,t,k,v] = scan[t](S[b,t - 1,k,v] + beta[b,t] * n[b,t] * kk[b,t,k] * (u[b,t,v] - n[b,t] * sum[k](kk[b,t,k] * S[b,t - 1,k,v])))
  y[b,t,v] = sum[k](S[b,t,k,v] * kk[b,t,k] * n[b,t])
  return y

fragment Every(x: f32[b,t,d]) -> (x: f32[b,t,d], z: f32[b,t]):
  c[b,t,d] = cumsum[d](x[b,t,d])
  l[b,t] = logsumexp[d](x[b,t,d]) + max[d](c[b,t,d]) - min[d](x[b,t,d] * 2)
  rest[b,t,d] = x[b,t,d] % 0.7 + floor(x[b,t,d]) // 2 + sign(x[b,t,d])
  half[d] = 2.5 * (pos(d) // 2) + 7 * (pos(d) % 3)
  far[b,t,d] = x[b,t - int(exp(log(2.0) * (layer % 3)) + 0.5),d]
  few[b,t,d] = where(rank[d](abs(x[b,t,d])) < 2 and not (x[b,t,d] > 3), x[b,t,d] ** 3, rest[b,t,d] + half[d] + far[b,t,d])
  o[b,t,d] = few[b,t,d] + l[b,t] * erf(x[b,t,d]) + softplus(x[b,t,d]) + int(x[b,t,d] * 3) % 5 + log1p(abs(tanh(x[b,t,d]))) - -relu(x[b,t,d])
  p[b,t,d] = softmax[d](o[b,t,d] + layer + pos(d) / size(d)) + exp(max(x[b,t,d], -90.0)) + silu(x[b,t,d]) + ceil(x[b,t,d] ** 0)
  return p, l

fragment Names(double: f32[short,auto], sizes: i64[short]) -> f32[short,auto2]:
  const keys = 2.0
  param past: f32[auto,auto2] from "new"
  cache[short,auto2] = sum[auto](double[short,auto] * past[auto,auto2]) * keys
  fdl[short,auto2] = cache[short,auto2] + sizes[short] + pos(short)
  return fdl

optimizer AdamW(w: f32[..], g: f32[..], lr: f32[], step: i64[]):
  const beta1 = 0.9
  const beta2 = 0.95
  state m: f32[..]
  state v: f32[..]
  m[..] = beta1 * m[..] + (1 - beta1) * g[..]
  v[..] = beta2 * v[..] + (1 - beta2) * g[..] * g[..]
  w[..] = w[..] * (1 - lr * 0.1) - lr * m[..] / (1 - beta1 ** step) / (sqrt(v[..] / (1 - beta2 ** step)) + 1e-8)

schedule Warmup(step: i64[]) -> f32[]:
  const steps = 100
  r = min(1.0, (step + 1) / steps)
  return r

model M = Delta
"""


def test_every_function_equals_torch() -> None:
    found = {one.name: one for one in compare(compiled(EVERYTHING), backends=("torch", "cpp"))}
    assert set(found) == {"M", "Every", "Names", "AdamW", "Warmup"}
    for name, one in found.items():
        assert one.differences and one.worst <= TOLERANCE, (name, one.differences)


PRODUCTS = """axis s = t
fragment Products(x: f32[b,t,d], h: f32[b,t,g,k]) -> (y: f32[b,t,f], z: f32[b,g,t,k], a: f32[b,g,t,s]):
  param W: f32[f,d] from "W"
  param V: f32[g,k,j] from "V"
  y[b,t,f] = sum[d](x[b,t,d] * W[f,d])
  u[b,t,g,j] = sum[k](h[b,t,g,k] * V[g,k,j])
  z[b,g,t,k] = sum[j](u[b,t,g,j] * V[g,k,j])
  a[b,g,t,s] = sum[k](h[b,t,g,k] * h[b,s,g,k])
  return y, z, a
"""


def test_products_of_any_shape_equal_numpy(tmp_path: Path) -> None:
    """Sizes that fill no block, one that has one row, and factors whose axes lie in another order."""
    program = build(print_cpp(compiled(PRODUCTS)), tmp_path, ("-O1", "-march=native"))
    random = np.random.default_rng(0)
    for t, d, f in ((131, 301, 903), (1, 65, 70), (5, 3, 2)):
        sizes = {"b": 2, "t": t, "d": d, "f": f, "g": 3, "k": 33, "j": 18}
        x, h = (random.standard_normal(shape).astype(np.float32) for shape in ((2, t, d), (2, t, 3, 33)))
        w, v = (random.standard_normal(shape).astype(np.float32) for shape in ((f, d), (3, 33, 18)))
        save_file({"W": w, "V": v}, tmp_path / "weights.safetensors")
        save_file({"x": x, "h": h}, tmp_path / "in.safetensors")
        found = ran(program, tmp_path, sizes, "in")
        assert relative(found["y"], np.einsum("btd,fd->btf", x, w)) < EXACT
        assert relative(found["z"], np.einsum("btgk,gkj,glj->bgtl", h, v, v)) < EXACT
        assert relative(found["a"], np.einsum("btgk,bsgk->bgts", h, h)) < EXACT


TINY = """fragment Double(x: f32[b,d]) -> f32[b,d]:
  param w: f32[(h k)] from "näme/1"
  y[b,d] = x[b,d] * 2.0 * sum[h,k](w[h,k])
  return y
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Executable:
    return build(print_cpp(compiled(TINY)), tmp_path_factory.mktemp("tiny"), QUICK)


SIZES = {"b": 1, "d": 3, "h": 2, "k": 2}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_weights_are_read_in_any_precision(tiny: Executable, tmp_path: Path, dtype: str) -> None:
    import torch
    from safetensors.torch import save_file as save_torch

    values = torch.tensor([1.5, -2.25, 6.1e-5, 3e-7 if dtype == "float16" else 0.125]).to(getattr(torch, dtype))
    save_torch({"näme/1": values}, tmp_path / "weights.safetensors", metadata={"sizes": "b=1,d=3,h=2,k=2", "said": 'a "word"\\\n'})
    save_file({"x": np.ones((1, 3), np.float32)}, tmp_path / "in.safetensors")
    program = subprocess.run(
        [tiny.path, tmp_path / "weights.safetensors", "--inputs", tmp_path / "in.safetensors", "--output", tmp_path / "out.safetensors"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not program.stderr
    np.testing.assert_allclose(load_file(tmp_path / "out.safetensors")["y"], np.full((1, 3), 2 * values.double().sum()), rtol=1e-6)


def broken(header: dict[str, Any] | bytes, data: bytes = bytes(16), length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


FOUR = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
WRONG = {
    "no file": (None, "cannot be read as a safetensors file"),
    "empty": (b"", "cannot be read as a safetensors file"),
    "header longer than the file": (broken({"näme/1": FOUR}, length=1 << 60), "header would be longer than the file"),
    "no JSON": (broken(b"[1, 2, 3]     "), "is no JSON"),
    "cut JSON": (broken(b'{"n'), "ends too early"),
    "another entry": (broken({"näme/1": FOUR | {"other": [1]}}), "an entry it may not have: other"),
    "data outside": (broken({"näme/1": FOUR | {"data_offsets": [8, 24]}}), "lies outside the file"),
    "bytes and shape differ": (broken({"näme/1": FOUR | {"shape": [3]}}), "another number of bytes than its shape says"),
    "larger than the file": (broken({"näme/1": FOUR | {"shape": [1 << 40, 1 << 40]}}), "is larger than the file"),
    "another shape": (broken({"näme/1": FOUR | {"shape": [1, 4, 1]}}), ""),
    "no grouping": (broken({"näme/1": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}), "is no grouping of [2, 2]"),
    "another tensor": (broken({"other": FOUR}), "has no tensor näme/1"),
    "another dtype": (broken({"näme/1": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}), "dtype U8 are not read"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_told_in_a_sentence(tiny: Executable, tmp_path: Path, case: str) -> None:
    content, said = WRONG[case]
    if content is not None:
        (tmp_path / "weights.safetensors").write_bytes(content)
    save_file({"x": np.ones((1, 3), np.float32)}, tmp_path / "in.safetensors")
    if not said:  # axes of size 1 are no difference
        assert ran(tiny, tmp_path, SIZES, "in")["y"].tolist() == [[0.0, 0.0, 0.0]]
        return
    with pytest.raises(CppError, match="ended with 1: model: .*" + re.escape(said)):
        ran(tiny, tmp_path, SIZES, "in")


def test_random_damage_never_crashes_the_reader(tiny: Executable, tmp_path: Path) -> None:
    save_file({"x": np.ones((1, 3), np.float32)}, tmp_path / "in.safetensors")
    random = np.random.default_rng(1)
    good = broken({"näme/1": FOUR, "__metadata__": {"a": "\\u00e4\n"}})
    for _ in range(60):
        content = bytearray(good)
        for place in random.integers(0, len(good), random.integers(1, 5)):
            content[place] = int(random.integers(0, 256))
        (tmp_path / "weights.safetensors").write_bytes(bytes(content[: random.integers(8, len(content) + 1)]))
        command = [tiny.path, tmp_path / "weights.safetensors", "--sizes", "b=1,d=3,h=2,k=2", "--inputs", tmp_path / "in.safetensors"]
        made = subprocess.run(command, capture_output=True, check=False)
        assert made.returncode in (0, 1), made.stderr


LIBRARY = """
#include <cstdio>
#include "module.hpp"

int main(int, char** words) {
  fdl::Safetensors file(words[1]);
  fdl::model::Sizes sizes;
  for (const auto& [name, size] : {SIZES}) sizes.set(name, size);
  const fdl::model::LM model(file, sizes);
  fdl::Array<fdl::i64, 2> prompt({1, 3}), next({1, 1});
  for (int n = 0; n < 3; ++n) prompt(0, n) = n + 1;
  fdl::model::LM::Cache cache;
  model.forward(prompt, &cache);
  for (fdl::i64 id : {7, 9}) {  // two ways to go on from one prompt
    fdl::model::LM::Cache fork = cache;
    next(0, 0) = id;
    const auto logits = model.forward(next, &fork);
    std::printf("%.7g\\n", double(logits(0, 0, 5)));
  }
}
"""


def test_the_module_is_a_library_and_a_cache_can_be_forked(prepared: Any, tmp_path: Path) -> None:
    import torch

    case = CASES["gpt_neox"]
    _, weights, reference = prepared("gpt_neox")
    files = print_cpp(compiled(case.text, case.constants))
    sizes = ", ".join(f'std::pair<const char*, int>{{"{name}", {size}}}' for name, size in case.sizes.items())
    build(files | {"main.cpp": LIBRARY.replace("{SIZES}", "{" + sizes + "}")}, tmp_path, STRICT)
    made = subprocess.run([tmp_path / "model", weights], capture_output=True, text=True, check=True)
    with torch.no_grad():
        wanted = [float(reference(torch.tensor([[1, 2, 3, last]])).logits[0, -1, 5]) for last in (7, 9)]
    np.testing.assert_allclose([float(line) for line in made.stdout.split()], wanted, rtol=1e-4)


def test_ids_in_logits_out(prepared: Any) -> None:
    import torch

    case = CASES["gpt_neox"]
    program, weights, reference = prepared("gpt_neox")
    told, _ = program.started(weights, case.sizes, "--ids", "5,1,9")
    with torch.no_grad():
        wanted = reference(torch.tensor([[5, 1, 9]])).logits[0, -1].numpy()
    lines = [line.split("\t") for line in told.splitlines()]
    assert [int(number) for number, _ in lines] == list(range(case.sizes["v"]))
    assert np.abs(np.array([float(value) for _, value in lines]) - wanted).max() <= 1e-4 * np.abs(wanted).max()
    with pytest.raises(CppError, match="read at 1000, which lies outside 0 to 96"):
        program.started(weights, case.sizes, "--ids", "5,1000")
    with pytest.raises(CppError, match="there is no size zz"):
        program.started(weights, {"zz": 1}, "--ids", "5")


def test_nothing_but_the_standard_library_is_included() -> None:
    files = print_cpp(compiled(CASES["llama"].text))
    included = {name for text in files.values() for name in re.findall(r"^\s*#include (\S+)", text, re.M)}
    own = {f'"{name}"' for name in (*HEADERS, "module.hpp")}
    assert all(re.fullmatch(r"<[a-z]+>", name) for name in included - own) and included >= own - {'"main.cpp"'}
    assert all(text == print_cpp(compiled(CASES["llama"].text))[name] for name, text in files.items()), "the same text gives the same bytes"
