"""A choice by steps that better it: the solver's start, and its rival in the bench.

Broken hard constraints, limits and wishes cost more than any benefit. One group at a time is moved to its best row, with a tabu list;
from a standstill a few groups are drawn anew. Everything is drawn from one seed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from forge_assets.compatibility.constraints.model import Condition, Value
from forge_assets.compatibility.stack.model import both_forms
from forge_assets.compatibility.stack.problem import Problem
from forge_assets.compatibility.stack.truth import holds, variables_of

Broken = Callable[[dict[str, int]], bool]
TABU = 7
KICK = 4


class Score:
    """Benefit of a choice, and how it changes with one group's row."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.partners: dict[tuple[str, int], list[tuple[str, int, int]]] = {}
        for ((a, i), (b, j)), weight in problem.pairs.items():
            self.partners.setdefault((a, i), []).append((b, j, weight))
            self.partners.setdefault((b, j), []).append((a, i, weight))
        self.rules = _rules(problem)
        heaviest = sum(abs(row.benefit) for group in problem.groups.values() for row in group.rows)
        self.penalty = 1 + heaviest + sum(map(abs, problem.pairs.values()))
        self.of_group: dict[str, list[int]] = {}
        for number, (groups, _, _) in enumerate(self.rules):
            for group in groups:
                self.of_group.setdefault(group, []).append(number)

    def local(self, chosen: dict[str, int], group: str) -> int:
        """The part of the score that depends on this group."""
        index = chosen[group]
        total = self.problem.groups[group].rows[index].benefit
        total += sum(weight for other, row, weight in self.partners.get((group, index), ()) if chosen[other] == row)
        for number in self.of_group.get(group, ()):
            _, broken, hard = self.rules[number]
            if broken(chosen):
                total -= self.penalty if hard else self.problem.soft_cost
        return total

    def total(self, chosen: dict[str, int]) -> int:
        """The objective, with the penalty for each hard rule that is broken."""
        total = sum(self.problem.groups[group].rows[index].benefit for group, index in chosen.items())
        total += sum(weight for ((a, i), (b, j)), weight in self.problem.pairs.items() if chosen[a] == i and chosen[b] == j)
        for _, broken, hard in self.rules:
            if broken(chosen):
                total -= self.penalty if hard else self.problem.soft_cost
        return total


def improve(problem: Problem, seed: int = 0, steps: int = 2000, seconds: float | None = None) -> dict[str, int]:
    """The best choice found in so many steps, or in so many seconds where given; it may break something where nothing better was found."""
    score, drawn = Score(problem), random.Random(seed)  # noqa: S311 (no secret)
    free = sorted(group.id for group in problem.groups.values() if len(group.rows) > 1)
    chosen = _greedy(problem)
    best, best_total = dict(chosen), score.total(chosen)
    if not free:
        return best
    total, tabu, still = best_total, dict.fromkeys(free, -1), 0
    until = None if seconds is None else time.monotonic() + seconds
    step = 0
    while (time.monotonic() < until) if until is not None else step < steps:
        step += 1
        group = drawn.choice([each for each in free if tabu[each] < step] or free)
        gain, index = _best_move(score, chosen, group)
        if gain > 0 or index != chosen[group] and drawn.random() < 0.02:
            chosen[group], total, tabu[group], still = index, total + gain, step + TABU, 0
        else:
            still += 1
        if total > best_total:
            best, best_total = dict(chosen), total
        if still > 3 * len(free):
            chosen = dict(best)
            for each in drawn.sample(free, min(KICK, len(free))):
                chosen[each] = drawn.randrange(len(problem.groups[each].rows))
            total, still = score.total(chosen), 0
    return best


def _greedy(problem: Problem) -> dict[str, int]:
    """Of each group the row of the greatest benefit that no wish forbids."""
    allowed: dict[str, frozenset[int]] = {}
    for wish in problem.wishes:
        allowed[wish.group] = allowed.get(wish.group, wish.allowed) & wish.allowed
    return {
        group.id: max(allowed.get(group.id) or range(len(group.rows)), key=lambda index: (group.rows[index].benefit, -index))
        for group in problem.groups.values()
    }


def _best_move(score: Score, chosen: dict[str, int], group: str) -> tuple[int, int]:
    before, now = score.local(chosen, group), chosen[group]
    best, best_index = 0, now
    for index in range(len(score.problem.groups[group].rows)):
        if index != now:
            chosen[group] = index
            gain = score.local(chosen, group) - before
            if gain > best or best_index == now:
                best, best_index = gain, index
    chosen[group] = now
    return best, best_index


def _rules(problem: Problem) -> list[tuple[tuple[str, ...], Broken, bool]]:
    """(groups it depends on, whether a choice breaks it, whether it is hard)"""
    group_of = problem.group_of()
    rules: list[tuple[tuple[str, ...], Broken, bool]] = []
    for constraint in problem.constraints:
        forms = [[form for form in both if all(one in group_of for one in variables_of(form))] for both in both_forms(constraint)]
        if all(forms):
            groups = tuple(dict.fromkeys(group_of[one] for both in forms for form in both for one in variables_of(form)))
            rules.append((groups, _breaks(problem, groups, forms), constraint.severity == "hard"))
    for limit in problem.limits:
        for box in limit.boxes:
            rules.append((tuple(group for group, _ in box.sets), _inside(box.sets), True))
    for wish in problem.wishes:
        outside = frozenset(range(len(problem.groups[wish.group].rows))) - wish.allowed
        rules.append(((wish.group,), _inside(((wish.group, outside),)), True))
    return rules


def _breaks(problem: Problem, groups: tuple[str, ...], forms: Sequence[Sequence[Condition]]) -> Broken:
    seen: dict[tuple[int, ...], bool] = {}

    def broken(chosen: dict[str, int]) -> bool:
        key = tuple([chosen[group] for group in groups])
        if key not in seen:
            values: dict[str, Value] = problem.assignment(dict(zip(groups, key, strict=True)))
            seen[key] = all(any(holds(form, values) for form in both) for both in forms)
        return seen[key]

    return broken


def _inside(sets: tuple[tuple[str, frozenset[int]], ...]) -> Broken:
    return lambda chosen: all(chosen[group] in rows for group, rows in sets)
