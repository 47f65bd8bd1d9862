"""What no model of tensors knows: the framework's own memory, the range of an estimate, and where no measurement backs it."""

from __future__ import annotations

from forge_assets.compatibility.arithmetic.items import Item
from forge_assets.compatibility.arithmetic.plan import Split
from forge_assets.compatibility.arithmetic.shape import ModelShape

GIB = 2**30
CONTEXT = GIB
COMMUNICATION = GIB // 2
VALIDATED = (0.85, 1.15)
UNVALIDATED = (0.75, 1.4)
"""Estimates of dense Llama-like models stay within 15% of measured peaks (bench/memory_gpu.py). For others no bound is known; those that
could be measured (`--others`) took 98% to 137% of the estimate."""


def overhead(split: Split, counted: bool) -> list[Item]:
    """The CUDA context, loaded kernels and library workspaces; with several devices, NCCL's buffers."""
    if not counted:
        return []
    source = "Hugging Face, Model training anatomy: 1 to 2 GB for loaded kernels; NCCL's channels and buffers beside it"
    buffers = COMMUNICATION if split.devices > 1 else 0
    formula = "1 GiB" + (" + 0.5 GiB of communication buffers" if buffers else "")
    return [Item("framework", CONTEXT + buffers, formula, source)]


def why_unvalidated(shape: ModelShape, split: Split, quantize: str | None) -> str | None:
    """None for a dense Llama-like model, unquantized, on one device: that is what has been measured."""
    if not shape.llama_like:
        return f"{shape.family} is not dense and Llama-like: it has {_unlike(shape)}"
    if split.devices > 1:
        return "splits over several devices have not been measured here"
    return "quantized weights have not been measured here" if quantize else None


def _unlike(shape: ModelShape) -> str:
    parts = {
        "experts": shape.moe, "latent attention": shape.latent, "recurrent layers": shape.recurrent, "parallel blocks": shape.parallel,
        "sinks": shape.sinks, "a gated attention": shape.attention_gate, "learned positions": shape.positions,
        "an FFN without gate": not shape.gated, "LayerNorm": shape.norm == "layer", "other norm places": shape.norms_per_layer != 2,
        "windows": shape.window_layers,
    }  # fmt: skip
    return ", ".join(name for name, there in parts.items() if there)


def spread(why: str | None) -> tuple[float, float]:
    return UNVALIDATED if why else VALIDATED
