"""The solver against everything there is: on small problems all choices are tried; its reading of conditions against the validator's."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_assets.compatibility.constraints.model import Condition, Constraint, Op, Source, Value, number, option, slot
from forge_assets.compatibility.constraints.validator import holds as judged
from forge_assets.compatibility.constraints.validator import violations
from forge_assets.compatibility.stack import local_search
from forge_assets.compatibility.stack.conflict import cheapest_relaxation, minimal
from forge_assets.compatibility.stack.problem import Box, Choice, Group, Limit, Problem, Row, Wish
from forge_assets.compatibility.stack.solver import Effort, is_possible, solve
from forge_assets.compatibility.stack.truth import holds
from tests.compatibility.stacks import every_choice

OPS = [op for op in get_args(Op) if op != "product_is_not"]
VALUES = st.sampled_from([None, True, False, 0, 1, 2, 4, 3.0, "", "a", "ab", "b"])
X, Y = option("f", "x"), number("y")


def small(seed: int) -> Problem:
    """Four or five groups of two to four rows; benefits and weights of both signs; some conflicts, hard and soft, a limit, a wish."""
    drawn = random.Random(seed)
    groups = {}
    for place in range(drawn.randint(4, 5)):
        name = slot(f"s{place}")
        rows = tuple(Row(f"c{i}", (f"c{i}",), drawn.randint(-300, 900)) for i in range(drawn.randint(2, 4)))
        groups[name] = Group(name, (name,), rows)
    everyone = [(group.id, index) for group in groups.values() for index in range(len(group.rows))]
    pairs: dict[tuple[Choice, Choice], int] = {}
    constraints = []
    for place in range(30):
        a, b = sorted(drawn.sample(everyone, 2))
        if a[0] == b[0]:
            continue
        if place % 4 == 0:
            forbidden = (Condition(a[0], "==", f"c{a[1]}"), Condition(b[0], drawn.choice(["==", "!="]), f"c{b[1]}"))
            severity = "soft" if place % 8 == 0 else "hard"
            constraints.append(Constraint(f"k{place}", "fact", severity, "idea", forbidden, "told", Source("here")))  # type: ignore[arg-type]
        else:
            pairs[a, b] = drawn.randint(-600, 600)
    first, second, third = list(groups.values())[:3]
    limit = Limit(
        "limit", "told", "here", (Box(((first.id, frozenset([0, 1])), (second.id, frozenset([0])), (third.id, frozenset([1]))), "r"),)
    )
    wish = Wish("wish", third.id, frozenset(range(len(third.rows))) - {drawn.randrange(len(third.rows))}, "told")
    return Problem(groups, pairs, tuple(constraints), (limit,), (wish,))


def worth(problem: Problem, chosen: dict[str, int]) -> int | None:
    """Its objective by the words of the problem alone; None where something is broken that may not be."""
    broken = violations(problem.assignment(chosen), problem.constraints)
    if any(one.constraint.severity == "hard" for one in broken):
        return None
    if any(all(chosen[group] in rows for group, rows in box.sets) for limit in problem.limits for box in limit.boxes):
        return None
    if any(chosen[wish.group] not in wish.allowed for wish in problem.wishes):
        return None
    alone = sum(problem.groups[group].rows[index].benefit for group, index in chosen.items())
    pairs = sum(weight for ((a, i), (b, j)), weight in problem.pairs.items() if chosen[a] == i and chosen[b] == j)
    return alone + pairs - problem.soft_cost * len(broken)


@pytest.mark.parametrize("seed", range(12))
def test_the_best_choice_is_the_best_of_all(seed: int) -> None:
    problem = small(seed)
    values = [one for chosen in every_choice(problem) if (one := worth(problem, chosen)) is not None]
    found = solve(problem)
    if not values:
        assert found.infeasible and found.chosen is None
        return
    assert found.chosen is not None and found.optimal and found.gap == 0
    assert found.objective == found.bound == max(values) == worth(problem, found.chosen)
    assert solve(problem).chosen == found.chosen


@pytest.mark.parametrize("seed", range(4))
def test_the_local_search_counts_as_the_problem_says(seed: int) -> None:
    problem = small(seed)
    score = local_search.Score(problem)
    for chosen in random.Random(seed).sample(every_choice(problem), 20):
        value = worth(problem, chosen)
        assert score.total(chosen) == value if value is not None else score.total(chosen) < -score.penalty / 2
        for group in problem.groups:
            moved = chosen | {group: 0}
            assert score.total(moved) - score.total(chosen) == score.local(moved, group) - score.local(chosen, group)
    best = solve(problem)
    assert best.chosen is None or best.objective >= score.total(local_search.improve(problem, seed, 100))


def test_the_next_best_differ_in_as_many_groups_as_asked() -> None:
    problem = small(3)
    first = solve(problem)
    assert first.chosen is not None
    second = solve(problem, apart=(first.chosen,), distance=3)
    assert second.chosen is not None and sum(first.chosen[group] != index for group, index in second.chosen.items()) >= 3
    far = [worth(problem, one) for one in every_choice(problem) if sum(first.chosen[group] != index for group, index in one.items()) >= 3]
    assert second.objective == max(value for value in far if value is not None)


@given(
    op=st.sampled_from(OPS), found=VALUES, wanted=VALUES | st.tuples(VALUES, VALUES) | st.just(Y), other=VALUES, there=st.booleans()
)  # fmt: skip
@settings(max_examples=600, deadline=None)
def test_solver_and_validator_read_conditions_alike(op: Op, found: Value, wanted: object, other: Value, there: bool) -> None:
    if op in ("in", "not in") and not isinstance(wanted, tuple) or op not in ("in", "not in") and isinstance(wanted, tuple):
        return
    condition = Condition(X, op, None if op in ("on", "off", "set", "unset") else wanted)  # type: ignore[arg-type]
    values = {X: found} | ({Y: other} if there else {})
    assert holds(condition, values) == judged(condition, values)


@given(st.lists(st.none() | st.integers(1, 4), min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_products_are_read_alike(values: list[int | None]) -> None:
    names = [number(name) for name in "abc"]
    condition = Condition(names[0], "product_is_not", (names[1], names[2]))
    assignment = dict(zip(names, values, strict=True))
    assert holds(condition, assignment) == judged(condition, assignment)


def impossible() -> Problem:
    """Three wishes of which two conflict by a constraint; a further constraint and a wish that have nothing to do with it."""
    groups = {slot(name): Group(slot(name), (slot(name),), tuple(Row(f"{name}{i}", (f"{name}{i}",)) for i in range(3))) for name in "abc"}
    forbidden = (Condition(slot("a"), "==", "a0"), Condition(slot("b"), "==", "b0"))
    harmless = (Condition(slot("b"), "==", "b1"), Condition(slot("c"), "==", "c1"))
    constraints = tuple(
        Constraint(name, "fact", "hard", "idea", conditions, name, Source("here"))
        for name, conditions in (("real", forbidden), ("other", harmless))
    )
    wishes = tuple(
        Wish(f"pin {name}", slot(name), frozenset([0]), f"you pinned {name}0", weight) for name, weight in (("a", 3), ("b", 2), ("c", 1))
    )
    return Problem(groups, constraints=constraints, wishes=wishes)


def test_a_conflict_is_minimal_and_its_relaxation_the_cheapest() -> None:
    problem = impossible()
    parts = {part.id for part in minimal(problem)}
    assert parts == {"real", "pin a", "pin b"}
    for part in parts:  # without any of them the others can hold
        left = Problem(problem.groups, constraints=tuple(one for one in problem.constraints if one.id in parts - {part}),
                       wishes=tuple(one for one in problem.wishes if one.id in parts - {part}))  # fmt: skip
        assert is_possible(left) is not None
    (gone,) = cheapest_relaxation(problem)
    assert gone.id == "pin b"
    with pytest.raises(ValueError, match="has a solution"):
        minimal(replace(problem, wishes=()))


def test_a_condition_counts_in_either_form() -> None:
    """What the framework writes breaks a rule too, though the slot says otherwise."""
    groups = {
        slot("a"): Group(slot("a"), (slot("a"),), (Row("a0", ("a0",), 5), Row("a1", ("a1",)))),
        X: Group(X, (X,), (Row("on", (True,), 9), Row("unset", (None,)))),
    }
    rule = Constraint(
        "k", "fact", "hard", "implementation: f@1", (Condition(slot("a"), "==", "a1"),), "told", Source("here"), (Condition(X, "on"),)
    )
    found = solve(Problem(groups, constraints=(rule,)), Effort())
    assert found.chosen == {slot("a"): 0, X: 1}


def test_without_time_the_start_stands_with_a_true_bound() -> None:
    problem = small(3)
    best = solve(problem)
    assert best.chosen is not None
    hurried = solve(problem, Effort(seconds=1e-9), start=best.chosen)
    assert hurried.chosen is not None and hurried.objective == best.objective <= hurried.bound
    assert hurried.optimal or hurried.gap >= 0
