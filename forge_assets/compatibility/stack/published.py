"""Agreement with published stacks: three slots are given, the solver chooses the others, by weights of other lineages alone.

For each lineage the field is fitted on all others, and its checkpoints are completed by the same CP-SAT model that solves blueprints.
Beside it stands the commonest value of each slot among the other lineages.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from functools import cache
from pathlib import Path

from forge_assets.compatibility.constraints.model import slot as variable
from forge_assets.compatibility.stack.cooccurrence import Field, Published, Value, fit
from forge_assets.compatibility.stack.problem import SCALE, Choice, Group, Problem, Row, Wish
from forge_assets.compatibility.stack.solver import Effort, solve

FACTS = Path(__file__).parent / "facts"
ORIGIN = "Lightning-AI/litgpt@26857050 litgpt/config.py (Apache-2.0)"
ROTARY = ("rope", "partial-rope")
GIVEN = 3
DRAWS = 4


@cache
def published() -> tuple[Published, ...]:
    """The 157 checkpoints of the facts."""
    return _read("published_stacks.jsonl", "checkpoint")


@cache
def families() -> tuple[Published, ...]:
    """Model families of transformers by their default configurations, as far as these tell; weights are fitted on them too.

    Only those whose positions are rotary, as those of all checkpoints are.
    """
    return tuple(one for one in _read("family_stacks.jsonl", "family") if one.stack["position_encoding"] in ROTARY)


@cache
def field() -> Field:
    """The weights of all published stacks, as blueprints are solved with."""
    return fit((*published(), *families()))


def _read(name: str, key: str) -> tuple[Published, ...]:
    rows = [json.loads(line) for line in (FACTS / name).read_text(encoding="utf-8").splitlines()]
    return tuple(Published(row.pop(key), row.pop("lineage"), row) for row in rows)


@dataclass(slots=True)
class Tally:
    """Predictions of one slot, or of all. `hard`: those on which the commonest value is wrong, `hard_right` of them got right."""

    asked: int = 0
    right: int = 0
    majority: int = 0
    hard: int = 0
    hard_right: int = 0

    def add(self, solver: bool, majority: bool) -> None:
        self.asked += 1
        self.right += solver
        self.majority += majority
        self.hard += not majority
        self.hard_right += solver and not majority


@dataclass(slots=True)
class Agreement:
    """Of all slots together and one by one, and by lineage left out."""

    overall: Tally = made(default_factory=Tally)
    slots: dict[str, Tally] = made(default_factory=dict)
    lineages: dict[str, Tally] = made(default_factory=dict)

    def table(self) -> str:
        """Text for a terminal."""
        head = f"{'':<18}{'asked':>6}{'solver':>9}{'majority':>10}{'majority wrong':>16}{'solver right there':>20}"
        told = [("all slots", self.overall), *self.slots.items()]
        lines = [head, *(_line(name, tally) for name, tally in told), "by lineage left out:"]
        return "\n".join([*lines, *(_line(name, tally) for name, tally in self.lineages.items())])


def _line(name: str, tally: Tally) -> str:
    right, majority = tally.right / tally.asked, tally.majority / tally.asked
    there = f"{tally.hard_right / tally.hard:.1%}" if tally.hard else "-"
    return f"{name:<18}{tally.asked:>6}{right:>9.1%}{majority:>10.1%}{tally.hard:>16}{there:>20}"


def agreement(
    stacks: Sequence[Published] = (), draws: int = DRAWS, seed: int = 0, say: Callable[[str], None] = lambda text: None
) -> Agreement:
    """Leaves out one lineage after the other. Each checkpoint is completed `draws` times, from three slots drawn anew by `seed`."""
    stacks = stacks or published()
    told, drawn = Agreement(), random.Random(seed)  # noqa: S311 (no secret)
    for lineage in sorted({one.lineage for one in stacks}):
        others = [one for one in stacks if one.lineage != lineage]
        usual, weights = majority(others), fit([*others, *(one for one in families() if one.lineage != lineage)])
        answers: dict[tuple[tuple[str, Value], ...], dict[str, Value]] = {}
        for one in (one for one in stacks if one.lineage == lineage):
            for _ in range(draws):
                given = tuple(sorted((slot, one.stack[slot]) for slot in drawn.sample(sorted(one.stack), GIVEN)))
                if given not in answers:
                    answers[given] = complete(weights, dict(given))
                _count(told, lineage, one.stack, answers[given], usual, dict(given))
        say(f"{lineage}: {told.lineages[lineage].right} of {told.lineages[lineage].asked} right")
    return told


def _count(told: Agreement, lineage: str, real: Mapping[str, Value], answer: Mapping[str, Value], usual: Mapping[str, Value],
           given: Mapping[str, Value]) -> None:  # fmt: skip
    for slot in real:
        if slot not in given:
            tallies = (told.overall, told.slots.setdefault(slot, Tally()), told.lineages.setdefault(lineage, Tally()))
            for tally in tallies:
                tally.add(answer[slot] == real[slot], usual[slot] == real[slot])


def majority(stacks: Sequence[Published]) -> dict[str, Value]:
    """The commonest value of each slot."""
    return {
        slot: max(sorted(Counter(one.stack[slot] for one in stacks).items(), key=str), key=lambda counted: counted[1])[0]
        for slot in stacks[0].stack
    }


def complete(weights: Field, given: Mapping[str, Value]) -> dict[str, Value]:
    """The best stack under these weights that has the given values; a given value that the weights do not know says nothing."""
    problem = problem_of(weights, given)
    found = solve(problem, Effort(warm_steps=200))
    if found.chosen is None:
        raise RuntimeError("a problem without constraints has no solution")
    values = problem.assignment(found.chosen)
    return {group.id: given.get(group.id, _value(values[variable(group.id)])) for group in problem.groups.values()}


def _value(value: object) -> Value:
    return None if value is None else str(value)


def problem_of(weights: Field, given: Mapping[str, Value]) -> Problem:
    """The field as groups, benefits and pairs; what is given is pinned."""
    values: dict[str, list[Value]] = {}
    for slot, value in weights.alone:
        values.setdefault(slot, []).append(value)
    groups = {
        slot: Group(slot, (variable(slot),), tuple(Row(str(v), (v,), round(weights.alone[slot, v] * SCALE)) for v in known))
        for slot, known in values.items()
    }
    unknown = {slot for slot, value in given.items() if value not in values[slot]}
    pairs: dict[tuple[Choice, Choice], int] = {}
    for (a, b), weight in weights.together.items():
        if a[0] < b[0] and not {a[0], b[0]} & unknown:
            pairs[(a[0], values[a[0]].index(a[1])), (b[0], values[b[0]].index(b[1]))] = round(weight * SCALE)
    wishes = tuple(
        Wish(f"given:{slot}", slot, frozenset([values[slot].index(value)]), f"{slot} is {value}")
        for slot, value in given.items()
        if slot not in unknown
    )
    return Problem(groups, pairs, wishes=wishes)
