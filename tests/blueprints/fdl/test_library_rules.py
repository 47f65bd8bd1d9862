"""Optimizers and schedules of the library: those that torch has step as torch does, all others lower a loss; schedules warm up and fall."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from forge_assets.blueprints.fdl.library.pieces import covered, entries
from tests.blueprints.fdl.test_library import printed

TORCH: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "heavy-ball-momentum": ("SGD", {"momentum": 0.9}),
    "nesterov-momentum": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {"eps": 1e-10}),
    "rmsprop": ("RMSprop", {"alpha": 0.99, "eps": 1e-8}),
    "adadelta": ("Adadelta", {"rho": 0.9, "eps": 1e-6}),
    "adam": ("Adam", {"betas": (0.9, 0.95)}),
    "adamw": ("AdamW", {"betas": (0.9, 0.95), "weight_decay": 0.1}),
    "adamax": ("Adamax", {}),
    "amsgrad": ("AdamW", {"amsgrad": True, "weight_decay": 0.0}),
    "radam": ("RAdam", {}),
}
"""Component -> torch's class, its settings. Torch's NAdam has another first decay than Dozat's."""
RATES = {"sgd": 0.1, "heavy-ball-momentum": 0.05, "adadelta": 20.0, "qhm": 0.1, "muon": 0.02}


def optimizer_of(component: str, weights: list[Any], rate: float) -> Any:
    module = printed(entries()["optimizer", component].text)
    (kind,) = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
    return kind(weights, rate)


def trained(make: Callable[[list[Any]], Any], steps: int = 8) -> tuple[Any, list[float]]:
    """Least squares from one start."""
    import torch

    torch.manual_seed(3)
    weight = torch.nn.Parameter(torch.randn(6, 4))
    inputs, wanted = torch.randn(32, 4), torch.randn(32, 6)
    optimizer, losses = make([weight]), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss: Any = (inputs @ weight.T - wanted).pow(2).mean()
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    return weight.detach(), losses


@pytest.mark.parametrize("component", list(TORCH))
def test_an_optimizer_steps_as_torch_does(component: str) -> None:
    import torch

    name, theirs = TORCH[component]
    wanted, _ = trained(lambda weights: getattr(torch.optim, name)(weights, lr=0.01, **theirs))
    found, _ = trained(lambda weights: optimizer_of(component, weights, 0.01))
    assert torch.allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("component", covered("optimizer"))
def test_an_optimizer_lowers_a_loss(component: str) -> None:
    _, losses = trained(lambda weights: optimizer_of(component, weights, RATES.get(component, 0.01)), 60)
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("component", covered("schedule"))
def test_a_schedule_stays_between_zero_and_its_peak(component: str) -> None:
    module = printed(entries()["schedule", component].text)
    (schedule,) = [one for one in vars(module).values() if callable(one) and getattr(one, "__module__", "") == module.__name__]
    rates = [float(schedule(step)) for step in range(1000)]
    assert max(rates) == pytest.approx(0.001, rel=0.02)
    assert min(rates) >= 0
    if component not in ("constant-learning-rate", "linear-warmup", "cyclical-lr", "sgdr"):
        assert rates[-1] < 0.4 * max(rates)
    if component not in ("cyclical-lr", "sgdr"):
        top = rates.index(max(rates))
        assert rates[: top + 1] == sorted(rates[: top + 1])
