"""All constraints in force: ports, facts of code, arithmetic, and what people decided, applied last. Cached by the state of the files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from forge_assets.compatibility.constraints.arithmetic import arithmetic_constraints
from forge_assets.compatibility.constraints.dialects import Dialect, load_dialects
from forge_assets.compatibility.constraints.facts import fact_constraints, framework_named, frameworks
from forge_assets.compatibility.constraints.model import Constraint
from forge_assets.compatibility.constraints.overrides import Waived, apply_overrides
from forge_assets.compatibility.constraints.ports import port_constraints
from forge_assets.components.ontology import Ontology
from forge_resources.decisions import read_decisions
from forge_resources.errors import ConstraintError
from forge_resources.strict_yaml import near

FOLDER = Path(__file__).resolve().parent
Stamp = tuple[tuple[str, int, int], ...]
KEPT = 4
_KEPT: list[tuple[Ontology, Stamp, date, ConstraintBase]] = []


@dataclass(frozen=True, slots=True)
class ConstraintBase:
    """`constraints`: those in force, in the order port, fact, arithmetic, override. `waived`: those that people took out of force."""

    constraints: tuple[Constraint, ...]
    waived: tuple[Waived, ...]
    dialects: Mapping[str, Dialect]
    by_id: Mapping[str, Constraint]
    by_variable: Mapping[str, tuple[Constraint, ...]]

    def in_scope(self, framework: str | None = None) -> tuple[Constraint, ...]:
        """What holds of ideas, and, with a target framework (id or short name), what holds of its implementation."""
        scope = framework_named(framework).id if framework else None
        return tuple(one for one in self.constraints if one.framework is None or one.framework == scope)

    def waived_in_scope(self, framework: str | None = None) -> tuple[Waived, ...]:
        scope = framework_named(framework).id if framework else None
        return tuple(one for one in self.waived if one.constraint.framework in (None, scope))

    def about(self, variable: str) -> tuple[Constraint, ...]:
        """The constraints in force that speak of a variable, as the framework writes it or resolved."""
        return self.by_variable.get(variable, ())

    def find(self, identity: str) -> Constraint:
        """By id, waived ones too. Raises ConstraintError with a near id."""
        found = self.by_id.get(identity) or next((one.constraint for one in self.waived if one.constraint.id == identity), None)
        if found is None:
            raise ConstraintError(f"no constraint {identity!r}{near(identity, self.by_id)}; `forge constraints list` shows their ids")
        return found

    def run_values(self, framework: str) -> frozenset[str]:
        """Option variables of a framework that hold values of the running program: no configuration and no solver sets them."""
        one = framework_named(framework).id
        dialect = self.dialects.get(one, Dialect(one))
        return frozenset(dialect.option(param) for param in dialect.run)


def load_constraints(ontology: Ontology, overrides_file: Path | None = None, *, today: date | None = None) -> ConstraintBase:
    """The constraint base under the decisions that stand on `today`.

    Raises ConstraintError where a file of the room or a decision is malformed, DecisionError where the log itself is.
    """
    stamp, day = (
        _stamp([*FOLDER.glob("*.yaml"), *(FOLDER / "facts").iterdir(), *([overrides_file] if overrides_file else [])]),
        today or date.today(),
    )
    for kept, its_stamp, its_day, base in _KEPT:
        if kept is ontology and (its_stamp, its_day) == (stamp, day):
            return base
    decisions = read_decisions(overrides_file) if overrides_file else []
    dialects = load_dialects(ontology)
    in_force, waived = apply_overrides(own_constraints(ontology, dialects), decisions, ontology, day)
    made = _indexed(in_force, waived, dialects)
    _KEPT.insert(0, (ontology, stamp, day, made))
    del _KEPT[KEPT:]
    return made


def own_constraints(ontology: Ontology, dialects: Mapping[str, Dialect] | None = None) -> list[Constraint]:
    """What Forge itself brings, before people decide. Raises ConstraintError where two have one id."""
    dialects = dialects or load_dialects(ontology)
    made = [*port_constraints(ontology), *fact_constraints(dialects), *arithmetic_constraints(ontology)]
    seen: dict[str, Constraint] = {}
    for one in made:
        if one.id in seen:
            raise ConstraintError(f"two constraints are called {one.id!r}: {seen[one.id].source.told} and {one.source.told}")
        seen[one.id] = one
    return made


def shares(constraints: Sequence[Constraint]) -> list[tuple[str, int, int, int, int]]:
    """Of facts, per framework and in all: name, technique facts, of them with an idea or common number, wholly of such, all facts."""
    told = []
    for name, only in [*((one.name, one.id) for one in frameworks().values()), ("all", None)]:
        facts = [one for one in constraints if one.origin == "fact" and only in (None, one.framework)]
        technique = [one for one in facts if one.category == "technique"]
        told.append((name, len(technique), sum(map(is_linked, technique)), sum(map(is_idea, technique)), len(facts)))
    return told


def is_linked(constraint: Constraint) -> bool:
    """Whether some condition is an idea or a common number."""
    return any(not condition.variable.startswith("option:") for condition in constraint.forbidden)


def is_idea(constraint: Constraint) -> bool:
    """Whether all conditions are, so that it holds of a stack without any setting."""
    return all(not condition.variable.startswith("option:") for condition in constraint.forbidden)


def _indexed(in_force: Iterable[Constraint], waived: Iterable[Waived], dialects: Mapping[str, Dialect]) -> ConstraintBase:
    constraints = tuple(in_force)
    about: dict[str, list[Constraint]] = defaultdict(list)
    for constraint in constraints:
        for variable in constraint.variables | {condition.variable for condition in constraint.written}:
            about[variable].append(constraint)
    return ConstraintBase(
        constraints,
        tuple(waived),
        dialects,
        {constraint.id: constraint for constraint in constraints},
        {variable: tuple(of) for variable, of in about.items()},
    )


def _stamp(files: Iterable[Path]) -> Stamp:
    """What changes when a file does; a file that is missing is no file."""
    found = []
    for file in sorted(files):
        try:
            state = file.stat()
        except FileNotFoundError:
            continue
        found.append((str(file), state.st_mtime_ns, state.st_size))
    return tuple(found)
