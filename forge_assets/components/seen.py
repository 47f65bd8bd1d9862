"""What the rules see of an ontology, entry by entry, so that a changed entry names the documents that must be read again.

A component is found, and tells on its neighbours, only where one of its names stands, whatever the rest of the text says. A parameter's
names count likewise; its kind, unit and bounds also act where rules of the code find a value, hence everywhere. Titles, descriptions,
ports, tasks and slots are not seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from forge_assets.components.folding import fold
from forge_assets.components.lexicon import Lexicon
from forge_assets.components.ontology.load import FOLDER
from forge_assets.components.ontology.model import Component, Ontology, Parameter
from forge_assets.components.parameters.vocabulary import words_of

Words = tuple[str, ...]
PARAMETER = "parameter:"
"""Before the id of a parameter, to tell it from a component's."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`hash` of all that is seen; `core` of what acts beyond the names ('' of a component); `names`: the folded words of each."""

    hash: str
    core: str
    names: frozenset[Words]


@dataclass(frozen=True, slots=True)
class Changes:
    """The names whose documents must be read again, and the components whose stored mentions must; or `everything`."""

    everything: bool
    names: frozenset[Words]
    components: frozenset[str]


def stamp_of(ontology: Ontology) -> str:
    """The version of what the rules see, 16 hex digits; with it a document's row says which ontology it was read by."""
    return _hash([sorted(_component(c, h) for c, h in _hashed(ontology)), sorted(map(_parameter, ontology.parameters.values()))])


def files_version() -> str:
    """Hash of the ontology's files as they are shipped: told without reading them as YAML."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in sorted(FOLDER.glob("*.yaml")))).hexdigest()[:12]


def entries_of(ontology: Ontology) -> dict[str, Entry]:
    """Entry by id; those of parameters begin with PARAMETER."""
    made = {c.id: Entry(_hash(_component(c, h)), "", _names(c)) for c, h in _hashed(ontology)}
    for parameter in ontology.parameters.values():
        core = _hash([parameter.kind, parameter.unit, parameter.low, parameter.high])
        made[PARAMETER + parameter.id] = Entry(_hash(_parameter(parameter)), core, _parameter_names(parameter))
    return made


def changes(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> Changes:
    """What makes a reading by `old` differ from one by `new`."""
    names: set[Words] = set()
    components: set[str] = set()
    everything = False
    for key in old.keys() | new.keys():
        before, after = old.get(key), new.get(key)
        if before is not None and after is not None and before.hash == after.hash:
            continue
        sides = [side for side in (before, after) if side is not None]
        if not key.startswith(PARAMETER):
            names.update(*(side.names for side in sides))
            components.add(key)
        elif before is None or after is None or before.core != after.core:
            everything = True
        else:
            names |= before.names ^ after.names
    return Changes(everything, frozenset(names), frozenset(components))


def to_json(entries: Mapping[str, Entry]) -> dict[str, Any]:
    """For the column ontology_version.entries."""
    return {
        key: {"hash": entry.hash, "core": entry.core, "aliases": sorted(" ".join(words) for words in entry.names)}
        for key, entry in entries.items()
    }


def from_json(content: Mapping[str, Any]) -> dict[str, Entry]:
    return {
        key: Entry(told["hash"], told["core"], frozenset(tuple(name.split(" ")) for name in told["aliases"]))
        for key, told in content.items()
    }


def _hashed(ontology: Ontology) -> Iterable[tuple[Component, str]]:
    hashes = ontology.hashes()
    return ((component, hashes[component.id]) for component in ontology.components.values())


def _component(component: Component, hash_: str) -> list[Any]:
    return [component.id, hash_, sorted(use.id for use in component.parameters)]


def _parameter(parameter: Parameter) -> list[Any]:
    choices = sorted([value, sorted(ways)] for value, ways in parameter.choices.items())
    told = [parameter.id, parameter.kind, parameter.unit, parameter.low, parameter.high]
    return [json.dumps(told), sorted(parameter.aliases), sorted(parameter.keys), choices]


def _names(component: Component) -> frozenset[Words]:
    """All ways to write a component, as the lexicon looks for them."""
    alone = Ontology({}, {}, {}, {}, {component.id: component})
    return frozenset(Lexicon(alone).names())


def _parameter_names(parameter: Parameter) -> frozenset[Words]:
    """The words of aliases, keys and choices: letters and digits apart, as the vocabulary compares them."""
    written = [parameter.id, *parameter.aliases, *parameter.keys]
    for value, ways in parameter.choices.items():
        written += [value, *ways]
    written += [name.replace("warmup", "warm-up") for name in written if "warmup" in name]
    return frozenset(tuple(fold(word) for word in words) for words in map(words_of, written) if words)


def _hash(content: Any) -> str:
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()[:16]
