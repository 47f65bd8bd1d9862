"""Every component that the library fills, one after the other; `make test` takes one or two of each slot."""

from __future__ import annotations

import random

import pytest

from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.library.composing import SLOTS, model_text
from forge_assets.blueprints.fdl.library.pieces import covered, entries
from forge_assets.blueprints.fdl.trial import compare
from forge_resources.errors import BlueprintError
from tests.blueprints.fdl.test_library import LLAMA, MODEL, SEE_LATER, T, V, check_component, model_of, shape_for, stack_with

pytestmark = pytest.mark.trial


@pytest.mark.parametrize(("slot", "component"), MODEL)
def test_a_component_composes_and_runs_forward_and_backward(slot: str, component: str) -> None:
    check_component(slot, component)


@pytest.mark.parametrize("seed", range(60))
def test_components_drawn_at_random_compose_or_say_why_not(seed: int) -> None:
    """What composes runs, and sees nothing that is later."""
    import torch

    slots = drawn(seed)
    shape = shape_for(slots)
    try:
        model = model_of(slots, shape)
    except BlueprintError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert any(component and component in refused for component in slots.values())
        return
    ids = torch.randint(0, V, (2, T), generator=torch.Generator().manual_seed(seed))
    ids[1, :-1] = ids[0, :-1]
    logits = model(ids)
    assert torch.isfinite(logits).all()
    assert torch.allclose(logits[0, :-1], logits[1, :-1], atol=1e-4)


def drawn(seed: int) -> dict[str, str | None]:
    """A component for each slot; a router with experts, and qk_norm in half of the stacks."""
    chance = random.Random(seed)
    slots: dict[str, str | None] = dict(LLAMA)
    for slot in SLOTS:
        slots[slot] = chance.choice([one for one in covered(slot) if one not in SEE_LATER])
    if slots["ffn"] not in ("sparse-moe", "mixture-of-experts", "fine-grained-moe"):
        slots["moe_router"] = None
    if chance.random() < 0.5:
        slots["qk_norm"] = None
    return slots


TEXTS = {one.text: (slot, component) for (slot, component), one in entries().items()}


@pytest.mark.parametrize(("slot", "component"), sorted(TEXTS.values()))
def test_a_text_means_the_same_in_torch_jax_and_cpp(slot: str, component: str) -> None:
    """Results, gradients, and decoding step by step where the text allows it."""
    if slot in ("optimizer", "schedule"):
        text = entries()[slot, component].text
    else:
        slots = stack_with(slot, component)
        text = model_text(slots, shape_for(slots)).text
    for compared in compare(compiled(text)):
        assert compared.equal, compared.differences
