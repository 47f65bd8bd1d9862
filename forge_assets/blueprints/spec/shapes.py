"""The shape of a solved stack's model: the solver's sizes, with the parts that its components have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forge_assets.compatibility.arithmetic.propose import TIED_BELOW
from forge_assets.compatibility.arithmetic.shape import ModelShape, Moe
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack

UNGATED = frozenset({"mlp", "feed-forward-network", "conv-ffn"})
LAYER_NORMS = frozenset({"layer-norm"})
FOUR_NORMS = frozenset({"sandwich-norm", "peri-ln"})
LEARNED = frozenset({"learned-position"})
HEAD_NORMS = frozenset({"qk-norm"})
TIED = frozenset({"weight-tying"})


def shape_of(stack: Stack, request: Request) -> ModelShape:
    """Raises ShapeError where the numbers make no model."""
    slots, sizes = stack.slots, stack.numbers
    layer = slots.get("norm") in LAYER_NORMS
    moe = _moe(sizes)
    return ModelShape(
        "mixtral" if moe else "llama",
        sizes["num_layers"], sizes["hidden_size"], sizes["num_heads"], sizes["num_kv_heads"], sizes["head_dim"],
        0 if moe else sizes["ffn_hidden_size"], sizes["vocab_size"],
        gated=slots.get("ffn") not in UNGATED,
        tied=slots.get("output_head") in TIED or request.params < TIED_BELOW,
        norm="layer" if layer else "rms",
        norm_bias=layer,
        norms_per_layer=4 if slots.get("norm_placement") in FOUR_NORMS else 2,
        qk_norm="head" if slots.get("qk_norm") in HEAD_NORMS else "none",
        parallel=slots.get("residual") == "parallel-residual",
        positions=request.context if slots.get("position_encoding") in LEARNED else 0,
        moe=moe,
        context=request.context,
    )  # fmt: skip


def _moe(sizes: Mapping[str, Any]) -> Moe | None:
    if not sizes.get("num_experts"):
        return None
    return Moe(sizes["num_layers"], sizes["num_experts"], sizes["top_k"], sizes["expert_hidden_size"])
