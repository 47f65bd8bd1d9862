"""Whether this machine can do a run, by estimate, before it begins: memory of a process, and hours by the peak that is measured here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from forge_assets.blueprints.fdl.check import compiled
from forge_assets.fragments.chain import ASSEMBLED, CHAIN
from forge_assets.fragments.train.settings import Training
from forge_assets.fragments.weights import weights_of
from forge_resources.compute import compute
from forge_resources.errors import FragmentError

SHARES = {"cpu": 0.3, "cuda": 0.35}
"""Of the peak that a run reaches, assumed; small models reach less on a card."""
STATE_BYTES = 16
"""Of each parameter: weight, gradient and two moments in float32 (Rajbhandari et al. 2020, arXiv 1910.02054, section 3.1)."""
LOGIT_BYTES = 8
"""Of each logit: its value in the run's precision, and its float32 copy or gradient."""
WAYS = "choose a smaller run by --preset tiny-cpu or --set steps=N, or build where the GPUs are"
ACTIVATIONS = 40
"""Values a layer keeps of each token and feature, about (Korthikanti et al. 2022, arXiv 2205.05198, equation 1, in values)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`bytes`: on the fullest device; `flops`: of the whole run."""

    parameters: int
    bytes: int
    flops: float

    def seconds(self, rate: float) -> float:
        """At so many FLOP/s."""
        return self.flops / rate


def estimate(text: str, sizes: Mapping[str, int], training: Training) -> Estimate:
    from forge_assets.fragments.train.learner import flops_per_token

    weights = weights_of(compiled(text), CHAIN[ASSEMBLED].model, sizes)
    parameters = sum(math.prod(one.shape) for one in weights.values())
    layers, width = sizes.get("L", 1), sizes.get("d", 1)
    positions = training.micro * training.context
    kept = positions * width * (layers + ACTIVATIONS if training.recompute else layers * ACTIVATIONS)
    bytes_each = 2 if training.precision == "bf16" else 4
    state = STATE_BYTES * parameters // (training.processes if training.parallel == "fsdp2" else 1)
    logits = positions * sizes.get("v", 1) * LOGIT_BYTES
    held = state + kept * bytes_each + logits
    return Estimate(parameters, round(held), flops_per_token(text, sizes, training.context) * training.tokens)


def check(text: str, sizes: Mapping[str, int], training: Training, fragment: str) -> str:
    """One sentence about what comes. Raises FragmentError for a run that does not fit here, or takes longer than the settings allow."""
    made, here = estimate(text, sizes, training), compute()
    what = f"{fragment}: {made.parameters:,} parameters, {training.tokens:,} tokens in {training.steps:,} steps"
    if training.device == "cuda":
        if len(here.gpus) < training.processes:
            raise FragmentError(f"{what}, set for {training.processes} GPUs, and {len(here.gpus)} are here; {WAYS}")
        memory, where = min(gpu.memory_mb for gpu in here.gpus[: training.processes]) << 20, "a GPU"
    else:
        memory, where = here.memory_bytes // training.processes, "a process"
    if made.bytes > memory:
        raise FragmentError(f"{what} need about {made.bytes / 2**30:,.1f} GiB, {where} has {memory / 2**30:,.1f} GiB; {WAYS}")
    seconds = made.seconds(rate(training))
    if seconds > 3600 * training.hours:
        raise FragmentError(
            f"{what} would take about {told(seconds)} here ({made.flops:.1e} FLOPs at {SHARES[training.device]:.0%} of the peak); {WAYS}; "
            f"or allow it by --set hours={math.ceil(1.5 * seconds / 3600)}"
        )
    return f"{what}, about {told(seconds)} on this machine"


def rate(training: Training) -> float:
    from forge_assets.fragments.train.peaks import device_peak

    return SHARES[training.device] * training.processes * device_peak(training)


def told(seconds: float) -> str:
    for most, unit, name in ((120, 1, "seconds"), (7200, 60, "minutes"), (48 * 3600, 3600, "hours")):
        if seconds < most:
            return f"{seconds / unit:,.0f} {name}"
    return f"{seconds / 86400:,.0f} days"
