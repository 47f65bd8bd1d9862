"""Printed C++ beside transformers on one thread: a prompt at once, and tokens one by one with a cache, as a fraction of torch's speed.

`python bench/fdl_cpp.py [--hidden 512] [--layers 4] [--tokens 256] [--decoded 32] [--repeat 5]`
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import forge_assets.blueprints.fdl as fdl
from bench.common import machine
from forge_assets.blueprints.fdl.backends.cpp import print_cpp
from forge_assets.blueprints.fdl.backends.cpp.running import FAST, Executable, build
from forge_assets.blueprints.fdl.check import compiled

TEXT = Path(fdl.__file__).parent / "architectures" / "llama.fdl"
HEAD, VOCABULARY = 64, 8192


def model(hidden: int, layers: int, positions: int) -> tuple[Any, dict[str, int]]:
    """A Llama with grouped heads, and the sizes of the same model in FDL."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    heads, inner = hidden // HEAD, hidden * 11 // 4
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=heads // 2, max_position_embeddings=positions, rms_norm_eps=1e-5, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    )  # fmt: skip
    sizes = {"v": VOCABULARY, "d": hidden, "f": inner, "L": layers, "g": heads // 2, "r": 2, "j": HEAD // 2}
    return LlamaForCausalLM(config).eval(), sizes


def best(work: Callable[[], Any], repeat: int) -> float:
    work()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def of_torch(reference: Any, ids: Any, decoded: int, repeat: int) -> tuple[float, float, Any]:
    """Seconds for the whole prompt, seconds for `decoded` tokens after the rest of it, and the logits."""
    import torch

    prompt = ids[:, : ids.shape[1] - decoded]

    def step_by_step(tokens: int) -> None:
        cache = reference(prompt, use_cache=True).past_key_values
        for at in range(prompt.shape[1], prompt.shape[1] + tokens):
            cache = reference(ids[:, at : at + 1], past_key_values=cache, use_cache=True).past_key_values

    with torch.no_grad():
        whole = best(lambda: reference(ids, use_cache=False), repeat)
        steps = best(lambda: step_by_step(decoded), repeat) - best(lambda: step_by_step(0), repeat)
        return whole, steps, reference(ids).logits.numpy()


def of_cpp(program: Executable, folder: Path, sizes: dict[str, int], length: int, decoded: int, repeat: int) -> tuple[float, float]:
    def seconds(inputs: str, steps: tuple[int, ...]) -> float:
        more = ("--inputs", str(folder / inputs), "--output", str(folder / "out.safetensors"))
        _, told = program.started(folder / "weights.safetensors", sizes, *more, steps=steps, repeat=repeat)
        return float(re.search(r"seconds ([\d.]+)", told)[1])  # type: ignore[index]

    whole = seconds("ids.safetensors", ())
    return whole, seconds("ids.safetensors", (length - decoded, 1)) - seconds("prompt.safetensors", (length - decoded,))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("hidden", 512), ("layers", 4), ("tokens", 256), ("decoded", 32), ("repeat", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    import torch
    from safetensors.numpy import load_file, save_file

    torch.set_num_threads(1)
    reference, sizes = model(given.hidden, given.layers, given.tokens)
    ids = torch.from_numpy(np.random.default_rng(0).integers(0, VOCABULARY, (1, given.tokens)))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        start = time.perf_counter()
        program = build(print_cpp(compiled(TEXT.read_text(encoding="utf-8"))), folder, FAST)
        compiling = time.perf_counter() - start
        save_file({name: np.ascontiguousarray(one.numpy()) for name, one in reference.state_dict().items()}, folder / "weights.safetensors")
        save_file({"ids": ids.numpy()}, folder / "ids.safetensors")
        save_file({"ids": np.ascontiguousarray(ids[:, : given.tokens - given.decoded].numpy())}, folder / "prompt.safetensors")
        whole, steps, wanted = of_torch(reference, ids, given.decoded, given.repeat)
        whole_cpp, steps_cpp = of_cpp(program, folder, sizes, given.tokens, given.decoded, given.repeat)
        program.run(folder / "weights.safetensors", sizes, folder / "ids.safetensors", folder / "out.safetensors")
        difference = np.abs(load_file(folder / "out.safetensors")["logits"] - wanted).max() / np.abs(wanted).max()
    print(machine())
    print(
        f"Llama, {sum(one.numel() for one in reference.parameters()) / 1e6:.1f}M parameters, f32, one thread; compiled in {compiling:.1f} s"
    )
    print(f"largest difference of logits, relative to scale: {difference:.1e}")
    print(f"{'':>28}{'transformers':>14}{'C++':>12}{'C++ as a fraction of torch':>30}")
    for told, torch_seconds, cpp_seconds, count in (
        (f"{given.tokens} tokens at once", whole, whole_cpp, given.tokens),
        (f"{given.decoded} tokens one by one", steps, steps_cpp, given.decoded),
    ):
        speeds = f"{count / torch_seconds:>10.0f} t/s{count / cpp_seconds:>8.0f} t/s"
        print(f"{told:>28}{speeds}{torch_seconds / cpp_seconds:>30.2f}")


if __name__ == "__main__":
    main()
