"""Bits per weight of quantized formats, their scales included."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.compatibility.arithmetic.parameters import Weights
from forge_resources.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Format:
    """`everything`: embedding and head are quantized too."""

    bits: float
    source: str
    everything: bool = False


GGML = "ggml-common.h: bytes of a block / weights of a block"
FORMATS = {
    "nf4": Format(4.127, "Dettmers et al. 2023 (QLoRA), section 3: 4 bits and 0.127 bits of doubly quantized scales"),
    "nf4-single": Format(4.5, "Dettmers et al. 2023 (QLoRA): 4 bits and one fp32 scale per 64"),
    "int8": Format(8.0, "Dettmers et al. 2022 (LLM.int8()): 8 bits; one scale per row is left out"),
    "fp8": Format(8.0, "Micikevicius et al. 2022: 8 bits; one scale per tensor is left out"),
    "gptq": Format(4.156, "Frantar et al. 2023, groups of 128: 4 bits, an fp16 scale and a 4-bit zero"),
    "awq": Format(4.156, "Lin et al. 2024, groups of 128: 4 bits, an fp16 scale and a 4-bit zero"),
    "mxfp4": Format(4.25, "OCP MX v1.0 (Rouhani et al. 2023): 4 bits and an 8-bit scale per 32"),
    "nvfp4": Format(4.5, "NVIDIA 2025 (NVFP4): 4 bits and an 8-bit scale per 16"),
    "q2_k": Format(2.625, f"{GGML}, 84/256", True),
    "q3_k": Format(3.4375, f"{GGML}, 110/256", True),
    "q4_0": Format(4.5, f"{GGML}, 18/32", True),
    "q4_k": Format(4.5, f"{GGML}, 144/256", True),
    "q5_0": Format(5.5, f"{GGML}, 22/32", True),
    "q5_k": Format(5.5, f"{GGML}, 176/256", True),
    "q6_k": Format(6.5625, f"{GGML}, 210/256", True),
    "q8_0": Format(8.5, f"{GGML}, 34/32", True),
}


def format_of(name: str) -> Format:
    if name.lower() not in FORMATS:
        raise ShapeError(f"quantization {name!r} is unknown; choose one of {', '.join(FORMATS)}")
    return FORMATS[name.lower()]


def weight_bytes(group: Weights, plain: float, quantize: str | None) -> float:
    """Bytes per element of these weights: matrices of layers in the format, vectors, embedding and head as they are without it."""
    if quantize is None or not group.matrix or group.component == "router":
        return plain
    chosen = format_of(quantize)
    return chosen.bits / 8 if chosen.everything or group.component not in ("embedding", "head") else plain
