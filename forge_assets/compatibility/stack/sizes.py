"""A number of parameters -> sizes of a dense Llama-like model that has about as many.

Width and depth as trained models have them: a width of about 64 to 128 times the layers (Levine et al. 2020, arXiv 2006.12467), heads
of 64 or 128 features, an FFN of 8/3 of the width (Shazeer 2020, arXiv 2002.05202). Heads and layers that 4 divides are preferred.
"""

from __future__ import annotations

import math

from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_resources.errors import BlueprintError

VOCAB = 32_000
SMALL_VOCAB = 4_096
ASPECT = 96.0
CLOSE = 0.1
LAYERS = (1, 2, 3, 4, 6, 8, 10, *range(12, 49, 4), *range(56, 97, 8), 112, 128)


def dense_of(parameters: int, context: int) -> ModelShape:
    """The shape of best ratios with parameters within a tenth of those asked for, or the nearest.

    Raises BlueprintError for too few.
    """
    vocab = VOCAB if parameters >= 30_000_000 else SMALL_VOCAB
    made = [shape for layers in LAYERS for shape in _of_depth(layers, parameters, vocab, context)]
    if not made:
        raise BlueprintError(f"{parameters:,} parameters are too few for a model with {vocab:,} words; ask for 1,000,000 or more")
    return min(made, key=lambda shape: (_misses(shape, parameters), _cost(shape, parameters)))


def _of_depth(layers: int, parameters: int, vocab: int, context: int) -> list[ModelShape]:
    """The widths just below and above what the number of parameters leaves at this depth."""
    inside, once = 12.0 * layers, 2.0 * vocab
    width = (-once + math.sqrt(once * once + 4 * inside * parameters)) / (2 * inside)
    head = 128 if width >= 1024 else 64 if width >= 128 else 16
    step = head * (8 if width >= 4096 else 4 if width >= 1024 else 1)
    around = {max(step, math.floor(width / step) * step), max(step, math.ceil(width / step) * step)}
    return [_shape(layers, hidden, head, vocab, context) for hidden in sorted(around)]


def _shape(layers: int, hidden: int, head: int, vocab: int, context: int) -> ModelShape:
    unit = 256 if hidden >= 1024 else 32
    ffn = math.ceil(hidden * 8 / 3 / unit) * unit
    return ModelShape("llama", layers, hidden, hidden // head, hidden // head, head, ffn, vocab, context=context)


def _misses(shape: ModelShape, parameters: int) -> bool:
    return abs(counts(shape).total - parameters) > CLOSE * parameters


def _cost(shape: ModelShape, parameters: int) -> float:
    """How far it is from the number asked for, from usual ratios, and from halves that a plan can cut."""
    aspect = abs(math.log2(shape.hidden / shape.layers / ASPECT))
    odd = sum(size % 4 > 0 for size in (shape.heads, shape.layers))
    return 10 * abs(counts(shape).total - parameters) / parameters + aspect + odd / 2
