"""A model's stages as the array printers walk them: steps by themselves, and runs of layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import safe
from forge_assets.blueprints.fdl.sizes import Size


@dataclass(frozen=True, slots=True)
class Run:
    """A step by itself, or `count` layers from `start` on, made by `stages` in a row."""

    step: ir.Step | None
    stages: tuple[ir.Repeat, ...]
    start: Size
    count: Size
    prefixes: dict[str, str]  # of each unit in the run

    @property
    def prefix(self) -> str:
        """The one prefix; empty where the units of the run have different ones."""
        found = set(self.prefixes.values())
        return found.pop() if len(found) == 1 else ""

    def kinds_text(self, spell: Callable[[str], str]) -> str:
        """Python for the list of kinds, `([Local] * 5 + [Global]) * size.N`; `spell` gives the list of one kind."""
        return " + ".join(_kinds(stage, spell) for stage in self.stages)


def _kinds(stage: ir.Stage, spell: Callable[[str], str]) -> str:
    if isinstance(stage, ir.Step):
        return spell(stage.unit)
    inner = " + ".join(_kinds(one, spell) for one in stage.stages)
    return f"{inner if len(stage.stages) == 1 and '*' not in inner else f'({inner})'} * {sized(stage.count)}"


def sized(size: Size) -> str:
    """A size in Python, in brackets where it is a sum."""
    text = size.text({name: f"size.{name}" for name in size.names})
    return text if len(size.terms) < 2 else f"({text})"


def steps_in(stage: ir.Stage) -> Size:
    if isinstance(stage, ir.Step):
        return Size.of(1)
    total = Size.of(0)
    for one in stage.stages:
        total += steps_in(one)
    return total * stage.count


def runs(model: ir.Model) -> list[Run]:
    """In order; repeats that follow each other are one run where a unit has the same prefix in both."""
    found: list[Run] = []
    start = Size.of(0)
    for stage in model.stages:
        if isinstance(stage, ir.Step):
            found.append(Run(stage, (), start, Size.of(0), {stage.unit: stage.prefix}))
            continue
        prefixes: dict[str, str] = {}
        for step in ir.steps((stage,)):
            prefixes.setdefault(step.unit, step.prefix)
        count = steps_in(stage)
        last = found[-1] if found else None
        if last is not None and last.step is None and all(last.prefixes.get(unit, prefix) == prefix for unit, prefix in prefixes.items()):
            found[-1] = Run(None, (*last.stages, stage), last.start, last.count + count, last.prefixes | prefixes)
        else:
            found.append(Run(None, (stage,), start, count, prefixes))
        start = start + count
    return found


def snake(name: str) -> str:
    """`HeadNorm` is head_norm, `LM` is lm."""
    told = ""
    for number, letter in enumerate(name):
        new_word = letter.isupper() and number and (name[number - 1].islower() or (number + 1 < len(name) and name[number + 1].islower()))
        told += ("_" if new_word else "") + letter.lower()
    return safe(told)


def class_name(name: str) -> str:
    """The name of a printed class, which hides none that the printed code uses."""
    return safe(name, frozenset({"F", "nn", "torch", "math", "Sizes", "dataclass"}))
