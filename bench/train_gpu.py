"""Tokens/s and MFU of 10-trained's trainer for the preset small-gpu on one GPU, as one command from the repository alone.

`.venv/bin/python bench/train_gpu.py [--seconds 120]`: a Llama of about 120M parameters, AdamW, bf16, compiled, on random tokens, by the
loop that trains a fragment. The share of the peak is of the card's data sheet, attention counted over the whole context (PaLM's way).
`--tiny` takes a few steps of a small shape on whatever is here, to see that the path runs; its figures say nothing of a GPU.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from bench.training_job import prepared
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.fragments.train.learner import flops_per_token
from forge_assets.fragments.train.peaks import device_peak
from forge_assets.fragments.train.processes import joined
from forge_assets.fragments.train.settings import Training, preset_of

SMALL = ModelShape("llama", 12, 768, 12, 4, 64, 2304, 32_768, gated=True, tied=True, context=1024)
TINY = ModelShape("llama", 2, 64, 4, 2, 16, 128, 512, gated=True, tied=True, context=64)
WARM = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long it measures")
    parser.add_argument("--micro", type=int, help="sequences at once; default: the preset's")
    parser.add_argument("--recompute", action="store_true")
    parser.add_argument("--eager", action="store_true", help="without torch.compile")
    parser.add_argument("--tiny", action="store_true", help="see that the path runs, without a GPU")
    chosen = parser.parse_args()
    if not chosen.tiny and not torch.cuda.is_available():
        sys.exit("no GPU is here; --tiny runs the same path at a small size")
    shape = TINY if chosen.tiny else SMALL
    training = Training(**{**preset_of("small-gpu").settings, "steps": 10**6, "context": shape.context})
    micro = chosen.micro or (2 if chosen.tiny else training.micro)
    training = replace(training, micro=micro, sequences=2 * micro if chosen.tiny else training.sequences, recompute=chosen.recompute,
                       device="cuda" if torch.cuda.is_available() else "cpu", compile=not chosen.eager)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, joined(training) as here:
        run = prepared(Path(folder), shape, training, here)
        job = run.job
        parameters = sum(one.numel() for one in run.learner.weights().values())
        flops, peak = flops_per_token(job.text, job.sizes, training.context), device_peak(training)
        step, times, began = training.sequences * training.context, [], time.monotonic()
        for number in range(10**6):
            started = time.perf_counter()
            line = run.stepped()  # its loss is read back, so the device is done
            if number >= WARM:
                times.append(time.perf_counter() - started)
            if number > WARM and time.monotonic() - began > chosen.seconds:
                break
    speed = step / statistics.median(times)
    name = torch.cuda.get_device_name() if training.device == "cuda" else "CPU"
    memory = f", {torch.cuda.max_memory_allocated() / 2**30:,.1f} GiB" if training.device == "cuda" else ""
    print(f"{name}: {parameters / 1e6:,.1f}M parameters, {training.micro} of {training.sequences} x {training.context} tokens at once, "
          f"{training.precision}{memory}, loss {line['loss']:.3f}")  # fmt: skip
    share = f"MFU {100 * speed * flops / peak:.1f}% of {peak / 1e12:,.2f} TFLOP/s"
    print(f"{speed:,.0f} tokens/s, {speed * flops / 1e12:,.2f} TFLOP/s, {share}, median of {len(times)} steps")


if __name__ == "__main__":
    main()
