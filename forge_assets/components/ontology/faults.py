"""What is wrong between entries: unknown ids, parents in a circle, one alias for two components. Each fault is one sentence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from forge_assets.components.folding import fold
from forge_assets.components.ontology.model import Alias, Component, Ontology, Parameter, ParameterUse
from forge_resources.strict_yaml import near

_WORD = re.compile(r"[^\W_]+")
Key = tuple[str, ...]


def between_slots(ontology: Ontology) -> Iterator[str]:
    """Slots whose task or ports nobody knows."""
    for slot in ontology.slots.values():
        where = f"slots.yaml, {slot.id}"
        yield from _unknown(where, "task", [slot.task], ontology.tasks)
        yield from _unknown(where, "port", {*slot.inputs, *slot.outputs, *slot.inside}, ontology.ports)
    for port in ontology.ports.values():
        yield from _unknown(f"ports.yaml, {port.id}", "port", port.derived, ontology.ports)


def between_parameters(ontology: Ontology) -> Iterator[str]:
    """Names and keys that two parameters claim."""
    for what in ("aliases", "keys"):
        owners: dict[str, str] = {}
        for parameter in ontology.parameters.values():
            for word in getattr(parameter, what):
                first = owners.setdefault(word.casefold(), parameter.id)
                if first != parameter.id:
                    yield f"parameters.yaml: {word!r} stands under {what} of both {first} and {parameter.id}"


def between_components(ontology: Ontology, where: dict[str, str]) -> Iterator[str]:
    """Components that name what nobody knows. `where`: the file and entry of each, for the sentence."""
    for component in ontology.components.values():
        place = where[component.id]
        yield from _unknown(place, "port", {*component.inputs, *component.outputs, *component.inside}, ontology.ports)
        yield from _unknown(place, "task", component.tasks, ontology.tasks)
        yield from _unknown(place, "slot", component.also_slots, ontology.slots)
        if component.slot in component.also_slots:
            yield f"{place}: also_slots names {component.slot}, which is its own slot"
        yield from _parent(place, component, ontology)
        for use in component.parameters:
            known = ontology.parameters.get(use.id)
            if known is None:
                yield from _unknown(place, "parameter", [use.id], ontology.parameters)
            else:
                yield from _use(f"{place}, parameter {use.id}", use, known)
    yield from _circles(ontology, where)


def claimed_twice(components: Iterable[Component], where: dict[str, str]) -> Iterator[str]:
    """Aliases of two components that no context or unless rule of both keeps apart.

    Two ways of writing are one when they match the same words; two that must both be written exactly so are one only when equal.
    """
    claims: dict[Key, list[tuple[Component, Alias]]] = defaultdict(list)
    for component in components:
        for alias in ways(component):
            claims[_key(alias.text)].append((component, alias))
    for claimants in claims.values():
        for at, (component, alias) in enumerate(claimants):
            for earlier, other in claimants[:at]:
                apart = _ruled(alias) and _ruled(other) or _exact(alias) and _exact(other) and alias.text != other.text
                if earlier.id != component.id and not apart:
                    yield (
                        f"{where[component.id]}: {alias.text!r} also means {earlier.id} ({where[earlier.id]}); "
                        f"both need a context or unless rule, or one gives it up"
                    )


def ways(component: Component) -> Iterator[Alias]:
    """The aliases, and the name where it has several words and is not among them, as extraction reads it."""
    yield from component.aliases
    if len(_WORD.findall(component.name)) > 1 and all(alias.text != component.name for alias in component.aliases):
        yield Alias(component.name)


def _unknown(where: str, what: str, names: Collection[str], known: Collection[str]) -> Iterator[str]:
    for name in sorted(set(names)):
        if name and name not in known:
            yield f"{where}: unknown {what} {name!r}{near(name, known)}"


def _parent(place: str, component: Component, ontology: Ontology) -> Iterator[str]:
    if component.parent is None:
        return
    parent = ontology.components.get(component.parent)
    if parent is None:
        yield from _unknown(place, "parent", [component.parent], ontology.components)
    elif parent.slot != component.slot:
        yield f"{place}: parent {parent.id} is in slot {parent.slot}, expected one of slot {component.slot}"


def _circles(ontology: Ontology, where: dict[str, str]) -> Iterator[str]:
    told: set[str] = set()
    for start in ontology.components:
        path: list[str] = []
        at: str | None = start
        while at is not None and at in ontology.components and at not in path and at not in told:
            path.append(at)
            at = ontology.components[at].parent
        if at in path:
            circle = path[path.index(at) :]
            yield f"{where[circle[0]]}: parents go in a circle: {' -> '.join([*circle, circle[0]])}"
        told.update(path)


def _use(place: str, use: ParameterUse, known: Parameter) -> Iterator[str]:
    if known.kind not in ("number", "integer"):
        if (use.low, use.high) != (None, None):
            yield f"{place}: has a range, but is of kind {known.kind}"
        if known.kind == "bool" and use.default is not None and not isinstance(use.default, bool):
            yield f"{place}: default is {use.default!r}, expected true or false"
        return
    low = known.low if use.low is None else use.low
    high = known.high if use.high is None else use.high
    if known.low is not None and low is not None and low < known.low or known.high is not None and high is not None and high > known.high:
        yield f"{place}: its range {_span(low, high)} leaves the parameter's own, {_span(known.low, known.high)}"
    if use.default is None:
        return
    if isinstance(use.default, bool | str):
        yield f"{place}: default is {use.default!r}, expected a number"
    elif low is not None and use.default < low or high is not None and use.default > high:
        yield f"{place}: default {use.default:g} is outside {_span(low, high)}"
    elif known.kind == "integer" and use.default != int(use.default):
        yield f"{place}: default {use.default:g} is no whole number"


def _span(low: float | None, high: float | None) -> str:
    return f"{'-inf' if low is None else f'{low:g}'} to {'inf' if high is None else f'{high:g}'}"


def _key(text: str) -> Key:
    """Folded words, and the signs at the end: C and C++ differ."""
    words = _WORD.findall(text)
    tail = re.search(r"[+*#]+\Z", text)
    return (*map(fold, words), tail[0] if tail else "")


def _ruled(alias: Alias) -> bool:
    return bool(alias.context or alias.unless)


def _exact(alias: Alias) -> bool:
    """Whether letters must match in case: as said, or, for `auto`, where a word has a capital inside or all letters are capitals."""
    if alias.case != "auto":
        return alias.case == "exact"
    letters = [letter for letter in alias.text if letter.isalpha()]
    capitals = bool(letters) and all(letter.isupper() for letter in letters)
    return capitals or any(letter.isupper() for word in _WORD.findall(alias.text) for letter in word[1:])
