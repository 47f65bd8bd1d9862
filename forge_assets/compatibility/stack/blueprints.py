"""Solving a stored blueprint: gather what it is solved from -> build -> solve -> check -> keep. A solved one stays until refreshed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from forge_assets.compatibility.constraints.base import load_constraints
from forge_assets.compatibility.constraints.facts import framework_named
from forge_assets.compatibility.stack import store
from forge_assets.compatibility.stack.build import MODEL, PLAN, Built, Inputs, build
from forge_assets.compatibility.stack.conflict import MEMORY, infeasibility
from forge_assets.compatibility.stack.evidence import Evidence, gather
from forge_assets.compatibility.stack.problem import Box, Limit, Solution
from forge_assets.compatibility.stack.profile import load_profile
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack, memory_of, stack_of
from forge_assets.compatibility.stack.solver import Effort, solve
from forge_assets.compatibility.stack.wishes import understand
from forge_assets.components.ontology import Ontology, load_ontology
from forge_resources.database import Database
from forge_resources.errors import BlueprintError

LOCK = "forge.blueprint."
DECIDE_MEMORY = (MODEL, PLAN, "slot:precision", "slot:attention_kernel", "slot:optimizer", "slot:parallelism", "slot:activation_memory")


@dataclass(frozen=True, slots=True)
class SolvedReport:
    """`made`: solved in this run; components that were `in_play`, of those `eligible`."""

    made: bool
    in_play: int
    eligible: int


@dataclass(frozen=True, slots=True)
class Solved:
    """`made`: it was solved now, not found solved. `before`: the stack that a refresh has replaced."""

    stack: Stack
    made: bool
    before: Stack | None = None

    @property
    def report(self) -> SolvedReport:
        return SolvedReport(self.made, self.stack.in_play, self.stack.eligible)


def check(request: Request, overrides: Path | None) -> None:
    """Raises BlueprintError for wishes that mean nothing or contradict each other, ConstraintError for an unknown framework."""
    ontology = load_ontology(overrides)
    understand(request, ontology, load_profile(ontology), load_constraints(ontology, overrides))
    if request.framework:
        framework_named(request.framework)


def inputs_now(db: Database, overrides: Path | None, ontology: Ontology | None = None) -> Inputs:
    """What a blueprint would be solved with now."""
    known = ontology or load_ontology(overrides)
    profile = load_profile(known)
    return Inputs(known, profile, load_constraints(known, overrides), gather(db, list(known.components), profile.anchors))


def inputs_then(db: Database, solved: Stack, overrides: Path | None) -> Inputs:
    """What it was solved with, as far as it is kept: the evidence of then, ontology and constraints of now."""
    known = load_ontology(overrides)
    kept: Evidence = store.evidence(db, solved.pins.evidence)
    return Inputs(known, load_profile(known), load_constraints(known, overrides), kept)


def solve_blueprint(db: Database, name: str, overrides: Path | None = None, *, refresh: bool = False, effort: Effort | None = None,
                    say: Callable[[str], None] = lambda text: None) -> Solved:  # fmt: skip
    """The stack of a blueprint; solved only where it is not yet, or where it is to be refreshed.

    Raises BlueprintError: the request cannot be met, with the conflict and the cheapest way out; nothing is stored then.
    """
    with db.advisory_lock(LOCK + name):
        request, before = store.find(db, name), store.stack(db, name)
        if before is not None and not refresh and before.pins.request == request.state:
            return Solved(before, made=False)
        built = build(request, inputs_now(db, overrides))
        say(f"{built.in_play} components in play for {len(built.inputs.profile.slots)} slots, {len(built.problem.constraints)} constraints")
        made = solve_built(built, effort)
        store.write(db, made, built.inputs.evidence)
        return Solved(made, made=True, before=before)


def solve_within(built: Built, effort: Effort) -> tuple[Built, Solution]:
    """The best stack whose own memory fits.

    Shapes are judged by the one with the most key heads, settings by others that need no less; where that was too kind, the combination is
    forbidden, and the problem, which is returned too, solved again.
    """
    while True:
        found = solve(built.problem, effort)
        if found.chosen is None or memory_of(built, found.chosen)["fits"] is not False:
            return built, found
        box = Box(tuple((group, frozenset([found.chosen[group]])) for group in DECIDE_MEMORY), "it does not fit into memory")
        limits = (
            *(one for one in built.problem.limits if one.id != MEMORY),
            *(_with(one, box) for one in built.problem.limits if one.id == MEMORY),
        )
        built = replace(built, problem=replace(built.problem, limits=limits))


def _with(limit: Limit, box: Box) -> Limit:
    return replace(limit, boxes=(*limit.boxes, box))


def solve_built(built: Built, effort: Effort | None = None) -> Stack:
    """Raises BlueprintError where nothing fits, or where the independent validator finds the answer wrong."""
    request: Request = built.request
    built, found = solve_within(built, effort or Effort(seed=request.seed))
    if found.infeasible:
        raise BlueprintError(infeasibility(built).told)
    if found.chosen is None:
        raise BlueprintError(f"no stack for {request.name} was found in {found.seconds:.0f} s; pin more slots, or ask for less")
    made = stack_of(built, found)
    if made.violations:
        raise RuntimeError(f"the solver broke {len(made.violations)} constraints: {made.violations[0]}")
    return made
