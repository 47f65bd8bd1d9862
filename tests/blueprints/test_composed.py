"""A spec's model text has the spec's sizes and as many parameters, and its rules the spec's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import pytest

from forge_assets.blueprints.composed import composed, rules, shape_of, small
from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.compatibility.arithmetic.parameters import counts
from tests.blueprints.spec.test_spec import CASES, spec


def parameters(text: str, sizes: Mapping[str, int]) -> int:
    """Of the model LM, tied ones once."""
    program = compiled(text)
    given = dict(sizes) | {"b": 1, "t": 1}
    found = {}
    for step, layer in ir.unrolled(program.models["LM"], given):
        unit = program.units[step.unit]
        for one in unit.parameters:
            found[step.prefix.replace("{i}", str(layer)) + one.stored] = prod(unit.size(axis).value(given) for axis in one.axes)
    return sum(found.values())


@pytest.mark.parametrize("name", CASES)
def test_the_text_has_the_parameters_of_the_spec(name: str) -> None:
    made = composed(spec(name))
    assert parameters(made.text, made.sizes) == spec(name).model_size.parameters.value
    assert parameters(made.text, made.small) == counts(small(shape_of(spec(name)))).total
    architecture = spec(name).architecture
    assert (made.sizes["L"], made.sizes["d"]) == (architecture.layers.value, architecture.hidden_size.value)
    assert made.sizes["g"] * made.sizes["r"] == architecture.heads.value


def test_constants_of_the_text_are_those_of_the_spec() -> None:
    text = composed(spec("base")).text
    theta = spec("base").architecture.rope_theta
    assert theta is not None
    assert f"const theta = {theta.value!r}" in text
    assert f"const eps = {spec('base').architecture.norm_epsilon.value!r}" in text


@pytest.mark.parametrize("name", CASES)
def test_rules_have_the_numbers_of_the_spec(name: str) -> None:
    one = spec(name)
    program = compiled(rules(one))
    (optimizer,) = [unit for unit in program.units.values() if unit.kind == "optimizer"]
    (schedule,) = [unit for unit in program.units.values() if unit.kind == "schedule"]
    assert optimizer.constants["weight_decay"] == one.optimizer.weight_decay.value
    assert schedule.constants["peak"] == one.optimizer.learning_rate.value
    assert schedule.constants["warmup"] == one.schedule.warmup_steps.value
    if "steps" in schedule.constants:
        assert schedule.constants["steps"] == one.schedule.steps.value
