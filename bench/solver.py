"""The stack solver beside a local search and clingo, on synthetic stacks whose size is stated: objective, bound, gap, broken constraints.

`python bench/solver.py [--components 300] [--slots 30] [--pairs 3000] [--seconds 10] [--seeds 3] [--no-clingo]`
"""

from __future__ import annotations

import argparse
import random
import time

from forge_assets.compatibility.constraints.model import Condition, Constraint, Source, slot
from forge_assets.compatibility.stack import local_search
from forge_assets.compatibility.stack.problem import Choice, Group, Problem, Row
from forge_assets.compatibility.stack.solver import Effort, solve

CONFLICTS = 0.05


def synthetic(components: int, slots: int, pairs: int, seed: int) -> Problem:
    """Components spread evenly over slots; benefits to 1000; weights of pairs from -500 to 500; one pair in twenty is a hard conflict."""
    drawn = random.Random(seed)
    sizes = [components // slots + (number < components % slots) for number in range(slots)]
    groups = {}
    for number, size in enumerate(sizes):
        rows = tuple(Row(f"s{number}c{each}", (f"s{number}c{each}",), drawn.randint(0, 1000)) for each in range(size))
        groups[slot(f"s{number:02d}")] = Group(slot(f"s{number:02d}"), (slot(f"s{number:02d}"),), rows)
    everyone = [(group.id, index) for group in groups.values() for index in range(len(group.rows))]
    weights: dict[tuple[Choice, Choice], int] = {}
    constraints: list[Constraint] = []
    while len(weights) + len(constraints) < pairs:
        a, b = sorted(drawn.sample(everyone, 2))
        if a[0] == b[0] or (a, b) in weights:
            continue
        if drawn.random() < CONFLICTS:
            forbidden = tuple(Condition(group, "==", groups[group].rows[index].name) for group, index in (a, b))
            constraints.append(
                Constraint(f"c{len(constraints)}", "fact", "hard", "idea", forbidden, "synthetic", Source("bench/solver.py"))
            )
        else:
            weights[a, b] = drawn.randint(-500, 500)
    return Problem(groups, weights, tuple(constraints))


def broken(problem: Problem, chosen: dict[str, int]) -> int:
    """Hard constraints that the choice breaks, by the words of the constraints alone."""
    values = problem.assignment(chosen)
    return sum(all(values[condition.variable] == condition.value for condition in one.forbidden) for one in problem.constraints)


def by_clingo(problem: Problem, seconds: float) -> tuple[int, bool, float]:
    """(objective, proved, seconds) of clingo, with its default strategy for optimization."""
    import clingo

    program = []
    names = {(group.id, index): f"r{number}" for number, (group, index) in enumerate(
        (group, index) for group in problem.groups.values() for index in range(len(group.rows)))}  # fmt: skip
    for group in problem.groups.values():
        program.append(f"1 {{ {'; '.join(names[group.id, index] for index in range(len(group.rows)))} }} 1.")
    for constraint in problem.constraints:
        program.append(
            f":- {', '.join(names[c.variable, problem.groups[c.variable].index(str(c.value)) or 0] for c in constraint.forbidden)}."
        )
    terms = [
        f"{row.benefit},b{names[group.id, i]} : {names[group.id, i]}"
        for group in problem.groups.values()
        for i, row in enumerate(group.rows)
    ]
    terms += [f"{weight},p{n} : {names[a]}, {names[b]}" for n, ((a, b), weight) in enumerate(problem.pairs.items())]
    program.append(f"#maximize {{ {'; '.join(terms)} }}.")
    control = clingo.Control(["--seed=0"])
    control.add("base", [], "\n".join(program))
    started = time.monotonic()
    control.ground([("base", [])])
    best = 0
    costs: list[int] = []
    with control.solve(yield_=False, async_=True, on_model=lambda model: costs.append(model.cost[0])) as handle:
        finished = handle.wait(seconds - (time.monotonic() - started))
        if not finished:
            handle.cancel()
        proved = bool(finished and handle.get().exhausted)
        best = -costs[-1] if costs else 0
    return best, proved, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--components", type=int, default=300)
    parser.add_argument("--slots", type=int, default=30)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=Effort().workers)
    parser.add_argument("--no-clingo", action="store_true")
    given = parser.parse_args()
    print(f"{given.components} components, {given.slots} slots, {given.pairs} pairs, {given.seconds:g} s each")
    for seed in range(given.seeds):
        problem = synthetic(given.components, given.slots, given.pairs, seed)
        started = time.monotonic()
        local = local_search.improve(problem, seed, seconds=given.seconds)
        rival = local_search.Score(problem).total(local)
        print(f"seed {seed}: local search {rival} ({broken(problem, local)} broken, {time.monotonic() - started:.1f} s)", flush=True)
        for name, start in (("CP-SAT", None), ("CP-SAT from the local search", local)):
            found = solve(problem, Effort(seconds=given.seconds, workers=given.workers), start=start)
            if found.chosen is None:
                print(f"  {name} found nothing in {found.seconds:.1f} s", flush=True)
                continue
            proof = f"bound {found.bound}, gap {found.gap:.1%}{', optimal' if found.optimal else ''}"
            ratio = f"x{found.objective / rival:.4f}; {broken(problem, found.chosen)} broken"
            print(f"  {name} {found.objective} ({ratio}; {proof}; {found.seconds:.1f} s)", flush=True)
        if not given.no_clingo:
            best, proved, seconds = by_clingo(problem, given.seconds)
            print(f"  clingo {best} (x{best / rival:.4f}{', optimal' if proved else ''}; {seconds:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
