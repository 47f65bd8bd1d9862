"""Facts of validation code, as committed under `facts/` -> constraints in the scope of their framework and commit.

Every fact becomes one constraint. A condition on a setting that is an idea or a common number is resolved to it; what the framework
writes is kept beside it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from forge_assets.compatibility.constraints.dialects import Dialect
from forge_assets.compatibility.constraints.model import Category, Condition, Constraint, Op, Source, Value
from forge_assets.compatibility.constraints.telling import told_conditions
from forge_resources.errors import ConstraintError
from forge_resources.strict_yaml import Fields, parse

FOLDER = Path(__file__).resolve().parent / "facts"
FILE = FOLDER / "compat_asserts.jsonl"


@dataclass(frozen=True, slots=True)
class Framework:
    """A repository that facts were read in. `id`: owner/name; `name`: the short one for people; `commit`: a hash, or a release."""

    id: str
    name: str
    commit: str
    licence: str

    @property
    def scope(self) -> str:
        return f"implementation: {self.id}@{self.commit}"


@functools.cache
def frameworks() -> Mapping[str, Framework]:
    """id -> framework, in the order of the file."""
    faults: list[str] = []
    made: dict[str, Framework] = {}
    for place, entry in enumerate(parse((FOLDER / "frameworks.yaml").read_text(encoding="utf-8")), 1):
        fields = Fields(f"frameworks.yaml, entry {place}", entry, faults)
        one = Framework(fields.text("id"), fields.text("name"), fields.text("commit"), fields.text("licence"))
        fields.done()
        made[one.id] = one
    if faults:
        raise ConstraintError(f"the frameworks cannot be read: {'; '.join(faults[:3])}")
    return made


def framework_named(name: str) -> Framework:
    """By id or short name, in any case, or by how the short name of one alone begins. Raises ConstraintError with the names there are."""
    asked, known = name.casefold(), frameworks().values()
    for one in known:
        if asked in (one.id.casefold(), one.name.casefold(), one.id.rpartition("/")[2].casefold()):
            return one
    begun = [one for one in known if asked and one.name.startswith(asked)]
    if len(begun) == 1:
        return begun[0]
    raise ConstraintError(f"no framework {name!r}; there are {', '.join(one.name for one in frameworks().values())}")


def fact_constraints(dialects: Mapping[str, Dialect]) -> Iterator[Constraint]:
    """All facts as constraints, in the order of the file. Raises ConstraintError."""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        identity, repository, place, severity, category, atoms = json.loads(line)
        framework = frameworks()[repository]
        dialect = dialects.get(repository, Dialect(repository))
        written = tuple(_condition(dialect, *atom) for atom in atoms)
        resolved = tuple(dialect.resolve(condition) for condition in written)
        yield Constraint(
            identity,
            "fact",
            "soft" if severity == "warning" else "hard",
            framework.scope,
            resolved,
            f"{framework.name} {'warns of' if severity == 'warning' else 'refuses'} {told_conditions(written)}",
            Source(place, repository, framework.commit, framework.licence),
            written,
            cast(Category, category),
        )


def _condition(dialect: Dialect, param: str, op: Op, value: Any) -> Condition:
    return Condition(dialect.option(param), op, _value(dialect, value))


def _value(dialect: Dialect, value: Any) -> Value | tuple[Value, ...]:
    """`$name` is the other setting; lists are tuples, and lists within them their JSON text, an empty one None."""
    if isinstance(value, str) and value.startswith("$"):
        return dialect.option(value[1:])
    if isinstance(value, list):
        return tuple(compact(one) if isinstance(one, list | dict) else one for one in value)
    return cast(Value, value)


def compact(value: Any) -> str | None:
    """A list or a mapping inside a value as one text; nothing for an empty one."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str) if value else None
