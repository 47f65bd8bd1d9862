"""The next best stacks that really differ: in at least so many slots from the best and from each other."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.compatibility.stack.build import Built
from forge_assets.compatibility.stack.problem import Solution
from forge_assets.compatibility.stack.solver import Effort, solve

DISTANCE = 3
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Alternative:
    """`loss`: points less than the best; `changes`: slot -> (component of the best, component here)."""

    solution: Solution
    loss: int
    changes: dict[str, tuple[str, str]]


def alternatives(built: Built, chosen: dict[str, int], objective: int, number: int, distance: int = DISTANCE) -> list[Alternative]:
    """Up to `number` of them, the best first; fewer where there are no more."""
    slots = frozenset(group for group in built.problem.groups if group.startswith("slot:"))
    taken: list[dict[str, int]] = [chosen]
    found: list[Alternative] = []
    for _ in range(number):
        next_best = solve(built.problem, Effort(seconds=SECONDS), apart=tuple(taken), distance=distance, among=slots)
        if next_best.chosen is None:
            break
        taken.append(next_best.chosen)
        changes = {
            group.removeprefix("slot:"): (
                built.problem.groups[group].rows[chosen[group]].name,
                built.problem.groups[group].rows[index].name,
            )
            for group, index in next_best.chosen.items()
            if group in slots and index != chosen[group]
        }
        found.append(Alternative(next_best, objective - next_best.objective, changes))
    return found
