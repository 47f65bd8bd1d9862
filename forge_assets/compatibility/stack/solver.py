"""Problem -> the best choice, with a proof or the gap; then the next best that differ, by CP-SAT started from a local search.

Deterministic: fixed seed, fixed number of workers that take turns, effort counted in deterministic time. The wall clock only ends what
takes far too long.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

from forge_assets.compatibility.stack import local_search
from forge_assets.compatibility.stack.model import Model
from forge_assets.compatibility.stack.problem import Choice, Problem, Solution

WORKERS = 1
SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to try. `seconds` of wall time; `seed` of both searches; `warm`: share of the time for the local search."""

    seconds: float = SECONDS
    seed: int = 0
    workers: int = WORKERS
    warm_steps: int = 400


def solve(problem: Problem, effort: Effort = Effort(), *, apart: tuple[dict[str, int], ...] = (), distance: int = 1,
          among: frozenset[str] | None = None, start: dict[str, int] | None = None) -> Solution:  # fmt: skip
    """The best choice that differs from each of `apart` in `distance` or more groups (of `among`, where given)."""
    started = time.monotonic()
    model = Model(problem)
    for other in apart:
        same = [model.rows[group][index] for group, index in other.items() if among is None or group in among]
        model.cp.add(sum(same) <= len(same) - distance)
    model.maximize()
    if not apart:
        start = start or local_search.improve(problem, effort.seed, effort.warm_steps)
        model.hint(start)
    found = _run(model, effort, started)
    if not found.optimal and not found.infeasible:
        known = _most(problem)
        found = replace(found, bound=min(found.bound, known) if found.chosen is not None else known)
    return found if start is None or found.infeasible or found.optimal else _better(problem, found, start)


def _better(problem: Problem, found: Solution, start: dict[str, int]) -> Solution:
    """The start itself, where it breaks nothing and no better choice was found in time."""
    score = local_search.Score(problem)
    worth = score.total(start)
    if worth < -score.penalty // 2 or (found.chosen is not None and found.objective >= worth):
        return found
    return replace(found, chosen=dict(start), objective=worth, bound=max(found.bound, worth))


def _most(problem: Problem) -> int:
    """A bound that needs no solver: of each group the best row, with half of the best pair it could have in every other group."""
    best: dict[Choice, dict[str, int]] = {}
    for (a, b), weight in problem.pairs.items():
        for one, other in ((a, b[0]), (b, a[0])):
            mine = best.setdefault(one, {})
            mine[other] = max(mine.get(other, 0), weight)
    total = 0.0
    for group in problem.groups.values():
        total += max(row.benefit + sum(best.get((group.id, i), {}).values()) / 2 for i, row in enumerate(group.rows))
    return math.ceil(total)


def _run(model: Model, effort: Effort, started: float) -> Solution:
    from ortools.sat.python import cp_model

    solver = solver_of(effort, effort.seconds - (time.monotonic() - started))
    status = solver.solve(model.cp)
    seconds = time.monotonic() - started
    if status == cp_model.MODEL_INVALID:
        raise RuntimeError(f"the model is invalid: {model.cp.validate()}")
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        bound = 0 if status == cp_model.INFEASIBLE else round(solver.best_objective_bound)
        return Solution(None, 0, bound, False, status == cp_model.INFEASIBLE, seconds)
    objective, bound = round(solver.objective_value), round(solver.best_objective_bound)
    return Solution(read(model, solver), objective, bound, status == cp_model.OPTIMAL, False, seconds)


def solver_of(effort: Effort, seconds: float) -> Any:
    """A CP-SAT solver that answers the same each time."""
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.random_seed = effort.seed
    solver.parameters.num_workers = effort.workers
    solver.parameters.interleave_search = effort.workers > 1  # workers take turns, so that the answer does not depend on their speed
    solver.parameters.linearization_level = 2  # the whole relaxation of the pairs: its bound is what makes a proof quick
    solver.parameters.max_time_in_seconds = max(0.1, seconds)
    return solver


def read(model: Model, solver: Any) -> dict[str, int]:
    """The rows that the solver chose."""
    return {
        group: next(index for index, literal in enumerate(literals) if solver.boolean_value(literal))
        for group, literals in model.rows.items()
    }


def is_possible(problem: Problem, effort: Effort = Effort()) -> dict[str, int] | None:
    """Any choice that breaks nothing, or None."""
    from ortools.sat.python import cp_model

    model = Model(problem)
    solver = solver_of(effort, effort.seconds)
    status = solver.solve(model.cp)
    return read(model, solver) if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None
