"""What people decided on constraints (`overrides.yaml`, kind `constraint`), applied last of all.

- {decision: reject, kind: constraint, subject: cf-1d88db6439, reason: only for the vision script, author: jo, date: 2026-01-31}
- {decision: accept, kind: constraint, subject: no-post-norm, reason: diverged twice, author: jo, date: 2026-01-31,
   value: {severity: hard, forbidden: [{variable: slot:norm_placement, op: in, value: [post-norm+]}]}}

A rejected constraint is waived: it is kept, and told wherever it would have acted. An accepted one is new, or stands again when it is
the id of a rejected one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast

from forge_assets.compatibility.constraints.conditions import condition
from forge_assets.compatibility.constraints.facts import framework_named
from forge_assets.compatibility.constraints.model import IDEA, Constraint, Severity, Source
from forge_assets.components.ontology import Ontology
from forge_resources.decisions import Decision, append_decision, read_decisions, standing
from forge_resources.errors import ConstraintError
from forge_resources.strict_yaml import Fields

KIND = "constraint"


@dataclass(frozen=True, slots=True)
class Waived:
    """A constraint that people took out of force."""

    constraint: Constraint
    decision: Decision

    @property
    def told(self) -> str:
        until = f" until {self.decision.expires}" if self.decision.expires else ""
        return f"{self.constraint.id} is waived by {self.decision.author} on {self.decision.date}{until}: {self.decision.reason}"


def apply_overrides(
    made: Iterable[Constraint], decisions: Sequence[Decision], ontology: Ontology, today: date
) -> tuple[list[Constraint], list[Waived]]:
    """The constraints in force, people's own last, and those that are waived.

    Raises ConstraintError where a decision names a constraint that there is not, or its conditions cannot be read.
    """
    known = {constraint.id: constraint for constraint in made}
    waived: list[Waived] = []
    own: dict[str, Constraint] = {}
    faults: list[str] = []
    for (kind, subject), decision in standing(decisions, today).items():
        if kind != KIND:
            continue
        place = f"overrides, constraint {subject} ({decision.author}, {decision.date})"
        if decision.verdict == "reject":
            if subject in known:
                waived.append(Waived(known.pop(subject), decision))
            elif not any(earlier.subject == subject and earlier.verdict == "accept" for earlier in decisions):
                faults.append(f"{place}: there is no such constraint; `forge constraints list` shows their ids")
        elif decision.value:
            if subject in known:
                faults.append(f"{place}: the id is taken by {known[subject].source.told}; choose another")
            own[subject] = _accepted(place, decision, ontology, faults)
        elif subject not in known:
            faults.append(f"{place}: there is no such constraint to stand again, and no value with `forbidden` to make one")
    if faults:
        raise ConstraintError("; ".join(faults[:3]) + (f"; and {len(faults) - 3} more" if len(faults) > 3 else ""))
    return [*known.values(), *own.values()], waived


def decide(overrides: Path, decision: Decision, made: Iterable[Constraint], ontology: Ontology) -> None:
    """Appends a decision on a constraint to the log, once it is sure that it can be applied. Raises ConstraintError, DecisionError."""
    apply_overrides(made, [*read_decisions(overrides), decision], ontology, date.today())
    append_decision(overrides, decision)


def _accepted(place: str, decision: Decision, ontology: Ontology, faults: list[str]) -> Constraint:
    fields = Fields(place, dict(decision.value), faults)
    severity = cast(Severity, fields.choice("severity", {"hard", "soft"}, "hard"))
    framework = fields.text_or_none("framework")
    written = fields.raw("forbidden")
    if not isinstance(written, list) or not written:
        fields.fault("forbidden is no list of conditions, each with variable, op and value")
        written = []
    forbidden = tuple(condition(entry, fields, ontology) for entry in written)
    fields.done()
    return Constraint(
        decision.subject,
        "override",
        severity,
        _scope(framework),
        forbidden,
        f"{decision.author} forbids this: {decision.reason}",
        Source(f"overrides.yaml, {decision.author}, {decision.date}"),
    )


def _scope(framework: str | None) -> str:
    return framework_named(framework).scope if framework else IDEA


def by_subject(waived: Iterable[Waived]) -> Mapping[str, Waived]:
    return {one.constraint.id: one for one in waived}
