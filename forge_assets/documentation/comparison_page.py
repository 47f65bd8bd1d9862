"""The components of a slot against each other: what is counted, what is stated, what works claim, and what they write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forge_assets.compatibility.graph.model import Edge
from forge_assets.documentation.citing import Found, Place
from forge_assets.documentation.component_page import Subject, claim_row, claims_of, companions, place_of, told_of, value_row
from forge_assets.documentation.drafts import Draft, at_least, cell, counted, course, step, sure, years
from forge_assets.documentation.facts import SlotFacts
from forge_assets.documentation.quotes import Quote
from forge_assets.documentation.selection import Pool
from forge_assets.documentation.subjects import CANDIDATE
from forge_assets.documentation.volume import Cell

ROWS, PARAMETERS, CLAIMS, QUOTES = 60, 40, 80, 36
"""The most rows of the tables, and sentences."""


def rivals(subjects: Sequence[Subject]) -> list[Subject]:
    """The components with entries, the one most works name first."""
    return [one for one in subjects if not one.entry.subject.startswith(CANDIDATE)][:ROWS]


def inside(subjects: Sequence[Subject], facts: SlotFacts) -> list[Edge]:
    """Claims whose both ends fill the slot, each once, the surest first."""
    found = {edge.key.id: edge for one in subjects for edge in one.edges
             if {edge.key.subject, edge.key.object} <= set(facts.components) and claims_of(edge)}  # fmt: skip
    return sorted(found.values(), key=lambda edge: (-round(20 * edge.confidence), edge.key.id))[:CLAIMS]


def places(subjects: Sequence[Subject], facts: SlotFacts) -> set[Place]:
    """Where the cells' values and claims stand."""
    stated = {(document, start, end) for one in rivals(subjects) for value in one.typical[:2] for document, start, end, _ in value.sources}
    return stated | {place for edge in inside(subjects, facts) for one in claims_of(edge) if (place := place_of(one))}


def draft(
    id_: str, subjects: Sequence[Subject], quotes: Sequence[Quote], facts: SlotFacts, found: Mapping[Place, Found], pages: Mapping[str, str]
) -> Draft:
    slot = facts.ontology.slots[facts.slot]
    shown = rivals(subjects)
    made = Draft(id_, "comparison", f"{slot.title}: components compared", f"{counted(len(shown), 'component')} side by side")
    made.table("Components, the most named first", ("Component", "Kind of", "Works", "Used in", "Years", "Trend"), [
        [
            cell(one.entry.name, page=pages.get(one.entry.subject)), _parent(one, facts, pages), cell(at_least(one.entry.works)),
            cell("" if one.entry.used is None else at_least(one.entry.used)), cell(years(one.entry.first_year, one.entry.latest_year)),
            cell(course(one.entry.trend)),
        ]
        for one in shown
    ], "Works: those that name it. Used in: those that use or introduce it. Trend: yearly growth of its share of works.")  # fmt: skip
    rows = []
    for one in shown:
        for value in one.typical[:2]:
            row = value_row(made, value, facts, found)
            if row:
                rows.append([cell(one.entry.name, page=pages.get(one.entry.subject)), *row])
    if rows:
        made.heading("Stated values")
        made.table("Values that works state of each", ("Component", "Parameter", "Works", "Quartiles", "Range", "Stated values"),
                   rows[:PARAMETERS], "One voice per work; where sources disagree, all that are cited stand there.")  # fmt: skip
    claims = []
    for edge in inside(subjects, facts):
        row = claim_row(made, edge, edge.key.subject, facts, found, pages)
        if row:
            claims.append([cell(facts.name(edge.key.subject), page=pages.get(edge.key.subject)), *row])
    if claims:
        made.heading("Claims")
        made.table("What works claim of one against another",
                   ("Component", "Relation", "Other", "Works for it", "Works against it", "Confidence"), claims,
                   "Confidence is the share of further independent works expected to agree; 0.5 is no opinion.")  # fmt: skip
    about = f"{slot.title} {slot.description} comparison trade-off between"
    made.quote("What works write", Pool(quotes, about).pick(QUOTES))
    _company(made, shown, facts, pages)
    return made


def _parent(one: Subject, facts: SlotFacts, pages: Mapping[str, str]) -> Cell:
    parent = facts.components[one.entry.subject].parent
    return cell(facts.name(parent), page=pages.get(parent)) if parent and parent in facts.ontology.components else cell("")


def _company(made: Draft, shown: Sequence[Subject], facts: SlotFacts, pages: Mapping[str, str]) -> None:
    """Whom each is most often named with, of the whole ontology."""
    rows = [
        [
            cell(one.entry.name, page=pages.get(one.entry.subject)),
            cell(", ".join(_others(one, fit, facts)[:4])),
            cell(", ".join(facts.name(other) for other in sorted(companions(one))[:4])),
        ]
        for one in shown[:30]
        if (fit := [edge for edge in one.edges if edge.key.relation in ("composes_with", "requires")
                    and set(edge.origins) - {"statistics"} and edge.confidence > 0.5]) or one.together
    ]  # fmt: skip
    if rows:
        made.heading("Company")
        made.table("Compatible, and used together", ("Component", "Compatible with", "Used together with"), rows,
                   "Compatible: claimed, derived from code or decided. Used together: only counted; no sign that they fit.")  # fmt: skip


def _others(one: Subject, fit: Sequence[Edge], facts: SlotFacts) -> list[str]:
    """The other ends of edges, each once."""
    ends = (edge.key.object if edge.key.subject == one.entry.subject else edge.key.subject for edge in fit)
    return list(dict.fromkeys(facts.name(end) for end in ends))


def evidence(
    subjects: Sequence[Subject], quotes: Sequence[Quote], facts: SlotFacts, found: Mapping[Place, Found], pages: Mapping[str, str]
) -> Any:
    shown = rivals(subjects)
    return [
        [[one.entry.name, step(one.entry.works), step(one.entry.used or 0), course(one.entry.trend),
          facts.components[one.entry.subject].parent,
          pages.get(one.entry.subject), one.entry.first_year, one.entry.latest_year] for one in shown],
        [told_of(value) for one in shown for value in one.typical[:2]],
        [[edge.key.id, sure(edge.confidence), step(edge.supporting_works), step(edge.contradicting_works)]
         for edge in inside(subjects, facts)],
        [sorted(companions(one))[:4] for one in shown[:30]],
        [[edge.key.id] for one in shown[:30] for edge in one.edges[:8] if edge.key.relation in ("composes_with", "requires")],
        [found[place].text if place in found else None for place in sorted(places(subjects, facts), key=str)],
        [one.mark for one in quotes],
    ]  # fmt: skip
