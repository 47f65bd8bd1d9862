"""The printed module of a text as something that learns: ids -> mean loss. Compiled block by block, and its activations recomputed, where
the settings ask for it.

Blocks are compiled alone (PyTorch's "regional compilation"): all of them share one compiled text, so that compiling takes as long for many
layers as for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.running import imported
from forge_assets.blueprints.fdl.backends.stages import class_name
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.fragments.golden import static_sizes
from forge_assets.fragments.train.settings import Training


def model_of(text: str, sizes: Mapping[str, int], name: str = "LM") -> nn.Module:
    """The module that this Forge prints of the text; nothing of a fragment's own code is run."""
    program = compiled(text)
    module = imported("torch", BACKENDS["torch"].print(program)["module_torch.py"])
    made: nn.Module = getattr(module, class_name(name))(module.Sizes(**static_sizes(program, sizes)))
    return made


def blocks_of(model: nn.Module) -> list[nn.Module]:
    """The repeated ones, in order."""
    return [block for part in model.modules() if isinstance(part, nn.ModuleList) for block in part]


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean over all positions, in float32. `logits` [b, t, v], `targets` [b, t]."""
    return nn.functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


class Learner(nn.Module):
    """`ids` i64[b, t + 1] -> mean loss in nats of each token after the first."""

    def __init__(self, model: nn.Module, training: Training) -> None:
        super().__init__()
        self.model = model
        self.dtype = torch.bfloat16 if training.precision == "bf16" else None
        self.device_type = training.device
        self.loss: Any = cross_entropy
        if training.compile:
            for block in blocks_of(model):
                block.compile()
            if hasattr(model, "head"):
                self._join_head()
            else:
                self.loss = torch.compile(cross_entropy)
        if training.recompute:
            for block in blocks_of(model):
                _recompute(block)

    def _join_head(self) -> None:
        """Head and loss compiled as one, so that the logits are read once."""
        model: Any = self.model
        head = model.head

        def joined(hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            return cross_entropy(head(hidden), targets)

        model.head = _unchanged
        self.loss = torch.compile(joined)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        with torch.autocast(self.device_type, torch.bfloat16, enabled=self.dtype is not None, cache_enabled=True):
            made: torch.Tensor = self.loss(self.model(ids[:, :-1]), ids[:, 1:])
        return made

    def weights(self) -> dict[str, torch.Tensor]:
        """By the names that they have in the text."""
        return dict(self.model.named_parameters())


def _unchanged(x: torch.Tensor, past: int = 0, cache: None = None) -> torch.Tensor:
    return x


def _recompute(block: nn.Module) -> None:
    """Keeps the block's input only and runs it again in the backward pass (Chen et al. 2016, arXiv 1604.06174). It goes around the compiled
    block, so that all blocks share one compiled text."""
    inner: Any = block._compiled_call_impl or block._call_impl

    def again(*given: Any) -> Any:
        return checkpoint(inner, *given, use_reentrant=False, preserve_rng_state=False) if torch.is_grad_enabled() else inner(*given)

    block._compiled_call_impl = again


def flops_per_token(text: str, sizes: Mapping[str, int], context: int) -> float:
    """Of forward and backward pass, recomputation not counted, matrix products as they are run; attention counted over the whole context
    (Chowdhery et al. 2022, arXiv 2204.02311, appendix B). Counted on tensors without storage."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        model = model_of(text, sizes)
        ids = torch.zeros((1, context), dtype=torch.int64)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(ids)
    return 3.0 * counter.get_total_flops() / context
