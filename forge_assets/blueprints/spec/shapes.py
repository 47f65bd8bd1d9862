"""The shape of a solved stack's model: the solver's sizes, with the parts that its components have.

The solver's sizes come to the parameters asked for. Where a part that it does not foresee (a long table of learned positions, say)
leaves the model more than 5% from them, the FFN is made wider or narrower here, unless its width was pinned, a framework's settings
depend on it, or it would not fit into memory.
"""

from __future__ import annotations

from forge_assets.compatibility.arithmetic.items import Estimate
from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.arithmetic.plan import Split
from forge_assets.compatibility.arithmetic.propose import TOLERANCE
from forge_assets.compatibility.arithmetic.shape import ModelShape, Moe
from forge_assets.compatibility.stack import parts
from forge_assets.compatibility.stack.batches import Batch
from forge_assets.compatibility.stack.plans import Setting, step_memory
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack


def shape_of(stack: Stack, request: Request) -> ModelShape:
    """Raises ShapeError where the numbers make no model."""
    solved = solved_shape(stack, request)
    off = abs(counts(solved).total / request.params - 1)
    if off <= TOLERANCE or request.framework or any(pin.what in ("ffn_hidden_size", "expert_hidden_size") for pin in request.pins):
        return solved
    fitted = parts.fitted(solved, request.params)
    better = abs(counts(fitted).total / request.params - 1) < off
    return fitted if better and _fits(stack, request, fitted) else solved


def solved_shape(stack: Stack, request: Request) -> ModelShape:
    """In the numbers of the stack as they stand."""
    slots, sizes = stack.slots, stack.numbers
    latent = parts.latent_of(sizes["hidden_size"]) if slots.get("attention") in parts.LATENT else None
    plain = ModelShape(
        "llama", sizes["num_layers"], sizes["hidden_size"], sizes["num_heads"], sizes["num_heads"] if latent else sizes["num_kv_heads"],
        latent.rope_dim + latent.nope_dim if latent else sizes["head_dim"], sizes["ffn_hidden_size"], sizes["vocab_size"], moe=_moe(stack),
        latent=latent,
    )  # fmt: skip
    return parts.with_parts(plain, slots, request)


def _moe(stack: Stack) -> Moe | None:
    sizes = stack.numbers
    if not sizes.get("num_experts"):
        return None
    width = sizes["expert_hidden_size"]
    return Moe(sizes["num_layers"], sizes["num_experts"], sizes["top_k"], width, width if stack.slots.get("ffn") in parts.SHARED else 0)


def _fits(stack: Stack, request: Request, shape: ModelShape) -> bool:
    return not request.gpu_memory or memory_of(stack, request, shape).fits(request.gpu_memory)


def memory_of(stack: Stack, request: Request, shape: ModelShape) -> Estimate:
    """Of a training step of this shape, by the stack's plan."""
    return step_memory(request, shape, split_of(stack), batch_of(stack), Setting(**stack.memory["setting"]))


def batch_of(stack: Stack) -> Batch:
    micro, passes, whole = (int(stack.numbers[name]) for name in ("micro_batch", "gradient_accumulation", "global_batch"))
    return Batch(micro, passes, whole)


def split_of(stack: Stack) -> Split:
    """The degrees that were solved, with the stage of ZeRO that the component of parallelism means."""
    data, tensor, pipeline, context, expert = (
        int(stack.numbers[f"{name}_parallel"]) for name in ("data", "tensor", "pipeline", "context", "expert")
    )
    return Split(data, tensor, pipeline, context, expert, stack.memory["setting"]["zero"])
