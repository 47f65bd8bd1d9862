"""The tree of components, task > slot > component with variants below their parent: as data, and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from forge_assets.components.ontology.model import Component, Ontology

UNDATED = 9999


@dataclass(frozen=True, slots=True)
class Branch:
    """A node with what hangs below it. `size`: components below (itself not counted); `works`: documented works that name the component;
    `trend`: yearly growth of their share, 0.2 = +20% a year."""

    kind: Literal["task", "slot", "component"]
    id: str
    title: str
    size: int
    works: int | None
    component: Component | None
    children: tuple[Branch, ...]
    trend: float | None = None


def grow(
    ontology: Ontology,
    *,
    slot: str | None = None,
    works: Mapping[str, int] | None = None,
    trends: Mapping[str, float | None] | None = None,
) -> list[Branch]:
    """One branch per task, or only the one that leads to `slot`; tasks and slots in the order of the ontology.

    With `works` (component id -> works that name it) components stand by that number, else by year and name; a family's year
    is that of its oldest member. `trends`: component id -> yearly growth.
    """
    tasks = []
    for task in ontology.tasks.values():
        slots = [
            _branch("slot", one.id, one.title, _components(ontology, one.id, works, trends or {}))
            for one in ontology.slots.values()
            if one.task == task.id and slot in (None, one.id)
        ]
        if slots:
            tasks.append(_branch("task", task.id, task.title, slots))
    return tasks


def lines(branches: Sequence[Branch]) -> Iterator[tuple[str, Branch, str]]:
    """(what is drawn before it, the node, what stands behind its title), from top to bottom."""
    for branch in branches:
        yield "", branch, note(branch)
        yield from _below(branch, "")


def note(branch: Branch) -> str:
    """`rope · 2021 · 5,120 works · +20% a year`, `position_encoding · 14 components`."""
    if branch.component is None:
        counted = f"{branch.size:,} component{'' if branch.size == 1 else 's'}"
        return counted if branch.kind == "task" else f"{branch.id} · {counted}"
    introduced = branch.component.introduced
    named = [] if branch.works is None else [f"{branch.works:,} work{'' if branch.works == 1 else 's'}"]
    named += [] if branch.trend is None else [growth(branch.trend)]
    return " · ".join([branch.id, *([str(introduced.year)] if introduced else []), *named])


def growth(trend: float) -> str:
    """`+20% a year`."""
    return f"{100 * trend:+.0f}% a year"


def _below(branch: Branch, indent: str) -> Iterator[tuple[str, Branch, str]]:
    for number, child in enumerate(branch.children, 1):
        last = number == len(branch.children)
        yield f"{indent}{'└── ' if last else '├── '}", child, note(child)
        yield from _below(child, indent + ("    " if last else "│   "))


def _components(ontology: Ontology, slot: str, works: Mapping[str, int] | None, trends: Mapping[str, float | None]) -> list[Branch]:
    below: dict[str | None, list[Component]] = {}
    for component in ontology.in_slot(slot):
        below.setdefault(component.parent, []).append(component)

    def year(component: Component) -> int:
        own = component.introduced.year if component.introduced else UNDATED
        return min([own, *map(year, below.get(component.id, []))])

    def order(component: Component) -> tuple[int, int, str]:
        return -(works or {}).get(component.id, 0), year(component), component.name.casefold()

    def hang(parent: str | None) -> list[Branch]:
        return [
            _branch("component", one.id, one.name, hang(one.id), one, None if works is None else works.get(one.id, 0), trends.get(one.id))
            for one in sorted(below.get(parent, []), key=order)
        ]

    return hang(None)


def _branch(
    kind: Literal["task", "slot", "component"],
    name: str,
    title: str,
    children: Sequence[Branch],
    component: Component | None = None,
    works: int | None = None,
    trend: float | None = None,
) -> Branch:
    size = sum(child.size + (child.component is not None) for child in children)
    return Branch(kind, name, title, size, works, component, tuple(children), trend)
