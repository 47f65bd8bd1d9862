"""Malformed and hostile files, the same ones each time: over every format the corpus room reads, and its names.

`all_cases(bait)` gives them; `bait` says where the canary lies, who listens, and what no file may bring about.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

CANARY = "FORGE-CANARY-7f3a91"
"""Stands in a file that no document may quote."""
MARKER = "pwned-by-payload"
"""Stands in scripts, data addresses and other places whose text is not the document's."""
BROKEN = frozenset({"broken", "no_text", "mislabelled", "unreadable", "no_reader", "empty"})
SENTENCE = "The model learns to translate sentences by attending to all of them."


@dataclass(frozen=True, slots=True)
class Bait:
    """`secret`: a readable file with the canary. `url`: where somebody listens. `trap`: a folder in which nothing may appear."""

    secret: Path
    url: str
    trap: Path


@dataclass(frozen=True, slots=True)
class Case:
    """One file. `codes`: it must be quarantined with one of them. `says`: it must be a document whose text holds this.

    With neither, both ends are right. `never`: words that stand in no document, besides the canary.
    """

    name: bytes
    data: bytes
    codes: frozenset[str] = frozenset()
    says: str = ""
    never: tuple[str, ...] = ()


def case(name: str | bytes, data: str | bytes, codes: str = "", says: str = "", never: tuple[str, ...] = ()) -> Case:
    """A case; `codes` are words, "broken" stands for all the ways of being no sound file."""
    wanted = frozenset(codes.split())
    return Case(
        name.encode() if isinstance(name, str) else name,
        data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data,
        wanted | BROKEN if "broken" in wanted else wanted,
        says,
        never,
    )


def noise(size: int, seed: int = 7) -> bytes:
    """Bytes that do not compress."""
    return random.Random(seed).randbytes(size)


def all_cases(bait: Bait) -> list[Case]:
    from tests.security.cases import containers, markup, names, papers, records, texts

    found = [made for module in (markup, containers, papers, records, texts, names) for made in module.cases(bait)]
    names_of = [made.name for made in found]
    assert len(set(names_of)) == len(names_of), sorted({name for name in names_of if names_of.count(name) > 1})
    return found
