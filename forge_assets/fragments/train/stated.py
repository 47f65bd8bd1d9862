"""What a blueprint's spec says of its training, in the names of the settings."""

from __future__ import annotations

import shutil
from typing import Any

from forge_assets.blueprints.fdl.backends.cpp.running import COMPILERS
from forge_assets.blueprints.scaffold.parts import RECOMPUTING, REPLICATED
from forge_assets.blueprints.spec.model import Spec
from forge_assets.fragments.train.settings import WHOLE_MATRICES
from forge_resources.compute import Compute, compute


def stated(spec: Spec) -> dict[str, Any]:
    """A rate or moment that the optimizer does not use is left out; what the machine asks for stands in `machine`."""
    optimizer, schedule, rate = spec.optimizer, spec.schedule, spec.optimizer.learning_rate.value
    recompute = spec.infrastructure.get("activation_memory")
    moments = {name: getattr(optimizer, name) for name in ("beta1", "beta2", "epsilon", "momentum")}
    return {
        "optimizer": optimizer.component.value,
        "schedule": schedule.component.value,
        "learning_rate": rate,
        **{name: one.value for name, one in moments.items() if one is not None},
        "weight_decay": optimizer.weight_decay.value,
        "clip": optimizer.gradient_clip.value,
        "final": schedule.final_learning_rate.value / rate,
        "steps": schedule.steps.value,
        "warmup": schedule.warmup_steps.value,
        "context": spec.architecture.context.value,
        "micro": spec.batching.micro_batch.value,
        "sequences": spec.batching.global_batch.value,
        "precision": "fp32" if spec.precision.compute.value == "fp32" else "bf16",
        "compile": True,
        "recompute": recompute is not None and recompute.value in RECOMPUTING,
        **_spread(spec),
        "evaluate": spec.evaluation.every_steps.value,
        "checkpoint": spec.checkpoints.every_steps.value,
        "keep": spec.checkpoints.keep.value,
    }


def _spread(spec: Spec) -> dict[str, Any]:
    """Data parallelism over all cards of the spec; a degree of another kind is not built here, its cards take part in this one."""
    processes, component = spec.parallelism.world_size.value, spec.parallelism.component
    if processes == 1:
        return {"processes": 1, "parallel": "none"}
    replicated = spec.optimizer.component.value in WHOLE_MATRICES or component is None or component.value in REPLICATED
    return {"processes": processes, "parallel": "ddp" if replicated else "fsdp2"}


def machine(found: Compute | None = None) -> dict[str, Any]:
    """What this machine decides, pinned with the first build: the device, threads, float32 where bf16 would only be slower, and no
    torch.compile where there is no compiler for it."""
    here = found or compute()
    compiler = {} if any(shutil.which(one) for one in COMPILERS) else {"compile": False}
    if here.gpus:
        return {"device": "cuda", "threads": 1, **compiler}
    return {"device": "cpu", "threads": here.cores, **compiler, **({} if here.bf16 else {"precision": "fp32"})}
