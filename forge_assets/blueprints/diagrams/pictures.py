"""All pictures of a program, by the name of the file they become: `LM.system`, `Block.block`, `Block.tensor`."""

from __future__ import annotations

from forge_assets.blueprints.diagrams.block import block_picture
from forge_assets.blueprints.diagrams.system import system_picture
from forge_assets.blueprints.diagrams.tensor import tensor_picture
from forge_assets.blueprints.fdl import ir
from forge_assets.compatibility.graph.drawing import Picture


def pictures(program: ir.Program) -> dict[str, Picture]:
    found = {f"{name}.system": system_picture(program, model) for name, model in program.models.items()}
    for name, unit in program.units.items():
        found |= {f"{name}.block": block_picture(unit), f"{name}.tensor": tensor_picture(unit)}
    return found
