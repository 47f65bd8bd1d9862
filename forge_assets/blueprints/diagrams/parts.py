"""The lines of a fragment in groups: one for each piece it calls or section it has, with what each takes from the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from forge_assets.blueprints.fdl import ir


@dataclass(slots=True)
class Part:
    """`reads`: names of tensors of other parts and inputs, in order; `weights`: its parameters."""

    title: str
    lines: list[ir.Definition] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    weights: list[ir.Parameter] = field(default_factory=list)


def parts_of(unit: ir.Unit, key: Callable[[ir.Definition], str]) -> list[Part]:
    """Runs of lines with one key; a line with no key is a part of its own."""
    found: list[Part] = []
    for one in unit.definitions:
        title = key(one)
        if not found or found[-1].title != title or not title:
            found.append(Part(title))
        found[-1].lines.append(one)
    weights = {one.name: one for one in unit.parameters}
    for part in found:
        own = {one.name for one in part.lines}
        for line in part.lines:
            for read in ir.reads(line.value):
                if read.tensor in weights:
                    if weights[read.tensor] not in part.weights:
                        part.weights.append(weights[read.tensor])
                elif read.tensor not in own and read.tensor not in part.reads:
                    part.reads.append(read.tensor)
    return found


def shown(name: str, axes: tuple[str, ...]) -> str:
    return f"{name}[{','.join(axes)}]" if axes else name
