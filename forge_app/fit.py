"""`forge fit`: whether a model can be trained or served on given GPUs, and what it takes in memory, time, energy and money."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge_app.output import as_json, table
from forge_resources.errors import ShapeError

if TYPE_CHECKING:
    from forge_assets.compatibility.arithmetic.hardware import Gpu
    from forge_assets.compatibility.arithmetic.items import Estimate
    from forge_assets.compatibility.arithmetic.plan import Split, Training
    from forge_assets.compatibility.arithmetic.shape import ModelShape

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Asked:
    """The options, as click hands them over."""

    config: Path | None
    params: float | None
    gpu: str
    gpu_memory: str | None
    gpus: int
    context: int
    batch: int
    micro_batches: int
    serve: bool
    precision: str
    optimizer: str
    recompute: str
    attention: str
    kernels: str
    dp: int | None
    tp: int | None
    pp: int | None
    cp: int | None
    ep: int | None
    zero: int | None
    lora: int | None
    lora_targets: str
    quantize: str | None
    kv_bits: int
    tokens: float | None
    mfu: float | None
    price: float | None


@click.command()
@click.argument("config", required=False, type=click.Path(path_type=Path))
@click.option("--params", type=float, help="instead of CONFIG: a usual shape with so many parameters, e.g. 1.5e9")
@click.option("--gpu", default="h100-80gb", show_default=True, help="a card of the list, e.g. l40s, a100-80gb, h200")
@click.option("--gpu-memory", help="instead of --gpu: the smallest card with so much memory, e.g. 80GB")
@click.option("--gpus", default=1, show_default=True, type=click.IntRange(1, 10**6), help="how many of them")
@click.option("--context", default=4096, show_default=True, type=click.IntRange(1, 10**9), help="tokens per sequence")
@click.option("--batch", default=1, show_default=True, type=click.IntRange(1, 10**7), help="sequences at once: per GPU, or served together")
@click.option("--micro-batches", default=1, show_default=True, type=click.IntRange(1, 10**6), help="micro-batches per step")
@click.option("--train/--serve", "train", default=True, show_default=True, help="what it shall do")
@click.option("--precision", default="mixed", show_default=True, help="fp32, bf16, autocast, mixed, mixed-fp32-gradients, fp8")
@click.option("--optimizer", default="adamw", show_default=True, help="adamw, adamw-8bit, adafactor, muon, lion, sgd-momentum, sgd")
@click.option("--recompute", default="auto", show_default=True, type=click.Choice(["auto", "none", "selective", "full"]))
@click.option("--attention", default="flash", show_default=True, type=click.Choice(["flash", "eager"]))
@click.option("--kernels", default="eager", show_default=True, type=click.Choice(["eager", "fused"]), help="of norms and activations")
@click.option("--dp", type=click.IntRange(1), help="data parallel degree; without any degree the simplest split that fits is found")
@click.option("--tp", type=click.IntRange(1), help="tensor parallel degree")
@click.option("--pp", type=click.IntRange(1), help="pipeline parallel degree")
@click.option("--cp", type=click.IntRange(1), help="context parallel degree")
@click.option("--ep", type=click.IntRange(1), help="expert parallel degree, inside dp x cp")
@click.option("--zero", type=click.IntRange(0, 3), help="stage of ZeRO; FSDP is 3")
@click.option("--lora", type=click.IntRange(1), help="train adapters of this rank, not the weights")
@click.option("--lora-targets", default="all", show_default=True, type=click.Choice(["all", "attention"]))
@click.option("--quantize", help="weights in nf4, int8, gptq, awq, mxfp4, q4_k, q8_0, ...")
@click.option("--kv-bits", default=16, show_default=True, type=click.Choice([4, 8, 16]), help="bits of the KV cache")
@click.option("--tokens", type=float, help="tokens to train on; default without LoRA: 20 per parameter (Hoffmann et al. 2022)")
@click.option("--mfu", type=float, help="share of the peak that is reached; default: an assumption, which is told")
@click.option("--price", type=float, help="price of a GPU hour; default: FORGE_GPU_PRICE_PER_HOUR")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def fit(train: bool, json_: bool, **options: Any) -> None:
    """Memory, time and cost of training or serving a model: CONFIG is a Hugging Face config.json, or the folder of a model."""
    from forge_resources.settings import settings

    asked = Asked(**options, serve=not train)
    if options["price"] is None and (price := settings().gpu_price_per_hour) is not None:
        asked = Asked(**{**options, "price": price}, serve=not train)
    shape, gpu = _shape(asked), _gpu(asked)
    told = (_served if asked.serve else _trained)(shape, gpu, asked)
    if json_:
        as_json(told)
    else:
        _show(told)


def _shape(asked: Asked) -> ModelShape:
    from forge_assets.compatibility.arithmetic.configs import from_config
    from forge_assets.compatibility.arithmetic.propose import shape_for

    if (asked.config is None) == (asked.params is None):
        raise ShapeError("give either the config.json of a model or --params, a number of parameters such as 1.5e9")
    return from_config(asked.config) if asked.config else shape_for(asked.params or 0, asked.context)


def _gpu(asked: Asked) -> Gpu:
    from forge_assets.compatibility.arithmetic.hardware import gpu_of, size_of, smallest_with

    return smallest_with(size_of(asked.gpu_memory)) if asked.gpu_memory else gpu_of(asked.gpu)


def _split(asked: Asked) -> Split | None:
    """The degrees that were given, the rest data parallel; None where none was given."""
    from forge_assets.compatibility.arithmetic.plan import Split

    if all(one is None for one in (asked.dp, asked.tp, asked.pp, asked.cp, asked.ep, asked.zero)):
        return None
    tensor, pipeline, context = asked.tp or 1, asked.pp or 1, asked.cp or 1
    data = asked.dp or max(1, asked.gpus // (tensor * pipeline * context))
    if data * tensor * pipeline * context != asked.gpus:
        raise ShapeError(
            f"dp {data} x tp {tensor} x pp {pipeline} x cp {context} is {data * tensor * pipeline * context} devices, but there are"
            f" {asked.gpus}; make the product equal to --gpus"
        )
    return Split(data, tensor, pipeline, context, asked.ep or 1, asked.zero or 0)


def _trained(shape: ModelShape, gpu: Gpu, asked: Asked) -> dict[str, Any]:
    from forge_assets.compatibility.arithmetic import budget as budgets
    from forge_assets.compatibility.arithmetic.compute import flops, training_run
    from forge_assets.compatibility.arithmetic.parameters import counts
    from forge_assets.compatibility.arithmetic.plan import Lora, Split, Training

    split = _split(asked)
    auto = asked.recompute == "auto"
    plan = Training(
        asked.context, asked.batch, asked.micro_batches, asked.precision, asked.optimizer, "none" if auto else asked.recompute,  # type: ignore[arg-type]
        asked.attention, asked.kernels, split=split or Split(), quantize=asked.quantize,  # type: ignore[arg-type]
        lora=Lora(asked.lora, asked.lora_targets) if asked.lora else None,  # type: ignore[arg-type]
    )  # fmt: skip
    found = budgets.budget(shape, gpu, asked.gpus, plan, free_split=split is None, free_recompute=auto)
    total = counts(shape)
    tokens = (None if asked.lora else 20.0 * total.active) if asked.tokens is None else asked.tokens
    work, frozen = flops(shape, asked.context), asked.lora is not None
    run = None
    if tokens is not None:
        run = training_run(
            shape, tokens, gpu, asked.gpus, asked.context,
            mfu=asked.mfu, price=asked.price, frozen=frozen, precision=asked.precision,
        )  # fmt: skip
    return _told(shape, gpu, asked, found.estimate, found.told) | {
        "plan": _plan(found.plan),
        "micro_batch_that_fits": budgets.largest_micro_batch(shape, gpu, found.plan),
        "flops_per_token": {
            "forward": work.forward,
            "training": work.training(),
            "with_recomputation": work.training(found.plan.recompute),
        },
        "run": None
        if run is None
        else asdict(run) | {"tokens": tokens, "kilowatt_hours": run.kilowatt_hours, "mfu_assumed": asked.mfu is None},
    }


def _served(shape: ModelShape, gpu: Gpu, asked: Asked) -> dict[str, Any]:
    from forge_assets.compatibility.arithmetic.compute import flops, serving_speed
    from forge_assets.compatibility.arithmetic.items import FITS_UNDER
    from forge_assets.compatibility.arithmetic.plan import Serving
    from forge_assets.compatibility.arithmetic.serving import offload, serving_memory

    if asked.lora or asked.kernels != "eager":
        raise ShapeError("--lora and --kernels belong to training; leave them out with --serve")
    split = _split(asked) or _serving_split(shape, asked.gpus)
    kernel: Any = asked.attention
    plan = Serving(asked.context, asked.batch, cache_bytes=asked.kv_bits / 8, quantize=asked.quantize, attention=kernel, split=split)
    found = serving_memory(shape, plan)
    fits = found.fits(gpu.memory)
    room = FITS_UNDER * gpu.memory / GIB
    speed = serving_speed(shape, plan, gpu, found.of("weights"), mfu=asked.mfu)
    away = offload(shape, plan, gpu.memory, gpu.link)
    sentence = f"{'fits' if fits else 'does not fit'}: {found.bytes / GIB:,.1f} GiB of {room:,.1f} usable with {split.told}"
    return _told(shape, gpu, asked, found, sentence) | {
        "plan": {"split": split.told},
        "flops_per_token": {"forward": flops(shape, asked.context).forward},
        "speed": {
            "tokens_per_second_at_most": 1 / (1 / speed.decode + (away.seconds / plan.sequences if away else 0)),
            "seconds_to_first_token_at_least": speed.first_token,
        },
        "offload": None if away is None else asdict(away),
    }


def _serving_split(shape: ModelShape, gpus: int) -> Split:
    """Tensor parallelism as far as heads, widths and a node of 8 allow, pipelines beyond; what is left over are replicas."""
    from forge_assets.compatibility.arithmetic.plan import Split

    tensor = max(n for n in (1, 2, 4, 8) if gpus % n == 0 and shape.heads % n == 0 and shape.ffn % n == 0)
    rest = gpus // tensor
    pipeline = max(n for n in range(1, rest + 1) if rest % n == 0 and shape.layers % n == 0)
    return Split(rest // pipeline, tensor, pipeline)


def _plan(plan: Training) -> dict[str, Any]:
    return {
        "split": plan.split.told, "recompute": plan.recompute, "precision": plan.precision, "optimizer": plan.optimizer,
        "lora_rank": plan.lora.rank if plan.lora else None, "quantize": plan.quantize, "attention": plan.attention,
    }  # fmt: skip


def _told(shape: ModelShape, gpu: Gpu, asked: Asked, found: Estimate, sentence: str) -> dict[str, Any]:
    from forge_assets.compatibility.arithmetic.parameters import counts

    total = counts(shape)
    return {
        "fits": found.fits(gpu.memory),
        "told": sentence,
        "shape": asdict(shape),
        "parameters": {"total": total.total, "active": total.active, "by_component": total.by_component},
        "gpu": asdict(gpu) | {"count": asked.gpus},
        "memory": {
            "bytes": found.bytes, "low": found.low, "high": found.high, "moment": found.moment, "unvalidated": found.unvalidated,
            "items": [asdict(item) for item in found.items],
        },
    }  # fmt: skip


def _show(told: dict[str, Any]) -> None:
    shape, counted, memory, gpu = told["shape"], told["parameters"], told["memory"], told["gpu"]
    active = f", {counted['active']:,} of them active per token" if counted["active"] != counted["total"] else ""
    click.echo(f"{shape['family']}: {counted['total']:,} parameters{active}")
    click.echo(f"  {_sizes(shape)}")
    click.echo("  " + ", ".join(f"{name} {count:,}" for name, count in counted["by_component"].items()))
    click.echo(f"{gpu['count']} x {gpu['name']}, {gpu['memory'] / 1e9:,.0f} GB each ({gpu['source']})")
    rows = [(f"{item['bytes'] / GIB:,.2f}", item["name"], item["formula"], item["source"]) for item in memory["items"]]
    table(["GiB", "per GPU", "formula", "source"], rows)
    click.echo(
        f"{memory['bytes'] / GIB:,.1f} GiB, {memory['low'] / GIB:,.1f} to {memory['high'] / GIB:,.1f}; fullest at {memory['moment']}"
    )
    if memory["unvalidated"]:
        click.echo(f"unvalidated: {memory['unvalidated']}")
    click.echo(told["told"])
    _show_speed(told)


def _sizes(shape: dict[str, Any]) -> str:
    """The sizes of a shape in a line; parts that it lacks are not named."""
    parts = [f"{shape['layers']} layers of {shape['hidden']:,}"]
    if shape["latent"]:
        parts.append(f"{shape['heads']} heads over latents of {shape['latent']['kv_rank']} + {shape['latent']['rope_dim']}")
    elif shape["heads"]:
        parts.append(f"{shape['heads']} heads of {shape['head_dim']} ({shape['kv_heads']} for keys)")
    if shape["recurrent"]:
        parts.append(f"{shape['recurrent']['layers']} recurrent layers with {shape['recurrent']['state']:,} numbers of state")
    if shape["ffn"]:
        parts.append(f"FFN {shape['ffn']:,}")
    if shape["moe"]:
        parts.append(f"{shape['moe']['experts']} experts of {shape['moe']['width']:,}, {shape['moe']['top_k']} per token")
    return ", ".join([*parts, f"vocabulary {shape['vocab']:,}"] + ["tied"] * shape["tied"])


def _show_speed(told: dict[str, Any]) -> None:
    work = told["flops_per_token"]
    if "speed" in told:
        speed = told["speed"]
        click.echo(
            f"{work['forward']:.3g} FLOPs per token; at most {speed['tokens_per_second_at_most']:,.0f} tokens/s for all sequences together"
        )
        click.echo(
            f"first token of a full prompt after {speed['seconds_to_first_token_at_least']:.2f} s at least (bandwidth and peak as assumed)"
        )
        if told["offload"]:
            click.echo(told["offload"]["told"])
        return
    most = told["micro_batch_that_fits"]
    click.echo(f"micro-batches of up to {most:,} sequences fit with this plan" if most else "not even one sequence fits with this plan")
    again = f", {work['with_recomputation']:.3g} with recomputation" if work["with_recomputation"] > work["training"] else ""
    click.echo(f"{work['training']:.3g} FLOPs per token trained{again}")
    run = told["run"]
    if run is None:
        return
    cost = f", {run['cost']:,.0f} at the price given" if run["cost"] is not None else ""
    assumed = " (assumed)" if run["mfu_assumed"] else ""
    click.echo(
        f"{run['tokens']:.3g} tokens: {_time(run['seconds'])} at {run['mfu']:.0%} of the peak{assumed},"
        f" {run['kilowatt_hours']:,.0f} kWh at board power{cost}"
    )


def _time(seconds: float) -> str:
    for name, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {name}"
    return f"{seconds:,.1f} s"
