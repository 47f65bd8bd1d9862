"""Trains an adapter: AdamW on its tensors alone, loss on answers alone, checkpoints from which a killed run goes on to the same bytes.

Nothing depends on what was drawn before: the order of an epoch follows from the seed, and there is no dropout.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.fragments.lora.adapter import logits
from forge_assets.fragments.lora.encoding import IGNORED, Encoded, padded
from forge_assets.fragments.lora.settings import Adaptation

CHECKPOINT = "checkpoint.pt"
WARM, LAST = 0.05, 0.1
"""Share of the steps over which the rate rises, and what it falls to as a share of its peak, both by straight lines."""
CLIP = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """`loss`: nats a token of the answers in this step's batch, before it."""

    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Trained:
    """`before`, `after`: nats a token of held-out answers."""

    steps: tuple[Step, ...]
    before: float
    after: float


@contextmanager
def fixed_threads(number: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def rate(step: int, chosen: Adaptation) -> float:
    """Of the step with this number, from 0."""
    warm = max(1, round(WARM * chosen.steps))
    if step < warm:
        return chosen.learning_rate * (step + 1) / warm
    return chosen.learning_rate * (1 - (1 - LAST) * (step - warm) / max(1, chosen.steps - warm))


def batch_of(step: int, examples: int, chosen: Adaptation) -> list[int]:
    """Which examples a step learns from: each once an epoch, in an order of the epoch's own."""
    places = []
    for place in range(step * chosen.batch, (step + 1) * chosen.batch):
        epoch, within = divmod(place, examples)
        places.append(int(np.random.Generator(np.random.PCG64([chosen.seed, epoch])).permutation(examples)[within]))
    return places


def train(model: Any, learnt: Sequence[Encoded], held_out: Sequence[Encoded], padding: int, chosen: Adaptation, work: Path) -> Trained:
    """Leaves the trained adapter in the model."""
    import torch

    tensors = {name: one for name, one in model.named_parameters() if one.requires_grad}
    optimizer = torch.optim.AdamW(tensors.values(), lr=chosen.learning_rate, betas=(0.9, 0.999), weight_decay=0.0)
    done, before = _resumed(work, tensors, optimizer)
    with fixed_threads(chosen.threads):
        if before is None:
            before = held_out_loss(model, held_out, padding, chosen)
            _keep(work, tensors, optimizer, done, before)
        for step in range(len(done), chosen.steps):
            for group in optimizer.param_groups:
                group["lr"] = rate(step, chosen)
            total, tokens = _loss(model, [learnt[place] for place in batch_of(step, len(learnt), chosen)], padding)
            loss = total / tokens
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tensors.values(), CLIP)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            done.append(Step(step + 1, float(loss.detach()), rate(step, chosen)))
            if len(done) % chosen.checkpoint == 0 or len(done) == chosen.steps:
                _keep(work, tensors, optimizer, done, before)
        return Trained(tuple(done), before, held_out_loss(model, held_out, padding, chosen))


def held_out_loss(model: Any, examples: Sequence[Encoded], padding: int, chosen: Adaptation) -> float:
    """Nats a token over all answers; examples of like length go together."""
    import torch

    mode = model.training
    model.eval()
    ordered = sorted(examples, key=lambda one: (len(one.ids), one.ids))
    total, count = 0.0, 0
    with torch.no_grad():
        for first in range(0, len(ordered), chosen.batch):
            loss, tokens = _loss(model, ordered[first : first + chosen.batch], padding)
            total, count = total + float(loss), count + tokens
    model.train(mode)
    return total / count


def _loss(model: Any, some: Sequence[Encoded], padding: int) -> tuple[Any, int]:
    """Summed negative log-likelihood of the answers' tokens, f32, and how many they are."""
    import torch

    ids, labels = (one.to(model.device) for one in padded(some, padding))
    found = logits(model, ids)[:, :-1].float().flatten(0, 1)
    wanted = labels[:, 1:].flatten()
    summed = torch.nn.functional.cross_entropy(found, wanted, ignore_index=IGNORED, reduction="sum")
    return summed, int((wanted != IGNORED).sum())


def _keep(work: Path, tensors: dict[str, Any], optimizer: Any, done: Sequence[Step], before: float) -> None:
    """A checkpoint under its name only when all of it is on the disk."""
    import torch

    aside = work / f"{CHECKPOINT}.new"
    rows = [[one.step, one.loss, one.learning_rate] for one in done]
    with aside.open("wb") as file:
        torch.save({"adapter": tensors, "optimizer": optimizer.state_dict(), "steps": rows, "before": before}, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(work / CHECKPOINT)


def _resumed(work: Path, tensors: dict[str, Any], optimizer: Any) -> tuple[list[Step], float | None]:
    import torch

    path = work / CHECKPOINT
    if not path.is_file():
        return [], None
    held = torch.load(path, map_location="cpu", weights_only=True)
    with torch.no_grad():
        for name, one in tensors.items():
            one.copy_(held["adapter"][name])
    optimizer.load_state_dict(held["optimizer"])
    return [Step(*row) for row in held["steps"]], held["before"]
