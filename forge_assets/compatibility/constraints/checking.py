"""A configuration, or an assignment, against the constraint base: what it breaks, and what it would break had people not waived it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from forge_assets.compatibility.constraints.base import ConstraintBase
from forge_assets.compatibility.constraints.configs import Configuration
from forge_assets.compatibility.constraints.model import Constraint
from forge_assets.compatibility.constraints.overrides import Waived
from forge_assets.compatibility.constraints.validator import Violation, violations


@dataclass(frozen=True, slots=True)
class Judged:
    """`rules`: how many were looked at. `waived`: what is broken but taken out of force by a person."""

    rules: int
    broken: tuple[Violation, ...]
    waived: tuple[tuple[Waived, Violation], ...]

    @property
    def hard(self) -> tuple[Violation, ...]:
        return tuple(one for one in self.broken if one.constraint.severity == "hard")


def judge(configuration: Configuration, base: ConstraintBase) -> Judged:
    """All rules in scope. Facts of the framework are judged by its settings as written, the rest by the ideas that follow from them."""
    scopes = [configuration.framework] if configuration.framework else _spoken_of(configuration)
    rules = _in_scope(base.constraints, scopes)
    waived = [one for one in base.waived if one.constraint.framework is None or one.constraint.framework in scopes]
    broken = [found for rule in rules for found in _judged(configuration, rule)]
    return Judged(
        len(rules), tuple(broken), tuple((one, found) for one in waived for found in _judged(configuration, one.constraint))
    )  # fmt: skip


def _judged(configuration: Configuration, rule: Constraint) -> list[Violation]:
    if configuration.framework is None:
        return violations(configuration.ideas, [rule])
    if rule.written:
        found = violations(configuration.settings, [replace(rule, forbidden=rule.written, written=())], unwritten=configuration.unwritten)
        return [replace(one, constraint=rule) for one in found]
    return violations({**configuration.settings, **configuration.ideas}, [rule], unwritten=configuration.unwritten)


def _in_scope(rules: Iterable[Constraint], scopes: Iterable[str]) -> list[Constraint]:
    wanted = set(scopes)
    return [rule for rule in rules if rule.framework is None or rule.framework in wanted]


def _spoken_of(configuration: Configuration) -> list[str]:
    """The frameworks whose options an assignment speaks of."""
    return sorted({variable.split(":")[1] for variable in configuration.settings})
