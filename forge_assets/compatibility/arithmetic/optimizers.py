"""What an optimizer keeps per tensor between steps, and needs for a moment while it steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from forge_assets.compatibility.arithmetic.parameters import Weights
from forge_resources.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Optimizer:
    """`kept`: elements of state per tensor, at `width` bytes each (0: the precision's); `working`: copies of a tensor while it steps."""

    name: str
    kept: Callable[[Weights], float]
    formula: str
    source: str
    working: float = 2
    width: float = 0
    component: str = ""

    def state(self, group: Weights, state_bytes: float) -> float:
        """Bytes of state of one tensor of this group."""
        return self.kept(group) * (self.width or state_bytes)


def _factored(group: Weights) -> float:
    return prod(group.dims[:-1]) + prod(group.dims[:-2]) * group.dims[-1] if group.matrix else group.each


def _muon(group: Weights) -> float:
    inside = group.matrix and group.component not in ("embedding", "head")
    return group.each if inside else 2 * group.each


def _eight_bit(group: Weights) -> float:
    return group.each * (2 + 2 * 4 / 256) if group.each >= 4096 else 8 * group.each


OPTIMIZERS = {
    one.name: one
    for one in (
        Optimizer("adamw", lambda w: 2 * w.each, "2 P", "Kingma and Ba 2015; Loshchilov and Hutter 2019", component="adamw"),
        Optimizer("adamw-8bit", _eight_bit, "2 P + 2 P 4/256, tensors under 4,096 in fp32", "Dettmers et al. 2022", 2, 1, "8bit-optimizer"),
        Optimizer("adafactor", _factored, "rows + columns of each matrix", "Shazeer and Stern 2018, section 3", component="adafactor"),
        Optimizer("muon", _muon, "1 P of hidden matrices, 2 P of the rest", "Jordan 2024; AdamW for the rest", 3, component="muon"),
        Optimizer("lion", lambda w: w.each, "1 P", "Chen et al. 2023", component="lion"),
        Optimizer("sgd-momentum", lambda w: w.each, "1 P", "Polyak 1964; torch.optim.SGD", 0, component="heavy-ball-momentum"),
        Optimizer("sgd", lambda w: 0, "0", "Robbins and Monro 1951", 0, component="sgd"),
    )
}
"""`component` is the id in the ontology's slot optimizer."""


def optimizer_of(name: str) -> Optimizer:
    """By its name here or by its component's id."""
    found = OPTIMIZERS.get(name) or next((one for one in OPTIMIZERS.values() if one.component == name), None)
    if found is None:
        raise ShapeError(f"optimizer {name!r} has no memory formula here; choose one of {', '.join(OPTIMIZERS)}")
    return found
