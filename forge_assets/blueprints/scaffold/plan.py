"""What the templates are filled with: the spec's values in the words of the project, each with where it comes from.

Where the project builds something else than the stack says, or nothing, `gaps` says so: nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from forge_assets.blueprints.composed import FdlModel
from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import View
from forge_assets.blueprints.scaffold import parts
from forge_assets.blueprints.scaffold.counting import frozen, parameters
from forge_assets.blueprints.spec.files import leaves, told
from forge_assets.blueprints.spec.model import Spec
from forge_assets.blueprints.spec.values import Value
from forge_assets.components.ontology import Ontology

VOCABULARY = "v"
"""The axis of the composed text that the tokenizer fills."""
SMALL_CONTEXT = 64
MEANINGS = {"L": "layers"}
"""Of axes that only count repeats, which the text does not describe."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as a configuration says it, with its source in one line."""

    value: Any
    source: str

    @staticmethod
    def of(value: Value[Any]) -> Shown:
        return Shown(value.value, value.source)


def plan_of(spec: Spec, model: FdlModel, program: ir.Program, ontology: Ontology) -> dict[str, Any]:
    """Plain data: it is written to `plan.yml` beside the template and pinned with it."""
    made = _model(model, program)
    optimizer = parts.OPTIMIZERS.get(spec.optimizer.component.value, parts.OPTIMIZERS["adamw"])
    decoding = spec.evaluation.decoding.value if spec.evaluation.decoding else ""
    return {
        "blueprint": spec.identity.name,
        "title": spec.identity.title,
        "licence": spec.identity.licence.value,
        "stack": spec.identity.pins.stack,
        "evidence": spec.identity.pins.evidence,
        "model": made,
        "tokenizer": asdict(parts.TOKENIZERS.get(spec.tokenizer.component.value, parts.BYTES)),
        "optimizer": asdict(optimizer),
        "schedule": asdict(parts.SCHEDULES.get(spec.schedule.component.value, parts.SCHEDULES["cosine-decay"])),
        "decoding": asdict(parts.DECODING.get(decoding, parts.DECODING["temperature-sampling"])),
        "small": {"context": SMALL_CONTEXT, "learning_rate": parts.SMALL_RATES[optimizer.kind]},
        "parallel_kinds": ["ddp"] if optimizer.kind in parts.WHOLE_MATRICES else ["ddp", "fsdp2"],
        "config": {name: asdict(one) for name, one in _config(spec).items()},
        "choices": list(_choices(spec, ontology)),
        "gaps": list(_gaps(spec, made["parameters"])),
        "values": [{"name": path, "value": value, "source": source} for path, value, source in _values(spec)],
        "risks": [{"statement": risk.statement, "source": risk.source} for risk in spec.risks],
    }


def _model(model: FdlModel, program: ir.Program) -> dict[str, Any]:
    view = View.of(program)
    (lm,) = program.models.values()
    said = {name: axis.description for name, axis in program.axes.items()}
    axes = [
        {
            "axis": name,
            "size": model.sizes[name],
            "small": model.small[name],
            "meaning": said.get(name) or ("layers" if name == "L" else ""),
        }
        for name in view.static
    ]
    return {
        "axes": axes,
        "vocabulary_axis": VOCABULARY,
        "parameters": parameters(program, lm, model.sizes),
        "small_parameters": parameters(program, lm, model.small),
        "decodes": view.decodes(lm),
        "frozen": frozen(program),
    }


def _config(spec: Spec) -> dict[str, Shown]:
    """Each field of configs/train.yaml outside `model`."""
    schedule, rate = spec.schedule, spec.optimizer.learning_rate.value
    recompute = spec.infrastructure.get("activation_memory")
    recomputes = recompute is not None and recompute.value in parts.RECOMPUTING
    found: dict[str, Value[Any]] = {
        "context": spec.architecture.context,
        "sequences": spec.batching.global_batch,
        "micro": spec.batching.micro_batch,
        "learning_rate": spec.optimizer.learning_rate,
        "weight_decay": spec.optimizer.weight_decay,
        "clip": spec.optimizer.gradient_clip,
        "steps": schedule.steps,
        "warmup": schedule.warmup_steps,
        "every": spec.checkpoints.every_steps,
        "keep": spec.checkpoints.keep,
        "evaluate": spec.evaluation.every_steps,
    }
    return {name: Shown.of(value) for name, value in found.items()} | {
        **_moments(spec),
        "floor": Shown(round(schedule.final_learning_rate.value / rate, 6), f"the final rate; {schedule.final_learning_rate.source}"),
        "decay": Shown(parts.DECAYING.get(schedule.component.value, 1.0), "default: the share of the steps in which this schedule falls"),
        "precision": Shown(parts.PRECISIONS[spec.precision.compute.value], spec.precision.compute.source),
        "recompute": Shown(recomputes, recompute.source if recompute else "default: the stack recomputes no activations"),
        "parallel": _parallel(spec),
    }


def _moments(spec: Spec) -> dict[str, Shown]:
    """How long the optimizer remembers gradients and their squares; an optimizer with one momentum has it in both places."""
    optimizer = spec.optimizer
    first, second = optimizer.beta1 or optimizer.momentum, optimizer.beta2 or optimizer.momentum
    if optimizer.component.value == "muon" and optimizer.momentum:
        second = optimizer.momentum
    unused = "default: this optimizer does not use it"
    return {"beta1": Shown.of(first) if first else Shown(0.9, unused), "beta2": Shown.of(second) if second else Shown(0.95, unused)}


def _parallel(spec: Spec) -> Shown:
    component, optimizer = spec.parallelism.component, spec.optimizer.component.value
    if optimizer in parts.WHOLE_MATRICES:
        return Shown("ddp", f"{optimizer} steps whole matrices, so each process has all of them")
    if component is None:
        return Shown("ddp", "default: the stack spreads the model over no devices")
    return Shown("ddp" if component.value in parts.REPLICATED else "fsdp2", component.source)


def _components(spec: Spec) -> Iterator[tuple[str, Value[str]]]:
    """(slot, component) of the whole stack, in the order in which data flows."""
    named = {
        "tokenizer": spec.tokenizer.component,
        "data_pipeline": spec.data.pipeline,
        "dedup": spec.data.dedup,
        "batching": spec.batching.component,
        **spec.architecture.components,
        "optimizer": spec.optimizer.component,
        "schedule": spec.schedule.component,
        "precision": spec.precision.component,
        "quantization": spec.quantization,
        "parallelism": spec.parallelism.component,
        "eval": spec.evaluation.component,
        "decoding": spec.evaluation.decoding,
        **spec.infrastructure,
    }
    yield from ((slot, one) for slot, one in named.items() if one is not None)


def _choices(spec: Spec, ontology: Ontology) -> Iterator[dict[str, Any]]:
    for slot, one in _components(spec):
        known = ontology.components.get(one.value)
        yield {
            "slot": slot,
            "component": one.value,
            "name": known.name if known else one.value,
            "description": known.description if known else "",
            "source": one.source,
            "file": parts.file_of(slot) if parts.is_built(slot, one.value) else None,
        }


def _gaps(spec: Spec, counted: int) -> Iterator[dict[str, str]]:
    for slot, one in _components(spec):
        if not parts.is_built(slot, one.value):
            yield {"slot": slot, "component": one.value, "instead": parts.INSTEAD.get(slot, "nothing")}
    planned, degrees = spec.model_size.parameters.value, spec.parallelism
    if counted != planned:
        yield {"slot": "model size", "component": f"{planned:,} parameters by the spec", "instead": f"{counted:,}, as model.fdl has them"}
    for name in ("tensor", "pipeline", "context", "expert"):
        if (degree := getattr(degrees, name).value) > 1:
            yield {"slot": "parallelism", "component": f"{name}-parallel degree {degree}", "instead": "data parallelism over all devices"}


def _values(spec: Spec) -> Iterator[tuple[str, str, str]]:
    """(path, value, source) of everything in the spec; evidence as document and span."""
    for path, one in leaves(spec):
        places = "; ".join(f"{place.title or place.document} [{place.start}:{place.end}]" for place in one.evidence)
        yield path, told(one.value) + (f" {one.unit}" if one.unit else ""), one.source + (f" ({places})" if places else "")
