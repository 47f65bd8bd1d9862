"""evidence -> senses -> the texts they stand in -> candidates: names that works bring up, or use, and that the ontology lacks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from forge_assets.components.candidates import ranking, reading
from forge_assets.components.candidates.counting import Counted, count
from forge_assets.components.candidates.introductions import Use, claim, introduction
from forge_assets.components.candidates.names import key_of
from forge_assets.components.candidates.ranking import Candidate
from forge_assets.components.candidates.senses import Evidence, Sense, senses
from forge_assets.components.candidates.slots import SlotModel, marks, said_of
from forge_assets.components.catalogue.entries import growths, number_or_none, table_of_years
from forge_assets.components.lexicon import lexicon_of
from forge_assets.components.ontology.model import Ontology

USED_SHOWN = 3
"""Documents kept as evidence of a word that works only use."""
NEAR = 20
"""Documents that bring a name up whose components tell on its slot."""


def candidates(connection: sa.Connection, ontology: Ontology, rejected: Collection[str]) -> list[Candidate]:
    """All of them, the best first. `work_number` has been made (catalogue.reading); `rejected`: ids that a person does not want to see."""
    known = ranking.Known(ontology, lexicon_of(ontology))
    found = [sense for sense in senses(reading.evidence(connection)) if ranking.is_admitted(sense) and not known.has(sense)]
    counted = count(connection, found)
    everywhere = _with_used(found, counted, known)
    slot_of = {component.id: component.slot for component in ontology.components.values()}
    beside = reading.slots_beside(connection, slot_of)
    return _ranked(everywhere, counted, SlotModel(ontology), beside, {*ontology.components}, rejected)


@dataclass(slots=True)
class _Standing:
    """A sense with the documents that hold it (places, each once) and how their titles name it."""

    sense: Sense
    documents: npt.NDArray[np.int32]
    levels: npt.NDArray[np.int8]
    plain: int
    person: int


def _with_used(found: Sequence[Sense], counted: Counted, known: ranking.Known) -> list[_Standing]:
    order = np.argsort(counted.name, kind="stable")
    ends = np.searchsorted(counted.name[order], np.arange(len(found) + 1))
    standing = [
        _Standing(sense, counted.document[part], counted.level[part], counted.plain[place], counted.person[place])
        for place, sense in enumerate(found)
        for part in [order[ends[place] : ends[place + 1]]]
    ]
    brought_up = {key_of(way) for sense in found for way in sense.surfaces}
    forms: dict[str, list[str]] = defaultdict(list)
    for word, places in counted.made_up.items():
        if len(places) > 1 or word.endswith("s"):
            forms[key_of(word)].append(word)
    for key in sorted(forms):
        if key not in brought_up and not any(known.called(word) for word in forms[key]):
            used = _used(forms[key], counted)
            if used is not None:
                standing.append(used)
    return standing


def _used(words: Sequence[str], counted: Counted) -> _Standing | None:
    """A word that works use and none brings up, in all its forms."""
    documents = counted.documents
    places = sorted({(place, at, level, word) for word in words for place, at, level in counted.made_up[word]})
    works = {documents.work[place] for place, *_ in places}
    if len(works) < ranking.LEAST_USING:
        return None
    levels = {place: level for place, _, level, _ in places}
    earliest = sorted(places, key=lambda one: (documents.year[one[0]] or 9999, one[0]))[:USED_SHOWN]
    evidence = tuple(
        Evidence(documents.ids[place], documents.work[place], documents.year[place], at, at + len(word), word, None, "used", None, level)
        for place, at, level, word in earliest
    )
    surfaces = {word: len(counted.made_up[word]) for word in sorted(words, key=lambda one: (-len(counted.made_up[one]), one))}
    sense = Sense(next(iter(surfaces)), None, surfaces, frozenset(), evidence)
    return _Standing(sense, np.array(list(levels), np.int32), np.array(list(levels.values()), np.int8), 0, 0)


def _ranked(
    standing: Sequence[_Standing],
    counted: Counted,
    model: SlotModel,
    beside: Mapping[UUID, Counter[str]],
    taken: Collection[str],
    rejected: Collection[str],
) -> list[Candidate]:
    texts = _Texts(counted)
    kept = [one for one in standing if not ranking.is_ordinary(one.sense, len(one.documents), one.plain, one.person)]
    numbers = _numbers(kept, texts)
    shares = model.shares([_marks(one.sense, number.introduced, texts) for one, number in zip(kept, numbers, strict=True)])
    made: dict[str, Candidate] = {}
    for one, number, row in zip(kept, numbers, shares, strict=True):
        near = sum((beside[document] for document in _bringing_up(one.sense) if document in beside), Counter[str]())
        slots = tuple(model.likeliest(model.beside(row, near)))
        id_ = next((id_ for id_ in ranking.ids_for(one.sense) if id_ not in taken and id_ not in made), None)
        if id_ is not None and id_ not in rejected:
            made[id_] = _candidate(one.sense, number, slots, id_, texts)
    return sorted(made.values(), key=lambda one: (-one.score, one.id))


class _Texts:
    """The documents by place and by id."""

    def __init__(self, counted: Counted) -> None:
        self.ids = counted.documents.ids
        self.titles = counted.documents.titles
        self.work = np.array(counted.documents.work, np.int32)
        self.year = np.array(counted.documents.year, np.int32)
        self.place = {id_: place for place, id_ in enumerate(self.ids)}
        self.of_work = np.zeros(int(self.work.max(initial=-1)) + 1, np.int32)
        self.of_work[self.work] = self.year


@dataclass(frozen=True, slots=True)
class _Numbers:
    documents: int
    works: int
    years: dict[int, int]
    trend: float | None
    introduced: Use | None


def _numbers(kept: Sequence[_Standing], texts: _Texts) -> list[_Numbers]:
    levels = [_levels(one, texts) for one in kept]
    subjects = np.repeat(np.arange(len(kept)), [len(of) for of in levels])
    places = np.array([place for of in levels for place in of], np.int64)
    pairs = np.unique(np.stack([subjects, texts.work[places].astype(np.int64)]), axis=1)
    by_year = table_of_years(pairs[0], texts.of_work[pairs[1]], len(kept))
    growth = growths(by_year, texts.of_work)
    works = np.bincount(pairs[0], minlength=len(kept))
    made = []
    for number, (one, of) in enumerate(zip(kept, levels, strict=True)):
        years = by_year.years(number)
        ascending = [year for year in sorted(years) for _ in range(years[year])]
        use = introduction(_claims(one.sense, of, texts), ascending)
        made.append(_Numbers(len(of), int(works[number]), years, number_or_none(growth[number]), use))
    return made


def _levels(one: _Standing, texts: _Texts) -> dict[int, int]:
    """Place of a document -> how its title names the sense; documents that bring it up by a name with other meanings are among them."""
    levels = dict(zip(one.documents.tolist(), one.levels.tolist(), strict=True))
    for evidence in one.sense.evidence:
        place = texts.place[evidence.document]
        levels[place] = max(levels.get(place, 0), evidence.level)
    return levels


def _claims(sense: Sense, levels: Mapping[int, int], texts: _Texts) -> Iterator[Use]:
    kinds: dict[int, set[str]] = defaultdict(set)
    for evidence in sense.evidence:
        kinds[texts.place[evidence.document]].add(evidence.kind)
    for place, level in levels.items():
        if level or place in kinds:
            yield Use(place, int(texts.work[place]), int(texts.year[place]), *claim(level, kinds.get(place, ())))


def _bringing_up(sense: Sense) -> list[UUID]:
    return list(dict.fromkeys(one.document for one in sense.evidence))[:NEAR]


def _marks(sense: Sense, introduced: Use | None, texts: _Texts) -> set[str]:
    names = [sense.name, *([sense.long_form] if sense.long_form else [])]
    return marks(names, said_of(one.head for one in sense.evidence), texts.titles[introduced.document] if introduced else "")


def _candidate(sense: Sense, number: _Numbers, slots: tuple[tuple[str, float], ...], id_: str, texts: _Texts) -> Candidate:
    use = number.introduced
    introducing = texts.ids[use.document] if use else None
    independent, signs = number.works - (use is not None), ranking.signs_of(sense.evidence)
    named = ranking.named_share(sense, number.works)
    slot, share = slots[0]
    return Candidate(
        id_, sense.name, sense.long_form, ranking.shown_aliases(sense), slot, share, slots, number.documents, number.works, independent,
        min(number.years, default=None), max(number.years, default=None), number.trend, number.years, signs, introducing,
        use.reason if use else None, ranking.score(independent, number.trend, len(signs), named, task=ranking.is_task(sense)),
        ranking.shown_evidence(sense.evidence, introducing),
    )  # fmt: skip
