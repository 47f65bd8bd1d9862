"""The spec: what comes out of a solved stack, block by block. Outside data when it is read back, hence pydantic; numbers that depend on
each other are held against each other: an edited spec that contradicts itself is refused with the two numbers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from forge_assets.blueprints.spec.values import Choice, Strict, Value

SPEC_VERSION = "1"


class Pins(Strict):
    """States of what the spec was made from; nights change none of it."""

    stack: str
    evidence: str
    catalogue: str
    graph: str
    ontology: str
    constraints: str
    profile: str


class Identity(Strict):
    name: str
    goal: str
    description: str
    licence: Value[str]
    framework: str | None = None


class ModelSize(Strict):
    """Computed, never chosen. `kv_bytes_per_token`: of the cache, all layers, in `kv_dtype`."""

    asked: Value[int]
    parameters: Value[int]
    active_parameters: Value[int]
    non_embedding_parameters: Value[int]
    by_component: dict[str, int]
    weight_bytes: Value[int]
    kv_bytes_per_token: Value[int]
    kv_dtype: str
    flops_per_token_forward: Value[float]
    flops_per_token_training: Value[float]


class Tokenizer(Strict):
    algorithm: Choice
    vocabulary_size: Value[int]
    byte_fallback: Value[bool]
    normalisation: Value[str]
    pretokenisation: Value[str]
    special_tokens: Value[dict[str, str]]
    training_bytes: Value[int]


class Experts(Strict):
    experts: Value[int]
    experts_per_token: Value[int]
    expert_size: Value[int]
    shared_size: Value[int]
    balancing_loss: Value[float]


class Latent(Strict):
    """Multi-head latent attention."""

    query_rank: Value[int]
    kv_rank: Value[int]
    rope_dim: Value[int]
    nope_dim: Value[int]
    value_dim: Value[int]


class Architecture(Strict):
    """`choices`: slot -> component, of the slots that make up the network; empty slots are left out."""

    choices: dict[str, Choice]
    layers: Value[int]
    hidden_size: Value[int]
    heads: Value[int]
    kv_heads: Value[int]
    head_dim: Value[int]
    intermediate_size: Value[int]
    context_length: Value[int]
    activation: Value[str]
    gated: Value[bool]
    norm_epsilon: Value[float]
    rope_theta: Value[float] | None
    rotary_fraction: Value[float] | None
    sliding_window: Value[int] | None
    qk_norm: Value[str]
    attention_bias: Value[bool]
    ffn_bias: Value[bool]
    norm_bias: Value[bool]
    tie_embeddings: Value[bool]
    initializer_range: Value[float]
    dropout: Value[float]
    experts: Experts | None = None
    latent: Latent | None = None

    @model_validator(mode="after")
    def _divides(self) -> Architecture:
        if self.heads.value % self.kv_heads.value:
            raise ValueError(f"heads is {self.heads.value}, kv_heads {self.kv_heads.value}; expected a multiple")
        for name in ("layers", "hidden_size", "heads", "kv_heads", "head_dim", "context_length"):
            if (found := getattr(self, name).value) < 1:
                raise ValueError(f"{name} is {found}; expected 1 or more")
        return self


class Source(Strict):
    """`tokens`: unique ones it has, None where nobody says; `share` of the mix."""

    name: str
    component: Choice
    share: Value[float]
    tokens: Value[int] | None
    url: str | None = None


class Data(Strict):
    sources: tuple[Source, ...] = Field(min_length=1)
    dedup: Choice | None
    dedup_settings: dict[str, Value[float] | Value[int]]
    training_tokens: Value[int]
    epochs: Value[float] | None
    validation_share: Value[float]

    @model_validator(mode="after")
    def _is_whole(self) -> Data:
        if abs((total := sum(one.share.value for one in self.sources)) - 1) > 1e-6:
            raise ValueError(f"the shares of the data mix add up to {total:g}; expected 1")
        return self


class Batching(Strict):
    """Sequences; `tokens_per_step` follows."""

    packing: Choice
    sequence_length: Value[int]
    micro_batch: Value[int]
    gradient_accumulation: Value[int]
    global_batch: Value[int]
    tokens_per_step: Value[int]

    @model_validator(mode="after")
    def _multiplies(self) -> Batching:
        if (tokens := self.global_batch.value * self.sequence_length.value) != self.tokens_per_step.value:
            raise ValueError(f"tokens_per_step is {self.tokens_per_step.value}; global_batch x sequence_length is {tokens}")
        return self


class Optimizer(Strict):
    """`settings`: betas, epsilon and the like, by the names of the ontology's parameters."""

    algorithm: Choice
    learning_rate: Value[float]
    settings: dict[str, Value[float]]
    weight_decay: Value[float]
    gradient_clip: Value[float]
    not_decayed: Value[tuple[str, ...]]


class Schedule(Strict):
    """Steps of the optimizer."""

    form: Choice
    steps: Value[int]
    warmup_steps: Value[int]
    decay_steps: Value[int]
    final_share: Value[float]

    @model_validator(mode="after")
    def _fits(self) -> Schedule:
        if (used := self.warmup_steps.value + self.decay_steps.value) > self.steps.value:
            raise ValueError(f"warm-up and decay take {used} steps of {self.steps.value}; expected no more")
        return self


class Precision(Strict):
    component: Choice
    weights: Value[str]
    gradients: Value[str]
    master_weights: Value[str]
    optimizer_states: Value[str]
    loss: Value[str]
    quantization: Choice | None
    """Of the exported model; None: as trained."""


class Parallelism(Strict):
    """Degrees of parallelism; data x tensor x pipeline x context is the world size."""

    component: Choice | None
    world_size: Value[int]
    data: Value[int]
    tensor: Value[int]
    pipeline: Value[int]
    context: Value[int]
    expert: Value[int]
    zero_stage: Value[int]
    recompute: Value[str]
    attention_kernel: Choice | None

    @model_validator(mode="after")
    def _multiplies(self) -> Parallelism:
        product = self.data.value * self.tensor.value * self.pipeline.value * self.context.value
        if product != self.world_size.value:
            raise ValueError(f"data x tensor x pipeline x context is {product}, world_size {self.world_size.value}; expected the same")
        return self


class Checkpoints(Strict):
    every_steps: Value[int]
    keep: Value[int]
    bytes: Value[int]
    contents: Value[tuple[str, ...]]
    format: Value[str]


class Evaluation(Strict):
    """`tasks`: what is measured besides the loss on held-out text."""

    component: Choice
    every_steps: Value[int]
    tasks: Value[tuple[str, ...]]
    metrics: Value[tuple[str, ...]]


class MemoryItem(Strict):
    name: str
    bytes: Value[int]


class Hardware(Strict):
    """`fits`: the step stays under 80% of the memory; None where no memory was asked for. Time, energy and cost are of the whole run on
    `gpu`, which stands in where only an amount of memory was asked for."""

    gpu: Value[str]
    gpus: Value[int]
    gpu_memory: Value[int]
    step_memory: tuple[MemoryItem, ...]
    step_bytes: Value[int]
    step_bytes_low: int
    step_bytes_high: int
    moment: str
    fits: Value[bool] | None
    unvalidated: str | None
    flops: Value[float]
    mfu: Value[float]
    hours: Value[float]
    gpu_hours: Value[float]
    kilowatt_hours: Value[float]
    cost: Value[float] | None


class Serving(Strict):
    """Memory of one GPU that serves `sequences` at full context; upper bounds of its speed."""

    engine: Choice | None
    kv_cache: Choice | None
    decoding: Choice
    settings: dict[str, Value[float]]
    sequences: Value[int]
    bytes: Value[int]
    decode_tokens_per_second: Value[float]
    first_token_seconds: Value[float]


class Risk(Strict):
    """What may go wrong or is not known, how to see it, and what to do."""

    kind: Literal["limit", "assumption", "deviation", "warning"]
    statement: str
    source: str


class Spec(Strict):
    """A whole build plan."""

    spec_version: Literal["1"] = "1"
    identity: Identity
    pins: Pins
    model_size: ModelSize
    tokenizer: Tokenizer
    architecture: Architecture
    data: Data
    batching: Batching
    optimizer: Optimizer
    schedule: Schedule
    precision: Precision
    parallelism: Parallelism
    checkpoints: Checkpoints
    evaluation: Evaluation
    serving: Serving
    hardware: Hardware
    other: dict[str, Choice]
    """Chosen components of slots that no block above holds."""
    risks: tuple[Risk, ...]

    @model_validator(mode="after")
    def _agrees(self) -> Spec:
        batch, split = self.batching, self.parallelism
        found = batch.micro_batch.value * batch.gradient_accumulation.value * split.data.value
        if found != batch.global_batch.value:
            raise ValueError(
                f"global_batch is {batch.global_batch.value}; micro_batch x gradient_accumulation x data parallel degree is {found}"
            )
        if batch.sequence_length.value > self.architecture.context_length.value:
            raise ValueError(f"sequence_length {batch.sequence_length.value} exceeds the context {self.architecture.context_length.value}")
        return self
