"""The page of a component or candidate: what it is, how it works, settings, results, comparisons, company, limitations, all by quotes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from forge_assets.compatibility.graph.model import TITLES, Edge, Evidence
from forge_assets.compatibility.graph.scoring import NO_OPINION
from forge_assets.documentation.citing import Found, Place
from forge_assets.documentation.drafts import Draft, at_least, cell, course, number, some_works, step, sure, years
from forge_assets.documentation.facts import Entry, SlotFacts, Together, Typical
from forge_assets.documentation.neighbourhood import neighbourhood
from forge_assets.documentation.quotes import Quote
from forge_assets.documentation.selection import VARIETY, Picked, Pool
from forge_assets.documentation.subjects import CANDIDATE
from forge_assets.documentation.volume import DISAGREE, Cell, Links, Note, PageKind

SECTIONS = (
    ("What it is", "definition", 4),
    ("How it works and where it is used", "mechanism", 6),
    ("In practice", "advice", 4),
    ("Results", "result", 7),
    ("Compared with others", "comparison", 6),
    ("Limitations", "limitation", 6),
)
VARIETIES = {"definition": 0.25}
"""Definitions may be alike: what is unlike all others means another thing of that name."""
VALUES, EDGES, COMPANIONS, CLAIMS, FEWEST_TOGETHER = 12, 14, 12, 3, 5
"""The most rows of each table, and claims cited for one relation; the fewest works that name two components which are used together."""


@dataclass(frozen=True, slots=True)
class Subject:
    """All that the page of a component or candidate is made of."""

    entry: Entry
    quotes: Sequence[Quote]
    typical: Sequence[Typical] = ()
    edges: Sequence[Edge] = ()
    together: Sequence[Together] = ()

    @property
    def candidate(self) -> bool:
        return self.entry.subject.startswith(CANDIDATE)

    def places(self) -> Iterator[Place]:
        """Where the table cells' values and claims stand."""
        for one in self.typical[:VALUES]:
            for document, start, end, _ in one.sources:
                yield document, start, end
        for edge in self.edges[:EDGES]:
            yield from (place for one in claims_of(edge) if (place := place_of(one)))


def claims_of(edge: Edge) -> list[Evidence]:
    """The strongest sentences for an edge and against it."""
    told = [one for one in edge.evidence if one.document is not None and one.origin == "claim"]
    return [one for one in told if one.supports][:CLAIMS] + [one for one in told if not one.supports][:CLAIMS]


def place_of(one: Evidence) -> Place | None:
    if one.document is None or one.start is None or one.end is None:
        return None
    return one.document, one.start, one.end


def subject_of(facts: SlotFacts, id_: str, quotes: Sequence[Quote]) -> Subject:
    return Subject(facts.entries[id_], quotes, facts.typical.get(id_, ()), facts.edges.get(id_, ()), facts.together.get(id_, ()))


def choose(subject: Subject, about: str) -> dict[str, list[Picked]]:
    """Section -> chosen sentences; what says the same is told once on the whole page."""
    pool = Pool(subject.quotes, about)
    advice = [
        number for number, one in enumerate(pool.quotes) if one.advice and one.role in ("result", "mechanism", "limitation", "parameter")
    ]
    chosen = {
        key: pool.pick(most, advice if key == "advice" else pool.where(role=key), VARIETIES.get(key, VARIETY)) for _, key, most in SECTIONS
    }
    return chosen | {"parameter": pool.pick(4, pool.where(role="parameter"))}


def about_of(subject: Subject, facts: SlotFacts) -> str:
    """The words that sentences about it share: its names and what the ontology says of it."""
    component = facts.components.get(subject.entry.subject)
    slot = facts.ontology.slots[facts.slot]
    return f"{subject.entry.name} {component.description if component else slot.description}"


def draft(
    subject: Subject, facts: SlotFacts, titles: Mapping[UUID, Found], found: Mapping[Place, Found], pages: Mapping[str, str]
) -> Draft:
    """`pages`: component -> id of its page, for links."""
    entry = subject.entry
    kind: PageKind = "candidate" if subject.candidate else "component"
    title = entry.name[:1].upper() + entry.name[1:] if subject.candidate else entry.name
    chosen = choose(subject, about_of(subject, facts))
    made = Draft(pages[entry.subject], kind, title, _summary(subject, facts))
    _opening(made, subject, facts, titles, pages)
    for section, key, _ in SECTIONS:
        made.quote(section, chosen[key])
        if key == "mechanism":
            _settings(made, subject, facts, found, chosen["parameter"])
        if key == "comparison":
            _claims(made, subject, facts, found, pages, headed=bool(chosen[key]))
            _company(made, subject, facts, pages)
    _family(made, subject, facts, pages)
    return made


def _summary(subject: Subject, facts: SlotFacts) -> str:
    entry = subject.entry
    told = [facts.ontology.slots[facts.slot].title, f"named by {some_works(entry.works)}"]
    if span := years(entry.first_year, entry.latest_year):
        told.append(span)
    return ("Candidate · " if subject.candidate else "") + " · ".join(told)


def _opening(made: Draft, subject: Subject, facts: SlotFacts, titles: Mapping[UUID, Found], pages: Mapping[str, str]) -> None:
    entry = subject.entry
    if subject.candidate:
        made.blocks.append(Note(
            text="Candidate: works bring this name up, and nobody has accepted it as a component yet. `forge components accept` or "
                "`reject` decides.",
            tone="warning",
        ))  # fmt: skip
    else:
        component = facts.components[entry.subject]
        made.blocks.append(Note(text=f"In Forge's ontology, which is no source: {component.description}"))
    made.table("At a glance", ("Property", "Value"), list(_glance(made, subject, facts, titles, pages)))


def _glance(
    made: Draft, subject: Subject, facts: SlotFacts, titles: Mapping[UUID, Found], pages: Mapping[str, str]
) -> Iterator[tuple[Cell, Cell]]:
    entry = subject.entry
    yield cell("Slot"), cell(facts.ontology.slots[facts.slot].title)
    component = facts.components.get(entry.subject)
    if component and component.parent and component.parent in facts.ontology.components:
        yield cell("Kind of"), cell(facts.ontology.components[component.parent].name, page=pages.get(component.parent))
    if component:
        aliases = list(dict.fromkeys(one.text for one in component.aliases if one.text != component.name))
        if aliases:
            yield cell("Also written"), cell(", ".join(aliases[:8]))
    if component and component.introduced:
        work = component.introduced
        yield cell("Introduced by, as the ontology says"), cell(f"{work.title} ({work.year})")
    if entry.introducing is not None and entry.introducing in titles:
        one = titles[entry.introducing]
        yield cell("Introducing work in the corpus"), cell(" ".join(one.text.split()), citations=made.cite([one]))
    yield cell("Named by"), cell(some_works(entry.works))
    if entry.slot_share is not None:
        yield cell("Evidence that it fills this slot"), cell(f"{round(10 * entry.slot_share):d} in 10")
    if entry.used is not None:
        yield cell("Used or introduced by"), cell(some_works(entry.used))
    if entry.trend is not None:
        yield cell("Trend of its share of works"), cell(course(entry.trend))
    if (most := peak(entry)) is not None:
        yield cell("Most works in"), cell(str(most))
    if component and component.inputs:
        yield cell("Takes"), cell(", ".join(component.inputs))
    if component and component.outputs:
        yield cell("Gives"), cell(", ".join(component.outputs))


def _settings(made: Draft, subject: Subject, facts: SlotFacts, found: Mapping[Place, Found], said: Sequence[Picked]) -> None:
    rows = [row for one in subject.typical[:VALUES] if (row := value_row(made, one, facts, found))]
    if not rows and not said:
        return
    made.heading("Settings")
    made.table(
        "Values that works state", ("Parameter", "Works", "Quartiles", "Range", "Stated values"), rows,
        "One voice per work. Where works state different values, all that are cited stand there; none is averaged.",
    )  # fmt: skip
    made.quote(None, said)


def value_row(made: Draft, one: Typical, facts: SlotFacts, found: Mapping[Place, Found]) -> list[Cell] | None:
    """A parameter of a component: how many works state it, its quartiles, and values with their places."""
    there = [(found[place], value) for document, start, end, value in one.sources if (place := (document, start, end)) in found]
    if not there:
        return None
    parameter = facts.ontology.parameters.get(one.parameter)
    title = parameter.title if parameter else one.parameter
    unit = f" {one.unit}" if one.unit else ""
    stated = list(dict.fromkeys(" ".join(place.text.split()) for place, _ in there))
    differ = len({str(value) for _, value in there}) > 1
    middle = " – ".join(number(value) for value in one.quartiles[1:4]) + unit if one.quartiles and one.works > 2 else ""
    reach = (
        f"{number(one.quartiles[0])} to {number(one.quartiles[-1])}{unit}"
        if one.quartiles and one.works > 1 and one.quartiles[0] != one.quartiles[-1]
        else ""
    )
    if not one.quartiles:
        middle = ", ".join(f"{word} ({at_least(count)})" for word, count in one.words[:4])
    text = (DISAGREE if differ else "") + "; ".join(stated)
    return [cell(title), cell(at_least(one.works)), cell(middle), cell(reach),
            cell(text, citations=made.cite(place for place, _ in there), disagree=differ)]  # fmt: skip


def _claims(
    made: Draft, subject: Subject, facts: SlotFacts, found: Mapping[Place, Found], pages: Mapping[str, str], *, headed: bool
) -> None:
    rows = []
    for edge in subject.edges[:EDGES]:
        row = claim_row(made, edge, subject.entry.subject, facts, found, pages)
        if row:
            rows.append(row)
    if rows and not headed:
        made.heading("Compared with others")
    made.table(
        "What works claim of it and others", ("Relation", "Other", "Works for it", "Works against it", "Confidence"), rows,
        "Confidence is the share of further independent works expected to agree; 0.5 is no opinion.",
    )  # fmt: skip


def claim_row(
    made: Draft, edge: Edge, id_: str, facts: SlotFacts, found: Mapping[Place, Found], pages: Mapping[str, str]
) -> list[Cell] | None:
    """A claimed relation seen from one end, with the sentences for it and against it; None where none of them is there any more."""
    told = [(one, place) for one in claims_of(edge) if (place := place_of(one)) in found]
    support = [found[place] for one, place in told if one.supports and place]
    against = [found[place] for one, place in told if not one.supports and place]
    if not support:
        return None
    forward = edge.key.subject == id_
    other = edge.key.object if forward else edge.key.subject
    verb = (
        TITLES[edge.key.relation]
        if forward or edge.key.relation in ("composes_with", "alternative_to", "conflicts_with")
        else _PASSIVE[edge.key.relation]
    )
    return [
        cell(verb), cell(facts.name(other), page=pages.get(other)),
        cell(at_least(edge.supporting_works), citations=made.cite(support)),
        cell(at_least(edge.contradicting_works), citations=made.cite(against), disagree=bool(against)),
        cell(sure(edge.confidence)),
    ]  # fmt: skip


_PASSIVE = {"requires": "is required by", "supersedes": "is superseded by", "improves_on": "is improved on by"}


def _company(made: Draft, subject: Subject, facts: SlotFacts, pages: Mapping[str, str]) -> None:
    """Compatible and used together are two things: the one is claimed, derived or decided, the other only counted."""
    stands: dict[str, tuple[str, float]] = {}
    for edge in subject.edges:
        other = edge.key.object if edge.key.subject == subject.entry.subject else edge.key.subject
        if edge.key.relation in _COMPATIBLE and set(edge.origins) - {"statistics"} and edge.confidence > NO_OPINION and other not in stands:
            scope = f", {edge.scope_told}" if edge.scope_told else ""
            stands[other] = f"{_COMPATIBLE[edge.key.relation]} ({sure(edge.confidence)}{scope})", edge.confidence
    counts = companions(subject)
    others = [*list(stands)[:COMPANIONS], *sorted(counts - stands.keys())]
    rows = [
        [
            cell(facts.name(other), page=pages.get(other)),
            cell(stands[other][0] if other in stands else "nothing is claimed"),
            cell("often" if other in counts else ""),
        ]
        for other in others
    ]
    if not rows:
        return
    made.heading("Beside other components")
    made.table(
        "Compatible, and used together", ("Component", "Compatible", "Used together"), rows,
        "Compatible: what works claim, code enforces or people decided. Used together: more works name both than by chance; that is "
        "no sign that they fit. How many stands in the figures of the volume.",
    )  # fmt: skip
    figure = neighbourhood(subject.entry.subject, subject.edges, facts.ontology)
    if figure is not None:
        made.blocks.append(figure)


def companions(subject: Subject) -> set[str]:
    """The components that it is most clearly used together with."""
    return {one.other for one in subject.together if one.works >= FEWEST_TOGETHER}.intersection(
        one.other for one in subject.together[:COMPANIONS]
    )


_COMPATIBLE = {"composes_with": "yes, composes", "requires": "yes, one requires the other", "conflicts_with": "no, they conflict"}


def peak(entry: Entry) -> int | None:
    """The year of which most works name it, where works of three years do; years whose counts are alike count as the earliest of them."""
    known = {int(year): works for year, works in entry.years.items() if int(year) > 0}
    return min(known, key=lambda year: (-step(known[year]), year)) if len(known) >= 3 else None


def _family(made: Draft, subject: Subject, facts: SlotFacts, pages: Mapping[str, str]) -> None:
    component = facts.components.get(subject.entry.subject)
    if component is None:
        return
    near = [one.id for one in facts.components.values() if one.parent == component.id]
    if component.parent:
        near += [
            component.parent,
            *(one.id for one in facts.components.values() if one.parent == component.parent and one.id != component.id),
        ]
    shown = tuple((pages[id_], facts.name(id_)) for id_ in dict.fromkeys(near) if id_ in pages)
    if shown:
        made.blocks.append(Links(title="Of the same family", pages=shown[:16]))


def evidence(
    subject: Subject, facts: SlotFacts, titles: Mapping[UUID, Found], found: Mapping[Place, Found], pages: Mapping[str, str]
) -> Any:
    """All that the page depends on, as plain data: its state is the hash of it. Counts stand here as they are told, in steps."""
    entry = subject.entry
    component = facts.components.get(entry.subject)
    others = (
        {edge.key.subject for edge in subject.edges} | {edge.key.object for edge in subject.edges} | {one.other for one in subject.together}
    )
    return [
        asdict(component) if component else None,
        [entry.name, step(entry.works), None if entry.used is None else step(entry.used),
          None if entry.slot_share is None else round(10 * entry.slot_share), course(entry.trend), peak(entry), entry.first_year,
          entry.latest_year, str(entry.introducing)],
        titles[entry.introducing].text if entry.introducing is not None and entry.introducing in titles else None,
        [told_of(one) for one in subject.typical[:VALUES]],
        [(edge.key.id, sure(edge.confidence), step(edge.supporting_works), step(edge.contradicting_works), edge.origins)
         for edge in subject.edges],
        sorted(companions(subject)),
        [found[place].text if place in found else None for place in subject.places()],
        [one.mark for one in subject.quotes],
        sorted((id_, pages[id_]) for id_ in others if id_ in pages),
        sorted(one.id for one in facts.components.values() if component and one.id in pages and component.id in (one.parent, one.id)
               or component and component.parent and one.parent == component.parent and one.id in pages),
    ]  # fmt: skip


def told_of(one: Typical) -> list[Any]:
    """A parameter's values as pages tell them."""
    counts = [(word, step(count)) for word, count in one.words[:4]]
    return [one.component, one.parameter, one.unit, step(one.works), one.quartiles, counts, [str(source) for source in one.sources]]
