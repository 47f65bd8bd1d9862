"""kill -9 at the k-th write, and again during recovery: the next run to its end leaves what a clean rebuild leaves."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.faults.conftest import STATES, World

AT_ONCE = 4
SWEEP_AT_LEAST = 1000


def judged(answers: list[dict[str, Any]], capsys: pytest.CaptureFixture[str] | None = None) -> None:
    killed = sum(answer["killed"] for answer in answers)
    different = [answer for answer in answers if answer["differences"]]
    wrong = [answer for answer in answers if answer["wrong"]]
    if capsys is not None:
        with capsys.disabled():
            print(f"\n{len(answers)} trials, {killed} kills, {len(different)} digest differences, {len(wrong)} with something half visible")
    assert [(a["task"], a["differences"], a["wrong"][:3]) for a in answers if a["differences"] or a["wrong"]] == []


def test_a_run_killed_at_some_write_and_again_in_recovery_leaves_what_a_clean_one_leaves(world: World) -> None:
    chance = random.Random(1)
    tasks = [{"state": state, "kills": chosen} for state in STATES for chosen in some(chance, len(world.points[state]), 2)]
    answers = world.trials(tasks, 2)
    judged(answers)
    assert sum(answer["killed"] for answer in answers) >= len(tasks)


def some(chance: random.Random, points: int, number: int) -> list[list[int]]:
    """A few points spread over the run; every second is killed again."""
    chosen = [[chance.randint(points * n // number + 1, points * (n + 1) // number)] for n in range(number)]
    return [kills + ([chance.randint(1, max(1, points - kills[0]))] if n % 2 else []) for n, kills in enumerate(chosen)]


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_kill_trials(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Every k from both states; then pairs, triples, and kills from outside at any moment until there are enough."""
    chance = random.Random(2)
    tasks: list[dict[str, Any]] = [
        {"state": state, "kills": [k]} for state in STATES for k in range(1, len(world.points[state]) + 1)
    ]  # fmt: skip
    number = 0
    while len(tasks) < SWEEP_AT_LEAST + 50 or number < 200:
        state, number = chance.choice(STATES), number + 1
        most = len(world.points[state])
        kills: list[int | float] = [chance.randint(1, most) for _ in range(chance.choice([2, 2, 3]))]
        if number % 4 == 0:
            kills = [chance.uniform(0.02, world.seconds * 0.8) for _ in range(2)]
        tasks.append({"state": state, "kills": kills, "workers": chance.choice([1, 2])})
    answers = world.trials(tasks, AT_ONCE)
    judged(answers, capsys)
    assert sum(answer["killed"] for answer in answers) >= SWEEP_AT_LEAST
