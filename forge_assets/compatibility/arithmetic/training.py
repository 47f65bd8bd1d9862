"""Memory of one training step on the fullest device, at its fullest moment.

Three moments compete: the loss (all activations, no gradients yet), the last layer of the backward pass (all gradients, one layer's
activations), and the optimizer's step (all gradients and what the optimizer needs to work).
"""

from __future__ import annotations

from forge_assets.compatibility.arithmetic.items import Estimate, Item, estimate
from forge_assets.compatibility.arithmetic.optimizers import optimizer_of
from forge_assets.compatibility.arithmetic.plan import Training
from forge_assets.compatibility.arithmetic.reserve import overhead, spread, why_unvalidated
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.compatibility.arithmetic.sharding import stages
from forge_assets.compatibility.arithmetic.stage import PipelineStage

KORTHIKANTI = "Korthikanti et al. 2022, section 4; saved tensors of PyTorch's autograd"
ZERO = "Rajbhandari et al. 2020 (ZeRO), section 5"

NOT_MEASURED = ("adamw-8bit", "lion")
"""Optimizers that torch does not have; their states are those of their papers."""


def training_memory(shape: ModelShape, plan: Training) -> Estimate:
    """Raises ShapeError where the split does not divide the model."""
    plan.split.check(shape)
    candidates = [(moment, items) for stage in stages(plan.split) for moment, items in _moments(PipelineStage(shape, plan, stage))]
    moment, items = max(candidates, key=lambda pair: sum(item.bytes for item in pair[1]))
    why = why_unvalidated(shape, plan.split, plan.quantize) or _why(plan)
    buckets = int(sum(item.bytes for item in items if item.name == "gradients")) if plan.split.data > 1 and not plan.split.zero else 0
    return estimate([*items, *overhead(plan.split, plan.overhead)], moment, spread(why), buckets, why)


def _why(plan: Training) -> str | None:
    if plan.kernels == "fused" or plan.loss == "fused" or plan.precision == "fp8":
        return "fused kernels and fp8 have not been measured here"
    if optimizer_of(plan.optimizer).name in NOT_MEASURED:
        return f"the optimizer {plan.optimizer} has not been measured here"
    return "selective recomputation has not been measured here" if plan.recompute == "selective" else None


def _moments(stage: PipelineStage) -> list[tuple[str, list[Item]]]:
    lasting = _lasting(stage)
    plan = stage.plan
    kept = stage.logits() if plan.keeps_logits else 0
    all_gradients = stage.gradients()
    early = all_gradients if stage.persistent() else 0
    layer = stage.per_layer() if plan.recompute == "full" else 0
    copies = stage.cast_weights() if plan.recompute != "full" else stage.cast_weights(("head", "embedding"))
    head = stage.gradients(("head",)) or (stage.gradients(("embedding",)) if stage.shape.tied and stage.stage != "first" else 0)
    head = 0 if plan.lora else head
    moments = [
        ("the loss", _items(stage, early, stage.activations() + stage.head(), copies, stage.logits(), stage.loss())),
        (
            "the first step of the backward pass",
            _items(stage, max(early, head), stage.activations() + layer, copies, kept, stage.working()),
        ),
        ("the end of the backward pass", _items(stage, max(early, all_gradients), _last(stage), 0, kept, stage.working() + _tied(stage))),
        ("the optimizer's step", _items(stage, all_gradients, 0, 0, kept, stage.step())),
    ]
    return [(moment, lasting + items) for moment, items in moments]


def _last(stage: PipelineStage) -> float:
    """Activations that are left at the last layer of the backward pass: its own, less what its FFN has freed."""
    return stage.per_layer() / 2


def _tied(stage: PipelineStage) -> float:
    """A tied embedding has two gradients until they are added, and autograd adds them into a third."""
    tied = stage.shape.tied and stage.stage == "only" and not stage.plan.lora
    return 2 * stage.gradients(("embedding",)) if tied else 0


def _lasting(stage: PipelineStage) -> list[Item]:
    numbers, plan = stage.numbers, stage.plan
    optimizer = optimizer_of(plan.optimizer)
    shards = f", shards of ZeRO-{plan.split.zero}" if plan.split.zero else ""
    width = optimizer.width or (plan.lora.bytes if plan.lora else numbers.state)
    kind = f", linears in {plan.quantize}" if plan.quantize else ""
    return [
        Item("weights", int(stage.weights()), f"{numbers.weight:g} bytes x P{kind}", numbers.source),
        Item("adapters", int(stage.adapters()), "bytes x r (in + out) of each targeted linear", "Hu et al. 2021 (LoRA), section 4"),
        Item("master weights", int(stage.master()), f"{numbers.master:g} bytes x P{shards}", numbers.source),
        Item("optimizer states", int(stage.states()), f"{optimizer.formula}, {width:g} bytes each{shards}", optimizer.source),
    ]


def _items(stage: PipelineStage, gradients: float, activations: float, copies: float, logits: float, working: float) -> list[Item]:
    plan = stage.plan
    shards = f", shards of ZeRO-{plan.split.zero}" if plan.split.zero >= 2 else ""
    source = stage.numbers.source
    kept = "the residual of each layer" if plan.recompute == "full" else "saved tensors per token and layer"
    return [
        Item(
            "gradients",
            int(gradients),
            f"{plan.lora.bytes if plan.lora else stage.numbers.gradient:g} bytes x P trained{shards}",
            ZERO if shards else source,
        ),
        Item("activations", int(activations), f"tokens x layers x {kept}, {plan.attention} attention", KORTHIKANTI),
        Item("cast weights", int(copies), f"{stage.numbers.copies:g} bytes x P of linears", stage.numbers.source),
        Item("logits", int(logits), f"tokens x vocabulary x {stage.numbers.compute} bytes", "output of the model, held by the loop"),
        Item("working memory", int(working), "what the moment needs and frees", "torch's cross_entropy, autograd and torch.optim"),
    ]
