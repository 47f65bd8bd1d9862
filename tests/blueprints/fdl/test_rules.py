"""The library's texts of optimizers and schedules as printed code, against torch's own and the formulas of their papers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from forge_assets.blueprints.fdl import trial
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.library.pieces import entries
from tests.blueprints.fdl.parity import module

STEPS = 8


def _printed(slot: str, component: str) -> Any:
    return module("torch", compiled(entries()[slot, component].text))


def _walk(make: Any, shapes: tuple[tuple[int, ...], ...]) -> list[Any]:
    """Weights after some steps down a fixed slope."""
    import torch

    torch.manual_seed(3)
    weights = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    optimizer = make(weights)
    for step in range(STEPS):
        for number, one in enumerate(weights):
            one.grad = torch.sin(one.detach() * (number + 2) + step)
        optimizer.step()
    return [one.detach() for one in weights]


def test_adamw_is_torchs_for_weights_of_any_number_of_axes() -> None:
    import torch

    shapes = ((4, 3), (5,), (2, 3, 2))
    mine = _walk(lambda weights: _printed("optimizer", "adamw").AdamW(weights, lr=0.01), shapes)
    theirs = _walk(lambda weights: torch.optim.AdamW(weights, lr=0.01, betas=(0.9, 0.95), weight_decay=0.1), shapes)
    assert max(float((one - other).abs().max()) for one, other in zip(mine, theirs, strict=True)) < 1e-6


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5)])
def test_muon_is_torchs_but_for_its_bfloat16(shape: tuple[int, int]) -> None:
    """torch orthogonalises in bfloat16, which has 8 bits of precision; the text says float32."""
    import torch

    mine = _walk(lambda weights: _printed("optimizer", "muon").Muon(weights, lr=0.02), (shape,))
    theirs = _walk(lambda weights: torch.optim.Muon(weights, lr=0.02, adjust_lr_fn="match_rms_adamw"), (shape,))
    start = _walk(lambda weights: torch.optim.SGD(weights, lr=0.0), (shape,))
    moved = float((theirs[0] - start[0]).norm())
    assert float((mine[0] - theirs[0]).norm()) < 0.02 * moved


def test_lion_is_its_papers_algorithm() -> None:
    class Lion:
        """Algorithm 2 of Chen et al. 2023."""

        def __init__(self, weights: list[Any]) -> None:
            self.weights, self.momenta = weights, [0.0] * len(weights)

        def step(self) -> None:
            for number, one in enumerate(self.weights):
                update = np.sign(0.9 * self.momenta[number] + 0.1 * one.grad.numpy())
                self.momenta[number] = 0.99 * self.momenta[number] + 0.01 * one.grad.numpy()
                one.data -= 0.01 * (one.data.new_tensor(update) + 0.3 * one.data)

    mine = _walk(lambda weights: _printed("optimizer", "lion").Lion(weights, lr=0.01), ((4, 3), (5,)))
    theirs = _walk(Lion, ((4, 3), (5,)))
    assert max(float((one - other).abs().max()) for one, other in zip(mine, theirs, strict=True)) < 1e-6


def test_schedules_are_their_formulas() -> None:
    """100 steps of warm-up, the first of them above zero; 1000 in all, the last 200 the decay."""
    cosine, wsd = _printed("schedule", "cosine-decay").cosine, _printed("schedule", "wsd").wsd
    for step in (0, 1, 50, 99, 100, 101, 400, 800, 801, 999, 1000, 2000):
        if step < 100:
            assert cosine(step, peak=3e-4) == pytest.approx(3e-4 * (step + 1) / 100) == wsd(step, peak=3e-4)
            continue
        done = min((step - 100) / 900, 1)
        assert cosine(step, peak=3e-4) == pytest.approx(3e-4 * (0.1 + 0.9 * (1 + math.cos(math.pi * done)) / 2))
        assert wsd(step, peak=3e-4, final=0.1) == pytest.approx(3e-4 * (1 - 0.9 * min(max((step - 800) / 200, 0), 1)))


@pytest.mark.parametrize(
    ("slot", "component"),
    [("optimizer", "adamw"), ("optimizer", "muon"), ("optimizer", "lion"), ("schedule", "cosine-decay"), ("schedule", "wsd")],
)
def test_jax_gives_the_same(slot: str, component: str) -> None:
    compared = trial.compare(compiled(entries()[slot, component].text), backends=("torch", "jax"))
    assert len(compared) == 1 and compared[0].worst < 1e-5


def test_a_printed_optimizer_saves_and_resumes() -> None:
    import torch

    made = _printed("optimizer", "adamw")
    weight = torch.nn.Parameter(torch.ones(3))
    first = made.AdamW([weight], lr=0.1)
    weight.grad = torch.ones(3)
    first.step()
    second = made.AdamW([weight], lr=0.1)
    second.load_state_dict(first.state_dict())
    assert second.state[weight]["step"] == 1 and torch.equal(second.state[weight]["m"], first.state[weight]["m"])
