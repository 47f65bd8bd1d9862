"""Published stacks: the facts fit the ontology, and weights of other lineages foretell more than the commonest values do."""

from __future__ import annotations

import pytest

from forge_assets.compatibility.stack.cooccurrence import Published, fit
from forge_assets.compatibility.stack.published import agreement, complete, families, majority, published
from tests.compatibility.stacks import inputs

NO_SLOTS = ("attention_bias", "attention_window")


def test_the_facts_name_components_of_their_slots() -> None:
    assert len(published()) == 157 and len({one.lineage for one in published()}) == 11
    ontology = inputs().ontology
    for one in (*published(), *families()):
        for slot, component in one.stack.items():
            if slot not in NO_SLOTS and component is not None:
                assert slot in (ontology.components[component].slot, *ontology.components[component].also_slots), (slot, component)


def toy(number: int, lineage: str, **stack: str | None) -> list[Published]:
    return [Published(f"{lineage}-{i}", lineage, dict(stack)) for i in range(number)]


def test_weights_carry_what_goes_together() -> None:
    stacks = [
        *toy(8, "one", norm="rms-norm", ffn="swiglu"),
        *toy(2, "two", norm="layer-norm", ffn="gelu"),
        *toy(3, "three", norm="layer-norm", ffn="gelu"),
    ]
    weights = fit(stacks)
    assert majority(stacks) == {"norm": "rms-norm", "ffn": "swiglu"}
    assert complete(weights, {"norm": "layer-norm"})["ffn"] == "gelu"
    assert complete(weights, {"norm": "rms-norm"})["ffn"] == "swiglu"
    assert complete(weights, {"norm": "never-seen"})["norm"] == "never-seen"
    assert weights.together[("norm", "layer-norm"), ("ffn", "gelu")] > 0 > weights.together[("norm", "layer-norm"), ("ffn", "swiglu")]


def test_what_is_not_known_of_a_stack_says_nothing() -> None:
    stacks = [*toy(4, "one", norm="rms-norm", ffn="swiglu"), *toy(4, "two", norm="layer-norm", ffn="gelu")]
    pair = (("norm", "rms-norm"), ("ffn", "swiglu"))
    silent = fit([*stacks, Published("x", "three", {"norm": "rms-norm"})])
    against = fit([*stacks, Published("x", "three", {"norm": "rms-norm", "ffn": "gelu"})])
    assert ("ffn", None) not in silent.alone
    assert silent.together[pair] > against.together[pair] > 0


def test_lineages_left_out_are_foretold_better_than_by_the_commonest_values() -> None:
    some = [one for one in published() if one.lineage in ("llama", "gpt-neox", "falcon", "gemma")][::3]
    told = agreement(some, draws=1)
    assert told.overall.right > told.overall.majority and told.overall.hard_right > 0
    assert sum(tally.asked for tally in told.slots.values()) == told.overall.asked == 7 * len(some)
    assert "all slots" in told.table() and "falcon" in told.table()


@pytest.mark.trial
@pytest.mark.timeout(3600)
def test_all_lineages_are_foretold_better_than_by_the_commonest_values() -> None:
    told = agreement()
    assert told.overall.right > told.overall.majority
    assert told.overall.hard_right > 0.25 * told.overall.hard
