"""What a fragment after 09-assembled is given to fill its folder with, and what the chain asks of each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from forge_assets.fragments.lora.examples import Example
from forge_assets.fragments.piece import provenance
from forge_assets.fragments.plan import Plan, toolchain
from forge_assets.fragments.tokenizer import Texts


@dataclass(frozen=True, slots=True)
class Making:
    """`plan`: as the parent carries it. `folder`: to be filled under final names; the sums are written by the builder. `root`: where the
    parents lie. `parents`: the sum of each. `settings`: resolved, part of the data version. `work`: outlives a kill, goes after the commit.
    `say`: a line for whoever waits. `examples`: the instructions that the corpus gives, where there is a catalogue."""

    name: str
    plan: Plan
    folder: Path
    root: Path
    parents: Mapping[str, str]
    settings: Mapping[str, Any]
    version: str
    texts: Texts
    work: Path
    say: Callable[[str], None] = lambda _: None
    examples: Callable[[], Sequence[Example]] | None = None

    def config(self) -> dict[str, Any]:
        """`forge` of config.json."""
        return {**self.plan.resolved(), "fragment": self.name, "parents": dict(self.parents), "toolchain": toolchain(),
                "data_version": self.version, "settings": dict(self.settings)}  # fmt: skip

    def metadata(self) -> dict[str, str]:
        """What the header of weights says of where they come from."""
        return provenance(self.plan, self.name, self.parents, self.plan.text)


class Kind(Protocol):
    """A module that makes one fragment."""

    def settings(self, plan: Plan, chosen: Mapping[str, Any], /) -> dict[str, Any]:
        """Resolved, from what people chose; quick, as each build asks."""

    def needed(self, plan: Plan, settings: Mapping[str, Any], /) -> int:
        """Bytes on the disk while it is made."""

    def write(self, making: Making, /) -> None:
        """Fills the folder."""

    def known(self, config: Mapping[str, Any], /) -> frozenset[str]:
        """The paths that may stand in the folder."""

    def check(self, folder: Path, config: Mapping[str, Any], /) -> tuple[str, ...]:
        """Of a folder from elsewhere; raises FragmentError, runs nothing of it, returns notes."""
