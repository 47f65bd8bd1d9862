"""`forge eval components`: methods of Papers with Code in the article dumps: what the ontology has is found where it occurs, and what it
lacks comes back as a candidate, in the right slot.

Where a method occurs is told by `occurring`, without our matching. Only methods of collections that map to a slot are looked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from forge_assets.components.catalogue import lookup
from forge_assets.components.evaluation.articles import Articles, Say, articles
from forge_assets.components.evaluation.occurring import Occurring, kept
from forge_assets.components.evaluation.pwc_methods import Called, Method, components_of, read_methods
from forge_assets.components.lexicon import Lexicon, lexicon_of
from forge_assets.components.ontology.model import Component, Ontology
from forge_resources.database import Database
from forge_resources.settings import Settings

FETCH = 500
FEWEST_WORKS = 3
"""Works that an unseeded name has to occur in."""
TEXTS = """SELECT d.document_id, coalesce(m.work_id, d.document_id) AS work, d.text,
        ARRAY(SELECT DISTINCT component FROM mention x WHERE x.document_id = d.document_id) AS components
    FROM document d LEFT JOIN work_document m USING (document_id)"""


@dataclass(slots=True)
class Recall:
    """A method the ontology has: documents it occurs in, and those of them in which one of its components is mentioned."""

    method: Method
    occurs: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ComponentsReport:
    """`known`: one entry per method of the ontology that occurs. Unseeded names of FEWEST_WORKS works: how each came back."""

    methods: int
    known: list[Recall]
    unseeded: list[dict[str, Any]]

    def table(self) -> str:
        """For people, as plain text."""
        places, found = sum(one.occurs for one in self.known), sum(one.found for one in self.known)
        mean = sum(one.found / one.occurs for one in self.known) / max(1, len(self.known))
        back = [one for one in self.unseeded if one["came_back"]]
        slots = [one for one in back if one["slots"]]
        right = sum(one["slot"] in one["slots"] for one in slots)
        return "\n".join([
            f"{self.methods} methods of collections that map to a slot",
            f"names the ontology has: {len(self.known)} occur, in {places} documents; found in {found}: {found / max(1, places):.3f}; "
            f"mean over the names {mean:.3f}",
            f"names it lacks, in {FEWEST_WORKS} works or more: {len(self.unseeded)}; back as component or candidate {len(back)}: "
            f"{len(back) / max(1, len(self.unseeded)):.3f}",
            f"slot right in {right} of {len(slots)}: {right / max(1, len(slots)):.3f}",
        ])  # fmt: skip

    def errors(self) -> list[str]:
        """What was missed, for a person to read."""
        lines = [f"{one.method.name}: {one.found}/{one.occurs}, not in {', '.join(one.missed)}" for one in self.known if one.missed]
        lines += [f"{one['name']}: {one['works']} works, not back" for one in self.unseeded if not one["came_back"]]
        wrong = (one for one in self.unseeded if one["came_back"] and one["slot"] not in one["slots"])
        return lines + [f"{one['name']} as {one['came_back']}: slot {one['slot']}, not {', '.join(one['slots'])}" for one in wrong]


def evaluate_components(
    settings: Settings, ontology: Ontology, gold: Path | None, dumps: Path | None, folder: Path | None, records: int | None, say: Say
) -> ComponentsReport:
    """Raises SettingError where the data is not there."""
    methods = [method for method in read_methods(gold) if method.slots]
    with articles(settings, folder, dumps, records, {method.paper for method in methods if method.paper}, say) as corpus:
        corpus.read(ontology)
        return _measured(corpus, methods, lexicon_of(ontology), ontology)


def _measured(corpus: Articles, methods: Sequence[Method], lexicon: Lexicon, ontology: Ontology) -> ComponentsReport:
    corpus.say("looking where the methods occur")
    occurring = Occurring(methods, (name for one in ontology.components.values() for name in (one.name, *(a.text for a in one.aliases))))
    hits: list[tuple[str, Any, set[tuple[int, str | None]], frozenset[str]]] = []
    for row in _texts(corpus.db):
        if found := occurring.in_text(row.text):
            hits.append((str(row.document_id), row.work, found, frozenset(row.components)))
    meant = [components_of(method, lexicon) for method in methods]
    recalls = {place: Recall(method) for place, method in enumerate(methods) if meant[place]}
    works: dict[int, set[Any]] = defaultdict(set)
    for document, work, found, mentioned in hits:
        for place in kept(found, occurring):
            works[place].add(work)
            if place in recalls:
                _count(recalls[place], document, bool(meant[place] & mentioned))
    components = Called((c, [c.name, *(alias.text for alias in c.aliases)], None) for c in ontology.components.values())
    queue = Called((row, [row["name"], *row["aliases"]], row["long_form"]) for row in lookup.candidates(corpus.db))
    lacking = [place for place in sorted(works) if not meant[place] and len(works[place]) >= FEWEST_WORKS]
    unseeded = [_returned(methods[place], len(works[place]), components, queue) for place in lacking]
    return ComponentsReport(len(methods), [one for one in recalls.values() if one.occurs], unseeded)


def _texts(db: Database) -> Iterable[Any]:
    with db.engine.connect().execution_options(stream_results=True, yield_per=FETCH) as connection:
        yield from connection.execute(sa.text(TEXTS))


def _count(recall: Recall, document: str, found: bool) -> None:
    recall.occurs += 1
    recall.found += found
    if not found and len(recall.missed) < 3:
        recall.missed.append(document)


def _returned(method: Method, works: int, components: Called[Component], queue: Called[dict[str, Any]]) -> dict[str, Any]:
    """How a name came back: as a component that the lexicon does not look for (a family), as a candidate, or not."""
    row: dict[str, Any] = {"name": method.name, "works": works, "slots": sorted(method.slots), "came_back": None, "slot": None}
    for component in components.which(method):
        return row | {"came_back": f"component {component.id}", "slot": component.slot}
    for one in sorted(queue.which(method), key=lambda one: -one["works"]):
        return row | {"came_back": f"candidate {one['candidate']}", "slot": one["slot"]}
    return row
