"""How many elements of each weight one device holds under a split: tensor, pipeline and expert parallelism, and the shards of ZeRO."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from forge_assets.compatibility.arithmetic.parameters import Weights, weights
from forge_assets.compatibility.arithmetic.plan import Split
from forge_assets.compatibility.arithmetic.shape import ModelShape

Stage = Literal["only", "first", "last"]


@dataclass(frozen=True, slots=True)
class Held:
    """`tensors` of the group's tensors (a fraction where they are cut) lie on one device; ZeRO cuts them once more by `replicas`."""

    group: Weights
    tensors: float
    replicas: int

    @property
    def elements(self) -> float:
        return self.group.each * self.tensors


def stages(split: Split) -> tuple[Stage, ...]:
    """Those that may be fullest: the first holds the embedding and most micro-batches, the last the head and the logits."""
    return ("only",) if split.pipeline == 1 else ("first", "last")


def held(shape: ModelShape, split: Split, stage: Stage = "only") -> Iterator[Held]:
    for group in weights(shape):
        tensors = group.copies * _on_stage(group, shape, split, stage) / _cut(group, shape, split)
        if tensors:
            yield Held(group, tensors, split.replicas // split.expert if group.division == "expert" else split.replicas)


def _on_stage(group: Weights, shape: ModelShape, split: Split, stage: Stage) -> float:
    """Share of the group's tensors on this stage. A tied embedding lies on the first stage and, as head, on the last."""
    if stage == "only":
        return 1
    if group.component == "embedding":
        return float(stage == "first" or (shape.tied and group.name == "embedding"))
    if group.component == "head":
        return float(stage == "last")
    return 1 / split.pipeline


def _cut(group: Weights, shape: ModelShape, split: Split) -> int:
    """Parts that a tensor is cut into; keys and values are repeated where there are fewer key heads than devices."""
    if group.division == "none":
        return 1
    if group.division == "expert":
        return split.expert * split.tensor
    if group.name.split(".")[0] in ("key", "value") and not shape.latent:
        return min(split.tensor, shape.kv_heads)
    return split.tensor
