"""Problem -> CP-SAT model: literals of rows, nogoods, limits, wishes, and pairs encoded so that the relaxation is tight.

Pairs: for each pair of groups with weights, the literals of a row's pairs, and one for "any other row over there", add up to the literal
of the row (the local marginal polytope of Schlesinger 1976), which bounds far better than implications alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from forge_assets.compatibility.constraints.model import Condition, Constraint
from forge_assets.compatibility.stack.problem import Box, Choice, Limit, Problem, Wish
from forge_assets.compatibility.stack.truth import holds, variables_of

Literal = Any
Part = Constraint | Limit | Wish


class Model:
    """A CP-SAT model of a problem. With `guarded`, every hard constraint, limit and wish holds only if its guard literal is true."""

    def __init__(self, problem: Problem, *, guarded: bool = False) -> None:
        from ortools.sat.python import cp_model

        self.problem = problem
        self.cp: Any = cp_model.CpModel()
        self.guards: dict[str, tuple[Literal, Part]] = {}
        self._guarded = guarded
        self._group_of = problem.group_of()
        self._conditions: dict[Condition, Literal | bool] = {}
        self.rows = {group.id: self._literals(group.id, len(group.rows)) for group in problem.groups.values()}
        self.costs: list[tuple[Literal, int]] = []
        for wish in problem.wishes:
            self._wish(wish)
        for constraint in problem.constraints:
            self._constraint(constraint)
        for limit in problem.limits:
            for box in limit.boxes:
                self._clause([self._any(group, rows) for group, rows in box.sets], limit.id, limit)

    def _literals(self, group: str, number: int) -> list[Literal]:
        if number == 1:
            return [self.cp.new_constant(1)]
        if number == 2:
            first = self.cp.new_bool_var(f"{group}[0]")
            return [first, first.negated()]
        literals = [self.cp.new_bool_var(f"{group}[{index}]") for index in range(number)]
        self.cp.add_exactly_one(literals)
        return literals

    def _any(self, group: str, rows: Iterable[int]) -> Literal | bool:
        """A literal that is true where one of the rows is chosen; False for none, True for all."""
        chosen, literals = sorted(rows), self.rows[group]
        if len(chosen) in (0, len(literals)):
            return bool(chosen)
        if len(chosen) == 1:
            return literals[chosen[0]]
        if len(chosen) == len(literals) - 1:
            (left,) = set(range(len(literals))) - set(chosen)
            return literals[left].negated()
        made = self.cp.new_bool_var("")
        self.cp.add(sum(literals[index] for index in chosen) == made)
        return made

    def _clause(self, held: Sequence[Literal | bool], id_: str, part: Part, violated: Literal | None = None) -> None:
        """Not all of `held` at once, unless `violated` is true."""
        if any(one is False for one in held):
            return
        clause = [one.negated() for one in held if not isinstance(one, bool)]
        if violated is not None:
            clause.append(violated)
        elif self._guarded:
            clause.append(self._guard(id_, part).negated())
        self.cp.add_bool_or(clause)

    def _guard(self, id_: str, part: Part) -> Literal:
        if id_ not in self.guards:
            self.guards[id_] = (self.cp.new_bool_var(f"guard:{id_}"), part)
        return self.guards[id_][0]

    def _wish(self, wish: Wish) -> None:
        for index, literal in enumerate(self.rows[wish.group]):
            if index not in wish.allowed:
                self._clause([literal], wish.id, wish)

    def _constraint(self, constraint: Constraint) -> None:
        held = [self._either(forms) for forms in both_forms(constraint)]
        if any(one is False for one in held):
            return
        violated = None
        if constraint.severity == "soft":
            violated = self.cp.new_bool_var(f"soft:{constraint.id}")
            self.costs.append((violated, self.problem.soft_cost))
        self._clause(held, constraint.id, constraint, violated)

    def _either(self, forms: tuple[Condition, ...]) -> Literal | bool:
        """A literal that is true at least where one of the forms holds. A variable that nobody has makes a form false."""
        known = [form for form in forms if all(variable in self._group_of for variable in variables_of(form))]
        literals = [self._condition(form) for form in known]
        if any(literal is True for literal in literals):
            return True
        left = [literal for literal in literals if literal is not False]
        if len(left) < 2:
            return left[0] if left else False
        either = self.cp.new_bool_var("")
        for literal in left:
            self.cp.add_implication(literal, either)
        return either

    def _condition(self, condition: Condition) -> Literal | bool:
        if condition not in self._conditions:
            self._conditions[condition] = self._made(condition)
        return self._conditions[condition]

    def _made(self, condition: Condition) -> Literal | bool:
        """A literal that is true at least where the condition holds (a clause may then leave it false elsewhere)."""
        groups = list(dict.fromkeys(self._group_of[variable] for variable in variables_of(condition)))
        true = true_rows(self.problem, condition, groups)
        if len(groups) == 1:
            return self._any(groups[0], (index for (index,) in true))
        if not true:
            return False
        made = self.cp.new_bool_var("")
        for combination in true:
            chosen = [self.rows[group][index].negated() for group, index in zip(groups, combination, strict=True)]
            self.cp.add_bool_or([*chosen, made])
        return made

    def maximize(self) -> None:
        """Benefits of rows and pairs, less what broken soft constraints cost."""
        terms = [
            literal * row.benefit
            for group in self.problem.groups.values()
            for literal, row in zip(self.rows[group.id], group.rows, strict=True)
            if row.benefit
        ]
        terms += [literal * -cost for literal, cost in self.costs]
        terms += [literal * weight for literal, weight in self._pairs()]
        self.objective = sum(terms)
        self.cp.maximize(self.objective)

    def _pairs(self) -> list[tuple[Literal, int]]:
        between: dict[tuple[str, str], dict[tuple[int, int], int]] = {}
        for ((a, i), (b, j)), weight in self.problem.pairs.items():
            if weight:
                between.setdefault((a, b), {})[i, j] = weight
        return [term for (a, b), weights in between.items() for term in self._between(a, b, weights)]

    def _between(self, a: str, b: str, weights: dict[tuple[int, int], int]) -> list[tuple[Literal, int]]:
        made = {pair: self.cp.new_bool_var(f"{a}[{pair[0]}]*{b}[{pair[1]}]") for pair in weights}
        self.pair_literals = getattr(self, "pair_literals", {}) | {((a, i), (b, j)): z for (i, j), z in made.items()}
        for side, (mine, other) in enumerate(((a, b), (b, a))):
            partners: dict[int, list[int]] = {}
            for pair in weights:
                partners.setdefault(pair[side], []).append(pair[1 - side])
            for index, over_there in partners.items():
                here = [made[(index, o) if side == 0 else (o, index)] for o in over_there]
                rest = self._rest(other, over_there)
                self.cp.add(sum(here) + (0 if rest is None else rest) == self.rows[mine][index])
        return [(made[pair], weight) for pair, weight in weights.items()]

    def _rest(self, group: str, partners: Sequence[int]) -> Literal | None:
        """A literal that can be true only where the group's row is none of the partners."""
        others = [literal for index, literal in enumerate(self.rows[group]) if index not in set(partners)]
        if not others:
            return None
        rest = self.cp.new_bool_var("")
        self.cp.add(rest <= sum(others))
        return rest

    def hint(self, chosen: dict[str, int]) -> None:
        """A choice to start from."""
        for group, index in chosen.items():
            for each, literal in enumerate(self.rows[group]):
                if len(self.rows[group]) > 2 or (len(self.rows[group]) == 2 and each == 0):
                    self.cp.add_hint(literal, each == index)
        for ((a, i), (b, j)), literal in getattr(self, "pair_literals", {}).items():
            self.cp.add_hint(literal, chosen[a] == i and chosen[b] == j)


def both_forms(constraint: Constraint) -> list[tuple[Condition, ...]]:
    """Each condition resolved and as the framework writes it, where that is another; the constraint is broken by either."""
    written = (*constraint.written, *constraint.forbidden[len(constraint.written) :])
    return [tuple(dict.fromkeys(forms)) for forms in zip(constraint.forbidden, written, strict=True)]


def true_rows(problem: Problem, condition: Condition, groups: Sequence[str]) -> list[tuple[int, ...]]:
    """The combinations of rows of these groups under which the condition holds."""
    found = []
    spans = [range(len(problem.groups[group].rows)) for group in groups]
    for combination in product(*spans):
        values = problem.assignment(dict(zip(groups, combination, strict=True)))
        if holds(condition, values):
            found.append(combination)
    return found


def box_of(choices: Iterable[Choice], reason: str) -> Box:
    return Box(tuple((group, frozenset([index])) for group, index in choices), reason)
