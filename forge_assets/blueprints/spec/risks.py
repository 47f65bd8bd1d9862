"""What a reader of the spec should know before money is spent: limits of the estimates, and what is unusual in the plan."""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.blueprints.spec.model import Risk
from forge_assets.compatibility.arithmetic.items import FITS_UNDER, Estimate
from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack

OFF = 0.05
IDLE = 0.5


def risks_of(stack: Stack, request: Request, shape: ModelShape, memory: Estimate) -> tuple[Risk, ...]:
    return tuple(_risks(stack, request, shape, memory))


def _risks(stack: Stack, request: Request, shape: ModelShape, memory: Estimate) -> Iterator[Risk]:
    total = counts(shape).total
    if abs(total / request.params - 1) > OFF:
        told = f"the model has {total:,} parameters, {total / request.params - 1:+.0%} against the {request.params:,} asked for"
        yield Risk(statement=told, source="sizes of the solved stack, counted with its components (arithmetic/parameters.py)")
    if request.gpu_memory and not memory.fits(request.gpu_memory):
        needs, usable = memory.bytes / 2**30, FITS_UNDER * request.gpu_memory / 2**30
        told = f"a step needs {needs:.1f} GiB, {usable:.1f} are usable, most of it for {memory.largest.name}; pin activation_memory"
        yield Risk(statement=told, source="the FFN was made wider than the solver had it, to come to the size asked for")
    if memory.unvalidated:
        told = f"memory is an estimate that no measurement backs ({memory.unvalidated}); it may be {memory.high / 2**30:.1f} GiB"
        yield Risk(statement=told, source="arithmetic/training.py")
    if request.gpu_memory and memory.bytes < IDLE * request.gpu_memory:
        told = f"a step uses {memory.bytes / request.gpu_memory:.0%} of a GPU's memory; fewer or smaller GPUs would do"
        yield Risk(statement=told, source="arithmetic/training.py against the request's GPU memory")
    if not stack.optimal:
        yield Risk(statement=f"a stack up to {stack.gap:.1%} better may exist", source="the solver's bound")
    if not request.gpu_memory:
        yield Risk(statement="whether a step fits is not known: the request names no memory", source="the request")
    for warning in stack.warnings:
        yield Risk(statement=warning, source="a soft constraint; `forge constraints show` tells its source")
    yield Risk(statement="loss and benchmark scores are not foretold; only size, memory, time and energy are", source="limits of this spec")
