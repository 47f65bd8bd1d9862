"""The shape of a solved stack's model: the solver's sizes, with the parts that its components have.

The solver counts every FFN as gated and all key heads as full ones; where that leaves the model more than 5% from what was asked for,
the FFN is made wider or narrower here, unless its width was pinned, a framework's settings depend on it, or it would not fit into memory.
"""

from __future__ import annotations

from dataclasses import replace

from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.arithmetic.plan import Split
from forge_assets.compatibility.arithmetic.propose import TIED_BELOW, TOLERANCE
from forge_assets.compatibility.arithmetic.shape import Latent, ModelShape, Moe
from forge_assets.compatibility.stack.plans import Setting, step_memory
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack

GATED = frozenset({"swiglu", "geglu", "reglu", "gated-linear-unit", "bilinear-layer"})
SHARED = frozenset({"fine-grained-moe"})
FOUR_NORMS = frozenset({"sandwich-norm", "peri-ln", "sub-ln"})
EMBEDDING_NORMS = frozenset({"embedding-norm", "peri-ln"})
LEARNED = frozenset({"learned-position", "absolute-position"})
WINDOWED = {"sliding-window-attention": 1.0, "local-attention": 1.0, "local-global-interleaving": 0.5}
WINDOW = 4096
"""Tokens that a windowed layer sees (Jiang et al. 2023, arXiv 2310.06825, table 1)."""


def shape_of(stack: Stack, request: Request) -> ModelShape:
    """Raises ShapeError where the numbers make no model."""
    solved = solved_shape(stack, request)
    off = abs(counts(solved).total / request.params - 1)
    if off <= TOLERANCE or request.framework or any(pin.what in ("ffn_hidden_size", "expert_hidden_size") for pin in request.pins):
        return solved
    fitted = _fitted(solved, request.params)
    better = abs(counts(fitted).total / request.params - 1) < off
    return fitted if better and _fits(stack, request, fitted) else solved


def width_of(shape: ModelShape) -> int:
    """Inner width of a dense FFN, or of one expert."""
    return shape.moe.width if shape.moe else shape.ffn


def solved_shape(stack: Stack, request: Request) -> ModelShape:
    """In the numbers of the stack as they stand."""
    slots, sizes = stack.slots, stack.numbers
    layer, moe = slots.get("norm") == "layer-norm", _moe(stack)
    gated = moe is not None or slots.get("ffn") in GATED
    biased = layer and not gated and slots.get("position_encoding") != "alibi"  # as GPT-2, GPT-NeoX and OPT have them, MPT not
    latent = latent_of(sizes["hidden_size"]) if slots.get("attention") == "mla" else None
    parallel = slots.get("residual") == "parallel-residual"
    window = WINDOWED.get(slots.get("attention") or "", 0.0) if request.context > WINDOW else 0.0
    return ModelShape(
        "mixtral" if moe else "llama", sizes["num_layers"], sizes["hidden_size"], sizes["num_heads"],
        sizes["num_heads"] if latent else sizes["num_kv_heads"], latent.rope_dim + latent.nope_dim if latent else sizes["head_dim"],
        0 if moe else sizes["ffn_hidden_size"], sizes["vocab_size"], gated,
        tied=slots.get("output_head") == "weight-tying" or request.params < TIED_BELOW,
        qkv_bias=biased, out_bias=biased, ffn_bias=biased,
        norm="layer" if layer else "rms", norm_bias=layer,
        norms_per_layer=1 if parallel else 4 if slots.get("norm_placement") in FOUR_NORMS else 2,
        qk_norm="head" if slots.get("qk_norm") == "qk-norm" else "none",
        embedding_norm=slots.get("norm_placement") in EMBEDDING_NORMS,
        parallel=parallel,
        positions=request.context if slots.get("position_encoding") in LEARNED else 0,
        window=WINDOW if window else 0, window_layers=int(sizes["num_layers"] * window),
        moe=moe, latent=latent, context=request.context,
    )  # fmt: skip


def _moe(stack: Stack) -> Moe | None:
    sizes = stack.numbers
    if not sizes.get("num_experts"):
        return None
    width = sizes["expert_hidden_size"]
    return Moe(sizes["num_layers"], sizes["num_experts"], sizes["top_k"], width, width if stack.slots.get("ffn") in SHARED else 0)


def latent_of(hidden: int) -> Latent:
    """DeepSeek-V3's ranks (DeepSeek-AI 2024, arXiv 2412.19437, section 4.2), scaled with the width (7168: 1536, 512)."""
    query, both = (max(64, round(hidden * rank / 7168 / 64) * 64) for rank in (1536, 512))
    return Latent(query, both, 64, 128 if hidden >= 2048 else 64, 128)


def _fitted(shape: ModelShape, parameters: int) -> ModelShape:
    """With the FFN width that comes nearest, a multiple of 256, 64 or 16 as models of that width have it."""
    missing, width = parameters - counts(shape).total, width_of(shape)
    copies = shape.moe.experts + bool(shape.moe.shared_width) if shape.moe else 1
    step = 256 if width >= 2048 else 64 if width >= 512 else 16
    found = max(step, round((width + missing / ((2 + shape.gated) * shape.hidden * shape.layers * copies)) / step) * step)
    if shape.moe is None:
        return replace(shape, ffn=found)
    return replace(shape, moe=replace(shape.moe, width=found, shared_width=found if shape.moe.shared_width else 0))


def _fits(stack: Stack, request: Request, shape: ModelShape) -> bool:
    setting = Setting(**stack.memory["setting"])
    return not request.gpu_memory or step_memory(request, shape, split_of(stack), setting).fits(request.gpu_memory)


def split_of(stack: Stack) -> Split:
    """The degrees that were solved, with the stage of ZeRO that the component of parallelism means."""
    data, tensor, pipeline, context, expert = (
        int(stack.numbers[f"{name}_parallel"]) for name in ("data", "tensor", "pipeline", "context", "expert")
    )
    return Split(data, tensor, pipeline, context, expert, stack.memory["setting"]["zero"])
