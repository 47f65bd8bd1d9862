"""The volume of a coarse topic: a survey of each of its topics by their phrases, what is open in them, and what they came to over
the years.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from forge_assets.components.ontology.model import Ontology
from forge_assets.documentation.citing import Found, titles
from forge_assets.documentation.drafts import Draft, cell, counted, some_works, step, times
from forge_assets.documentation.plans import VolumePlan
from forge_assets.documentation.quotes import Quote
from forge_assets.documentation.selection import Picked, Pool
from forge_assets.documentation.slot_pages import YEARS_SHOWN, works_of
from forge_assets.documentation.topic_sentences import SUBJECT, TopicWork, sentences, works
from forge_assets.documentation.volume import Links, Missing, Note
from forge_resources.database import Database

PREFIX = "topic-"
ROLES = {"definition": 0, "mechanism": 1, "parameter": 2, "result": 3, "comparison": 4, "limitation": 5}
PER_PHRASE, OPEN, TYPICAL, TOOLS = 7, 24, 10, 14
"""Sentences of a phrase, open problems, works nearest to the middle, components."""
GROUPS = """SELECT t.topic_id, t.label, t.works FROM topic t WHERE t.ended_fit IS NULL AND t.label IS NOT NULL AND (t.level = 2
    OR t.level = 1 AND NOT EXISTS (SELECT FROM topic g WHERE g.level = 2 AND g.ended_fit IS NULL)) ORDER BY t.topic_id"""
MEMBERS = """SELECT topic_id, label, works, phrases FROM topic WHERE ended_fit IS NULL AND label IS NOT NULL
    AND (parent = :group OR topic_id = :group AND level = 1) ORDER BY works DESC, topic_id"""
YEARS = """SELECT w.year, count(*) AS works FROM work_topic m JOIN work w USING (work_id) WHERE m.topic_id = :topic AND w.year IS NOT NULL
    GROUP BY w.year ORDER BY w.year"""
COMPONENTS = """SELECT x.component, count(DISTINCT m.work_id) AS works FROM work_topic m JOIN work_document w USING (work_id)
    JOIN mention x ON x.document_id = w.document_id AND NOT x.negated WHERE m.topic_id = :topic GROUP BY x.component
    HAVING count(DISTINCT m.work_id) >= 5"""
NAMED = "SELECT component, works FROM catalogue_entry"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic with its works by year, the components that they name (how many, how many times as many as elsewhere), and its sentences."""

    id: int
    label: str
    works: int
    phrases: tuple[str, ...]
    years: tuple[tuple[int, int], ...]
    components: tuple[tuple[str, int, float], ...]
    quotes: tuple[Quote, ...]
    nearest: tuple[TopicWork, ...]


def groups(db: Database) -> dict[str, tuple[int, str]]:
    """Volume -> (topic, label) of the coarse topics that live."""
    with db.begin() as connection:
        return {f"{PREFIX}{row.topic_id}": (row.topic_id, row.label) for row in connection.execute(sa.text(GROUPS))}


class TopicVolume:
    def __init__(
        self, db: Database, ontology: Ontology, volume: str, group: int, label: str, pages: Mapping[str, str], fewest: int
    ) -> None:
        self.volume, self.label, self.ontology, self.pages, self.fewest = volume, label, ontology, pages, fewest
        with db.begin() as connection:
            members = connection.execute(sa.text(MEMBERS), {"group": group}).all()
            named = dict(connection.execute(sa.text(NAMED)).tuples().all())
            total = connection.execute(sa.text("SELECT count(*) FROM work")).scalar_one()
        self.topics = [self._topic(db, row, named, total) for row in members]
        nearest = {one.document for topic in self.topics for one in topic.nearest[:TYPICAL]}
        self.titles: Mapping[Any, Found] = titles(db, nearest)

    def _topic(self, db: Database, row: Any, named: Mapping[str, int], total: int) -> Topic:
        with db.begin() as connection:
            years = tuple((one.year, one.works) for one in connection.execute(sa.text(YEARS), {"topic": row.topic_id}))
            counts = connection.execute(sa.text(COMPONENTS), {"topic": row.topic_id}).all()
        lifts = [(one.component, one.works, one.works * total / max(1, named.get(one.component, 1) * row.works)) for one in counts]
        chosen = sorted(
            (one for one in lifts if one[2] >= 2 and one[0] in self.ontology.components),
            key=lambda one: (-round(math.log2(one[1] * min(one[2], 20))), one[0]),
        )
        phrases = tuple(str(phrase) for phrase, _ in row.phrases)
        read = works(db, row.topic_id)
        return Topic(
            row.topic_id, row.label, row.works, phrases, years, tuple(chosen[:TOOLS]), tuple(sentences(read, phrases)), tuple(read)
        )

    def plan(self) -> VolumePlan:
        made = VolumePlan(self.volume, self.label, "topic")
        pages = [(f"{self.volume}/survey-{topic.id}", topic) for topic in self.topics]
        listed = tuple((id_, topic.label) for id_, topic in pages if works_of(topic.quotes) >= self.fewest)
        for id_, topic in pages:
            if works_of(topic.quotes) < self.fewest:
                reason = f"sentences of {counted(works_of(topic.quotes))} can be quoted; a page needs {self.fewest}"
                made.missing.append(Missing(name=topic.label, reason=reason))
                continue
            marks = [one.mark for one in topic.quotes]
            told = [topic.label, step(topic.works), topic.phrases, [(c, _often(x)) for c, _, x in topic.components], listed,
                    [self.pages.get(c) for c, _, _ in topic.components], self._typical(topic)]  # fmt: skip
            made.add(id_, [told, marks], lambda id_=id_, topic=topic: self._survey(id_, topic, listed))  # type: ignore[misc]
            unsolved = [one for one in topic.quotes if one.open]
            if works_of(unsolved) >= self.fewest:
                id_ = f"{self.volume}/problems-{topic.id}"
                made.add(id_, [topic.label, [one.mark for one in unsolved]],
                         lambda id_=id_, topic=topic, unsolved=unsolved: _problems(id_, topic, unsolved))  # type: ignore[misc]  # fmt: skip
        if listed:
            made.add(
                f"{self.volume}/counts",
                [[topic.label, topic.works, topic.years, topic.components] for topic in self.topics] + [listed],
                lambda: self._counts(dict(listed)),
            )
        return made

    def _counts(self, listed: Mapping[str, str]) -> Draft:
        """The exact counts, which the other pages tell in steps."""
        made = Draft(
            f"{self.volume}/counts", "counts", f"{self.label}: in figures", f"works of {counted(len(self.topics), 'topic')}, by year"
        )
        shown = sorted({year for topic in self.topics for year, _ in topic.years})[-YEARS_SHOWN:]
        rows = []
        for topic in self.topics:
            by_year = dict(topic.years)
            counts = [cell(f"{by_year[year]:,}" if year in by_year else "") for year in shown]
            page = f"{self.volume}/survey-{topic.id}"
            rows.append([cell(topic.label, page=page if page in listed else None), cell(f"{topic.works:,}"), *counts])
        made.table("Works, to the work", ("Topic", "Works", *map(str, shown)), rows)
        named = [[cell(topic.label), cell(self.ontology.components[one].name, page=self.pages.get(one)), cell(f"{count:,}"),
                  cell(times(lift))]
                 for topic in self.topics for one, count, lift in topic.components]  # fmt: skip
        made.table("Components that works of a topic name", ("Topic", "Component", "Works", "Times as often as in all works"), named)
        return made

    def _typical(self, topic: Topic) -> list[str]:
        return [self.titles[one.document].text for one in topic.nearest[:TYPICAL] if one.document in self.titles]

    def _survey(self, id_: str, topic: Topic, listed: Sequence[tuple[str, str]]) -> Draft:
        made = Draft(id_, "survey", topic.label, f"a topic of {some_works(topic.works)}")
        made.blocks.append(
            Note(
                text=f"A topic of {some_works(topic.works)}, found by likeness of their titles and texts; "
                f"its phrases are: {', '.join(topic.phrases[:8])}."
            )
        )
        solved = [one for one in topic.quotes if not one.open]
        pool = Pool(solved, f"{topic.label} {' '.join(topic.phrases)}")
        for phrase in topic.phrases:
            picked = pool.pick(PER_PHRASE, [number for number, one in enumerate(solved) if one.subject == SUBJECT + phrase])
            made.quote(phrase[:1].upper() + phrase[1:], _ordered(picked))
        self._tables(made, topic)
        others = tuple(one for one in listed if one[0] != id_)
        if others:
            made.blocks.append(Links(title="Other topics of this volume", pages=others))
        return made

    def _tables(self, made: Draft, topic: Topic) -> None:
        if topic.components:
            made.heading("Components that its works name")
            made.table("Named more often than elsewhere", ("Component", "Named"), [
                [cell(self.ontology.components[one].name, page=self.pages.get(one)), cell(_often(lift))]
                for one, _, lift in topic.components
            ], "Only counted: that works of a topic name a component does not say that it fits.")  # fmt: skip
        rows = [[cell(" ".join(found.text.split()), citations=made.cite([found])), cell(str(found.year or ""))]
                for one in topic.nearest[:TYPICAL] if (found := self.titles.get(one.document))]  # fmt: skip
        if rows:
            made.heading("Typical works")
            made.table("The works nearest to the topic's middle", ("Work", "Year"), rows)


def _often(lift: float) -> str:
    return "ten times as often as elsewhere, or more" if lift >= 10 else "more often than elsewhere"


def _ordered(picked: Sequence[Picked]) -> list[Picked]:
    """What it is first, then how it works, results, limits; those of a role as they were picked."""
    return sorted(picked, key=lambda one: ROLES[one.quote.role])


def _problems(id_: str, topic: Topic, quotes: Sequence[Quote]) -> Draft:
    picked = Pool(quotes, f"{topic.label} open problem remains unclear challenge").pick(OPEN)
    made = Draft(id_, "problems", f"{topic.label}: open problems", f"{counted(len(picked), 'sentence')} on what is not solved")
    made.quote("What works call open", sorted(picked, key=lambda one: -(one.quote.year or 0)))
    return made
