"""Optimizers and schedules in JAX."""

from __future__ import annotations

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import View


def rule_text(view: View, unit: ir.Unit) -> str:
    raise NotImplementedError(unit.name)
