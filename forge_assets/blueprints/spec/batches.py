"""How a step's tokens are cut: the solver plans one sequence at a time and about a million tokens a step for any model; a spec fills the
card's memory and takes fewer tokens a step for smaller models. What the request pins stays as the solver has it."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.blueprints.spec.shapes import split_of
from forge_assets.compatibility.arithmetic.items import Estimate
from forge_assets.compatibility.arithmetic.plan import Training
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.compatibility.arithmetic.training import training_memory
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack

STEP_TOKENS = ((2e7, 2**15), (2e8, 2**17), (2e9, 2**19), (5e9, 2**20), (2e10, 2**21), (float("inf"), 2**22))
STEP_SOURCE = "tokens a step by size, in powers of two (Brown et al. 2020, arXiv 2005.14165, table 2.1; below it McCandlish et al. 2018)"
MICRO_SOURCE = "the largest power of two whose step stays under 80% of the card (arithmetic/training.py)"
MOST_MICRO = 64
PINNABLE = frozenset({"micro_batch", "gradient_accumulation", "global_batch"})


@dataclass(frozen=True, slots=True)
class Batches:
    """Sequences: `micro` at once on a data-parallel device, `accumulation` times, `whole` a step."""

    micro: int
    accumulation: int
    whole: int
    pinned: bool
    memory: Estimate


def batches_of(stack: Stack, request: Request, shape: ModelShape) -> Batches:
    numbers = stack.numbers
    data, stages = int(numbers["data_parallel"]), int(numbers["pipeline_parallel"])
    if PINNABLE & {pin.what for pin in request.pins}:
        micro, passes = int(numbers["micro_batch"]), int(numbers["gradient_accumulation"])
        return Batches(micro, passes, int(numbers["global_batch"]), True, _memory(stack, request, shape, micro, passes))
    tokens = next(step for most, step in STEP_TOKENS if request.params <= most)
    rows = max(stages, _power(tokens / (request.context * data)))  # sequences a device in a step; no fewer than there are stages
    micro = 1
    while request.gpu_memory and 2 * micro * stages <= rows and 2 * micro <= MOST_MICRO:
        if not _memory(stack, request, shape, 2 * micro, rows // (2 * micro)).fits(request.gpu_memory):
            break
        micro *= 2
    passes = rows // micro
    return Batches(micro, passes, micro * passes * data, False, _memory(stack, request, shape, micro, passes))


def _power(rows: float) -> int:
    """The nearest power of two from below, at least 1."""
    found = 1
    while 2 * found <= rows:
        found *= 2
    return found


def _memory(stack: Stack, request: Request, shape: ModelShape, micro: int, passes: int) -> Estimate:
    setting = stack.memory["setting"]
    return training_memory(
        shape,
        Training(
            context=request.context,
            micro_batch=micro,
            micro_batches=passes,
            precision=setting["precision"],
            optimizer=setting["optimizer"],
            recompute=setting["recompute"],
            attention="flash" if setting["attention"] == "flash" else "eager",
            split=split_of(stack),
            keeps_logits=False,
        ),
    )
