"""Optimizers and schedules in JAX: pure functions of weights, gradients, numbers and states."""

from __future__ import annotations

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import rules
from forge_assets.blueprints.fdl.backends.arrays import Code, View, folded
from forge_assets.blueprints.fdl.backends.stages import snake


def rule_text(view: View, unit: ir.Unit) -> str:
    from forge_assets.blueprints.fdl.backends.jax import FUNCTIONS, TAKEN, JaxExpressions

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

    if unit.kind == "schedule":
        rules.check_schedule(unit)
    spell = RuleExpressions(rules.alone(view, unit), unit, TAKEN)
    body: list[str] = []
    for line in rules.lines(unit):
        body += folded("    ", spell.name(line.name), spell.text(line.low))
    sizes = [f"    n_{name} = {spell.name(spell.sources[name][0])}.shape[{spell.sources[name][1]}]" for name in spell.used_sizes]
    positions = [f"    pos_{axis} = jnp.arange({spell.axis_size(axis)})" for axis, _ in spell.used_positions]
    head = ["", "", f"def {snake(unit.name)}({', '.join(rules.signature(spell, unit))}):", f'    """{rules.told(unit)}"""']
    return (
        "\n".join(
            [
                *head,
                *sizes,
                *positions,
                *rules.locals_of(spell, unit),
                *body,
                f"    return {', '.join(spell.name(one.tensor) for one in unit.results)}",
            ]
        )
        + "\n"
    )
