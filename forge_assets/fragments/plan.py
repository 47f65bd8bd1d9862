"""What the fragments of a blueprint are made from, resolved: slots, sizes, constants, the model's text, and all that goes into their bytes.

A plan stands, as `forge` in config.json, in every fragment, so that pieces can be assembled where there is no database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from forge_assets.fragments.chain import CHAIN, FORMAT, WHOLE
from forge_assets.fragments.parts import parts_of
from forge_resources.errors import FragmentError

FRAGMENTS_CODE = "3"
"""Raised whenever the same plan gives other bytes."""
INITIALIZATIONS = (None, "normal-init")


@dataclass(frozen=True, slots=True)
class Cited:
    """A document that a component of the fragment rests on."""

    component: str
    document: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """`text`: the model's, in FDL. `sizes`: of its axes. `snapshot`: the pinned state of the corpus. `special`, `chat`: tokens in the
    order of their ids. `licence`: of the weights, as the spec has it. `run`: SHA-256 of the run.json of the training run that gave the
    weights; empty before training."""

    blueprint: str
    text: str
    sizes: Mapping[str, int]
    slots: Mapping[str, str | None]
    context: int
    vocabulary: int
    special: tuple[str, ...]
    constants: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    spec: str = ""
    snapshot: str = ""
    licence: str = "apache-2.0"
    run: str = ""
    sources: tuple[Cited, ...] = ()

    def __post_init__(self) -> None:
        if self.slots.get("initialization") not in INITIALIZATIONS:
            raise FragmentError(f"no fragment can be initialised by {self.slots['initialization']} yet; pin initialization=normal-init")

    @property
    def parts(self) -> Mapping[str, str]:
        return parts_of(self.text)

    def cited(self, fragment: str) -> list[Cited]:
        """The sources of the components that the fragment holds; a whole model has those of all."""
        if fragment in WHOLE:
            return list(self.sources)
        held = {self.slots.get(slot) for slot in CHAIN[fragment].slots}
        return [one for one in self.sources if one.component in held]

    def resolved(self) -> dict[str, Any]:
        """As config.json carries it."""
        kept = asdict(self)
        return {name: kept[name] for name in ("blueprint", "sizes", "slots", "constants", "context", "vocabulary", "special", "seed",
                                              "spec", "snapshot", "licence", "run")}  # fmt: skip


def toolchain() -> dict[str, str]:
    """What the bytes also depend on."""
    import importlib.metadata

    found = {name: importlib.metadata.version(name) for name in ("numpy", "tokenizers", "torch", "transformers")}
    return {"fragments": FRAGMENTS_CODE, "format": FORMAT, **found}


def data_version(plan: Plan, fragment: str, parents: Mapping[str, str], settings: Mapping[str, Any] | None = None) -> str:
    """Hash of the text, the resolved configuration, the parents' sums, the pinned corpus, the seed and the toolchain; and of the settings
    of what comes after 09-assembled."""
    made = {
        "fragment": fragment,
        "fdl": plan.parts.get(fragment, ""),
        "config": plan.resolved(),
        "sources": [asdict(one) for one in plan.cited(fragment)],
        "parents": dict(parents),
        "toolchain": toolchain(),
    }
    if settings is not None:
        made["settings"] = dict(settings)
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
