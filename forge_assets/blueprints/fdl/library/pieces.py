"""The files of the library: which components each fills, and which roles its pieces play.

A file begins with `# fills SLOT: component, component`; a line on its source follows. Its pieces are named by the role they play in a
model, and the first line of a role is fixed by `ROLES`: that is the port. What plays no role is a part of the file's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
HEAD = re.compile(r"# fills (?P<slot>[a-z_]+): (?P<components>[a-z0-9, -]+)\n")
UNIT = re.compile(r"^(?:piece|fragment|optimizer|schedule) (?P<name>\w+)(?P<ports>\(.*\)(?: -> .*)?):$", re.MULTILINE)
HIDDEN = "(x: f32[b,t,d]) -> f32[b,t,d]"
SCORES = "(z: f32[b,g,r,t,s]) -> f32[b,g,r,t,s]"
ROLES: Mapping[str, str] = {
    "Embed": "(ids: i64[b,t]) -> f32[b,t,d]",
    "embedding_norm": HIDDEN,
    "placed": HIDDEN,  # positions added to the embedding
    "Block": HIDDEN,
    "norm": "(x: f32[..,d]) -> f32[..,d]",
    "attention": HIDDEN,
    "evened": "(x: f32[..,c,j]) -> f32[..,c,j]",  # queries and keys, before positions
    "rotated": "(x: f32[b,t,..,c,j]) -> f32[b,t,..,c,j]",  # queries and keys
    "capped": SCORES,
    "biased": SCORES,  # positions added to scores
    "added": "(x: f32[b,t,d], y: f32[b,t,d]) -> f32[b,t,d]",
    "ffn": HIDDEN,
    "activation": "(x: f32[..]) -> f32[..]",
    "routed": "(x: f32[b,t,d]) -> f32[b,t,e]",
    "Head": "(x: f32[b,t,d]) -> f32[b,t,v]",
}
OPTIONAL = ("embedding_norm", "placed", "evened", "rotated", "capped", "biased")
"""A model may do without them: their calls are left out where nothing plays them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file: its text below the first line, the components it fills, the roles it plays, and those it calls."""

    slot: str
    components: tuple[str, ...]
    text: str
    plays: frozenset[str]
    calls: frozenset[str]


@cache
def entries() -> Mapping[tuple[str, str], Entry]:
    """(slot, component) -> its file. Raises ValueError where a file breaks the library's form."""
    found: dict[tuple[str, str], Entry] = {}
    for path in sorted(FOLDER.glob("*/*.fdl")):
        one = _entry(path)
        for component in one.components:
            if (one.slot, component) in found:
                raise ValueError(f"two files of the library fill {one.slot} with {component}; {path.name} is the second")
            found[one.slot, component] = one
    return found


def _entry(path: Path) -> Entry:
    text = path.read_text(encoding="utf-8")
    head = HEAD.match(text)
    if head is None or head["slot"] != path.parent.name:
        raise ValueError(f"{path.name} begins with no `# fills {path.parent.name}: component`")
    units = {unit["name"]: unit["ports"] for unit in UNIT.finditer(text)}
    for role in units.keys() & ROLES.keys():
        if units[role] != ROLES[role]:
            raise ValueError(f"{path.name} has {role}{units[role]}; the port is {role}{ROLES[role]}")
    calls = frozenset(role for role in ROLES if re.search(rf"= .*\b{role}\(", text))
    components = tuple(one.strip() for one in head["components"].split(","))
    return Entry(head["slot"], components, text[head.end() :], frozenset(units.keys() & ROLES.keys()), calls)


def covered(slot: str) -> tuple[str, ...]:
    """The components that the library has for a slot."""
    return tuple(component for where, component in entries() if where == slot)
