"""10-trained at length: kills at twenty steps, processes that share the work, compiled steps, and every rule of the library."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from forge_assets.blueprints.fdl.library.pieces import covered
from forge_assets.fragments.chain import TRAINED
from forge_assets.fragments.train.rules import optimizers_of, schedule_of
from forge_assets.fragments.train.settings import Training
from forge_assets.fragments.verify import verify
from tests.fragments.kills import built, killed_at_step
from tests.fragments.plans import made, tree

pytestmark = [pytest.mark.trial, pytest.mark.timeout(3600)]
STEPS, KILLS = 60, 20
MATRICES_ONLY = frozenset({"gradient-centralization"})


@pytest.fixture
def untrained(llama: Path, tmp_path: Path) -> Path:
    """A copy of 01 to 09."""
    root = shutil.copytree(llama, tmp_path / "pieces")
    shutil.rmtree(root / TRAINED)
    return root


def test_a_training_killed_at_twenty_random_steps_ends_as_an_undisturbed_one(untrained: Path, tmp_path: Path) -> None:
    whole = shutil.copytree(untrained, tmp_path / "whole")
    built("llama", whole, steps=STEPS)
    for step in [0, *sorted(random.Random(0).sample(range(1, STEPS - 1), KILLS))]:
        killed_at_step("llama", untrained, step, STEPS)
    built("llama", untrained, hash_seed=3, steps=STEPS)
    assert tree(untrained) == tree(whole)
    assert len((whole / TRAINED / "train.jsonl").read_text().splitlines()) == STEPS + 1


def _curve(root: Path) -> list[float]:
    lines = [json.loads(line) for line in (root / TRAINED / "train.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


@pytest.mark.parametrize("parallel", ["ddp", "fsdp2"])
def test_two_processes_take_the_steps_of_one(untrained: Path, llama: Path, parallel: str) -> None:
    (one,) = made("llama", untrained, [TRAINED], parallel=parallel, processes=2)
    assert one.made and len(verify(untrained)) == 10
    assert _curve(untrained) == pytest.approx(_curve(llama), rel=1e-4)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning", "ignore:The .grad attribute:UserWarning")  # within torch.compile
@pytest.mark.parametrize("settings", [{"compile": True}, {"recompute": True}, {"compile": True, "recompute": True}, {"micro": 4}], ids=str)
def test_compiled_recomputed_or_at_once_the_losses_are_the_same(untrained: Path, llama: Path, settings: dict[str, Any]) -> None:
    (one,) = made("llama", untrained, [TRAINED], **settings)
    assert one.made and _curve(untrained) == pytest.approx(_curve(llama), rel=1e-4)


@pytest.mark.parametrize("optimizer", sorted(set(covered("optimizer")) - MATRICES_ONLY))
def test_every_optimizer_of_the_library_lowers_a_loss(optimizer: str) -> None:
    torch.manual_seed(0)
    model = torch.nn.ModuleDict({"blocks": torch.nn.ModuleList([torch.nn.Linear(8, 8)]), "head": torch.nn.Linear(8, 1)})
    optimizers, x = optimizers_of(model, Training(optimizer=optimizer, learning_rate=1e-3, weight_decay=0.0)), torch.randn(64, 8)
    losses = []
    for _ in range(50):
        loss = (model["head"](model["blocks"][0](x)) - x.sum(1, keepdim=True)).square().mean()  # type: ignore[index]
        loss.backward()
        losses.append(loss.item())
        for one in optimizers:
            one.step()
            one.zero_grad()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("schedule", covered("schedule"))
def test_every_schedule_of_the_library_stays_between_nothing_and_the_peak(schedule: str) -> None:
    rate = schedule_of(Training(schedule=schedule, learning_rate=1e-2, steps=200, warmup=10))
    found = [rate(step) for step in range(200)]
    assert all(0 <= one <= 1.0001e-2 for one in found) and max(found) > 5e-3
