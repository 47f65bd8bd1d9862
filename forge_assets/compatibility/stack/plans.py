"""The numbers of a blueprint: shapes of the model, plans of parallelism, and which of them fit into memory with which components.

Memory is the arithmetic room's estimate of a training step; it fits where it stays under 80% of the card. Only what can decide is worked
out: recomputation, a higher stage of ZeRO, or a smaller optimizer never needs more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from forge_assets.compatibility.arithmetic.items import FITS_UNDER, Estimate
from forge_assets.compatibility.arithmetic.plan import Recompute, Split, Training
from forge_assets.compatibility.arithmetic.propose import Traits, shape_for
from forge_assets.compatibility.arithmetic.shape import ModelShape, Moe
from forge_assets.compatibility.arithmetic.training import training_memory
from forge_assets.compatibility.constraints.model import Value, number
from forge_assets.compatibility.stack import parts
from forge_assets.compatibility.stack.batches import Batch
from forge_assets.compatibility.stack.problem import Row
from forge_assets.compatibility.stack.request import Request
from forge_resources.errors import BlueprintError, ShapeError

DEGREES = (1, 2, 4, 8, 16, 32)
LONG = 32_768
"""From this context on, context parallelism is worth looking at."""
RECOMPUTE: tuple[Recompute, ...] = ("none", "selective", "full")
OPTIMIZERS = ("adamw", "muon", "lion", "sgd-momentum", "adafactor", "sgd")
SMALLER = {"adamw": 0, "muon": 1, "lion": 1, "sgd-momentum": 1, "adafactor": 2, "sgd": 3}
"""Rank of an optimizer by its states: a higher one never needs more than a lower one."""
SHAPE = ("num_layers", "hidden_size", "num_heads", "num_kv_heads", "head_dim", "ffn_hidden_size", "vocab_size", "num_experts", "top_k",
         "expert_hidden_size")  # fmt: skip
PLAN = ("world_size", "data_parallel", "tensor_parallel", "pipeline_parallel", "context_parallel", "expert_parallel", "micro_batch",
        "gradient_accumulation", "global_batch")  # fmt: skip
SHAPE_VARIABLES = tuple(map(number, SHAPE))
PLAN_VARIABLES = tuple(map(number, PLAN))


@dataclass(frozen=True, slots=True)
class Setting:
    """What the chosen components mean for memory."""

    precision: str = "mixed"
    optimizer: str = "adamw"
    recompute: Recompute = "none"
    attention: str = "eager"
    zero: int = 0


def shapes(request: Request) -> list[ModelShape]:
    """Shapes of so many parameters: with every head its own keys, groups of them, one for all, or latent ones; each with a gated FFN, a
    plain one, experts, and experts beside a shared one."""
    try:
        dense = shape_for(request.params, request.context, Traits(kv="mha"))
    except ShapeError as error:
        raise BlueprintError(str(error)) from None
    headed = [*(replace(dense, kv_heads=heads) for heads in _kv_heads(dense)), parts.with_latent(dense)]
    kinds = (lambda one: one, lambda one: replace(one, gated=False), sparse, lambda one: sparse(one, shared=True))
    return [parts.fitted(kind(one), request.params) for kind in kinds for one in headed]


def _kv_heads(shape: ModelShape) -> list[int]:
    """All heads, a quarter or eight of them, and one."""
    grouped = next((kv for kv in (8, shape.heads // 4, 2) if 1 < kv < shape.heads and shape.heads % kv == 0), None)
    return list(dict.fromkeys([shape.heads, *([grouped] if grouped else []), 1]))


def sparse(shape: ModelShape, experts: int = 8, top_k: int = 2, *, shared: bool = False) -> ModelShape:
    """With experts in every layer, as narrow as their number asks for (Jiang et al. 2024: 8 experts, 2 of them for a token)."""
    width = max(64, shape.ffn // experts // 64 * 64)
    return replace(shape, moe=Moe(shape.layers, experts, top_k, width, width if shared else 0))


def suits(shape: ModelShape, slot: str, component: str | None) -> bool:
    """Whether the component has attention or an FFN of the shape's kind; whether it has experts is a constraint's to say."""
    if slot == "attention":
        return (component in parts.LATENT) == (shape.latent is not None)
    if shape.moe:
        return (component in parts.SHARED) == bool(shape.moe.shared_width)
    return (component in parts.GATED) == shape.gated


def shape_rows(made: Iterable[ModelShape]) -> list[Row]:
    return [Row(_told(shape), _shape_values(shape)) for shape in made]


def _shape_values(shape: ModelShape) -> tuple[Value, ...]:
    moe = shape.moe
    return (shape.layers, shape.hidden, shape.heads, shape.kv_heads, shape.head_dim, shape.ffn, shape.vocab,
            moe.experts if moe else 0, moe.top_k if moe else None, moe.width if moe else None)  # fmt: skip


def _told(shape: ModelShape) -> str:
    keys = "latent keys" if shape.latent else f"{shape.kv_heads} key heads"
    moe = shape.moe
    ffn = "no gate" if not shape.gated else "" if not moe else f"{moe.experts} experts{' and a shared one' * bool(moe.shared_width)}"
    return f"{shape.layers} layers of {shape.hidden}, {shape.heads} heads, {keys}{', ' * bool(ffn)}{ffn}"


def splits(request: Request, made: Sequence[ModelShape]) -> list[Split]:
    """The ways to use the GPUs that some shape can be cut into, the plainest first."""
    contexts = DEGREES if request.context >= LONG else (1,)
    found = []
    for tensor, pipeline, context in product(DEGREES[:4], DEGREES[:5], contexts[:4]):
        within = tensor * pipeline * context
        if request.gpus % within or request.context % context:
            continue
        for expert in (1, 8):
            split = Split(request.gpus // within, tensor, pipeline, context, expert)
            if any(can_be_cut(shape, split) for shape in made):
                found.append(split)
    return sorted(found, key=lambda one: (doublings(one), one.tensor, one.pipeline, one.context, one.expert))


def can_be_cut(shape: ModelShape, split: Split) -> bool:
    try:
        split.check(shape)
    except ShapeError:
        return False
    return True


def doublings(split: Split) -> float:
    """How often the model is halved over devices: what its communication grows with."""
    return math.log2(split.tensor * split.pipeline * split.context) + (math.log2(split.expert) / 2)


def plan_rows(request: Request, made: Iterable[tuple[Split, Batch]], cost: int) -> list[Row]:
    rows = []
    for split, batch in made:
        values = (
            request.gpus,
            split.data,
            split.tensor,
            split.pipeline,
            split.context,
            split.expert,
            batch.micro,
            batch.passes,
            batch.whole,
        )
        rows.append(Row(split.told, values, -round(doublings(split) * cost)))
    return rows


def step_memory(request: Request, shape: ModelShape, split: Split, batch: Batch, setting: Setting) -> Estimate:
    """Memory of a training step on the fullest device. Raises ShapeError where the split does not divide the shape."""
    plan = Training(
        context=request.context,
        micro_batch=batch.micro,
        micro_batches=batch.passes,
        precision=setting.precision,
        optimizer=setting.optimizer,
        recompute=setting.recompute,
        attention="flash" if setting.attention == "flash" else "eager",
        split=replace(split, zero=setting.zero),
        keeps_logits=False,
    )
    return training_memory(shape, plan)


def hungriest(request: Request, made: Sequence[ModelShape], split: Split, batch: Batch) -> ModelShape:
    """The shape whose step needs most, by a plain setting."""
    return max(made, key=lambda shape: step_memory(request, shape, split, batch, Setting()).bytes)


def beyond(request: Request, shape: ModelShape, split: Split, batch: Batch, options: Mapping[str, Sequence[str | int]]) -> list[Setting]:
    """The settings under which a step does not fit. `options`: field of Setting -> values that the candidates can give it."""
    capacity = request.gpu_memory or 0
    fields = ("precision", "attention", "optimizer", "zero", "recompute")
    settings = [Setting(**dict(zip(fields, values, strict=True))) for values in product(*(options[each] for each in fields))]  # type: ignore[arg-type]
    verdicts: dict[Setting, bool] = {}
    for setting in _outside_in(settings):
        if setting not in verdicts:
            fits = step_memory(request, shape, split, batch, setting).fits(capacity)
            for other in settings:
                if needs_no_more(other, setting) if fits else needs_no_more(setting, other):
                    verdicts[other] = fits
    return [setting for setting in settings if not verdicts[setting]]


def _outside_in(settings: Sequence[Setting]) -> Iterator[Setting]:
    """The greediest and the leanest first: they decide most at once."""
    ranked = sorted(settings, key=_thrift)
    while ranked:
        yield ranked.pop(0)
        if ranked:
            yield ranked.pop()


def _thrift(setting: Setting) -> tuple[int, int]:
    return (setting.attention == "flash") + setting.zero + RECOMPUTE.index(setting.recompute) + SMALLER[setting.optimizer], setting.zero


def needs_no_more(one: Setting, other: Setting) -> bool:
    """Whether `one` cannot need more memory than `other`."""
    return (
        one.precision == other.precision
        and (one.attention == other.attention or one.attention == "flash")
        and one.zero >= other.zero
        and other.recompute in ("none", one.recompute)
        and (one.optimizer == other.optimizer or SMALLER[one.optimizer] > SMALLER[other.optimizer])
    )


def limit_told(request: Request) -> str:
    gib = (request.gpu_memory or 0) / 2**30
    step = f"a training step of {request.params:,} parameters at {request.context:,} tokens"
    return f"{step} stays under {FITS_UNDER:.0%} of {gib:g} GiB on each of {request.gpus} GPUs"
