"""Examples from the material, always the same for the same corpus: questions with numbered sources, and answers that cite them.

`material -> held-out components and their works set aside -> questions per kind -> distractors -> one order`. An eighth of the components
is held out. No component, no work and no sentence stands on both sides, so what is measured was not trained on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from forge_assets.blueprints.spec.model import Spec
from forge_assets.components.ontology import load_ontology
from forge_assets.components.ontology.model import Ontology
from forge_assets.fragments.lora.examples import Example, Kind, Source
from forge_assets.fragments.lora.material import Claim, Introducing, Material, Set, material
from forge_assets.fragments.lora.quotes import Place, Said, Stated
from forge_assets.fragments.lora.wording import (
    CARD_ASKED,
    QUESTIONS,
    RELATIONS,
    SPEC_ASKED,
    UNANSWERED,
    UNANSWERED_ANSWER,
    VALUES_ASKED,
    VALUES_ASKED_ALONE,
    cited,
    form,
    listed,
    number,
    small,
    spoken,
)
from forge_resources.database import Database

HELD_OUT = 8
"""One component in so many is held out."""
QUOTES = 6
"""Sentences of a component that one aspect uses at most; works that introduce it come first."""
VALUES = 3
BARE_CARDS = 4
"""Components without an introducing work of which one gets a card: cards must not drown what the corpus says."""
VAGUE = frozenset("accelerators dataset_size image_size kernel_size memory num_classes seed stride training_compute training_time".split())
"""Parameters of a run and its data rather than of a component, whose values mean nothing without them."""
NEAR = 60
"""Characters between a value and the name of the component that it is taken for."""
STRIDE = 7919
"""A prime: steps through the pool of sentences."""
ONE_IN = 8
"""Components of which one gets a question that its sources do not answer."""


def collected(db: Database, spec: Spec, overrides: Path) -> list[Example]:
    """From Postgres, for one blueprint. An empty catalogue gives few or none; `examples.missing` says what of."""
    ontology = load_ontology(overrides)
    return examples(material(db, ontology, spec), ontology)


def examples(given: Material, ontology: Ontology) -> list[Example]:
    """Sorted by id: neighbours in the file have nothing to do with each other."""
    held = held_out_components(given)
    works = set[str]()
    found: list[Example] = []
    for side in (True, False):  # what is held out goes first and keeps its works to itself
        maker = _Maker(ontology, held, side, frozenset(works) if not side else frozenset())
        made = list(maker.all(given))
        if side:
            works = maker.works
        found += made
    return sorted({one.id: one for one in found}.values(), key=lambda one: one.id)


def held_out_components(given: Material) -> frozenset[str]:
    """The first eighth by the hash of their ids, one at least; never so many that none is left."""
    about = (
        [one.component for one in given.said], [one.component for one in given.stated],
        [one.component for one in given.entries], [one.subject for one in given.claims],
    )  # fmt: skip
    present = set().union(*about)
    ordered = sorted(present, key=lambda one: (number(f"held out {one}"), one))
    return frozenset(ordered[: -(-len(ordered) // HELD_OUT)]) if len(ordered) > 1 else frozenset()


@dataclass(frozen=True, slots=True)
class _Given:
    """Numbered sources, and the numbers of those that answer, in the order in which they were given."""

    sources: tuple[Source, ...]
    numbers: list[int]


@dataclass
class _Maker:
    """Makes the examples of one side. `taken`: works of the other side, which are not cited here."""

    ontology: Ontology
    held: frozenset[str]
    side: bool
    taken: frozenset[str]
    works: set[str] = field(default_factory=set)
    quotes: set[str] = field(default_factory=set)
    pool: list[tuple[str, Place]] = field(default_factory=list)

    def all(self, given: Material) -> Iterator[Example]:
        said = self._chosen(given.said)
        self.pool = [(one.component, one.place) for group in said.values() for one in group]
        yield from self._passages(said)
        yield from self._claims(given.claims)
        yield from self._values(given.stated)
        for entry in given.entries:
            known = entry.place is not None and self._free(entry.place)
            if self._here(entry.component) and (known or number(f"card {entry.component}") % BARE_CARDS == 0):
                yield self._card(entry)
        if not self.side:
            for one in given.settings:
                yield from self._spec(one)
        yield from self._unanswered(said)

    def _here(self, component: str) -> bool:
        return (component in self.held) == self.side

    def _free(self, place: Place) -> bool:
        return place.work not in self.taken

    def _name(self, component: str) -> str:
        """The component's, as it stands inside a sentence; a blueprint has its own."""
        known = self.ontology.components.get(component)
        return spoken(known.name, {one.text for one in known.aliases}) if known else component

    def _written(self, one: Said) -> str:
        """As the sentence has it, small inside a question where the ontology writes it so."""
        known = {alias.text for alias in self.ontology.components[one.component].aliases}
        small_ = one.name[:1].lower() + one.name[1:]
        if one.plural:
            return small_ if small_ in known or small_.removesuffix("s") in known or small_.removesuffix("es") in known else one.name
        return spoken(one.name, known)

    def _chosen(self, said: Sequence[Said]) -> dict[tuple[str, str], list[Said]]:
        """Component and aspect -> its sentences: introducing works first, one a work, none twice."""
        groups: dict[tuple[str, str], list[Said]] = {}
        for one in sorted(said, key=lambda one: (not one.introduces, number(one.place.quote), one.place.document)):
            group = groups.setdefault((one.component, one.aspect), [])
            alike = {other.place.work for other in group}
            free = self._here(one.component) and self._free(one.place) and one.place.work not in alike
            if len(group) < QUOTES and free and one.place.quote not in self.quotes:
                self.quotes.add(one.place.quote)
                group.append(one)
        return {key: groups[key] for key in sorted(groups) if groups[key]}

    def _passages(self, said: dict[tuple[str, str], list[Said]]) -> Iterator[Example]:
        """One sentence, then two together, and so on: both a short and a fuller answer are learnt."""
        for (component, aspect), group in said.items():
            at, size = 0, 1
            while at < len(group):
                some = group[at : at + size]
                at, size = at + size, 3 - size
                key = f"{component} {aspect} {at}"
                given = self._given(component, [one.place for one in some], key)
                answer = " ".join(cited(one.place.quote, [number_]) for one, number_ in zip(some, given.numbers, strict=True))
                question = form(QUESTIONS[aspect][some[0].plural], key).format(name=self._written(some[0]))
                yield self._example("passages", component, question, answer, given, f"mentions of {component} in the corpus")

    def _claims(self, claims: Sequence[Claim]) -> Iterator[Example]:
        known: set[str] = set()
        for one in sorted(claims, key=lambda one: (number(one.place.quote), one.place.document)):
            key = f"{one.subject} {one.relation} {one.object}"
            here = self._here(one.subject) and (self.side or self._here(one.object))
            free = here and self._free(one.place) and one.place.quote not in self.quotes
            if key in known or not free:
                continue
            known.add(key)
            self.quotes.add(one.place.quote)
            given = self._given(one.subject, [one.place], key)
            question = form(RELATIONS[one.relation], key).format(subject=self._name(one.subject), object=self._name(one.object))
            yield self._example(
                "claims", one.subject, question, cited(one.place.quote, given.numbers), given, f"claim of the corpus: {key}"
            )

    def _values(self, stated: Sequence[Stated]) -> Iterator[Example]:
        groups: dict[tuple[str, str], list[Stated]] = {}
        for one in stated:
            group = groups.setdefault((one.component, one.parameter), [])
            same = any(other.place.work == one.place.work or other.place.quote == one.place.quote for other in group)
            free = self._here(one.component) and self._free(one.place) and self._names(one)
            if len(group) < VALUES and not same and free:
                group.append(one)
        for (component, parameter), group in sorted(groups.items()):
            if not group:
                continue
            key = f"{component} {parameter}"
            given = self._given(component, [one.place for one in group], key)
            values = listed([f"{one.value} [{number_}]" for one, number_ in zip(group, given.numbers, strict=True)])
            title, name = small(self.ontology.parameters[parameter].title), self._name(component)
            asked = VALUES_ASKED if title != name else VALUES_ASKED_ALONE
            question = form(asked, key).format(title=title, name=name)
            answer = (
                f"{'Works state' if len(group) > 1 else 'One work states'} {values} as {title}{f' of {name}' if title != name else ''}."
            )
            yield self._example("values", component, question, answer, given, f"typical values in the catalogue: {key}")

    def _names(self, one: Stated) -> bool:
        """Whether it is a number, with the component's name near to it: what stands farther off may be another thing's."""
        known = self.ontology.parameters.get(one.parameter)
        if known is None or one.parameter in VAGUE or known.kind not in ("number", "integer") or not one.value[:1].isdigit():
            return False
        quote = one.place.quote.lower()
        at = quote.find(one.value.lower())
        near = quote[max(0, at - NEAR) : at + len(one.value) + NEAR]
        return any(alias.text.lower() in near for alias in self.ontology.components[one.component].aliases)

    def _card(self, entry: Introducing) -> Example:
        component = self.ontology.components[entry.component]
        slot, described = small(self.ontology.slots[component.slot].title), component.description.rstrip(".")
        said = f"{component.name} ({slot}): {described}."
        places = [Place(f"forge:ontology#{component.id}", "Forge's ontology", "", None, None, said)]
        if entry.place is not None and self._free(entry.place):
            told = f"{entry.place.quote} ({entry.year})" if entry.year else entry.place.quote
            places.append(replace(entry.place, quote=told))
        given = self._given(component.id, places, component.id)
        answer = cited(said, given.numbers[:1])
        if len(places) > 1:
            answer += f" It was introduced in {places[1].quote} [{given.numbers[1]}]."
        question = form(CARD_ASKED[len(places) > 1], component.id).format(name=self._name(component.id))
        return self._example("card", component.id, question, answer, given, f"catalogue and ontology: {component.id}")

    def _spec(self, one: Set) -> Iterator[Example]:
        places = [place for place in one.places if self._free(place) and place.quote not in self.quotes]
        if not places:
            return
        self.quotes |= {place.quote for place in places}
        given = self._given(one.blueprint, places, f"{one.blueprint} {one.title}")
        question = form(SPEC_ASKED, one.title).format(title=small(one.title), name=one.blueprint)
        chosen = f"The spec of {one.blueprint} takes {one.value} as {small(one.title)}{f' ({one.reason})' if one.reason else ''}."
        answer = " ".join([chosen, *(cited(place.quote, [at]) for place, at in zip(places, given.numbers, strict=True))])
        yield self._example("spec", one.blueprint, question, answer, given, f"spec of {one.blueprint}: {one.title}")

    def _unanswered(self, said: dict[tuple[str, str], list[Said]]) -> Iterator[Example]:
        for component in sorted({component for component, _ in said}):
            key, name = f"unanswered {component}", self._name(component)
            places = self._strangers(component, 2, key) if number(key) % ONE_IN == 0 else []
            if places:
                given = self._given(component, places, key, alone=True)
                question = form(UNANSWERED, key).format(name=name)
                yield self._example("unanswered", component, question, UNANSWERED_ANSWER.format(name=name), given,
                                    f"sentences that do not name {component}")  # fmt: skip

    def _strangers(self, component: str, most: int, key: str) -> list[Place]:
        """Sentences of the same side about other components, which do not name this one."""
        name, found = self._name(component).lower(), list[Place]()
        for step in range(min(len(self.pool), 8 * most)):
            other, place = self.pool[(number(key) + step * STRIDE) % len(self.pool)]
            if other != component and name not in place.quote.lower() and place not in found and len(found) < most:
                found.append(place)
        return found

    def _given(self, component: str, places: Sequence[Place], key: str, *, alone: bool = False) -> _Given:
        """The sources as they are numbered. Every other example gets one that has nothing to do with it; its place is drawn by the key."""
        strangers = [] if alone or number(f"stranger {key}") % 2 else self._strangers(component, 1, key)
        order = sorted([*places, *strangers], key=lambda place: number(f"{key} {place.document} {place.quote}"))
        self.works |= {one.work for one in order if one.work}
        sources = tuple(Source(at, one.document, one.title, one.start, one.end, one.quote) for at, one in enumerate(order, 1))
        return _Given(sources, [order.index(place) + 1 for place in places])

    def _example(self, kind: Kind, component: str, question: str, answer: str, given: _Given, origin: str) -> Example:
        return Example(kind, component, question[:1].upper() + question[1:], answer, given.sources, origin, self.side)
