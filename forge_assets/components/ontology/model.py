"""What the ontology is made of. Everything is frozen and compares by value; ids are kebab- or snake-case words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

Case = Literal["exact", "any", "auto"]
Build = Literal["fdl", "library", "described"]
Kind = Literal["number", "integer", "choice", "bool", "text"]
Scalar = float | int | str | bool


@dataclass(frozen=True, slots=True)
class Task:
    """What components are for; the topmost level of the tree."""

    id: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Port:
    """What flows between components. `shape` names the dimensions, batch first; () is a scalar, None has no shape.

    `given`: it comes with the data, the machine or training itself. `derived`: ports of which whoever has one has this too.
    """

    id: str
    type: str
    shape: tuple[str, ...] | None
    meaning: str
    given: bool = False
    derived: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that a component can fill. `core`: a trainable language model needs something in it. `inside`: what flows within."""

    id: str
    title: str
    task: str
    description: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    core: bool
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting that texts give values of. `aliases` are its names in prose, `keys` those in configurations; low <= value <= high."""

    id: str
    title: str
    kind: Kind
    unit: str | None
    low: float | None
    high: float | None
    aliases: tuple[str, ...]
    keys: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of kind `choice`: each value with the ways it is written."""


@dataclass(frozen=True, slots=True)
class ParameterUse:
    """A parameter that a component has, with the default of its introducing work and the plausible range there."""

    id: str
    default: Scalar | None = None
    low: float | None = None
    high: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Introduced:
    """The work that introduced a component."""

    title: str
    year: int
    arxiv: str | None = None
    doi: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """A way a component is written. It counts only where one of `context` (if any) stands near, and nowhere near one of `unless`."""

    text: str
    case: Case = "auto"
    context: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """A technique, part, system, data set or machine that fills a slot."""

    id: str
    name: str
    slot: str
    aliases: tuple[Alias, ...]
    introduced: Introduced | None
    parameters: tuple[ParameterUse, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tasks: tuple[str, ...]
    build: Build
    description: str
    parent: str | None = None
    also_slots: tuple[str, ...] = ()
    broad: bool = False
    """A family, task or paradigm that orders the tree, such as data augmentation: texts use its common nouns all the time and name no
    technique by them, so extraction looks only for the proper names among its aliases (a word with a capital or a digit inside)."""
    outside: bool = False
    """Known, so that it is no candidate, and not looked for: what texts about models name beside their parts, such as simulators, games,
    figures of classifiers and general tools."""
    inside: tuple[str, ...] = ()
    """Ports that flow within it, to which components of other slots can be put."""


@dataclass(frozen=True)
class Ontology:
    """All of it, by id and in the order of the files (slots by task). Nobody changes one: what is made of it is kept."""

    tasks: Mapping[str, Task]
    ports: Mapping[str, Port]
    slots: Mapping[str, Slot]
    parameters: Mapping[str, Parameter]
    components: Mapping[str, Component]

    @cached_property
    def version(self) -> str:
        """SHA-256 (hex) of the whole content; order and layout of the files do not count."""
        return _digest([self.tasks, self.ports, self.slots, self.parameters, self.components])

    def hashes(self) -> dict[str, str]:
        """component_id -> SHA-256 (hex) of what extraction sees of it: name, slot, aliases with their case and context rules."""
        return {component.id: _digest(_seen(component)) for component in self.components.values()}

    def in_slot(self, slot: str) -> list[Component]:
        """The components whose own slot it is, in the order of the file."""
        return [component for component in self.components.values() if component.slot == slot]


def _seen(component: Component) -> list[Any]:
    aliases = sorted([alias.text, alias.case, sorted(alias.context), sorted(alias.unless)] for alias in component.aliases)
    return [component.name, component.slot, component.broad, component.outside, aliases]


def fields_of(one: Any) -> dict[str, Any]:
    """One level of `dataclasses.asdict`, for json.dumps: the copies that asdict makes of everything take longer than to write it."""
    return {field.name: getattr(one, field.name) for field in fields(one)}


def _digest(content: Any) -> str:
    written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=fields_of)
    return hashlib.sha256(written.encode()).hexdigest()
