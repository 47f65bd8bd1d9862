"""The blocks of a spec, one function each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge_assets.blueprints.spec import defaults
from forge_assets.blueprints.spec import model as m
from forge_assets.blueprints.spec.values import Count, Number, Text, asked, chosen, computed, default
from forge_assets.compatibility.arithmetic.compute import assumed_mfu, training_run
from forge_assets.compatibility.arithmetic.hardware import Gpu, gpu_of, smallest_with
from forge_assets.compatibility.arithmetic.optimizers import optimizer_of
from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.arithmetic.plan import PRECISIONS
from forge_assets.compatibility.stack.batches import BATCH, MICRO_SOURCE, STEP_SOURCE
from forge_assets.compatibility.stack.parts import width_of
from forge_resources.errors import ShapeError

if TYPE_CHECKING:
    from forge_assets.blueprints.spec.make import Source


def architecture(source: Source, components: dict[str, Text]) -> m.Architecture:
    request, shape = source.request, source.shape
    rotary = (source.stack.slots.get("position_encoding") or "").endswith("rope") or "interleaved-nope" in source.stack.slots.values()
    theta = defaults.SHORT_THETA if request.context <= 4096 else defaults.LONG_THETA
    experts = None
    if shape.moe:
        experts = m.Experts(
            router=source.component("moe_router"),
            experts=source.number("num_experts"),
            per_token=source.number("top_k"),
            width=_width(source, "expert_hidden_size"),
        )
    return m.Architecture(
        components=components,
        layers=source.number("num_layers"),
        hidden_size=source.number("hidden_size"),
        heads=source.number("num_heads"),
        kv_heads=source.number("num_kv_heads"),
        head_dim=source.number("head_dim"),
        ffn_size=source.number("ffn_hidden_size") if shape.moe else _width(source, "ffn_hidden_size"),
        experts=experts,
        context=asked(request.context, "context", "tokens"),
        norm_epsilon=default(*defaults.NORM_EPSILON),
        rope_theta=source.setting("position_encoding", "rope_theta", theta, defaults.THETA_SOURCE) if rotary else None,
        tied_embeddings=computed(
            shape.tied, "the head is weight-tying, or fewer than 2e9 parameters are asked for (arithmetic/propose.py)"
        ),
        gated_ffn=computed(shape.gated, "whether the component of slot ffn has a gate"),
    )


def _width(source: Source, name: str) -> Count:
    solved, width = int(source.stack.numbers[name]), width_of(source.shape)
    if width == solved:
        return source.number(name)
    change = "wider" if width > solved else "narrower"
    return computed(width, f"the solved {solved:,} made {change}, to come to the {source.request.params:,} parameters asked for")


def tokens_of(source: Source) -> Number:
    per, why = defaults.TOKENS_PER_PARAMETER
    return computed(per * counts(source.shape).active, f"{why}, active ones", "tokens")


def tokens_per_step(source: Source) -> int:
    return source.batch.whole * source.request.context


def steps_of(source: Source) -> int:
    return max(1, round(tokens_of(source).value / tokens_per_step(source)))


def data(source: Source) -> m.Data:
    return m.Data(
        pipeline=source.required("data_pipeline"), dedup=source.component("dedup"), tokens=tokens_of(source), mix=default(*defaults.MIX)
    )


def batching(source: Source) -> m.Batching:
    cut, request = source.batch, source.request
    component, step = source.required("batching"), tokens_per_step(source)
    if {pin.what for pin in request.pins} & set(BATCH):
        sizes = {name: source.number(name) for name in BATCH}
    else:
        sizes = {
            "micro_batch": computed(cut.micro, MICRO_SOURCE if request.gpu_memory else "one: the request names no memory", "sequences"),
            "gradient_accumulation": computed(cut.passes, "global batch / (micro batch x data-parallel degree)", "passes"),
            "global_batch": computed(cut.whole, STEP_SOURCE, "sequences"),
        }
    return m.Batching(component=component, **sizes, tokens_per_step=computed(step, "global batch x context", "tokens"))


def optimizer(source: Source) -> m.Optimizer:
    name = source.stack.slots.get("optimizer") or ""
    rate = defaults.learning_rate(source.request.params, name)
    usual, why = defaults.MOMENTS.get(name, defaults.MOMENTS["adamw"])
    adam = {one: source.setting("optimizer", one, value, why) for one, value in usual.items()}
    momentum = source.setting("optimizer", "momentum", 0.95 if name == "muon" else 0.9, "Sutskever et al. 2013; Jordan 2024 (Muon)")
    return m.Optimizer(
        component=source.required("optimizer"),
        learning_rate=default(rate, defaults.LEARNING_RATE_SOURCE),
        **(adam if name in defaults.ADAM_LIKE else {}),
        momentum=momentum if name in defaults.MOMENTUM else None,
        weight_decay=source.setting("optimizer", "weight_decay", *defaults.WEIGHT_DECAYS.get(name, defaults.WEIGHT_DECAY)),
        gradient_clip=source.setting("optimizer", "gradient_clip", *defaults.GRADIENT_CLIP),
    )


def schedule(source: Source, steps: int) -> m.Schedule:
    rate = defaults.learning_rate(source.request.params, source.stack.slots.get("optimizer") or "")
    share, why = defaults.FINAL_SHARE
    warmup = min(defaults.MOST_WARMUP, max(1, round(steps * defaults.WARMUP_SHARE)))
    return m.Schedule(
        component=source.required("schedule"),
        steps=computed(steps, "tokens / tokens per step", "steps"),
        warmup_steps=default(warmup, defaults.WARMUP_SOURCE, "steps"),
        final_learning_rate=computed(rate * share, f"learning rate x {share}: {why}"),
    )


def precision(source: Source) -> m.Precision:
    kind = PRECISIONS[source.stack.memory["setting"]["precision"]]
    held = {"weights": kind.weight, "gradients": kind.gradient, "master_weights": kind.master, "optimizer_state": kind.state}
    return m.Precision(
        component=source.required("precision"),
        compute=asked(source.request.precision, "precision"),
        bytes_per_parameter=computed({key: float(value) for key, value in held.items()}, f"bytes each; {kind.source}", "bytes"),
    )


def parallelism(source: Source) -> m.Parallelism:
    zero = source.stack.memory["setting"]["zero"]
    degrees = {name: source.number(f"{name}_parallel") for name in ("data", "tensor", "pipeline", "context", "expert")}
    return m.Parallelism(
        component=source.component("parallelism"),
        world_size=asked(source.request.gpus, "gpus"),
        **degrees,
        zero_stage=computed(zero, "what the component of slot parallelism shards (Rajbhandari et al. 2020, section 5)"),
    )


def checkpoints(source: Source, steps: int) -> m.Checkpoints:
    kind = PRECISIONS[source.stack.memory["setting"]["precision"]]
    trained = counts(source.shape).total
    elements = optimizer_of(source.stack.memory["setting"]["optimizer"])
    states = {"adamw": 2, "muon": 1, "lion": 1, "sgd-momentum": 1, "sgd": 0}.get(elements.name, 2)
    each = round(trained * (kind.weight + kind.master + states * kind.state))
    return m.Checkpoints(
        every_steps=default(max(1, steps // defaults.CHECKPOINTS), defaults.CHECKPOINT_SOURCE, "steps"),
        keep=default(*defaults.KEEP),
        format=default("safetensors for weights, torch for optimizer and counters", "safetensors runs no code when it is read"),
        bytes_each=computed(each, f"P x (weights + master + {states} optimizer states), bytes as in precision", "bytes"),
    )


def hardware(source: Source) -> m.HardwareFit:
    request, memory = source.request, source.memory
    card = _card(source)
    limit = request.gpu_memory
    fits = computed(memory.fits(limit), "estimate under 80% of the memory of one GPU") if limit else None
    timed = {}
    if card is not None:
        timed = _run(source, card)
    return m.HardwareFit(
        gpu=asked(request.gpu, "gpu") if request.gpu else chosen(card.name if card else "any", "the smallest card with this memory"),
        gpus=asked(request.gpus, "gpus"),
        memory=computed(
            {item.name: item.bytes for item in memory.items}, f"fullest moment: {memory.moment} (arithmetic/training.py)", "bytes"
        ),
        memory_total=computed(memory.bytes, f"sum of the items; between {memory.low:,} and {memory.high:,}", "bytes"),
        capacity=asked(limit, "gpu memory", "bytes") if limit else None,
        fits=fits,
        utilization=timed.get("utilization"),
        seconds=timed.get("seconds"),
        kilowatt_hours=timed.get("kilowatt_hours"),
        cost=timed.get("cost"),
    )


def _card(source: Source) -> Gpu | None:
    request = source.request
    try:
        if request.gpu:
            return gpu_of(request.gpu)
        return smallest_with(request.gpu_memory) if request.gpu_memory else None
    except ShapeError:
        return None  # a card that the list does not have: memory is known, speed is not


def _run(source: Source, card: Gpu) -> dict[str, Number]:
    shape, request = source.shape, source.request
    kind = "fp32" if request.precision == "fp32" else "fp8" if request.precision == "fp8" and card.fp8 else "mixed"
    run = training_run(shape, tokens_of(source).value, card, request.gpus, request.context, price=source.price, precision=kind)
    found = {
        "utilization": default(assumed_mfu(shape), "assumed share of the peak (Chowdhery et al. 2022, table 3; less with experts)"),
        "seconds": computed(run.seconds, f"training FLOPs / (GPUs x peak x utilization); peak: {card.source}", "s"),
        "kilowatt_hours": computed(run.kilowatt_hours, f"seconds x GPUs x {card.watts:g} W", "kWh"),
    }
    if run.cost is not None:
        found["cost"] = computed(run.cost, "GPU hours x FORGE_GPU_PRICE_PER_HOUR")
    return found
