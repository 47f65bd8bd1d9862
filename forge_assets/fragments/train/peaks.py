"""What a device could compute at most: of a card by its data sheet, of a CPU by a product of matrices that is measured here."""

from __future__ import annotations

import time
from functools import cache

import torch

from forge_assets.compatibility.arithmetic.compute import peak
from forge_assets.compatibility.arithmetic.hardware import Gpu, gpus
from forge_assets.fragments.train.settings import Training

SIDE, TRIES = 1024, 5


def device_peak(training: Training) -> float:
    """FLOP/s of matrix products of one device in the run's precision."""
    if training.device == "cuda" and (card := _card(torch.device("cuda", torch.cuda.current_device()))):
        return peak(card, "fp32" if training.precision == "fp32" else "mixed")
    return measured(training.precision, training.threads, training.device)


def _card(device: torch.device) -> Gpu | None:
    """The card of the list with this device's model, and of those the one with the nearest memory."""
    name, memory = torch.cuda.get_device_name(device), torch.cuda.get_device_properties(device).total_memory
    known = [one for one in gpus().values() if (model := one.name.split()[1]) in name.replace("-", " ").split() or model in name]
    return min(known, key=lambda one: abs(one.memory - memory), default=None)


@cache
def measured(precision: str, threads: int, device: str = "cpu") -> float:
    """The best of a few products of square matrices."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        a = torch.ones((SIDE, SIDE), dtype=dtype, device=device)
        times = []
        for _ in range(TRIES):
            started = time.perf_counter()
            (a @ a).sum().item()
            times.append(time.perf_counter() - started)
    finally:
        torch.set_num_threads(before)
    return 2 * SIDE**3 / min(times)
