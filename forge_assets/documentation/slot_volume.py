"""The volume of a slot: a page for each component and candidate above the floor, and what is said of all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from forge_assets.components.ontology.model import Ontology
from forge_assets.documentation import comparison_page, component_page, paged, quotes, slot_pages
from forge_assets.documentation.citing import Found, Place, places, titles
from forge_assets.documentation.component_page import Subject
from forge_assets.documentation.drafts import course, step, trend
from forge_assets.documentation.facts import SlotFacts, slot_facts
from forge_assets.documentation.plans import VolumePlan, volume_of
from forge_assets.documentation.quotes import Quote
from forge_assets.documentation.shares import share
from forge_assets.documentation.subjects import CANDIDATE
from forge_assets.documentation.volume import Missing
from forge_resources.database import Database

FEWEST_COMPARED = 3
"""Components of a comparison."""


class SlotVolume:
    """Everything that the pages of a slot are made of, read once."""

    def __init__(
        self, db: Database, ontology: Ontology, slot: str, known: dict[str, paged.Evidence], pages: Mapping[str, str], floors: paged.Floors
    ) -> None:
        self.volume, self.known, self.pages, self.floors = volume_of(slot), known, pages, floors
        self.facts: SlotFacts = slot_facts(db, ontology, slot)
        found = quotes.of_slot(db, slot)
        self.shares = share(found, pages.keys() & self.facts.entries.keys(), self.facts.components)
        self.definitions: dict[str, Quote] = {
            subject: some[0]
            for subject, all_ in found.items()
            if not subject.startswith(CANDIDATE) and (some := [one for one in all_ if one.role == "definition"])
        }
        ordered = sorted(self.facts.entries.items(), key=lambda item: (item[0].startswith(CANDIDATE), -step(item[1].works), item[0]))
        self.subjects = [component_page.subject_of(self.facts, id_, self.shares.components.get(id_, ())) for id_, _ in ordered]
        self.titles: Mapping[UUID, Found] = titles(db, {one.entry.introducing for one in self.subjects if one.entry.introducing})
        wanted = {place for one in self.subjects for place in one.places()} | comparison_page.places(self.subjects, self.facts)
        self.found: Mapping[Place, Found] = places(db, wanted)

    def plan(self) -> VolumePlan:
        slot = self.facts.ontology.slots[self.facts.slot]
        made = VolumePlan(self.volume, slot.title, "slot")
        self._together(made)
        for subject in self.subjects:
            reason = paged.lacks(subject.entry.subject, self.known.get(subject.entry.subject), self.floors.subject)
            if reason is None and subject.entry.subject in self.pages:
                self._component(made, subject)
            elif reason is not None:
                made.missing.append(Missing(name=subject.entry.name, reason=reason))
        unnamed = [one for id_, one in self.facts.components.items() if id_ not in self.facts.entries]
        made.missing += [Missing(name=one.name, reason="no work of the corpus names it") for one in unnamed]
        self._reference(made)
        return made

    def _component(self, made: VolumePlan, subject: Subject) -> None:
        given = self.facts, self.titles, self.found, self.pages
        made.add(self.pages[subject.entry.subject], component_page.evidence(subject, *given), lambda: component_page.draft(subject, *given))

    def _together(self, made: VolumePlan) -> None:
        """The pages about the slot as a whole, which stand before those of its components."""
        counts, shares = self._counts(), self.shares
        marks = {name: [one.mark for one in getattr(shares, name)] for name in ("survey", "comparison")}
        advice = [*shares.guide, *shares.settings, *shares.pitfalls]
        if self._enough(made, "survey", slot_pages.works_of(shares.survey)):
            id_ = f"{self.volume}/survey"
            made.add(id_, [counts, marks["survey"]],
                     lambda: slot_pages.survey(id_, self.subjects, shares.survey, self.facts, self.pages))  # fmt: skip
        compared = comparison_page.rivals(self.subjects)
        stated = {self.found[place].work for place in comparison_page.places(self.subjects, self.facts) if place in self.found}
        works = len(stated | {one.work for one in shares.comparison})
        if len(compared) < FEWEST_COMPARED:
            made.missing.append(Missing(name="comparison", reason=f"works name {len(compared)} components; it needs {FEWEST_COMPARED}"))
        elif self._enough(made, "comparison", works):
            given = self.subjects, shares.comparison, self.facts, self.found, self.pages
            made.add(f"{self.volume}/comparison", comparison_page.evidence(*given),
                     lambda: comparison_page.draft(f"{self.volume}/comparison", *given))  # fmt: skip
        if self._enough(made, "guide", slot_pages.works_of(advice)):
            made.add(f"{self.volume}/guide", [counts, [one.mark for one in advice], self._values(2)],
                     lambda: slot_pages.guide(f"{self.volume}/guide", self.subjects, shares, self.facts, self.found,
                                              self.pages))  # fmt: skip

    def _reference(self, made: VolumePlan) -> None:
        """The pages to look things up in, which stand behind."""
        id_, shares = self.volume, self.shares
        names = [[one.entry.name, self.pages.get(one.entry.subject)] for one in self.subjects]
        if self._enough(made, "parameters", len({source[0] for one in self.subjects for value in one.typical for source in value.sources})):
            made.add(f"{id_}/parameters", [names, self._values(12)],
                     lambda: slot_pages.parameters(f"{id_}/parameters", self.subjects, self.facts, self.found, self.pages))  # fmt: skip
        if len(self.titles) >= self.floors.together:
            dated = [[str(document), one.text] for document, one in sorted(self.titles.items(), key=str)]
            made.add(f"{id_}/timeline", [self._counts(), dated],
                     lambda: slot_pages.timeline(f"{id_}/timeline", self.subjects, self.facts, self.titles, self.pages))  # fmt: skip
        else:
            made.missing.append(
                Missing(name="timeline", reason=f"{len(self.titles)} introducing works are in the corpus; it needs {self.floors.together}")
            )
        if self._enough(made, "open problems", slot_pages.works_of(shares.problems)):
            made.add(f"{id_}/problems", [one.mark for one in shares.problems],
                     lambda: slot_pages.problems(f"{id_}/problems", shares.problems, self.facts))  # fmt: skip
        if len(self.definitions) >= self.floors.together:
            made.add(f"{id_}/glossary", [names, [(subject, one.mark) for subject, one in sorted(self.definitions.items())]],
                     lambda: slot_pages.glossary(f"{id_}/glossary", self.subjects, self.definitions, self.facts, self.pages))  # fmt: skip
        if made.pages:
            exact = [[one.entry.works, one.entry.used, trend(one.entry.trend), sorted(one.entry.years.items()),
                      [(other.other, other.works, other.lift) for other in one.together]] for one in self.subjects]  # fmt: skip
            made.add(f"{id_}/counts", [names, exact],
                     lambda: slot_pages.counts(f"{id_}/counts", self.subjects, self.facts, self.pages))  # fmt: skip

    def _enough(self, made: VolumePlan, name: str, works: int) -> bool:
        if works >= self.floors.together:
            return True
        made.missing.append(Missing(name=name, reason=f"{works} works can be quoted; it needs {self.floors.together}"))
        return False

    def _counts(self) -> list[object]:
        """As pages tell them, in steps."""
        return [[one.entry.name, step(one.entry.works), step(one.entry.used or 0), course(one.entry.trend),
                 self.pages.get(one.entry.subject), one.entry.first_year, one.entry.latest_year] for one in self.subjects]  # fmt: skip

    def _values(self, most: int) -> list[object]:
        return [component_page.told_of(value) for one in self.subjects for value in one.typical[:most]]  # fmt: skip
