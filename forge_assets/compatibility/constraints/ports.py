"""Typed ports of the ontology -> constraints: what a component takes, something in the stack must make, give or hold.

For a port and a slot: the components of the slot that take the port are forbidden together with all other slots of the network holding
nothing that has it. A port is had by what gives it without taking it, by what holds it inside, and by what gives a port it is derived from,
or takes such a one from the data. Ports that come with the data, the machine or training are no joints, nor is a port that every component
of a slot of each stack gives.

A port that is made in one optional slot alone and taken in one other alone binds both ways: without a taker the maker is idle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from forge_assets.compatibility.constraints.model import IDEA, Condition, Constraint, Source, slot
from forge_assets.components.ontology import Component, Ontology, Port

NETWORK = ("tokenization", "architecture", "multimodal")
"""The tasks whose slots are parts of the network: what flows in it is made there."""
BySlot = Mapping[str, tuple[str, ...]]
"""slot -> ids of components that may fill it, in the order of the ontology."""


@dataclass(frozen=True, slots=True)
class Joint:
    """Who has a port and who takes it, by slot. `ready`: slots of each stack of which every component gives it."""

    port: Port
    makers: BySlot
    takers: BySlot
    ready: frozenset[str]


def port_constraints(ontology: Ontology) -> Iterator[Constraint]:
    """One for each slot that takes ports from the same others, and for each that makes one in vain, in the order of the ports."""
    made: dict[tuple[Condition, ...], list[Port]] = {}
    said: dict[tuple[Condition, ...], str] = {}
    names: dict[tuple[Condition, ...], str] = {}
    for joint in joints(ontology):
        for forbidden, name, told in (*_untaken(joint, ontology), *_idle(joint, ontology)):
            made.setdefault(forbidden, []).append(joint.port)
            said.setdefault(forbidden, told)
            names.setdefault(forbidden, name)
    for forbidden, ports in made.items():
        flowing = _listed([port.id for port in ports], "and")
        place = f"ports.yaml and slots.yaml of the ontology, {'port' if len(ports) == 1 else 'ports'} {flowing}"
        identity = f"port-{'-'.join(port.id for port in ports)}-{names[forbidden]}".replace("_", "-")
        yield Constraint(identity, "port", "hard", IDEA, forbidden, said[forbidden].format(flowing), Source(place))


def joints(ontology: Ontology) -> Iterator[Joint]:
    """The ports that some component takes and another makes."""
    members = _members(ontology)
    for port in ontology.ports.values():
        if port.given or port.shape is None and port.type == "float":
            continue
        having = {one.id: one.slot for one in ontology.components.values() if has(one, port, ontology)}
        makers = {place: names for place, names in _by_slot(members, having).items() if place in having.values()}
        makers = {place: names for place, names in makers.items() if ontology.slots[place].task in NETWORK}
        takers = _own(one for one in ontology.components.values() if port.id in one.inputs)
        alone = {place: names for place, names in takers.items() if not set(names) <= set(makers.get(place, ()))}
        ready = frozenset(place for place in makers if ontology.slots[place].core and _all_give(ontology, place, port))
        if makers and alone:
            yield Joint(port, makers, {place: _without(names, makers.get(place, ())) for place, names in alone.items()}, ready)


def has(component: Component, port: Port, ontology: Ontology) -> bool:
    """Whether it makes the port, holds it inside, or has one that the port is derived from."""
    if port.id in component.inside or (port.id in component.outputs and port.id not in component.inputs):
        return True
    if not port.derived:
        return False
    raw = (name for name in component.inputs if ontology.ports[name].given)
    return not {*raw, *component.outputs}.isdisjoint(port.derived)


Made = tuple[tuple[Condition, ...], str, str]
"""The conditions, what the constraint is called after its ports, and what it says, with {} for them."""


def _untaken(joint: Joint, ontology: Ontology) -> Iterator[Made]:
    """Those of a slot that take the port, where all other slots have none."""
    for taker, takers in joint.takers.items():
        others = {place: makers for place, makers in joint.makers.items() if place != taker}
        if others and not joint.ready - {taker}:
            forbidden = (_holds(taker, takers, ontology), *(Condition(slot(place), "not in", names) for place, names in others.items()))
            yield forbidden, f"for-{taker}", f"{_some(taker, takers)} takes {{}}, which nothing in {_listed(list(others), 'or')} gives"


def _idle(joint: Joint, ontology: Ontology) -> Iterator[Made]:
    """Those of an optional slot that make what only one other slot could take, and does not."""
    if len(joint.makers) == len(joint.takers) == 1 and joint.makers.keys() != joint.takers.keys():
        (maker, makers), (taker, takers) = *joint.makers.items(), *joint.takers.items()
        if not ontology.slots[maker].core:
            forbidden = (_holds(maker, makers, ontology), Condition(slot(taker), "not in", takers))
            yield forbidden, f"of-{maker}", f"{_some(maker, makers)} gives {{}}, which nothing in {taker} takes"


def _holds(place: str, names: tuple[str, ...], ontology: Ontology) -> Condition:
    everyone = {one.id for one in ontology.components.values() if place in (one.slot, *one.also_slots)}
    return Condition(slot(place), "set") if set(names) == everyone else Condition(slot(place), "in", names)


def _some(place: str, names: tuple[str, ...]) -> str:
    return f"{place} {names[0]}" if len(names) == 1 else f"{place} such as {names[0]} or {names[1]}"


def _listed(places: list[str], word: str) -> str:
    return f" {word} ".join([", ".join(places[:-1]), places[-1]] if len(places) > 1 else places)


def _members(ontology: Ontology) -> BySlot:
    return {place: tuple(c.id for c in ontology.components.values() if place in (c.slot, *c.also_slots)) for place in ontology.slots}


def _own(components: Iterable[Component]) -> BySlot:
    """Each under its own slot alone."""
    found: dict[str, tuple[str, ...]] = {}
    for component in components:
        found[component.slot] = (*found.get(component.slot, ()), component.id)
    return found


def _by_slot(members: BySlot, wanted: Collection[str]) -> BySlot:
    found = {place: tuple(name for name in names if name in wanted) for place, names in members.items()}
    return {place: names for place, names in found.items() if names}


def _all_give(ontology: Ontology, place: str, port: Port) -> bool:
    return all(has(component, port, ontology) for component in ontology.in_slot(place))


def _without(names: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in set(others))
