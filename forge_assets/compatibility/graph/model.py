"""What the graph is made of: edges between components, and the evidence that each stands on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from uuid import UUID

from forge_assets.compatibility.constraints.model import IDEA
from forge_assets.components.relations.claim import SYMMETRIC, Kind

Origin = Literal["claim", "statistics", "port", "fact", "arithmetic", "override"]
RELATIONS: tuple[Kind, ...] = get_args(Kind)
TITLES: Mapping[Kind, str] = {
    "requires": "requires", "conflicts_with": "conflicts with", "composes_with": "composes with", "alternative_to": "is an alternative to",
    "supersedes": "supersedes", "improves_on": "improves on",
}  # fmt: skip
SHORT = 10
"""Digits of a commit that are shown."""
CODE_VERSION = "1"
"""Raised whenever the same tables would give another graph."""


@dataclass(frozen=True, slots=True)
class Key:
    """An edge without its evidence. `scope`: `idea`, or `implementation: framework@commit`."""

    subject: str
    relation: Kind
    object: str
    scope: str = IDEA

    @property
    def id(self) -> str:
        """16 hex digits, the same from night to night."""
        return hashlib.sha256(repr((self.subject, self.relation, self.object, self.scope)).encode()).hexdigest()[:16]

    @property
    def reverse(self) -> Key:
        return Key(self.object, self.relation, self.subject, self.scope)


def key(subject: str, relation: Kind, object: str, scope: str = IDEA) -> Key:
    """Of a relation that holds both ways the two stand in alphabetical order."""
    if relation in SYMMETRIC and object < subject:
        subject, object = object, subject
    return Key(subject, relation, object, scope)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One passage, rule or decision. `supports` is false where it speaks against the edge. `weight`: what it adds to that side.

    A passage has document, span and quote hash, and in `detail` the claim as it was read; the others say in `detail` what they state
    (`statement`) and where they stand (`place`, `repository`, `commit`, `licence`).
    """

    supports: bool
    origin: Origin
    weight: float
    work: UUID | None = None
    document: UUID | None = None
    start: int | None = None
    end: int | None = None
    quote_hash: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edge:
    """`confidence`: 0 to 1, 0.5 is no opinion. `supporting`, `contradicting`: independent works; the fields in `_works` count all works.

    `severity`: hard or soft where a constraint or a person made it. `together`: works, lift and q of the two being named in one work.
    """

    key: Key
    confidence: float
    supporting: float
    contradicting: float
    supporting_works: int
    contradicting_works: int
    first_year: int | None
    latest_year: int | None
    origins: tuple[Origin, ...]
    severity: str | None
    together: Mapping[str, float] | None
    evidence: tuple[Evidence, ...] = ()

    @property
    def scope_told(self) -> str | None:
        """`in hiyouga/LLaMA-Factory@ff6d4d12ee`; None for the ideas themselves."""
        if self.key.scope == IDEA:
            return None
        framework, _, commit = self.key.scope.removeprefix("implementation: ").rpartition("@")
        return f"in {framework}@{commit[:SHORT]}"

    @property
    def said(self) -> str:
        return f"{self.key.subject} {TITLES[self.key.relation]} {self.key.object}"


def told(edge: Edge) -> str:
    """How sure it is and on what grounds, in a few words."""
    parts = [f"{edge.confidence:.2f}"]
    if edge.supporting_works or edge.contradicting_works:
        against = f", {edge.contradicting_works} against" if edge.contradicting_works else ""
        parts.append(f"{_works(edge.supporting_works)} for it{against}")
    if edge.together:
        parts.append(f"named together in {_works(int(edge.together['works']))}, {edge.together['lift']:.1f} times as many as by chance")
    parts += [f"{edge.severity} by {origin}" for origin in edge.origins if origin not in ("claim", "statistics")]
    return "; ".join(parts if edge.scope_told is None else [*parts, edge.scope_told])


def _works(number: int) -> str:
    return f"{number:,} work" + ("" if number == 1 else "s")
