"""Optimizers and schedules in PyTorch: a function each, and for an optimizer a torch.optim.Optimizer around it."""

from __future__ import annotations

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import rules
from forge_assets.blueprints.fdl.backends.arrays import View, safe
from forge_assets.blueprints.fdl.backends.stages import class_name, snake

TAKEN = frozenset({"torch", "nn", "F", "math", "group", "closure", "loss", "self"})


def rule_text(view: View, unit: ir.Unit) -> str:
    return _function(view, unit) + (_optimizer(unit) if unit.kind == "optimizer" else "")


def _function(view: View, unit: ir.Unit) -> str:
    from forge_assets.blueprints.fdl.backends.torch import TorchExpressions

    spell = TorchExpressions(rules.alone(view, unit), unit, TAKEN)
    arrays = [one for one in unit.inputs if one.axes]
    spell.device = f"{spell.name(arrays[0].name)}.device" if arrays else '"cpu"'
    return rules.function_text(spell, unit, lambda size: f"torch.arange({size}, device={spell.device})")


def _optimizer(unit: ir.Unit) -> str:
    """`step` counts from 1; every other scalar of the rule is an option of the parameter group."""
    weight, _, *rest = unit.inputs
    options = [one.name for one in rest if one.name != "step"]
    constants = list(unit.own_constants)
    flat = weight.axes == ("n",)
    shape = ".flatten()" if flat else ""
    back = ".view_as(weight)" if flat else ""
    passed = [f"weight{shape}", f"weight.grad{shape}", *('state["step"]' if one.name == "step" else f'group["{one.name}"]' for one in rest)]
    passed += [f'state["{one.name}"]' for one in unit.states] + [f'{safe(name, TAKEN)}=group["{name}"]' for name in constants]
    named = {one.name for one in unit.results}
    results = ["new", *(f'state["{one.name}"]' for one in unit.states if one.name in named)]
    given = [*(f"{safe(name, TAKEN)}" for name in options), *(f"{safe(name, TAKEN)}={unit.constants[name]!r}" for name in constants)]
    table = ", ".join(f'"{name}": {safe(name, TAKEN)}' for name in (*options, *constants))
    states = ", ".join(f'"{one.name}": torch.zeros_like(weight{shape})' for one in unit.states)
    return f'''

class {class_name(unit.name)}(torch.optim.Optimizer):
    """{rules.told(unit)}; weights have {len(weight.axes) if not flat else "any number of"} axes."""

    def __init__(self, {", ".join(["params", *given])}):
        super().__init__(params, {{{table}}})

    @torch.no_grad()
    def step(self, closure=None):
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state.update({{"step": 0{", " + states if states else ""}}})
                state["step"] += 1
                {", ".join(results)} = {snake(unit.name)}({", ".join(passed)})
                weight.copy_(new{back})
        return loss
'''
