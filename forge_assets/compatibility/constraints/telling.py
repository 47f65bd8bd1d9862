"""Conditions as people read them: `tensor_model_parallel_size <= 1 with sequence_parallel on`."""

from __future__ import annotations

from collections.abc import Iterable

from forge_assets.compatibility.constraints.model import Condition

KINDS = ("slot:", "option:", "number:")
PHRASES = {
    "==": "being",
    "!=": "not being",
    "in": "being one of",
    "not in": "being none of",
    "contains": "containing",
    "lacks": "without",
    "starts_with": "beginning with",
    "not_starts_with": "not beginning with",
    "divisible_by": "divisible by",
    "not_divisible_by": "not divisible by",
    "product_is_not": "not being the product of",
}
FEW = 6


def name_of(variable: str) -> str:
    """The setting, slot or number without what kind of variable it is."""
    kind, _, rest = variable.partition(":")
    return rest.partition(":")[2] if kind == "option" else rest


def told_value(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        shown = ", ".join(told_value(one) for one in value[:FEW])
        return f"{shown}, ... ({len(value)})" if len(value) > FEW else shown
    if isinstance(value, str):
        return name_of(value) if value.startswith(KINDS) else value or "''"
    return str(value)


def told_condition(condition: Condition) -> str:
    """`recompute_granularity being selective`, `num_moe_experts set`, `tensor_parallel > 1`."""
    named = name_of(condition.variable)
    if condition.op in ("in", "not in") and isinstance(condition.value, tuple) and len(condition.value) == 1:
        return f"{named} {'being' if condition.op == 'in' else 'not being'} {told_value(condition.value)}"
    if condition.op in ("on", "off", "set", "unset"):
        return f"{named} {condition.op}"
    return f"{named} {PHRASES.get(condition.op, condition.op)} {told_value(condition.value)}"


def told_conditions(conditions: Iterable[Condition]) -> str:
    return " with ".join(told_condition(condition) for condition in conditions)
