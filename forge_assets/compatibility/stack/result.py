"""A solved stack as people and later rooms read it: components, numbers, the framework's settings, memory, what it was solved from.

Everything in it is data, written once; nothing here is looked up again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.compatibility.constraints.base import ConstraintBase
from forge_assets.compatibility.constraints.model import number
from forge_assets.compatibility.constraints.validator import Violation, violations
from forge_assets.compatibility.stack import plans
from forge_assets.compatibility.stack.batches import BATCH, Batch, filled
from forge_assets.compatibility.stack.build import EMPTY, MODEL, PLAN, Built, Inputs
from forge_assets.compatibility.stack.options import OTHER
from forge_assets.compatibility.stack.parts import with_parts
from forge_assets.compatibility.stack.problem import UNWRITTEN, Problem, Solution
from forge_assets.components.ontology import Ontology

_VERSIONS: list[tuple[Ontology, str]] = []


@dataclass(frozen=True, slots=True)
class Pins:
    """States of what a stack was solved from."""

    request: str
    evidence: str
    catalogue: str
    graph: str
    ontology: str
    constraints: str
    profile: str


@dataclass(frozen=True, slots=True)
class Stack:
    """`slots`: slot -> component or None; `options`: setting of the framework -> value; `memory`: of a training step, bytes by item.

    `violations`: hard constraints that the independent validator finds broken, none in a stack that may be used; `warnings`: soft ones.
    """

    name: str
    pins: Pins
    slots: Mapping[str, str | None]
    numbers: Mapping[str, Any]
    framework: str | None
    options: Mapping[str, Any]
    memory: Mapping[str, Any]
    plan: str
    model: str
    objective: int
    bound: int
    optimal: bool
    seconds: float
    in_play: int
    eligible: int
    violations: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def gap(self) -> float:
        return 0.0 if self.optimal else max(0.0, (self.bound - self.objective) / max(1, abs(self.objective)))

    @property
    def digest(self) -> str:
        """Hash of the stack and of what it was solved from; how long it took does not count."""
        return hashlib.sha256(json.dumps(asdict(replace(self, seconds=0.0)), sort_keys=True).encode()).hexdigest()[:32]


def version_of(base: ConstraintBase) -> str:
    """Hash of all constraints in force."""
    return hashlib.sha256("\n".join(sorted(f"{one.id} {one.severity}" for one in base.constraints)).encode()).hexdigest()[:16]


def ontology_version(ontology: Ontology) -> str:
    """Its version, which takes a second to work out, once per ontology."""
    for known, version in _VERSIONS:
        if known is ontology:
            return version
    _VERSIONS[:] = [(ontology, ontology.version), *_VERSIONS[:1]]
    return _VERSIONS[0][1]


def pins_of(built: Built) -> Pins:
    inputs, evidence = built.inputs, built.inputs.evidence
    now = version_of(inputs.base)
    return Pins(
        built.request.state,
        evidence.state,
        evidence.catalogue,
        evidence.graph,
        ontology_version(inputs.ontology),
        now,
        inputs.profile.state,
    )


def outdated(pins: Pins, inputs: Inputs) -> list[str]:
    """What has changed since a stack was solved."""
    now = {
        "evidence": inputs.evidence.state, "ontology": ontology_version(inputs.ontology), "constraints": version_of(inputs.base),
        "profile": inputs.profile.state,
    }  # fmt: skip
    return [name for name, state in now.items() if getattr(pins, name) != state]


def stack_of(built: Built, solution: Solution) -> Stack:
    """Raises ValueError for a solution without a choice."""
    if solution.chosen is None:
        raise ValueError("there is no stack without a choice")
    values, batch, against = _with_batch(built, solution.chosen)
    return Stack(
        built.request.name,
        pins_of(built),
        {slot: built.component(solution.chosen, slot) for slot in built.inputs.profile.slots},
        {name.removeprefix("number:"): value for name, value in values.items() if name.startswith("number:") and value is not None},
        built.settings.framework if built.settings else None,
        _options(built, values),
        memory_of(built, solution.chosen, batch),
        f"{built.problem.groups[PLAN].rows[solution.chosen[PLAN]].name}, {batch.told}",
        built.problem.groups[MODEL].rows[solution.chosen[MODEL]].name,
        solution.objective,
        solution.bound,
        solution.optimal,
        round(solution.seconds, 3),
        built.in_play,
        sum(map(len, built.eligible.values())),
        tuple(one.told for one in against if one.constraint.severity == "hard"),
        tuple(one.told for one in against if one.constraint.severity == "soft"),
    )


def _with_batch(built: Built, chosen: Mapping[str, int]) -> tuple[dict[str, Any], Batch, list[Violation]]:
    """What is chosen, with as many sequences at once as the memory holds that is left; unless the request or a rule speaks against it."""
    values, batch = built.problem.assignment(chosen), built.batches[chosen[PLAN]]
    before = broken(values, built.problem)
    if built.fixed & set(BATCH):
        return values, batch, before
    split, capacity = built.splits[chosen[PLAN]], built.request.gpu_memory
    shape, setting = shape_of(built, chosen), setting_of(built, chosen)
    wider = filled(batch, split, capacity, lambda one: plans.step_memory(built.request, shape, split, one, setting))
    changed = dict(values)
    for name, value in zip(BATCH, (wider.micro, wider.passes, wider.whole), strict=True):
        follow = built.settings.follow.get(number(name), ()) if built.settings else ()
        changed |= dict.fromkeys((number(name), *follow), value)
    then = broken(changed, built.problem)
    return (values, batch, before) if len(then) > len(before) else (changed, wider, then)


def broken(values: Mapping[str, Any], problem: Problem) -> list[Violation]:
    """By the independent validator; of what is not written it knows as much as a reader of the configuration."""
    written = {name: value for name, value in values.items() if value != UNWRITTEN}
    return violations(written, problem.constraints, unwritten=values.keys() - written.keys())


def _options(built: Built, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a configuration has to say; what is not written is left out."""
    if built.settings is None:
        return {}
    prefix = f"option:{built.settings.framework}:"
    return {name.removeprefix(prefix): value for name, value in sorted(values.items()) if name.startswith(prefix) and value != UNWRITTEN}


def shape_of(built: Built, chosen: Mapping[str, int]) -> ModelShape:
    """The model that was chosen, with all its parts."""
    slots = {slot: built.component(chosen, slot) for slot in built.inputs.profile.slots}
    return with_parts(built.shapes[chosen[MODEL]], slots, built.request)


def memory_of(built: Built, chosen: Mapping[str, int], batch: Batch | None = None) -> dict[str, Any]:
    """The estimate of a training step of exactly this stack; without `batch` of one sequence at a time."""
    shape, split, setting = shape_of(built, chosen), built.splits[chosen[PLAN]], setting_of(built, chosen)
    estimate = plans.step_memory(built.request, shape, split, batch or built.batches[chosen[PLAN]], setting)
    return {
        "bytes": estimate.bytes, "low": estimate.low, "high": estimate.high, "moment": estimate.moment, "unvalidated": estimate.unvalidated,
        "capacity": built.request.gpu_memory, "fits": None if not built.request.gpu_memory else estimate.fits(built.request.gpu_memory),
        "items": {item.name: item.bytes for item in estimate.items}, "setting": asdict(setting),
    }  # fmt: skip


def setting_of(built: Built, chosen: Mapping[str, int]) -> plans.Setting:
    """What the chosen components mean for memory."""
    effects = built.inputs.profile.effects

    def effect(name: str, slot: str, plain: Any) -> Any:
        return effects[name].get(built.component(chosen, slot) or EMPTY, plain)

    return plans.Setting(
        effect("precision", "precision", "mixed"),
        effect("optimizer", "optimizer", "adamw"),
        effect("recompute", "activation_memory", "none"),
        effect("attention", "attention_kernel", "eager"),
        effect("zero", "parallelism", 0),
    )


def open_settings(stack: Stack) -> list[str]:
    """Settings whose value the writer of the configuration has to choose: any that no rule speaks of."""
    return [name for name, value in stack.options.items() if value == OTHER]
