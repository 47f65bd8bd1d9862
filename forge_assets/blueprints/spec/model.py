"""The spec as data. Blocks follow the order in which a team needs them; what contradicts itself is refused with a sentence.

Sizes are in elements, memory in bytes, time in seconds, batches in sequences unless a value's unit says otherwise.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from forge_assets.blueprints.spec.values import Count, Flag, Number, Strict, Text, Value


class Pins(Strict):
    """What the blueprint was solved from; nights change none of it."""

    stack: str
    request: str
    evidence: str
    catalogue: str
    graph: str
    ontology: str
    constraints: str
    profile: str


class Identity(Strict):
    name: str = Field(min_length=1, max_length=64)
    title: str
    licence: Text
    framework: str | None
    pins: Pins


class ModelSize(Strict):
    parameters: Count
    active_parameters: Count
    by_component: Value[dict[str, int]]
    kv_bytes_per_token: Count
    forward_flops_per_token: Number
    training_flops_per_token: Number


class Tokenizer(Strict):
    component: Text
    vocab_size: Count
    special_tokens: Value[tuple[str, ...]]


class Experts(Strict):
    router: Text | None
    experts: Count
    per_token: Count
    width: Count


class Architecture(Strict):
    """`components`: slot -> component, for the slots that make up the model."""

    components: dict[str, Text]
    layers: Count
    hidden_size: Count
    heads: Count
    kv_heads: Count
    head_dim: Count
    ffn_size: Count
    experts: Experts | None
    context: Count
    norm_epsilon: Number
    rope_theta: Number | None
    tied_embeddings: Flag
    gated_ffn: Flag

    @model_validator(mode="after")
    def _divides(self) -> Architecture:
        for name in ("layers", "hidden_size", "heads", "kv_heads", "head_dim", "ffn_size", "context"):
            if getattr(self, name).value < 1:
                raise ValueError(f"{name} is {getattr(self, name).value}; a model has at least 1")
        if self.heads.value % self.kv_heads.value:
            raise ValueError(f"{self.heads.value} query heads are no multiple of {self.kv_heads.value} key heads; choose a divisor")
        if self.experts and self.experts.per_token.value > self.experts.experts.value:
            raise ValueError(f"{self.experts.per_token.value} experts a token are more than the {self.experts.experts.value} there are")
        return self


class Data(Strict):
    """`mix`: share of each source of text; they add up to 1."""

    pipeline: Text
    dedup: Text | None
    tokens: Number
    mix: Value[dict[str, float]]

    @model_validator(mode="after")
    def _whole(self) -> Data:
        total = sum(self.mix.value.values())
        if abs(total - 1) > 1e-6 or min(self.mix.value.values(), default=1) < 0:
            raise ValueError(f"the shares of the data mix add up to {total:g}; expected 1, and none below 0")
        return self


class Batching(Strict):
    component: Text
    micro_batch: Count
    gradient_accumulation: Count
    global_batch: Count
    tokens_per_step: Count


class Optimizer(Strict):
    component: Text
    learning_rate: Number
    beta1: Number | None = None
    beta2: Number | None = None
    epsilon: Number | None = None
    momentum: Number | None = None
    weight_decay: Number
    gradient_clip: Number


class Schedule(Strict):
    component: Text
    steps: Count
    warmup_steps: Count
    final_learning_rate: Number

    @model_validator(mode="after")
    def _warm(self) -> Schedule:
        if self.warmup_steps.value > self.steps.value:
            raise ValueError(f"warm-up of {self.warmup_steps.value} steps is longer than the {self.steps.value} steps of training")
        return self


class Precision(Strict):
    component: Text
    compute: Text
    bytes_per_parameter: Value[dict[str, float]]


class Parallelism(Strict):
    component: Text | None
    world_size: Count
    data: Count
    tensor: Count
    pipeline: Count
    context: Count
    expert: Count
    zero_stage: Count

    @model_validator(mode="after")
    def _multiplies(self) -> Parallelism:
        made = self.data.value * self.tensor.value * self.pipeline.value * self.context.value
        if made != self.world_size.value:
            raise ValueError(f"data x tensor x pipeline x context is {made}, the world has {self.world_size.value} GPUs; make them equal")
        return self


class Checkpoints(Strict):
    every_steps: Count
    keep: Count
    format: Text
    bytes_each: Count


class Evaluation(Strict):
    component: Text
    metric: Text
    every_steps: Count
    decoding: Text | None


class HardwareFit(Strict):
    """`memory`: bytes on the fullest GPU by item; `cost` stands only where a price is set (FORGE_GPU_PRICE_PER_HOUR)."""

    gpu: Text
    gpus: Count
    memory: Value[dict[str, int]]
    memory_total: Count
    capacity: Count | None
    fits: Flag | None
    utilization: Number | None
    seconds: Number | None
    kilowatt_hours: Number | None
    cost: Number | None


class Risk(Strict):
    statement: str = Field(min_length=1)
    source: str = Field(min_length=1)


class Spec(Strict):
    """The technical spec of one blueprint."""

    spec_version: Literal["1"]
    identity: Identity
    model_size: ModelSize
    tokenizer: Tokenizer
    architecture: Architecture
    data: Data
    batching: Batching
    optimizer: Optimizer
    schedule: Schedule
    precision: Precision
    quantization: Text | None
    parallelism: Parallelism
    checkpoints: Checkpoints
    evaluation: Evaluation
    hardware: HardwareFit
    infrastructure: dict[str, Text]
    risks: tuple[Risk, ...]

    @model_validator(mode="after")
    def _agree(self) -> Spec:
        batching, degrees = self.batching, self.parallelism
        made = batching.micro_batch.value * batching.gradient_accumulation.value * degrees.data.value
        if made != batching.global_batch.value:
            raise ValueError(
                f"micro batch x accumulation x data-parallel degree is {made}, the global batch is {batching.global_batch.value}; "
                "make them equal"
            )
        if batching.tokens_per_step.value != batching.global_batch.value * self.architecture.context.value:
            raise ValueError("tokens per step are not the global batch times the context; correct one of them")
        if degrees.world_size.value != self.hardware.gpus.value:
            raise ValueError(f"the plan is for {degrees.world_size.value} GPUs, the hardware has {self.hardware.gpus.value}")
        return self
