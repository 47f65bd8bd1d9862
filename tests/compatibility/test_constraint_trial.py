"""Violations planted in configurations, drawn by a seed over all frameworks: each is found, with file and line."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from forge_assets.compatibility.constraints.base import ConstraintBase
from forge_assets.compatibility.constraints.checking import judge
from forge_assets.compatibility.constraints.configs import read_configuration
from forge_assets.compatibility.constraints.facts import frameworks
from forge_assets.compatibility.constraints.model import Constraint
from forge_assets.compatibility.constraints.validator import violation, violations
from tests.compatibility.planting import Given, holds, plant

SEED = 20261130
CONTRADICTIONS = {
    "cf-8c80febf72",  # torch_compile is auto and off
    "cf-585bb21db6", "cf-2a343737ba", "cf-442588bed6",  # a number of steps is not itself: the code asks whether it is whole
    "cf-4dcb122fc4", "cf-0d33eaa442",  # a width is not divisible by itself: the code divides by another
}  # fmt: skip
"""Facts that no value breaks, as the gold set has them."""


def facts(base: ConstraintBase) -> list[Constraint]:
    return [one for one in base.constraints if one.origin == "fact"]


def drawn(base: ConstraintBase, count: int) -> list[tuple[Constraint, dict[str, Given]]]:
    """So many facts with values that break them, every framework at least once, the rest by chance."""
    chance = random.Random(SEED)
    shuffled = chance.sample(facts(base), len(facts(base)))
    first = {one.framework: one for one in reversed(shuffled)}
    wanted = [*first.values(), *(one for one in shuffled if one not in first.values())]
    planted: list[tuple[Constraint, dict[str, Given]]] = []
    for one in wanted:
        values = plant(one.written, chance)
        if values is not None and len(planted) < count:
            planted.append((one, values))
    return planted


def found_in_file(base: ConstraintBase, rule: Constraint, values: dict[str, Given], folder: Path) -> bool:
    """Whether the file with these settings is told to break the rule, by path and line."""
    assert rule.framework
    dialect = base.dialects[rule.framework]
    written = {dialect.param(variable): list(value) if isinstance(value, tuple) else value for variable, value in values.items()}
    file = folder / f"{rule.id}.json"
    more = [f"{name}={value}" for name, value in written.items() if name.startswith("version:")]
    file.write_text(json.dumps({name: value for name, value in written.items() if not name.startswith("version:")} or {"nothing": 1}))
    judged = judge(read_configuration(file, base, rule.framework, more), base)
    framework = frameworks()[rule.framework]
    place = f"({rule.framework}@{framework.commit[:10] if framework.commit.isalnum() else framework.commit} {rule.source.place})"
    return any(one.constraint.id == rule.id and one.told.endswith(place) for one in judged.broken)


def check_planted(base: ConstraintBase, planted: Sequence[tuple[Constraint, dict[str, Given]]], folder: Path) -> None:
    missed = [one.id for one, values in planted if not found_in_file(base, one, values, folder)]
    assert not missed, f"{len(missed)} of {len(planted)} planted violations were not found: {missed}"


def test_a_dozen_planted_violations_are_found_with_file_and_line(base: ConstraintBase, tmp_path: Path) -> None:
    planted = drawn(base, 14)
    assert {one.framework for one, _ in planted} == set(frameworks())
    check_planted(base, planted, tmp_path)


def test_what_lacks_one_condition_breaks_nothing(base: ConstraintBase) -> None:
    """The counter-trial: the same values with one condition undone are not told to break the rule."""
    undone = 0
    for rule, values in drawn(base, 40):
        for condition in rule.written:
            others = {name: value for name, value in values.items() if name != condition.variable}
            assert violation(others, rule) is None, f"{rule.id} without {condition.variable}"
            undone += 1
    assert undone > 80


@pytest.mark.trial
def test_fifty_planted_violations_are_found_with_file_and_line(base: ConstraintBase, tmp_path: Path) -> None:
    planted = drawn(base, 50)
    assert len(planted) == 50
    assert {one.framework for one, _ in planted} == set(frameworks())
    check_planted(base, planted, tmp_path)


@pytest.mark.trial
def test_every_fact_that_can_be_broken_is_found_when_it_is(base: ConstraintBase) -> None:
    """All of them, as options and, where some are ideas, as ideas; what no value breaks is known."""
    chance, contradicting = random.Random(SEED), []
    for rule in facts(base):
        values = plant(rule.written, chance)
        if values is None:
            contradicting.append(rule.id)
            continue
        assert all(holds(condition, values) for condition in rule.written)
        assert rule.id in {one.constraint.id for one in violations(values, base.in_scope(rule.framework))}
        ideas = plant(rule.forbidden, chance)
        if ideas is not None:
            assert rule.id in {one.constraint.id for one in violations(ideas, base.in_scope(rule.framework))}
    assert set(contradicting) == CONTRADICTIONS
