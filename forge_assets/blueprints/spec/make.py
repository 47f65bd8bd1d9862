"""A solved stack -> its spec: sizes by the arithmetic room, settings from the catalogue's values, the rest published defaults.

`gather (stack, request, stated values) -> blocks -> Spec`. Nothing here looks at the clock, so the same inputs give the same bytes.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass

from forge_assets.blueprints.spec import blocks, defaults
from forge_assets.blueprints.spec import model as m
from forge_assets.blueprints.spec.risks import risks_of
from forge_assets.blueprints.spec.shapes import batch_of, memory_of, shape_of
from forge_assets.blueprints.spec.stated import ALSO, Known
from forge_assets.blueprints.spec.values import Number, Text, Value, asked, chosen, computed, default
from forge_assets.compatibility.arithmetic.compute import flops
from forge_assets.compatibility.arithmetic.items import Estimate
from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.compatibility.stack.batches import Batch
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack
from forge_assets.components.ontology import Ontology

MODEL_SLOTS = ("architecture", "embedding", "position_encoding", "attention", "attention_kernel", "qk_norm", "sequence_mixer", "norm",
               "norm_placement", "residual", "activation", "ffn", "moe_router", "output_head", "objective", "initialization")  # fmt: skip
NAMED_ELSEWHERE = frozenset({*MODEL_SLOTS, "tokenizer", "data_pipeline", "dedup", "batching", "optimizer", "schedule", "precision",
                             "quantization", "parallelism", "eval", "decoding", "hardware"})  # fmt: skip


@dataclass(frozen=True)
class Source:
    """All a spec is made from. `price`: of a GPU hour, or None."""

    stack: Stack
    request: Request
    ontology: Ontology
    known: Known
    price: float | None = None

    @functools.cached_property
    def shape(self) -> ModelShape:
        return shape_of(self.stack, self.request)

    @functools.cached_property
    def memory(self) -> Estimate:
        return memory_of(self.stack, self.request, self.shape)

    @property
    def batch(self) -> Batch:
        return batch_of(self.stack)

    def component(self, slot: str) -> Text | None:
        """What the stack holds in the slot; asked for where a pin says so."""
        found = self.stack.slots.get(slot)
        if found is None:
            return None
        if any(pin.what == slot for pin in self.request.pins):
            return asked(found, "pins")
        why = f"for slot {slot}; `forge stack explain {self.request.name} --why {found}`"
        return chosen(found, why, evidence=self.known.named.get(found, ()))

    def required(self, slot: str) -> Text:
        found = self.component(slot)
        return found or default("none", f"the stack leaves the slot {slot} empty")

    def number(self, name: str) -> Value[int]:
        return chosen(int(self.stack.numbers[name]), f"{name} of the stack")

    def setting(self, slot: str, parameter: str, otherwise: float, why: str) -> Number:
        """What works state for the component of the slot, where it is plausible for it; else a default."""
        for component in (self.stack.slots.get(slot), ALSO.get(parameter)):
            found = self.known.values.get((component or "", parameter))
            if found is not None and component and self._plausible(component, parameter, found.value):
                told = f"the {parameter} nearest to the median of {found.works} works that agree on it for {component}"
                return Value(value=found.value, origin="stated", reason=told, evidence=found.evidence)
        return default(otherwise, why)

    def _plausible(self, component: str, parameter: str, value: float) -> bool:
        known = self.ontology.components.get(component)
        for use in known.parameters if known else ():
            if use.id == parameter:
                return (use.low is None or value >= use.low) and (use.high is None or value <= use.high)
        return True


def make_spec(source: Source) -> m.Spec:
    """Raises ShapeError for numbers that make no model."""
    stack, request, shape = source.stack, source.request, source.shape
    steps = blocks.steps_of(source)
    return m.Spec(
        spec_version="1",
        identity=m.Identity(
            name=request.name,
            title=f"{request.name}: {_short(counts(shape).total)} parameters, {request.context:,} tokens of context",
            licence=default(*defaults.LICENCE),
            framework=request.framework,
            pins=m.Pins(stack=stack.digest, **asdict(stack.pins)),
        ),
        model_size=_size(shape),
        tokenizer=m.Tokenizer(
            component=source.required("tokenizer"),
            vocab_size=source.number("vocab_size"),
            special_tokens=default(*defaults.SPECIAL_TOKENS),
        ),
        architecture=blocks.architecture(source, {slot: one for slot in MODEL_SLOTS if (one := source.component(slot))}),
        data=blocks.data(source),
        batching=blocks.batching(source),
        optimizer=blocks.optimizer(source),
        schedule=blocks.schedule(source, steps),
        precision=blocks.precision(source),
        quantization=source.component("quantization"),
        parallelism=blocks.parallelism(source),
        checkpoints=blocks.checkpoints(source, steps),
        evaluation=m.Evaluation(
            component=source.required("eval"),
            metric=default("loss and perplexity on held-out text, then the benchmark", "Jelinek et al. 1977 (perplexity)"),
            every_steps=computed(max(1, steps // defaults.EVALUATIONS), f"steps / {defaults.EVALUATIONS}", "steps"),
            decoding=source.component("decoding"),
        ),
        hardware=blocks.hardware(source),
        infrastructure={slot: one for slot in stack.slots if slot not in NAMED_ELSEWHERE and (one := source.component(slot))},
        risks=risks_of(stack, request, shape, source.memory),
    )


def _size(shape: ModelShape) -> m.ModelSize:
    count, work = counts(shape), flops(shape, shape.context)
    cached = shape.attention_layers * shape.cached * 2
    return m.ModelSize(
        parameters=computed(count.total, "sum over all tensors of the model (arithmetic/parameters.py)"),
        active_parameters=computed(count.active, "parameters that one token passes: experts it is not routed to left out"),
        by_component=computed(count.by_component, "sum over the tensors of each part"),
        kv_bytes_per_token=computed(cached, "2 x layers x key heads x head_dim x 2 bytes (Shazeer 2019)", "bytes"),
        forward_flops_per_token=computed(
            work.forward, "2 x active weights that multiply + attention over half the context (Kaplan et al. 2020, section 2.1)", "FLOP"
        ),
        training_flops_per_token=computed(work.training(), "3 x forward (Kaplan et al. 2020, section 2.1)", "FLOP"),
    )


def _short(count: int) -> str:
    for unit, size in (("T", 10**12), ("B", 10**9), ("M", 10**6)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:,}"
