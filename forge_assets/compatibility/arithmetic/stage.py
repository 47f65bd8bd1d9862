"""The amounts of which the memory of training consists, on one device of one pipeline stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from forge_assets.compatibility.arithmetic.activations import norm, residual, saved
from forge_assets.compatibility.arithmetic.optimizers import optimizer_of
from forge_assets.compatibility.arithmetic.plan import Lora, Training
from forge_assets.compatibility.arithmetic.quantized import weight_bytes
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.compatibility.arithmetic.sharding import Held, Stage, held

CHUNK = 1024
"""Tokens whose logits a fused loss holds at once (Liger Kernel; Hsu et al. 2024)."""


class PipelineStage:
    """Amounts of one device of one pipeline stage, in bytes; what lasts from step to step, and what a micro-batch adds."""

    def __init__(self, shape: ModelShape, plan: Training, stage: Stage) -> None:
        self.shape, self.plan, self.stage = shape, plan, stage
        self.numbers, self.split = plan.numbers, plan.split
        self.held = tuple(held(shape, plan.split, stage))
        self.layers = shape.layers / plan.split.pipeline
        zero = plan.split.zero
        self.weight_shards: Callable[[Held], int] = lambda one: one.replicas if zero == 3 else 1
        self.gradient_shards: Callable[[Held], int] = lambda one: one.replicas if zero >= 2 else 1
        self.state_shards: Callable[[Held], int] = lambda one: one.replicas if zero >= 1 else 1

    # -- what lasts from step to step

    def weights(self) -> float:
        return sum(
            one.elements * weight_bytes(one.group, self.numbers.weight, self.plan.quantize) / self.weight_shards(one) for one in self.held
        )

    def trained(self, of: Sequence[str] = ()) -> list[Held]:
        """Trained weights, of some components; with LoRA its two factors of each targeted linear."""
        kept = [one for one in self.held if one.group.trained and (not of or one.group.component in of)]
        return [factor for one in kept for factor in adapters(one, self.plan.lora)] if self.plan.lora else kept

    def adapters(self) -> float:
        return sum(one.elements for one in self.trained()) * self.plan.lora.bytes if self.plan.lora else 0

    def master(self) -> float:
        return 0 if self.plan.lora else sum(one.elements / self.state_shards(one) for one in self.trained()) * self.numbers.master

    def states(self) -> float:
        optimizer, width = optimizer_of(self.plan.optimizer), self.plan.lora.bytes if self.plan.lora else self.numbers.state
        return sum(optimizer.state(one.group, width) * one.tensors / self.state_shards(one) for one in self.trained())

    def gradients(self, of: Sequence[str] = ()) -> float:
        width = self.plan.lora.bytes if self.plan.lora else self.numbers.gradient
        return sum(one.elements / self.gradient_shards(one) for one in self.trained(of)) * width

    def persistent(self) -> bool:
        """Gradients that stay allocated over the whole step: in buffers of their own, or summed over micro-batches."""
        return self.plan.micro_batches > 1 or self.split.replicas > 1 or self.numbers.gradient > self.numbers.weight

    # -- what a micro-batch adds

    def per_layer(self) -> float:
        """The largest layer's activations."""
        kinds: dict[str, float] = {}
        for one in saved(self.shape, self.plan):
            kinds[one.part] = kinds.get(one.part, 0) + one.bytes(self.plan) * (one.layers if one.part == "norms" else self.shape.layers)
        norms = kinds.pop("norms", 0) / self.shape.layers
        return norms + sum(kinds.values()) / self.shape.layers

    def activations(self) -> float:
        """Of all micro-batches in flight."""
        plan, flight = self.plan, self.plan.in_flight if self.stage == "first" else 1
        if plan.recompute == "full":
            layer = residual(self.shape, plan) * plan.tokens / (plan.split.tensor if plan.split.sequence_parallel else 1)
            return layer * self.layers * flight
        share = self.layers / self.shape.layers
        return sum(one.bytes(plan) * one.layers for one in saved(self.shape, plan)) * share * flight

    def cast_weights(self, components: Sequence[str] = ()) -> float:
        """Copies of weights in the compute dtype that autocast keeps for the backward pass."""
        inside = [one for one in self.held if one.group.matrix and (not components or one.group.component in components)]
        tied = self.shape.tied and self.stage != "first"
        kept = [one for one in inside if one.group.component != "embedding" or tied and one.group.name == "embedding"]
        return sum(one.elements for one in kept) * self.numbers.copies

    def logits(self) -> float:
        return 0 if self.stage == "first" or self.plan.loss == "fused" else self.vocabulary * self.numbers.compute

    @property
    def vocabulary(self) -> float:
        """Elements of the logits on this device."""
        return self.plan.tokens * self.shape.vocab / self.split.tensor

    def head(self) -> float:
        """The last norm and the head's input."""
        if self.stage == "first":
            return 0
        width, numbers = self.shape.hidden, self.numbers
        return self.plan.tokens * (norm(width, self.plan) + (0 if self.plan.lora else numbers.saved * width))

    def loss(self) -> float:
        """log_softmax, its gradient and the gradient of the picked entries, each in fp32 (torch's cross_entropy)."""
        if self.stage == "first":
            return 0
        if self.plan.loss == "fused":
            return min(self.plan.tokens, CHUNK) * self.shape.vocab / self.split.tensor * (4 + self.numbers.compute)
        return self.vocabulary * 12

    def working(self) -> float:
        """Gradients of activations inside one layer, and what a layer needs whole: gathered or dequantized weights."""
        plan, shape = self.plan, self.shape
        width = max(shape.ffn, shape.moe.width * shape.moe.top_k if shape.moe else 0, shape.recurrent.inner if shape.recurrent else 0)
        total = plan.tokens * (3 * width * self.numbers.compute / self.split.tensor + 2 * residual(shape, plan))
        if plan.attention == "eager" and shape.attention_layers:
            total += plan.tokens * plan.context * shape.heads * (4 + self.numbers.compute) / self.split.tensor
        return total + self.gathered()

    def gathered(self) -> float:
        layer = sum(one.elements for one in self.held if one.group.component not in ("embedding", "head")) / self.layers
        if self.split.zero == 3:
            return 2 * layer * self.numbers.compute
        if self.plan.quantize:
            return max(one.group.each for one in self.held if one.group.matrix) * self.numbers.compute
        return 0

    def step(self) -> float:
        """What the optimizer needs for a moment: copies of the largest tensor, or with `foreach` of all of them."""
        plan, optimizer = self.plan, optimizer_of(self.plan.optimizer)
        how = plan.step or ("fused" if self.numbers.master else "foreach")
        width = plan.lora.bytes if plan.lora else self.numbers.state
        trained = self.trained()
        if how == "fused" or not trained:
            return 0
        if how == "foreach":
            return sum(one.elements / self.state_shards(one) for one in trained) * width * (optimizer.working > 0)
        cast = int(self.numbers.gradient < self.numbers.master)  # the gradient in fp32, for the master weights
        largest = max(one.group.each * min(1, one.tensors) / self.state_shards(one) for one in trained)
        return largest * width * (optimizer.working + cast)


def adapters(one: Held, lora: Lora | None) -> list[Held]:
    """The two factors of a targeted linear, as tensors of their own."""
    group = one.group
    if lora is None or len(group.dims) != 2 or group.component not in ("attention", "recurrent", "ffn"):
        return []
    if group.component == "ffn" and lora.targets == "attention":
        return []
    out, into = group.dims
    pair = ((lora.rank, into), (out, lora.rank))
    return [Held(replace(group, dims=dims), one.tensors, one.replicas) for dims in pair]
