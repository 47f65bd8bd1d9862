"""How a model is trained or served, as far as memory and time depend on it: precision, optimizer, recomputation, split over devices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_resources.errors import ShapeError

Recompute = Literal["none", "selective", "full"]
Attention = Literal["flash", "eager"]
Kernels = Literal["eager", "fused"]
Loss = Literal["plain", "fused"]
Step = Literal["loop", "foreach", "fused"]
LoraTargets = Literal["attention", "all"]


@dataclass(frozen=True, slots=True)
class Precision:
    """Bytes per element. `residual`: of the stream between layers; `compute`: of what matrix products read; `copies`: of weights that are
    cast again for computing; `inputs`: of the saved inputs of linears."""

    name: str
    weight: float
    gradient: float
    master: float
    state: float
    residual: int
    compute: int
    copies: float = 0
    inputs: int = 0
    source: str = ""

    @property
    def saved(self) -> int:
        """Bytes per element of a saved input of a linear."""
        return self.inputs or self.compute

    @property
    def autocast(self) -> bool:
        return self.name == "autocast"


MEGATRON = "Megatron-LM README, distributed optimizer: bytes per parameter"
PRECISIONS = {
    one.name: one
    for one in (
        Precision("fp32", 4, 4, 0, 4, 4, 4, source="all tensors in 4 bytes"),
        Precision("bf16", 2, 2, 0, 2, 2, 2, source="model.bfloat16(): torch.optim keeps states in the dtype of the parameters"),
        Precision("autocast", 4, 4, 0, 4, 4, 2, 2, source="torch.autocast (Micikevicius et al. 2018): fp32 weights, cast copies kept"),
        Precision("mixed", 2, 2, 4, 4, 2, 2, source="Rajbhandari et al. 2020 (ZeRO), section 3.1: 2 + 2 + 12 bytes"),
        Precision("mixed-fp32-gradients", 2, 4, 4, 4, 2, 2, source=f"{MEGATRON}, 6 + 12/d"),
        Precision("fp8", 2, 4, 4, 4, 2, 2, 2, 1, source="Micikevicius et al. 2022 (FP8); Transformer Engine keeps two fp8 copies"),
    )
}


@dataclass(frozen=True, slots=True)
class Split:
    """Degrees of parallelism. `zero`: stage of sharding over dp x cp (Rajbhandari et al. 2020; FSDP is stage 3). `expert` divides
    data x context. `sequence_parallel`: with tensor parallelism, norms and residuals are divided too (Korthikanti et al. 2022)."""

    data: int = 1
    tensor: int = 1
    pipeline: int = 1
    context: int = 1
    expert: int = 1
    zero: int = 0
    sequence_parallel: bool = True

    @property
    def devices(self) -> int:
        return self.data * self.tensor * self.pipeline * self.context

    @property
    def replicas(self) -> int:
        """Devices that hold the same weights: what ZeRO shards over."""
        return self.data * self.context

    def check(self, shape: ModelShape) -> None:
        """Raises ShapeError where the degrees do not divide what they cut."""
        degrees = {"dp": self.data, "tp": self.tensor, "pp": self.pipeline, "cp": self.context, "ep": self.expert}
        for name, value in degrees.items():
            if value < 1:
                raise ShapeError(f"{name} is {value}; expected 1 or more")
        if self.zero not in (0, 1, 2, 3):
            raise ShapeError(f"ZeRO stage {self.zero} is unknown; expected 0, 1, 2 or 3")
        expert = shape.moe.width if shape.moe else 0
        widths = (
            ("heads", shape.heads, "tp"),
            ("FFN width", shape.ffn, "tp"),
            ("expert width", expert, "tp"),
            ("layers", shape.layers, "pp"),
        )
        for what, size, degree in widths:
            if size % degrees[degree]:
                raise ShapeError(f"{size:,} {what} cannot be divided by {degree} {degrees[degree]}; choose a divisor")
        if self.expert > 1 and not shape.moe:
            raise ShapeError(f"ep is {self.expert}, but {shape.family} has no experts; leave ep at 1")
        if shape.moe and (shape.moe.experts % self.expert or self.replicas % self.expert):
            raise ShapeError(
                f"ep {self.expert} must divide the {shape.moe.experts} experts and dp x cp = {self.replicas}; choose a common divisor"
            )

    @property
    def told(self) -> str:
        pairs = {"dp": self.data, "tp": self.tensor, "pp": self.pipeline, "cp": self.context, "ep": self.expert}
        parts = [f"{name} {value}" for name, value in pairs.items() if value > 1] + [f"ZeRO-{self.zero}"] * bool(self.zero)
        return ", ".join(parts) or "one device"


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adapters (Hu et al. 2021) on linears of attention, or of attention and FFN; kept in `bytes` per element (PEFT: fp32)."""

    rank: int
    targets: LoraTargets = "all"
    bytes: int = 4

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ShapeError(f"LoRA rank is {self.rank}; expected 1 or more")


@dataclass(frozen=True, slots=True)
class Training:
    """One training step. `context` tokens per sequence, `micro_batch` sequences at once per data-parallel device; `micro_batches`: how
    many a step has, which pipelines hold several of. `keeps_logits`: the loop still holds the model's output during the step."""

    context: int
    micro_batch: int = 1
    micro_batches: int = 1
    precision: str = "mixed"
    optimizer: str = "adamw"
    recompute: Recompute = "none"
    attention: Attention = "flash"
    kernels: Kernels = "eager"
    loss: Loss = "plain"
    step: Step | None = None
    split: Split = field(default_factory=Split)
    lora: Lora | None = None
    quantize: str | None = None
    keeps_logits: bool = True
    overhead: bool = True

    def __post_init__(self) -> None:
        for name in ("context", "micro_batch", "micro_batches"):
            if getattr(self, name) < 1:
                raise ShapeError(f"{name} is {getattr(self, name)}; expected 1 or more")
        if self.precision not in PRECISIONS:
            raise ShapeError(f"precision {self.precision!r} is unknown; choose one of {', '.join(PRECISIONS)}")
        if self.quantize and not self.lora:
            raise ShapeError(f"weights in {self.quantize} cannot be trained; add LoRA adapters (a rank), or leave them unquantized")

    @property
    def numbers(self) -> Precision:
        return PRECISIONS[self.precision]

    @property
    def tokens(self) -> int:
        """Tokens of one micro-batch on one device."""
        return -(-self.micro_batch * self.context // self.split.context)

    @property
    def in_flight(self) -> int:
        """Micro-batches whose activations the first pipeline stage holds under 1F1B (Narayanan et al. 2021, section 2.2.1)."""
        return min(self.split.pipeline, self.micro_batches)


@dataclass(frozen=True, slots=True)
class Serving:
    """Serving `sequences` at once, each up to `context` tokens. `prefill`: tokens that pass at once (vLLM's max_num_batched_tokens)."""

    context: int
    sequences: int = 1
    prefill: int | None = None
    weight_bytes: float = 2
    cache_bytes: float = 2
    compute: int = 2
    quantize: str | None = None
    attention: Attention = "flash"
    split: Split = field(default_factory=Split)
    all_logits: bool = False
    overhead: bool = True

    def __post_init__(self) -> None:
        for name in ("context", "sequences"):
            if getattr(self, name) < 1:
                raise ShapeError(f"{name} is {getattr(self, name)}; expected 1 or more")
