"""The volume of a slot: a page for each component and candidate above the floor, and what is said of all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from forge_assets.components.ontology.model import Ontology
from forge_assets.documentation import component_page, paged, quotes
from forge_assets.documentation.citing import Found, Place, places, titles
from forge_assets.documentation.component_page import Subject
from forge_assets.documentation.facts import SlotFacts, slot_facts
from forge_assets.documentation.plans import VolumePlan, volume_of
from forge_assets.documentation.volume import Missing
from forge_resources.database import Database


class SlotVolume:
    """Everything that the pages of a slot are made of, read once."""

    def __init__(self, db: Database, ontology: Ontology, slot: str, known: dict[str, paged.Evidence], pages: Mapping[str, str]) -> None:
        self.volume, self.known, self.pages = volume_of(slot), known, pages
        self.facts: SlotFacts = slot_facts(db, ontology, slot)
        self.quotes = quotes.of_slot(db, slot)
        self.subjects = [
            component_page.subject_of(self.facts, id_, self.quotes.get(id_, ()))
            for id_, entry in sorted(self.facts.entries.items(), key=lambda item: (-item[1].works, item[0]))
        ]
        introducing = {one.entry.introducing for one in self.subjects if one.entry.introducing}
        self.titles: Mapping[UUID, Found] = titles(db, introducing)
        wanted = {place for one in self.subjects if one.entry.subject in pages for place in one.places()}
        self.found: Mapping[Place, Found] = places(db, wanted)

    def plan(self) -> VolumePlan:
        slot = self.facts.ontology.slots[self.facts.slot]
        made = VolumePlan(self.volume, slot.title, "slot")
        for subject in self.subjects:
            id_ = subject.entry.subject
            reason = paged.lacks(id_, self.known.get(id_))
            if reason is None and id_ in self.pages:
                self._component(made, subject)
            elif reason is not None:
                made.missing.append(Missing(name=subject.entry.name, reason=reason))
        unnamed = [one for id_, one in self.facts.components.items() if id_ not in self.facts.entries]
        made.missing += [Missing(name=one.name, reason="no work of the corpus names it") for one in unnamed]
        return made

    def _component(self, made: VolumePlan, subject: Subject) -> None:
        given = self.facts, self.titles, self.found, self.pages
        made.add(self.pages[subject.entry.subject], component_page.evidence(subject, *given), lambda: component_page.draft(subject, *given))
