"""Whether a model can be trained on given GPUs, and how: the simplest split and recomputation that fit; what the stack solver calls.

Memory is linear: `terms` gives bytes per parameter and per token of a micro-batch for a choice of precision, optimizer and recomputation,
so that a solver can add them up; `budget` decides with the full estimate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from forge_assets.compatibility.arithmetic.hardware import Gpu
from forge_assets.compatibility.arithmetic.items import FITS_UNDER, Estimate
from forge_assets.compatibility.arithmetic.plan import Recompute, Split, Training
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.compatibility.arithmetic.training import training_memory
from forge_resources.errors import ShapeError

RECOMPUTE: tuple[Recompute, ...] = ("none", "selective", "full")


@dataclass(frozen=True, slots=True)
class Budget:
    """`fits` tells whether `estimate` stays under 80% of `capacity`. `binding`: the largest item where it does not fit, else None."""

    fits: bool
    plan: Training
    estimate: Estimate
    capacity: int
    binding: str | None

    @property
    def told(self) -> str:
        """One sentence."""
        gib, room = self.estimate.bytes / 2**30, FITS_UNDER * self.capacity / 2**30
        how = f"{self.plan.split.told}, recomputation {self.plan.recompute}"
        if self.fits:
            return f"fits: {gib:,.1f} GiB of {room:,.1f} usable with {how}"
        return (
            f"does not fit: the best plan ({how}) needs {gib:,.1f} GiB of {room:,.1f} usable; most of it, "
            f"{self.estimate.largest.bytes / 2**30:,.1f} GiB, for {self.binding}"
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """Bytes = constant + per_token x tokens of one micro-batch, on the fullest device; exact in the tokens for flash attention."""

    constant: int
    per_token: float

    def bytes(self, tokens: int) -> int:
        return int(self.constant + self.per_token * tokens)


def budget(shape: ModelShape, gpu: Gpu | int, gpus: int, plan: Training, *, free_split: bool = True, free_recompute: bool = True) -> Budget:
    """The first plan that fits, from the simplest on; where none does, the one that needs least. `gpu`: a card, or bytes of memory.

    `free_split`, `free_recompute`: whether the plan's own split and recomputation may be changed.
    Raises ShapeError where no split uses this number of GPUs."""
    capacity = gpu if isinstance(gpu, int) else gpu.memory
    best: Budget | None = None
    for tried in _plans(shape, gpus, plan, free_split, free_recompute):
        try:
            tried.split.check(shape)
        except ShapeError:
            if not free_split:
                raise
            continue
        found = training_memory(shape, tried)
        if found.fits(capacity):
            return Budget(True, tried, found, capacity, None)
        if best is None or found.bytes < best.estimate.bytes:
            best = Budget(False, tried, found, capacity, found.largest.name)
    if best is None:
        raise ShapeError(f"no split divides {shape.layers} layers and {shape.heads} heads over {gpus} GPUs; try a number that divides them")
    return best


def _plans(shape: ModelShape, gpus: int, plan: Training, free_split: bool, free_recompute: bool) -> Iterator[Training]:
    """From the simplest on: replicas, ZeRO, recomputation, then tensor parallelism inside a node, then pipelines."""
    choices = RECOMPUTE if free_recompute else (plan.recompute,)
    if plan.attention == "flash" and free_recompute:  # it never keeps what selective recomputation would drop
        choices = ("none", "full")
    for splits in _splits(shape, gpus) if free_split else ((plan.split,),):
        for recompute in choices:
            yield from (replace(plan, split=split, recompute=recompute) for split in splits)


def _splits(shape: ModelShape, gpus: int) -> Iterator[tuple[Split, ...]]:
    """Degrees of tensor and pipeline parallelism, each with the stages of ZeRO that go with them."""
    if gpus < 1:
        raise ShapeError(f"{gpus} GPUs is no machine; expected 1 or more")
    for pipeline in (n for n in range(1, shape.layers + 1) if shape.layers % n == 0 and gpus % n == 0):
        for tensor in (1, 2, 4, 8):
            if gpus % (tensor * pipeline):
                continue
            data = gpus // (tensor * pipeline)
            expert = max((n for n in range(1, data + 1) if data % n == 0 and shape.moe.experts % n == 0), default=1) if shape.moe else 1
            stages = (0, 1, 2, 3) if data > 1 and pipeline == 1 else (0, 1) if data > 1 else (0,)  # pipelines shard states only
            yield tuple(Split(data, tensor, pipeline, 1, expert, zero) for zero in stages)


def terms(shape: ModelShape, plan: Training) -> Terms:
    """The line through two micro-batches, of 8 and 16 times the context: there activations decide the moment of the peak."""
    low, high = (replace(plan, micro_batch=n) for n in (8, 16))
    small, large = training_memory(shape, low).bytes, training_memory(shape, high).bytes
    slope = (large - small) / (high.tokens - low.tokens)
    return Terms(int(small - slope * low.tokens), slope)


def largest_micro_batch(shape: ModelShape, gpu: Gpu | int, plan: Training, most: int = 4096) -> int:
    """Sequences per device that still fit; 0 where not even one does."""
    capacity = gpu if isinstance(gpu, int) else gpu.memory
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        fits = training_memory(shape, replace(plan, micro_batch=middle)).fits(capacity)
        low, high = (middle, high) if fits else (low, middle - 1)
    return low
