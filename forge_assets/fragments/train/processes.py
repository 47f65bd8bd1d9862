"""Processes started by torchrun, and how a model is spread over them: copies (DDP) or shards (FSDP2). Alone, nothing here changes
anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from forge_assets.fragments.train.learner import Learner, blocks_of
from forge_assets.fragments.train.settings import Training
from forge_resources.errors import FragmentError


@dataclass(frozen=True, slots=True)
class Processes:
    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def mean(self, value: torch.Tensor) -> float:
        """Over all processes."""
        if self.count > 1:
            value = value.detach().double()
            dist.all_reduce(value)
            value = value / self.count
        return float(value)

    def wait(self) -> None:
        if self.count > 1:
            dist.barrier()


@contextmanager
def joined(training: Training) -> Iterator[Processes]:
    """Joins the group that torchrun has started, and leaves it. Raises FragmentError where it is not as many as the settings say."""
    rank, count, local = (int(os.environ.get(name, default)) for name, default in (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0)))
    if count != training.processes:
        raise FragmentError(
            f"training is set for {training.processes} processes and was started with {count}; "
            f"start it by `torchrun --nproc-per-node {training.processes} -m forge_assets.fragments.train FOLDER`"
        )
    if training.device == "cuda":
        if not torch.cuda.is_available():
            raise FragmentError("training is set for a GPU and torch sees none; choose --preset tiny-cpu, or build where the GPU is")
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    else:
        device = torch.device("cpu")
    if count > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    threads = torch.get_num_threads()
    torch.set_num_threads(training.threads)
    try:
        yield Processes(rank, count, device)
    finally:
        torch.set_num_threads(threads)
        if count > 1:
            dist.destroy_process_group()


def spread(learner: Learner, training: Training, here: Processes) -> nn.Module:
    """The learner as each process runs it; parameters stay float32."""
    if training.parallel == "ddp":
        return DistributedDataParallel(learner, device_ids=[here.device.index] if here.device.type == "cuda" else None)
    if training.parallel == "fsdp2":
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

        mesh = init_device_mesh(here.device.type, (here.count,))
        policy = MixedPrecisionPolicy(param_dtype=learner.dtype, reduce_dtype=torch.float32)
        for block in blocks_of(learner.model):
            fully_shard(block, mesh=mesh, mp_policy=policy)
        fully_shard(learner, mesh=mesh, mp_policy=policy)
    return learner


@contextmanager
def gathering(model: nn.Module, last: bool) -> Iterator[None]:
    """Gradients are summed over processes in the last pass of a step only."""
    held: Any = model
    if hasattr(model, "set_requires_gradient_sync"):  # FSDP2 gives it
        held.set_requires_gradient_sync(last)
    if isinstance(model, DistributedDataParallel) and not last:
        with model.no_sync():
            yield
    else:
        yield
