"""What an asset's run, or the report of a stack that a command has solved, tells of a stack."""

from __future__ import annotations

from typing import Any

from forge_assets.compatibility.stack.result import Stack


def metadata_of(stack: Stack) -> dict[str, Any]:
    """Figures and texts; all of it can be metadata of Dagster."""
    return {
        "blueprint": stack.name,
        "objective": stack.objective,
        "bound": stack.bound,
        "optimal": stack.optimal,
        "gap": stack.gap,
        "solver_seconds": stack.seconds,
        "components": {slot: component for slot, component in stack.slots.items() if component},
        "plan": stack.plan,
        "memory_gib": round(stack.memory["bytes"] / 2**30, 3),
        "violations": len(stack.violations),
        "pins": {
            "evidence": stack.pins.evidence, "catalogue": stack.pins.catalogue, "graph": stack.pins.graph, "ontology": stack.pins.ontology,
            "constraints": stack.pins.constraints, "profile": stack.pins.profile, "request": stack.pins.request,
        },
    }  # fmt: skip
