"""What a volume is going to hold: its pages, each with the state of its evidence and the way it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from forge_assets.documentation.drafts import Draft, digest_of
from forge_assets.documentation.version import PAGES_VERSION
from forge_assets.documentation.volume import Missing


@dataclass(frozen=True, slots=True)
class Plan:
    """A page to be: made only where its state is another than the one it was last made of."""

    id: str
    state: str
    make: Callable[[], Draft]


@dataclass(slots=True)
class VolumePlan:
    id: str
    title: str
    kind: Literal["overview", "slot", "topic"]
    pages: list[Plan] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    def add(self, id_: str, evidence: Any, make: Callable[[], Draft]) -> None:
        self.pages.append(Plan(id_, state_of(id_, evidence), make))


def state_of(id_: str, evidence: Any) -> str:
    return digest_of([PAGES_VERSION, id_, evidence])[:32]


def volume_of(slot: str) -> str:
    """The volume of a slot: its id with hyphens."""
    return slot.replace("_", "-")


def joined(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)
