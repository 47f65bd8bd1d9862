"""Optimizers and schedules in JAX: pure functions of weights, gradients, numbers and states."""

from __future__ import annotations

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import rules
from forge_assets.blueprints.fdl.backends.arrays import Code, View
from forge_assets.blueprints.fdl.backends.jax_expressions import FUNCTIONS, TAKEN, JaxExpressions


class RuleExpressions(JaxExpressions):
    """Numbers may be traced, so that a whole training step is one jit."""

    def number(self, node: ir.Expression) -> Code:
        if isinstance(node, ir.Apply) and node.function == "where":
            return Code(f"jnp.where({', '.join(self.number(one).text for one in node.arguments)})")
        if isinstance(node, ir.Apply) and node.function in ("and", "or", "not"):
            given = [self.number(one).text for one in node.arguments]
            return Code(f"jnp.logical_{node.function}({', '.join(given)})")
        return super().number(node)

    def host_function(self, function: str, given: list[str]) -> str:
        text = FUNCTIONS.get(function)
        return f"jnp.{function}({', '.join(given)})" if text is None else f"({text.format(*given)})"


def rule_text(view: View, unit: ir.Unit) -> str:
    spell = RuleExpressions(rules.alone(view, unit), unit, TAKEN)
    return rules.function_text(spell, unit, lambda size: f"jnp.arange({size})")
