"""The pages of the hierarchy: what happens in which order, with the numbers of the spec and where they come from."""

from __future__ import annotations

from typing import Any

from forge_assets.blueprints.spec.files import told
from forge_assets.blueprints.spec.model import Spec
from forge_assets.blueprints.spec.values import Value

REASONS = "Formulas, sources and places in documents stand in the YAML files beside this one, with the values they belong to."


def _said(value: Value[Any] | None) -> str:
    """`cosine-decay (chosen)`; what works state with the first of them."""
    if value is None:
        return "nothing"
    stated = f": {value.evidence[0].title or value.evidence[0].document}" if value.origin == "stated" else ""
    return f"{told(value.value)}{' ' + value.unit if value.unit else ''} ({value.origin}{stated})"


def readme(spec: Spec) -> str:
    files = ["tokenizer", "model", "optimizer", "schedule", "data", "batching", "precision", "parallelism", "checkpoints", "hardware"]
    return "\n".join([
        f"# {spec.identity.title}", "",
        "One file per part of the training infrastructure; every value says where it comes from.", "",
        *(f"- `{name}.yaml`, checked by `schemas/{name}.schema.json`" for name in files),
        "- `data_pipeline.txt`, `training_loop.md`, `evaluation.md`: what happens, in order",
        "- `compatibility.md`: the stack, and what its parts ask of each other", "",
    ])  # fmt: skip


def data_pipeline(spec: Spec) -> str:
    shares = [f"   {name:<14}{share:7.1%}" for name, share in sorted(spec.data.mix.value.items(), key=lambda one: -one[1])]
    return "\n".join([
        f"DATA PIPELINE of {spec.identity.name}", "",
        f"1. read    documents in these shares of tokens ({spec.data.mix.origin})", *shares,
        f"2. filter  {_said(spec.data.pipeline)}",
        f"3. dedup   {_said(spec.data.dedup)}",
        f"4. encode  {_said(spec.tokenizer.component)}, vocabulary of {_said(spec.tokenizer.vocab_size)}",
        f"5. batch   {_said(spec.batching.component)}: sequences of {_said(spec.architecture.context)}",
        f"6. feed    {_said(spec.batching.global_batch)} a step; {_said(spec.data.tokens)} in all", "", REASONS, "",
    ])  # fmt: skip


def training_loop(spec: Spec) -> str:
    batch, rate, plan = spec.batching, spec.optimizer, spec.schedule
    adam = [f"   - {name} {_said(one)}" for name in ("beta1", "beta2", "epsilon", "momentum") if (one := getattr(rate, name)) is not None]
    return "\n".join([
        f"# Training loop of {spec.identity.name}", "",
        f"{told(plan.steps.value)} steps of {told(batch.tokens_per_step.value)} tokens.", "",
        "1. Set the seed; build the model, optimizer and data order; restore the newest whole checkpoint if there is one.",
        f"2. For each of {_said(batch.gradient_accumulation)}: read {_said(batch.micro_batch)} per device, run forward in "
        f"{spec.precision.compute.value}, take the mean cross-entropy of the next token, run backward.",
        f"3. Clip the norm of the gradients to {_said(rate.gradient_clip)}.",
        f"4. Step {_said(rate.component)} with",
        f"   - learning rate {_said(rate.learning_rate)}", *adam, f"   - weight decay {_said(rate.weight_decay)}",
        f"5. The rate follows {_said(plan.component)}: warm-up over {_said(plan.warmup_steps)}, then down to "
        f"{_said(plan.final_learning_rate)}.",
        f"6. Every {_said(spec.evaluation.every_steps)} evaluate; every {_said(spec.checkpoints.every_steps)} write a checkpoint "
        f"({told(spec.checkpoints.bytes_each.value)} bytes) and keep {_said(spec.checkpoints.keep)}.", "",
        "A checkpoint holds weights, optimizer states, step, position in the data and random states, so that a run that is resumed",
        "takes the same steps as one that never stopped.", "", REASONS, "",
    ])  # fmt: skip


def evaluation(spec: Spec) -> str:
    found = spec.evaluation
    return "\n".join([
        f"# Evaluation of {spec.identity.name}", "",
        f"- Benchmark: {_said(found.component)}",
        f"- Metric: {_said(found.metric)}",
        f"- Every: {_said(found.every_steps)}",
        f"- Decoding: {_said(found.decoding)}", "",
        "Held-out text is never part of training data; its documents are left out by their content hash before shards are written.", "",
    ])  # fmt: skip


def compatibility(spec: Spec) -> str:
    parts: dict[str, Value[str] | None] = {
        "tokenizer": spec.tokenizer.component, "data_pipeline": spec.data.pipeline, "dedup": spec.data.dedup,
        "batching": spec.batching.component,
        **spec.architecture.components, "optimizer": spec.optimizer.component, "schedule": spec.schedule.component,
        "precision": spec.precision.component, "quantization": spec.quantization, "parallelism": spec.parallelism.component,
        "eval": spec.evaluation.component, **spec.infrastructure,
    }  # fmt: skip
    rows = [f"| {slot} | {one.value} | {one.source} |" for slot, one in parts.items() if one is not None]
    degrees = spec.parallelism
    return "\n".join([
        f"# What {spec.identity.name} is made of", "",
        "The solver chose these together: they break no hard constraint. `forge stack explain` gives the reasons with their sources.", "",
        "| slot | component | from |", "|---|---|---|", *rows, "",
        "## What has to hold", "",
        f"- data x tensor x pipeline x context = {degrees.data.value} x {degrees.tensor.value} x {degrees.pipeline.value} x "
        f"{degrees.context.value} = {degrees.world_size.value} GPUs",
        f"- {spec.architecture.heads.value} query heads are a multiple of {spec.architecture.kv_heads.value} key heads",
        f"- micro batch x accumulation x data = {spec.batching.micro_batch.value} x {spec.batching.gradient_accumulation.value} x "
        f"{degrees.data.value} = {spec.batching.global_batch.value} sequences", "",
        "## Risks", "", *(f"- {risk.statement} ({risk.source})" for risk in spec.risks), "",
    ])  # fmt: skip
