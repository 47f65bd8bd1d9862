"""A condition that people wrote in YAML -> `Condition`, checked: its variable, op and value exist and go together."""

from __future__ import annotations

from typing import Any, cast, get_args

from forge_assets.compatibility.constraints.dialects import descendants
from forge_assets.compatibility.constraints.facts import frameworks
from forge_assets.compatibility.constraints.model import Condition, Op
from forge_assets.compatibility.constraints.numbers import numbers
from forge_assets.components.ontology import Ontology
from forge_resources.strict_yaml import Fields, kind_of, near

SCALAR = (str, int, float, bool)
NO_VALUE = ("on", "off", "set", "unset")
LISTS = ("in", "not in", "product_is_not")


def condition(entry: Any, fields: Fields, ontology: Ontology) -> Condition:
    """`{variable: slot:norm, op: in, value: [rms-norm]}`. A component with + brings all below it. Faults go to `fields`."""
    given = Fields(f"{fields.where}, condition", entry, fields.faults)
    variable, op = given.text("variable"), given.choice("op", get_args(Op))
    value = given.raw("value")
    given.done()
    if variable:
        _known(variable, given, ontology)
    if op in NO_VALUE and value is not None:
        given.fault(f"{op} takes no value")
    if op in LISTS and not isinstance(value, list):
        given.fault(f"{op} needs a list, found {kind_of(value)}")
    made = _value(value, variable, given, ontology)
    if isinstance(made, tuple) and op not in LISTS:
        given.fault(f"{op} compares with one value, found a list")
    return Condition(variable, cast(Op, op), made)


def _known(variable: str, given: Fields, ontology: Ontology) -> None:
    kind, _, name = variable.partition(":")
    known: dict[str, Any] = {"slot": ontology.slots, "number": numbers()}
    if kind == "option":
        framework = name.partition(":")[0]
        if framework not in frameworks():
            given.fault(f"{variable!r} names no framework that facts are known of{near(framework, frameworks())}")
    elif kind not in known:
        given.fault(f"variable is {variable!r}, expected slot:NAME, number:NAME or option:OWNER/REPOSITORY:SETTING")
    elif name not in known[kind]:
        given.fault(f"there is no {kind} {name!r}{near(name, known[kind])}")


def _value(value: Any, variable: str, given: Fields, ontology: Ontology) -> Any:
    if isinstance(value, list):
        found = [_value(one, variable, given, ontology) for one in value]
        return tuple(one for part in found for one in (part if isinstance(part, tuple) else (part,)))
    if value is not None and not isinstance(value, SCALAR):
        given.fault(f"value is {kind_of(value)}, expected a number, true, false, text or a list of those")
        return None
    if isinstance(value, str) and value.startswith(("slot:", "option:", "number:")):
        _known(value, given, ontology)
        return value
    if isinstance(value, str) and variable.startswith("slot:"):
        return _component(value, variable.removeprefix("slot:"), given, ontology)
    return value


def _component(name: str, place: str, given: Fields, ontology: Ontology) -> str | tuple[str, ...]:
    one = name.removesuffix("+")
    there = {each.id for each in ontology.components.values() if place in (each.slot, *each.also_slots)}
    if one not in there:
        given.fault(f"the slot {place} has no component {one!r}{near(one, there)}")
    return (one, *(child for child in descendants(ontology, one) if child in there)) if name.endswith("+") else one
