"""`arithmetic.yaml` and the least values of `numbers.yaml` -> constraints that hold of the ideas themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from forge_assets.compatibility.constraints.conditions import condition
from forge_assets.compatibility.constraints.model import IDEA, Condition, Constraint, Severity, Source, number
from forge_assets.compatibility.constraints.numbers import numbers
from forge_assets.compatibility.constraints.telling import told_conditions
from forge_assets.components.ontology import Ontology
from forge_resources.errors import ConstraintError
from forge_resources.strict_yaml import Fields, parse

FILE = Path(__file__).resolve().parent / "arithmetic.yaml"


def arithmetic_constraints(ontology: Ontology) -> Iterator[Constraint]:
    """The rules of the file, then the least value of each number. Raises ConstraintError with what is wrong in the file."""
    faults: list[str] = []
    made = []
    for place, entry in enumerate(parse(FILE.read_text(encoding="utf-8")), 1):
        name = entry.get("id", f"entry {place}")
        fields = Fields(f"{FILE.name}, {name}", entry, faults)
        made.append(_rule(fields, ontology))
        fields.done()
    if faults:
        raise ConstraintError(f"the arithmetic cannot be used: {'; '.join(faults[:5])}")
    yield from made
    for one in numbers().values():
        below = Condition(number(one.id), "<", int(one.minimum) if one.minimum == int(one.minimum) else one.minimum)
        said = f"{one.id}: {one.meaning} At least {one.minimum:g}"
        yield Constraint(
            f"least-{one.id.replace('_', '-')}", "arithmetic", "hard", IDEA, (below,), said, Source("definition of the quantity")
        )


def _rule(fields: Fields, ontology: Ontology) -> Constraint:
    identity, severity = fields.text("id"), cast(Severity, fields.choice("severity", {"hard", "soft"}, "hard"))
    said, source = fields.text("say"), fields.text("source")
    forbidden = tuple(_condition(entry, fields, ontology) for entry in fields.raw("forbidden") or ())
    return Constraint(
        identity, "arithmetic", severity, IDEA, forbidden, f"{said}: forbids {told_conditions(forbidden)}", Source(source)
    )  # fmt: skip


def _condition(entry: Any, fields: Fields, ontology: Ontology) -> Condition:
    """`[hidden_size, not_divisible_by, num_heads]`, where a word that names a number is one."""
    variable, op, value = (*entry, None)[:3]
    known = numbers()

    def named(one: Any) -> Any:
        return number(one) if isinstance(one, str) and one in known else one

    wanted = [named(one) for one in value] if isinstance(value, list) else named(value)
    return condition({"variable": named(variable), "op": op, "value": wanted}, fields, ontology)
