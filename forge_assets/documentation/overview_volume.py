"""The overview: which volumes there are, what they lack, the hierarchy of the whole infrastructure, and parameters over all slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from forge_assets.components.ontology.model import Ontology
from forge_assets.documentation.citing import Found, Place, places
from forge_assets.documentation.component_page import value_row
from forge_assets.documentation.drafts import Draft, at_least, cell, counted, number, step
from forge_assets.documentation.hierarchy import files, reading
from forge_assets.documentation.paged import Floors
from forge_assets.documentation.plans import VolumePlan, volume_of
from forge_assets.documentation.subjects import CANDIDATE
from forge_assets.documentation.volume import DISAGREE, Code, Links, Missing, Note
from forge_resources.database import Database

VOLUME = "overview"
SHOWN, BY_COMPONENT = 60, 40
"""Values and components that the page of a parameter shows."""
OPTIONS, STATED = 10, 2
"""Components of a slot beside a file of the hierarchy, and parameters of each."""
FIRST = """SELECT DISTINCT ON (volume) volume, page FROM doc_page
    WHERE volume <> 'overview' AND kind IN ('survey', 'comparison', 'guide', 'component', 'bibliography')
    ORDER BY volume, array_position(ARRAY['survey', 'comparison', 'guide', 'component', 'bibliography'], kind), page"""
VOLUMES = "SELECT volume, kind, title, pages, sources, missing FROM doc_volume WHERE volume <> 'overview' ORDER BY kind, title"
KINDS = "SELECT kind, count(*) AS pages FROM doc_page WHERE volume <> 'overview' GROUP BY kind ORDER BY kind"
CORPUS = """SELECT (SELECT count(*) FROM document) AS documents, (SELECT count(*) FROM work) AS works,
    (SELECT min(year) FROM work WHERE year > 1900) AS first, (SELECT max(year) FROM work) AS latest"""
LANGUAGES = "SELECT coalesce(language, 'unknown') AS language, count(*) AS documents FROM document GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12"
VALUES = """SELECT DISTINCT ON (v.parameter, coalesce(w.work_id, v.document_id)) v.parameter, v.document_id, v.start, v."end", v.number,
        v.word,        coalesce(v.unit, '') AS unit, v.component, v.subject, coalesce(w.work_id, v.document_id) AS work, d.year
    FROM parameter_value v JOIN document d USING (document_id) LEFT JOIN work_document w USING (document_id)
    ORDER BY v.parameter, coalesce(w.work_id, v.document_id), v.document_id, v.start"""


class OverviewVolume:
    def __init__(self, db: Database, ontology: Ontology, pages: Mapping[str, str], floors: Floors) -> None:
        self.ontology, self.pages, self.floors = ontology, pages, floors
        with db.begin() as connection:
            self.volumes = connection.execute(sa.text(VOLUMES)).all()
            self.first = {row.volume: row.page for row in connection.execute(sa.text(FIRST))}
            self.kinds = connection.execute(sa.text(KINDS)).all()
            self.corpus = connection.execute(sa.text(CORPUS)).one()
            self.languages = connection.execute(sa.text(LANGUAGES)).all()
            stated: dict[str, list[Any]] = {}
            for row in connection.execute(sa.text(VALUES)):
                stated.setdefault(row.parameter, []).append(row)
        self.stated = {name: sorted(rows, key=lambda row: (-(row.year or 0), str(row.document_id))) for name, rows in stated.items()}
        wanted = {_place(row) for rows in self.stated.values() for row in rows[:SHOWN]}
        self.found: Mapping[Place, Found] = places(db, wanted)
        self.known = reading.known(db, ontology)
        self.files = files.files(self.known)

    def plan(self) -> VolumePlan:
        made = VolumePlan(VOLUME, "Overview", "overview")
        counts = [sorted(self.first.items()), *(list(row) for row in (*self.volumes, *self.kinds, self.corpus, *self.languages))]
        made.add(f"{VOLUME}/overview", counts, self._overview)
        for name, text in self.files.items():
            made.add(f"{VOLUME}/{_slug(name)}", [text, self._shown(name)], lambda name=name, text=text: self._file(name, text))  # type: ignore[misc]
        for name, parameter in self.ontology.parameters.items():
            rows = self.stated.get(name, [])
            if len(rows) < self.floors.subject:
                reason = f"{counted(len(rows))} state a value; a page needs {self.floors.subject}"
                made.missing.append(Missing(name=f"parameter {parameter.title}", reason=reason))
                continue
            told = [[str(row.document_id), row.start, row.number, row.word, row.unit, row.component, row.year] for row in rows]
            made.add(f"{VOLUME}/parameter-{name.replace('_', '-')}", [parameter.title, told],
                     lambda name=name, rows=rows: self._parameter(name, rows))  # type: ignore[misc]  # fmt: skip
        return made

    def _overview(self) -> Draft:
        made = Draft(f"{VOLUME}/overview", "overview", "Overview", f"{len(self.volumes)} volumes made of {counted(self.corpus.works)}")
        made.blocks.append(Note(
            text="Every sentence of these volumes stands word for word in a document of the corpus and carries its place there. "
            "What lacks evidence has no page and is listed as missing: in a corpus of this size the page of a component needs sentences of "
            f"{self.floors.subject} works, one of which says what it is or how it works, and a page on a whole slot or topic those of "
            f"{self.floors.together}. Tables count works, a work with several documents once."
        ))  # fmt: skip
        made.table(
            "The corpus",
            ("Documents", "Works", "Years"),
            [[cell(f"{self.corpus.documents:,}"), cell(f"{self.corpus.works:,}"), cell(f"{self.corpus.first}–{self.corpus.latest}")]],
        )
        for kind, title in (("slot", "Volumes of the infrastructure"), ("topic", "Volumes of topics")):
            rows = [[cell(row.title, page=self.first.get(row.volume)), *(cell(f"{n:,}") for n in (row.pages, row.sources, row.missing))]
                    for row in self.volumes if row.kind == kind]  # fmt: skip
            if rows:
                made.heading(title)
                made.table(title, ("Volume", "Pages", "Sources", "Without enough evidence"), rows)
        made.heading("Pages by kind")
        made.table("Pages by kind", ("Kind", "Pages"), [[cell(row.kind), cell(f"{row.pages:,}")] for row in self.kinds])
        made.heading("Languages")
        made.table("Documents by language", ("Language", "Documents"),
                   [[cell(row.language), cell(f"{row.documents:,}")] for row in self.languages],
                   "Quotes keep the language of their document; a sentence that is not English says so.")  # fmt: skip
        made.blocks.append(Links(title="The hierarchy", pages=tuple((f"{VOLUME}/{_slug(name)}", name) for name in self.files)))
        return made

    def _file(self, name: str, text: str) -> Draft:
        made = Draft(f"{VOLUME}/{_slug(name)}", "guide", name, "a file of the hierarchy: options and typical values with their sources")
        if name in files.PARTS:
            title, slots = files.PARTS[name]
            told = ", ".join(self.ontology.slots[slot].title.lower() for slot in slots)
            made.blocks.append(
                Note(text=f"{title}: what the corpus uses and states for {told}. `forge docs hierarchy --to FOLDER` writes the files.")
            )
            if shown := self._shown(name):
                made.blocks.append(Links(title="Told in", pages=shown))
            for slot in slots:
                self._options(made, slot)
            made.heading("The file")
        language = {"yaml": "yaml", "json": "json", "md": "markdown"}.get(name.rpartition(".")[2], "text")
        made.blocks.append(Code(caption=name, language=language, text=text))
        return made

    def _options(self, made: Draft, slot: str) -> None:
        """The options of a slot that most works use, with the works that introduced them and the values that works state."""
        facts = self.known.slots[slot]
        entries = [one for id_, one in facts.entries.items() if not id_.startswith(CANDIDATE)]
        rows = []
        for one in sorted(entries, key=lambda one: (-step(one.used or 0), -step(one.works), one.subject))[:OPTIONS]:
            title = self.known.titles.get(one.introducing) if one.introducing else None
            from_ = cell(" ".join(title.text.split()), citations=made.cite([title])) if title else cell("")
            values = [
                row for value in facts.typical.get(one.subject, ())[:STATED] if (row := value_row(made, value, facts, self.known.places))
            ]
            told = "; ".join(f"{row[0].text}: {row[-1].values}" for row in values)
            differ = any(row[-1].disagree for row in values)
            places = tuple(citation for row in values for citation in row[-1].citations)
            rows.append([cell(one.name, page=self.pages.get(one.subject)), cell(at_least(one.used or 0)), from_,
                         cell((DISAGREE if differ else "") + told, citations=places, disagree=differ)])  # fmt: skip
        if rows:
            made.heading(self.ontology.slots[slot].title)
            made.table(f"What works use for {self.ontology.slots[slot].title.lower()}",
                       ("Option", "Used by works", "Introduced in", "Stated values"), rows,
                       "The most used first; where sources disagree, all that are cited stand there.")  # fmt: skip

    def _shown(self, name: str) -> tuple[tuple[str, str], ...]:
        """Where the volumes of a file's slots begin."""
        _, slots = files.PARTS.get(name, ("", ()))
        return tuple((self.first[volume_of(slot)], self.ontology.slots[slot].title) for slot in slots if volume_of(slot) in self.first)

    def _parameter(self, name: str, rows: Sequence[Any]) -> Draft:
        parameter = self.ontology.parameters[name]
        made = Draft(f"{VOLUME}/parameter-{name.replace('_', '-')}", "parameters", f"Parameter: {parameter.title}",
                     f"{counted(len(rows))} state a value")  # fmt: skip
        made.table("Over all works", ("Unit", "Works", "Quartiles", "Range"), list(_spread(rows)),
                   "The first value that a work states is its voice." + _limits(parameter))  # fmt: skip
        made.table("By component", ("Component", "Works", "Quartiles", "Range"), list(self._by_component(rows)))
        shown = []
        for row in rows[:SHOWN]:
            found = self.found.get(_place(row))
            if found is not None:
                component = self.ontology.components.get(row.component) if row.component else None
                shown.append([cell(" ".join(found.text.split()), citations=made.cite([found])),
                              cell(component.name if component else row.subject or "",
                                   page=self.pages.get(row.component) if component else None),
                              cell(str(row.year or ""))])  # fmt: skip
        made.heading("Stated values")
        made.table(
            "The latest works that state it", ("Value as written", "Of", "Year"), shown, "Works state it of different models and settings."
        )
        return made

    def _by_component(self, rows: Sequence[Any]) -> Any:
        by: dict[str, list[Any]] = {}
        for row in rows:
            if row.component in self.ontology.components and row.number is not None:
                by.setdefault(row.component, []).append(row)
        for id_, some in sorted(by.items(), key=lambda item: (-len(item[1]), item[0]))[:BY_COMPONENT]:
            for _, works, middle, reach in _spread(some):
                yield [cell(self.ontology.components[id_].name, page=self.pages.get(id_)), works, middle, reach]


def _spread(rows: Sequence[Any]) -> Any:
    units: dict[str, list[float]] = {}
    for row in rows:
        if row.number is not None:
            units.setdefault(row.unit, []).append(row.number)
    for unit, values in sorted(units.items(), key=lambda item: (-len(item[1]), item[0])):
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
        yield [cell(unit), cell(f"{len(values):,}"), cell(f"{number(low)} – {number(middle)} – {number(high)}"),
               cell(f"{number(min(values))} to {number(max(values))}")]  # fmt: skip
    words: dict[str, int] = {}
    for row in rows:
        if row.number is None and row.word:
            words[row.word] = words.get(row.word, 0) + 1
    if words:
        told = ", ".join(f"{word} ({count})" for word, count in sorted(words.items(), key=lambda item: (-item[1], item[0]))[:12])
        yield [cell(""), cell(f"{sum(words.values()):,}"), cell(told), cell("")]


def _limits(parameter: Any) -> str:
    return "" if parameter.low is None else f" Plausible in general: {parameter.low:g} to {parameter.high:g}."


def _place(row: Any) -> Place:
    return row.document_id, row.start, row.end


def _slug(name: str) -> str:
    return "hierarchy-" + name.lower().replace(".", "-").replace("_", "-")
