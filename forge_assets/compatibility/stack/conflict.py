"""Why nothing fits: a conflict from which no part can be taken away, each part with its source, and the cheapest ways out.

The parts are the request's wishes, its budget, definitions and constraints. A first core comes from the solver's assumptions; then each
part is tried without, until all that is left is needed (deletion, as Chinneck and Dravnieks 1991).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from forge_assets.compatibility.arithmetic.items import FITS_UNDER, Estimate
from forge_assets.compatibility.constraints.model import Constraint
from forge_assets.compatibility.stack import plans
from forge_assets.compatibility.stack.build import Built, build
from forge_assets.compatibility.stack.model import Model, Part
from forge_assets.compatibility.stack.problem import Limit, Problem, Wish
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.solver import Effort, is_possible, solver_of

MEMORY = "memory"
MEMORY_WEIGHT = 4
WIDER = (2, 4, 8, 16, 32, 64)
SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Because:
    """One part of a conflict, and where it stands."""

    statement: str
    source: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """`parts`: all are needed for the conflict. `ways_out`: the cheapest first."""

    parts: tuple[Because, ...]
    ways_out: tuple[str, ...]

    @property
    def told(self) -> str:
        parts = "; ".join(f"{one.statement} [{one.source}]" for one in self.parts)
        ways = f"; the cheapest way out: {', or '.join(self.ways_out)}" if self.ways_out else ""
        return f"no stack meets all that is asked for: {parts}{ways}"


def because(part: Part) -> Because:
    match part:
        case Constraint():
            return Because(part.statement, part.source.told)
        case Limit():
            return Because(part.statement, part.source)
        case Wish():
            return Because(part.statement, "the blueprint's request")


def infeasibility(built: Built) -> Conflict:
    """For a problem that has no solution."""
    parts = minimal(built.problem)
    told = [because(part) for part in parts]
    if any(isinstance(part, Limit) and part.id == MEMORY for part in parts):
        told.append(_leanest(built))
    return Conflict(tuple(told), tuple(ways_out(built, parts)))


def minimal(problem: Problem) -> list[Part]:
    """Parts that cannot all hold, none of which can be left out. Raises ValueError where they can all hold."""
    model = Model(problem, guarded=True)
    core = _core(model, list(model.guards), first=True)
    if core is None:
        raise ValueError("the problem has a solution")
    for guard in _least_wanted(model, core):
        smaller = _core(model, [one for one in core if one != guard])
        if smaller is not None:
            core = [one for one in core if one in set(smaller)]
    return [model.guards[guard][1] for guard in core]


def _core(model: Model, assumed: Sequence[str], *, first: bool = False) -> list[str] | None:
    """Of the parts assumed, some that cannot hold together; None where all can, or where SECONDS do not tell (the first time: all)."""
    from ortools.sat.python import cp_model

    model.cp.clear_assumptions()
    model.cp.add_assumptions([model.guards[guard][0] for guard in assumed])
    solver = solver_of(Effort(seconds=SECONDS), SECONDS)
    status = solver.solve(model.cp)
    if status == cp_model.UNKNOWN:
        return list(assumed) if first else None
    if status != cp_model.INFEASIBLE:
        return None
    found = {model.cp.proto.variables[index].name for index in solver.sufficient_assumptions_for_infeasibility()}
    return [guard for guard in assumed if f"guard:{guard}" in found]


def _least_wanted(model: Model, core: Sequence[str]) -> list[str]:
    """The order of trying without: rules first, wishes last, so that what is left says most about the wishes."""
    rank: dict[type, int] = {Constraint: 0, Limit: 1, Wish: 2}
    return sorted(core, key=lambda guard: (rank[type(model.guards[guard][1])], guard))


def ways_out(built: Built, parts: Iterable[Part]) -> list[str]:
    """The wishes that would have to go at least, and what budget would do instead."""
    found = []
    gone = cheapest_relaxation(built.problem)
    wishes = [part for part in gone if isinstance(part, Wish)]
    if gone and len(wishes) == len(gone):
        found.append(f"give up: {', '.join(wish.statement for wish in wishes)}")
    if any(isinstance(part, Limit) and part.id == MEMORY for part in parts):
        found += _budgets(built)
    return found


def cheapest_relaxation(problem: Problem) -> list[Part]:
    """The wishes, and the budget, of least weight in all without which the rest can be met; empty where rules alone conflict."""
    from ortools.sat.python import cp_model

    model = Model(problem, guarded=True)
    cost: list[Any] = []
    for guard, part in model.guards.values():
        if isinstance(part, Wish):
            cost.append((1 - guard) * part.weight)
        elif isinstance(part, Limit) and part.id == MEMORY:
            cost.append((1 - guard) * MEMORY_WEIGHT)
        else:
            model.cp.add(guard == 1)
    model.cp.minimize(sum(cost))
    solver = solver_of(Effort(seconds=SECONDS), SECONDS)
    if solver.solve(model.cp) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return []
    return [part for guard, part in model.guards.values() if not solver.boolean_value(guard)]


def _leanest(built: Built) -> Because:
    """The least memory that any plan and setting needs."""
    best: tuple[int, Estimate, str] | None = None
    for shape in built.shapes:
        for split, batch in zip(built.splits, built.batches, strict=True):
            if plans.can_be_cut(shape, split):
                setting = plans.Setting(_precision(built), "sgd", "full", "flash", 3 if split.data > 1 else 0)
                estimate = plans.step_memory(built.request, shape, split, batch, setting)
                if best is None or estimate.bytes < best[0]:
                    best = estimate.bytes, estimate, split.told
    if best is None:
        return Because(f"no plan for {built.request.gpus} GPUs divides the model", "arithmetic/plan.py")
    largest = max(best[1].items, key=lambda item: item.bytes)
    capacity = FITS_UNDER * (built.request.gpu_memory or 0)
    most = f"most of it {largest.name} ({_gib(largest.bytes)} = {largest.formula})"
    return Because(f"the leanest plan ({best[2]}) needs {_gib(best[0])} of {_gib(capacity)}, {most}", largest.source)


def _gib(number: float) -> str:
    return f"{number / 2**30:.1f} GiB"


def _precision(built: Built) -> str:
    return {"fp32": "fp32", "fp8": "fp8"}.get(built.request.precision, "mixed")


def _budgets(built: Built) -> list[str]:
    """Which larger or smaller budget would do, one quantity at a time."""
    request = built.request
    tries: list[tuple[Callable[[int], Request], Callable[[Request], str]]] = [
        (lambda by: replace_request(request, gpus=request.gpus * by), lambda one: f"--gpus {one.gpus}"),
        (lambda by: replace_request(request, context=max(16, request.context // by)), lambda one: f"--context {one.context}"),
        (lambda by: replace_request(request, params=max(10**5, request.params // by)), lambda one: f"--params {one.params:.3g}"),
    ]
    found = []
    for vary, told in tries:
        for by in WIDER:
            other = vary(by)
            if _may_fit(other) and is_possible(build(other, built.inputs).problem, Effort(seconds=SECONDS)) is not None:
                found.append(told(other))
                break
    return found


def _may_fit(request: Request) -> bool:
    """Whether all GPUs together could hold 2 bytes of each parameter: what no plan can do without."""
    return 2 * request.params <= FITS_UNDER * (request.gpu_memory or 0) * request.gpus


def replace_request(request: Request, **changed: Any) -> Request:
    return request.model_copy(update=changed)


def with_wish(problem: Problem, wish: Wish) -> Problem:
    return replace(problem, wishes=(*problem.wishes, wish))
