"""The sentence patterns of patterns.yaml, read and compiled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from forge_assets.components.relations.claim import Kind
from forge_assets.components.relations.grammar import compiled
from forge_resources.strict_yaml import parse

FILE = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Pattern:
    """X `relation` Y where `template` matches; patterns.yaml says what the conditions mean."""

    name: str
    relation: Kind
    cue: tuple[str, ...]
    template: str
    words: Mapping[str, str] = field(repr=False)
    reverse: bool = False
    among: bool = False
    clause: bool = True
    may: bool = False
    denies: bool = False
    results: bool = False

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """Compiled when first tried: most texts need few of them."""
        return compiled(self.template, self.words)


def read_patterns(file: Path = FILE) -> tuple[Pattern, ...]:
    """In the order of the file, which is the order in which they are tried."""
    content: dict[str, Any] = parse(file.read_text(encoding="utf-8"))
    words = {name: f"(?:{'|'.join(alternatives)})" for name, alternatives in content["words"].items()}
    return tuple(Pattern(words=words, **{**entry, "cue": tuple(entry["cue"])}) for entry in content["patterns"])


PATTERNS = read_patterns()
