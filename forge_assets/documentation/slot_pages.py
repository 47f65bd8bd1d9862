"""The other pages of a slot's volume: survey, guide, timeline, parameters, open problems, glossary; the bibliography of any volume.

Each is a function of what it shows; a page comes about only above the floor that stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from forge_assets.documentation.citing import Found, Place, cite
from forge_assets.documentation.component_page import Subject, value_row
from forge_assets.documentation.drafts import Draft, at_least, cell, counted, course, step, times, trend, years
from forge_assets.documentation.facts import SlotFacts
from forge_assets.documentation.quotes import Quote
from forge_assets.documentation.selection import Pool
from forge_assets.documentation.shares import Shares
from forge_assets.documentation.subjects import CANDIDATE
from forge_assets.documentation.volume import Links, Note, Source

SURVEYED, ADVISED, SET, WATCHED, PROBLEMS, TERMS = 40, 40, 16, 24, 60, 400
YEARS_SHOWN, COMPANIONS = 8, 6
"""The latest years, each with a column of counts, and the others that a component is counted with."""


def works_of(quotes: Sequence[Quote]) -> int:
    return len({one.work for one in quotes})


def survey(id_: str, subjects: Sequence[Subject], quotes: Sequence[Quote], facts: SlotFacts, pages: Mapping[str, str]) -> Draft:
    """The slot at a glance: what there is, how it grew, and what is said of what has no page of its own."""
    slot = facts.ontology.slots[facts.slot]
    known = [one for one in subjects if not one.entry.subject.startswith(CANDIDATE)]
    made = Draft(
        id_,
        "survey",
        f"{slot.title}: survey",
        f"{counted(len(known), 'component')} that works name, {len(subjects) - len(known)} candidates",
    )
    made.blocks.append(Note(text=f"In Forge's ontology, which is no source: {slot.description}"))
    families = [
        one for one in known if one.entry.subject in pages and any(c.parent == one.entry.subject for c in facts.components.values())
    ]
    if families:
        rows = []
        for one in families[:20]:
            kinds = [c for c in facts.components.values() if c.parent == one.entry.subject and c.id in facts.entries]
            kinds.sort(key=lambda c: (-step(facts.entries[c.id].works), c.id))
            rows.append([cell(one.entry.name, page=pages.get(one.entry.subject)), cell(at_least(one.entry.works)),
                         cell(", ".join(f"{c.name} ({at_least(facts.entries[c.id].works)})" for c in kinds[:6]))])  # fmt: skip
        made.heading("Families")
        made.table("Families and their most named kinds", ("Family", "Works", "Kinds (works)"), rows)
    rising = sorted(
        (one for one in known if one.entry.trend is not None and one.entry.works >= 20),
        key=lambda one: (-round(4 * (one.entry.trend or 0)), one.entry.subject),
    )
    if len(rising) >= 4:
        made.heading("Rising and falling")
        rows = [[cell(one.entry.name, page=pages.get(one.entry.subject)), cell(course(one.entry.trend)), cell(at_least(one.entry.works))]
                for one in (rising if len(rising) <= 12 else [*rising[:8], *rising[-4:]])]  # fmt: skip
        made.table("Growth of the share of works", ("Component", "Trend", "Works"), rows, "Of components that 20 works or more name.")
    pool = Pool(quotes, f"{slot.title} {slot.description}")
    for title, role in (("Kinds without a page of their own", "definition"), ("How they work", "mechanism"), ("Results", "result"),
                        ("Comparisons", "comparison"), ("Limitations", "limitation")):  # fmt: skip
        made.quote(title, pool.pick(SURVEYED // 3 if role == "definition" else SURVEYED // 5, pool.where(role=role)))
    made.blocks.append(_pages_of(subjects, facts, pages))
    return made


def _pages_of(subjects: Sequence[Subject], facts: SlotFacts, pages: Mapping[str, str]) -> Links:
    shown = [(pages[one.entry.subject], one.entry.name) for one in subjects if one.entry.subject in pages]
    return Links(title="Pages of this volume", pages=tuple(shown[:120]))


def guide(id_: str, subjects: Sequence[Subject], shares: Shares, facts: SlotFacts, found: Mapping[Place, Found],
          pages: Mapping[str, str]) -> Draft:  # fmt: skip
    """How to fill the slot: what it joins to, what most works use, what they set, what they advise, and what they warn of."""
    slot = facts.ontology.slots[facts.slot]
    made = Draft(
        id_, "guide", f"How to choose and set up: {slot.title.lower()}", f"options, settings and advice for the slot {slot.title.lower()}"
    )
    made.heading("1. What it has to fit")
    made.table("Ports of the slot", ("Takes", "Gives", "Needed by every trainable language model"),
               [[cell(", ".join(slot.inputs) or "nothing"), cell(", ".join(slot.outputs) or "nothing"),
                 cell("yes" if slot.core else "no")]],
               "As Forge's ontology has it.")  # fmt: skip
    used = sorted((one for one in subjects if one.entry.used), key=lambda one: (-step(one.entry.used or 0), one.entry.subject))[:12]
    if used:
        made.heading("2. What works use")
        rows = [[cell(one.entry.name, page=pages.get(one.entry.subject)), cell(at_least(one.entry.used or 0)),
                 cell(course(one.entry.trend)), cell(years(one.entry.first_year, one.entry.latest_year))] for one in used]  # fmt: skip
        made.table("The most used", ("Component", "Used by works", "Trend", "Years"), rows, "Most used is not best: see the comparison.")
    rows = []
    for one in subjects[:25]:
        for value in one.typical[:2]:
            row = value_row(made, value, facts, found)
            if row:
                rows.append([cell(one.entry.name, page=pages.get(one.entry.subject)), *row])
    settings = Pool(shares.settings, f"{slot.title} {slot.description}").pick(SET)
    if rows or settings:
        made.heading("3. What works set")
        made.table("Stated settings", ("Component", "Parameter", "Works", "Quartiles", "Range", "Stated values"), rows[:20],
                   "One voice per work; where sources disagree, all that are cited stand there.")  # fmt: skip
        made.quote(None, settings)
    advice = Pool(shares.guide, f"{slot.title} {slot.description} should recommended important choice practice").pick(ADVISED)
    for title, picked in (("4. What works advise", advice),
                          ("5. What works warn of", Pool(shares.pitfalls, f"{slot.title} {slot.description}").pick(WATCHED))):  # fmt: skip
        if picked:
            made.heading(title)
        for name in dict.fromkeys(one.quote.subject for one in picked):
            made.heading(facts.name(name), 3)
            made.quote(None, [one for one in picked if one.quote.subject == name])
    return made


def timeline(id_: str, subjects: Sequence[Subject], facts: SlotFacts, titles: Mapping[UUID, Found], pages: Mapping[str, str]) -> Draft:
    """When components came up: the year of the introducing work, and of the first work of the corpus that names them."""
    slot = facts.ontology.slots[facts.slot]
    rows = []
    for one in subjects:
        component = facts.components.get(one.entry.subject)
        introduced = component.introduced if component else None
        year = introduced.year if introduced else one.entry.first_year
        if component is None or not year:
            continue
        there = titles.get(one.entry.introducing) if one.entry.introducing else None
        title = (
            cell(" ".join(there.text.split()), citations=made_of(there))
            if there
            else cell(f"{introduced.title} (not in the corpus)" if introduced else "")
        )
        rows.append((year, -step(one.entry.works), one, title, there))
    rows.sort(key=lambda row: (row[0], row[1], row[2].entry.subject))
    made = Draft(
        id_, "timeline", f"{slot.title}: timeline", f"{counted(len(rows), 'component')} from {rows[0][0]} to {rows[-1][0]}" if rows else ""
    )
    made.works = {str(row[4].work) for row in rows if row[4]}
    decades: dict[str, list[list[object]]] = {}
    for year, _, one, title, _ in rows:
        decade = "Before 1990" if year < 1990 else str(year) if year >= 2015 else f"{year // 5 * 5}–{year // 5 * 5 + 4}"
        decades.setdefault(decade, []).append([
            cell(str(year)), cell(one.entry.name, page=pages.get(one.entry.subject)), title, cell(at_least(one.entry.works)),
            cell("" if not one.entry.first_year else str(one.entry.first_year)),
        ])  # fmt: skip
    for decade, some in decades.items():
        made.heading(decade)
        made.table(f"Introduced {decade.lower() if decade.startswith('Before') else 'in ' + decade}",
                   ("Year", "Component", "Introducing work", "Works", "First named in the corpus"), some)  # type: ignore[arg-type]  # fmt: skip
    return made


def made_of(found: Found) -> tuple[object, ...]:
    return (found.citation,)


def parameters(id_: str, subjects: Sequence[Subject], facts: SlotFacts, found: Mapping[Place, Found], pages: Mapping[str, str]) -> Draft:
    """Parameter by parameter: what works state for each component, with quartiles and places."""
    slot = facts.ontology.slots[facts.slot]
    by_parameter: dict[str, list[tuple[Subject, object]]] = {}
    for one in subjects:
        for value in one.typical:
            by_parameter.setdefault(value.parameter, []).append((one, value))
    made = Draft(id_, "parameters", f"{slot.title}: parameters", f"{counted(len(by_parameter), 'parameter')} that works state values of")
    for parameter, some in sorted(by_parameter.items(), key=lambda item: (-step(sum(value.works for _, value in item[1])), item[0])):  # type: ignore[attr-defined]
        known = facts.ontology.parameters.get(parameter)
        rows = [[cell(one.entry.name, page=pages.get(one.entry.subject)), *row[1:]] for one, value in some
                if (row := value_row(made, value, facts, found))]  # type: ignore[arg-type]  # fmt: skip
        if rows:
            made.heading(known.title if known else parameter)
            limits = (
                ""
                if known is None or known.low is None
                else f"Plausible in general: {known.low:g} to {known.high:g}{' ' + known.unit if known.unit else ''}. "
            )
            made.table(f"{known.title if known else parameter} by component",
                       ("Component", "Works", "Quartiles", "Range", "Stated values"), rows,
                       f"{limits}One voice per work; where sources disagree, all that are cited stand there.")  # fmt: skip
    return made


def problems(id_: str, quotes: Sequence[Quote], facts: SlotFacts) -> Draft:
    """What works call open, unclear, unexplored or limited, the best sentence of each component."""
    slot = facts.ontology.slots[facts.slot]
    picked = Pool(quotes, f"{slot.title} open problem remains unclear challenge").pick(PROBLEMS)
    made = Draft(id_, "problems", f"{slot.title}: open problems", f"{counted(len(picked), 'sentence')} on what is not solved")
    recent = [one for one in picked if (one.quote.year or 0) >= 2023]
    made.quote("Since 2023", recent)
    made.quote("Before", [one for one in picked if one not in recent])
    return made


def glossary(id_: str, subjects: Sequence[Subject], definitions: Mapping[str, Quote], facts: SlotFacts, pages: Mapping[str, str]) -> Draft:
    """Each term with the best sentence that says what it is."""
    slot = facts.ontology.slots[facts.slot]
    rows = []
    made = Draft(id_, "glossary", f"{slot.title}: glossary", "")
    for one in sorted(subjects, key=lambda one: one.entry.name.lower())[:TERMS]:
        quote = definitions.get(one.entry.subject)
        if quote is None:
            continue
        component = facts.components.get(one.entry.subject)
        also = list(dict.fromkeys(alias.text for alias in component.aliases if alias.text != component.name))[:4] if component else []
        made.works.add(str(quote.work))
        rows.append([cell(one.entry.name, page=pages.get(one.entry.subject)), cell(", ".join(also)),
                     cell(quote.text, citations=(cite(*quote.place, quote.text, quote.passage),))])  # fmt: skip
    made.summary = counted(len(rows), "term")
    made.table("Terms", ("Term", "Also written", "A work says"), rows, "Word for word; the citation is the source.")
    return made


def counts(id_: str, subjects: Sequence[Subject], facts: SlotFacts, pages: Mapping[str, str]) -> Draft:
    """How many works name each component, to the work and by year: the page that every night makes anew, so that the others can stay."""
    slot = facts.ontology.slots[facts.slot]
    made = Draft(
        id_, "counts", f"{slot.title}: in figures", f"works that name {counted(len(subjects), 'component')} and candidates, by year"
    )
    known = {int(year) for one in subjects for year in one.entry.years if int(year) > 0}
    shown = sorted(known)[-YEARS_SHOWN:]
    earlier = f"before {shown[0]}" if shown else ""
    rows = []
    for one in sorted(subjects, key=lambda one: (one.entry.subject.startswith(CANDIDATE), -one.entry.works, one.entry.subject)):
        by_year = {int(year): works for year, works in one.entry.years.items()}
        before = sum(works for year, works in by_year.items() if shown and 0 < year < shown[0])
        rows.append([cell(one.entry.name, page=pages.get(one.entry.subject)), cell(f"{one.entry.works:,}"),
                     cell("" if one.entry.used is None else f"{one.entry.used:,}"), cell(trend(one.entry.trend)), cell(_some(before)),
                     *(cell(_some(by_year.get(year, 0))) for year in shown)])  # fmt: skip
    made.blocks.append(Note(
        text="Exact counts as they stand now; the other pages tell them in steps (10+, 15+, 20+, 30+, 50+, 70+, 100+, ...), so that they "
        "change when something is said, and not with every work that is read."
    ))  # fmt: skip
    made.table("Works, to the work", ("Component", "Works", "Used in", "Trend", earlier, *map(str, shown)), rows,
               "Works: those that name it. Used in: those that use or introduce it. Trend: yearly growth of its share.")  # fmt: skip
    together = [[cell(one.entry.name, page=pages.get(one.entry.subject)), cell(facts.name(other.other), page=pages.get(other.other)),
                 cell(f"{other.works:,}"), cell(times(other.lift))]
                for one in subjects for other in one.together[:COMPANIONS]]  # fmt: skip
    if together:
        made.heading("Used together")
        made.table("Works that name both", ("Component", "Other", "Works", "Times as many as by chance"), together,
                   "Only counted: no sign that they fit.")  # fmt: skip
    return made


def _some(number: int) -> str:
    return f"{number:,}" if number else ""


def bibliography(volume: str, title: str, sources: Sequence[Source]) -> Draft:
    """The documents that the volume cites, as its BibTeX file has them."""
    made = Draft(f"{volume}/bibliography", "bibliography", f"{title}: bibliography", counted(len(sources), "document"))
    made.works = {one.work_id for one in sources}
    rows = [[cell(one.bibtex_key), cell(", ".join(one.authors[:6])), cell(one.title), cell(str(one.year or "")), cell(one.venue),
             cell(one.url or "")] for one in sources]  # fmt: skip
    made.table("Cited documents", ("Key", "Authors", "Title", "Year", "Venue", "Where"), rows, "The same list as BibTeX: bibliography.bib.")
    return made
