"""Prints the diagrams of a program in the three languages of drawing tools: system, blocks and tensors, a file each."""

from __future__ import annotations

from forge_assets.blueprints.diagrams.pictures import pictures
from forge_assets.blueprints.fdl import ir
from forge_assets.compatibility.graph import drawing


def print_dot(program: ir.Program) -> dict[str, str]:
    return {f"{name}.dot": drawing.dot(picture) for name, picture in pictures(program).items()}


def print_mermaid(program: ir.Program) -> dict[str, str]:
    return {f"{name}.mmd": drawing.mermaid(picture) for name, picture in pictures(program).items()}


def print_drawio(program: ir.Program) -> dict[str, str]:
    return {f"{name}.drawio": drawing.drawio(picture, drawing.layered(picture)) for name, picture in pictures(program).items()}
