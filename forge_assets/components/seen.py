"""What the rules see of an ontology, entry by entry, so that a changed entry names the documents that must be read again.

A component is found, and tells on its neighbours, only where one of its names stands, whatever the rest of the text says. So an alias
that comes or goes concerns the documents that hold it; and, because the words of all aliases tell what an abbreviation may mean, those that
hold a short alias and one of the words that came or went. A parameter's names count likewise; its kind, unit and bounds also act where
rules of the code find a value, hence everywhere. Titles, descriptions, ports, tasks and slots are not seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from forge_assets.components.lexicon import Lexicon, words_of, written
from forge_assets.components.ontology.load import FOLDER
from forge_assets.components.ontology.model import Alias, Case, Component, Ontology, Parameter
from forge_assets.components.parameters.vocabulary import words_of as parameter_words

Written = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""An alias: its text, its case (of a parameter's name: what it is), `context` and `unless`."""
Places = tuple[frozenset[str], ...]
"""A name as a row of places, each with the folded words that may stand there."""
UNSOUGHT = "not looked for"
PARAMETER = "parameter:"
"""Before the id of a parameter, to tell it from a component's."""
TELLING = 4
"""Letters of a word that tells what an abbreviation may mean (Lexicon.may_mean)."""
LONGEST_SHORT_FORM = 10
"""Characters of an abbreviation (abbreviations.is_short_form)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`core`: hash of what acts beyond single names."""

    core: str
    aliases: frozenset[Written]


_NONE = Entry("", frozenset())
_STAMPS: dict[str, str] = {}
MOST_KEPT = 4


@dataclass(frozen=True, slots=True)
class Changes:
    """Documents that hold one of these names must be read again, and those that mention one of `components`; or `everything`."""

    everything: bool
    names: frozenset[Places]
    components: frozenset[str]


def stamp_of(ontology: Ontology) -> str:
    """The version of what the rules see, 16 hex digits; with it a document's row says which ontology it was read by.

    Found once for each of the last ontologies: a run asks three times, a sixth of a second each.
    """
    if ontology.version not in _STAMPS:
        while len(_STAMPS) >= MOST_KEPT:
            del _STAMPS[next(iter(_STAMPS))]
        _STAMPS[ontology.version] = _hash(to_json(entries_of(ontology)))
    return _STAMPS[ontology.version]


def files_version() -> str:
    """Hash of the ontology's files as they are shipped: told without reading them as YAML."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in sorted(FOLDER.glob("*.yaml")))).hexdigest()[:12]


def entries_of(ontology: Ontology) -> dict[str, Entry]:
    """Entry by id; those of parameters begin with PARAMETER."""
    made = {component.id: _component(component) for component in ontology.components.values()}
    return made | {PARAMETER + parameter.id: _parameter(parameter) for parameter in ontology.parameters.values()}


def to_json(entries: Mapping[str, Entry]) -> dict[str, Any]:
    """For the column ontology_version.entries."""
    return {key: {"hash": entry.core, "aliases": sorted(map(_listed, entry.aliases))} for key, entry in sorted(entries.items())}


def from_json(content: Mapping[str, Any]) -> dict[str, Entry]:
    return {
        key: Entry(told["hash"], frozenset((text, case, tuple(near), tuple(far)) for text, case, near, far in told["aliases"]))
        for key, told in content.items()
    }


def changes(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> Changes:
    """What makes a reading by `old` differ from one by `new`."""
    changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    names: set[Places] = set()
    others: set[str] = set()  # that are not only written otherwise
    for key in changed:
        before, after = old.get(key, _NONE), new.get(key, _NONE)
        alike, moved = before.core == after.core, before.aliases ^ after.aliases
        if not alike:
            others.add(key)
        if key.startswith(PARAMETER):
            names |= _parameter_names(moved)
        else:
            names |= _names(moved) | _doubts(before, after) if alike else _names(before.aliases | after.aliases)
    everything = any(key.startswith(PARAMETER) for key in others)
    return Changes(everything, frozenset(names), frozenset(others))


def _component(component: Component) -> Entry:
    core = [component.slot, component.broad, sorted(use.id for use in component.parameters)]
    return Entry(_hash(core), frozenset(_alias(alias, looked_for) for alias, looked_for in written(component)))


def _alias(alias: Alias, looked_for: bool) -> Written:
    return alias.text, alias.case if looked_for else UNSOUGHT, tuple(sorted(alias.context)), tuple(sorted(alias.unless))


def _parameter(parameter: Parameter) -> Entry:
    core = [parameter.kind, parameter.unit, parameter.low, parameter.high]
    ways = [(way, f"choice {value}") for value, all_ways in parameter.choices.items() for way in (value, *all_ways)]
    ways += [(alias, "alias") for alias in (parameter.id, *parameter.aliases)] + [(key, "key") for key in parameter.keys]
    return Entry(_hash(core), frozenset((way, kind, (), ()) for way, kind in ways))


def _names(aliases: Iterable[Written]) -> set[Places]:
    """All ways to write them, as the lexicon looks for them."""
    sought = [(text, cast(Case, case)) for text, case, _, _ in aliases if case != UNSOUGHT]
    alone = (
        Component(str(n), text, "", (Alias(text, case),), None, (), (), (), (), "described", "") for n, (text, case) in enumerate(sought)
    )
    return _single(Lexicon(Ontology({}, {}, {}, {}, {component.id: component for component in alone})).names())


def _doubts(before: Entry, after: Entry) -> set[Places]:
    """Names of a component that may be abbreviations, each with the words that came to its other names or went from them."""
    old, new = ({word for text, *_ in side.aliases for word in words_of(text)} for side in (before, after))
    words = frozenset(word for word in old ^ new if len(word) >= TELLING)
    short = [name for name in _names(before.aliases | after.aliases) if sum(len(*place) for place in name) <= LONGEST_SHORT_FORM]
    return {(*name, words) for name in short} if words else set()


def _parameter_names(aliases: Iterable[Written]) -> set[Places]:
    """The words of aliases, keys and choices: letters and digits apart, as the vocabulary compares them."""
    texts = [text for text, *_ in aliases]
    return _single(filter(None, map(parameter_words, (*texts, *(text.replace("warmup", "warm-up") for text in texts)))))


def _single(names: Iterable[tuple[str, ...]]) -> set[Places]:
    return {tuple(frozenset((word,)) for word in name) for name in names}


def _listed(alias: Written) -> list[Any]:
    text, case, context, unless = alias
    return [text, case, list(context), list(unless)]


def _hash(content: Any) -> str:
    told = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
