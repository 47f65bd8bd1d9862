"""`forge eval candidates`: methods whose introducing paper is in the article dumps are taken out of the ontology; which come back as
candidates, and with the right introducing document.

Beside it a plain list of abbreviations (Schwartz and Hearst 2003): a name comes back where a document defines it, and the earliest such
document counts as the one that introduced it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from forge_assets.components.abbreviations import definitions
from forge_assets.components.candidates.names import key_of
from forge_assets.components.catalogue import lookup
from forge_assets.components.evaluation.articles import Say, articles
from forge_assets.components.evaluation.pwc_methods import Called, Method, components_of, is_same, read_methods
from forge_assets.components.lexicon import lexicon_of
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.text import Reading
from forge_resources.database import Database
from forge_resources.settings import Settings

Papers = dict[str, tuple[Any, str]]
"""Id of an introducing paper -> its work and text."""
FETCH = 500
PAPERS = """SELECT d.external_id, coalesce(m.work_id, d.document_id) AS work, d.text FROM document d
    LEFT JOIN work_document m USING (document_id) WHERE d.external_id = ANY(:papers)"""
WORKS = "SELECT document_id, coalesce(m.work_id, d.document_id) AS work FROM document d LEFT JOIN work_document m USING (document_id)"
BRACKETED = "SELECT document_id, year, text FROM document WHERE text LIKE '%(%'"


@dataclass(slots=True)
class Share:
    """Of `methods`: `back` as candidates, `named` of them with an introducing document, `right` with the right one."""

    name: str
    methods: int = 0
    back: int = 0
    named: int = 0
    right: int = 0

    def line(self) -> str:
        return (
            f"{self.name:<58}{self.methods:>5}{self.back:>6} {self.back / max(1, self.methods):.3f}"
            f"{self.named:>7}{self.right:>7} {self.right / max(1, self.named):.3f} {self.right / max(1, self.back):.3f}"
        )


@dataclass(slots=True)
class CandidatesReport:
    """`ranks` of those that came back, among `candidates`; `rows`: method by method."""

    removed: int
    candidates: int
    shares: list[Share]
    ranks: list[int]
    rows: list[dict[str, Any]]

    def table(self) -> str:
        """For people, as plain text."""
        ranks = sorted(self.ranks)
        middle = f", the middle one at rank {ranks[len(ranks) // 2]}" if ranks else ""
        head = f"{'':58}{'of':>5}{'back':>6} {'share':5}{'named':>7}{'right':>7} {'/named':5} /back"
        return "\n".join([f"{self.removed} components taken out of the ontology; {self.candidates} candidates{middle}", head,
                          *(share.line() for share in self.shares)])  # fmt: skip

    def errors(self) -> list[str]:
        """What did not come back, or with another document, for a person to read."""
        wrong = [row for row in self.rows if not row["right"]]
        return [
            f"{row['name']} ({row['paper']}): {row['candidate'] or 'not back'}, introduced in {row['introducing'] or '-'}" for row in wrong
        ]


def evaluate_candidates(
    settings: Settings, ontology: Ontology, gold: Path | None, dumps: Path | None, folder: Path | None, records: int | None, say: Say
) -> CandidatesReport:
    """Raises SettingError where the data is not there."""
    methods = [method for method in read_methods(gold) if method.paper]
    with articles(settings, folder, dumps, records, {str(method.paper) for method in methods}, say) as corpus:
        papers = _papers(corpus.db, methods)
        methods = [method for method in methods if method.paper in papers]
        lexicon = lexicon_of(ontology)
        taken = frozenset().union(*(components_of(method, lexicon) for method in methods))
        corpus.read(without(ontology, taken))
        queue = lookup.candidates(corpus.db)
        called = Called(((row, rank), [row["name"], *row["aliases"]], row["long_form"]) for rank, row in enumerate(queue, 1))
        works = _works(corpus.db)
        rows = [_returned(method, called, works, papers, bool(components_of(method, lexicon))) for method in methods]
        say("reading the abbreviations that all documents define")
        plain = _plain(corpus.db, methods, works, papers)
        ranks = [row["rank"] for row in rows if row["rank"]]
        return CandidatesReport(len(taken), len(queue), _shares(rows, plain), ranks, rows)


def without(ontology: Ontology, taken: Collection[str]) -> Ontology:
    """The ontology that lacks these components; what varied them varies nothing."""
    kept = (component for id_, component in ontology.components.items() if id_ not in taken)
    return replace(ontology, components={one.id: replace(one, parent=None if one.parent in taken else one.parent) for one in kept})


def _shares(rows: Sequence[Mapping[str, Any]], plain: Sequence[Mapping[str, Any]]) -> list[Share]:
    def share(name: str, chosen: Iterable[Mapping[str, Any]]) -> Share:
        made = Share(name)
        for row in chosen:
            made.methods += 1
            made.back += row["candidate"] is not None
            made.named += row["introducing"] is not None
            made.right += row["right"]
        return made

    removed = [place for place, row in enumerate(rows) if row["removed"]]
    return [
        share("removed from the ontology", (rows[place] for place in removed)),
        share("  of them named in their own paper's abstract", (rows[place] for place in removed if rows[place]["told"])),
        share("  baseline: list of abbreviations", (plain[place] for place in removed)),
        share("all whose paper is in the corpus", rows),
        share("  of them named in their own paper's abstract", (row for row in rows if row["told"])),
        share("  baseline: list of abbreviations", plain),
    ]


def _papers(db: Database, methods: Sequence[Method]) -> Papers:
    with db.begin() as connection:
        rows = connection.execute(sa.text(PAPERS), {"papers": sorted({str(method.paper) for method in methods})})
        return {row.external_id: (row.work, row.text) for row in rows}


def _works(db: Database) -> dict[str, Any]:
    with db.begin() as connection:
        return {str(row.document_id): row.work for row in connection.execute(sa.text(WORKS))}


def _returned(
    method: Method, queue: Called[tuple[dict[str, Any], int]], works: Mapping[str, Any], papers: Papers, removed: bool
) -> dict[str, Any]:
    """The candidate that is the method, the one of most works where several are."""
    work, text = papers[str(method.paper)]
    row: dict[str, Any] = {
        "name": method.name, "paper": method.paper, "removed": removed, "told": _is_told(method, text),
        "candidate": None, "rank": None, "introducing": None, "right": False,
    }  # fmt: skip
    found = queue.which(method)
    if found:
        one, rank = max(found, key=lambda item: (item[0]["works"], -item[1]))
        introducing = one["introducing_document"]
        row |= {"candidate": one["candidate"], "rank": rank, "introducing": str(introducing) if introducing else None}
        row["right"] = introducing is not None and works[str(introducing)] == work
    return row


def _is_told(method: Method, text: str) -> bool:
    """Whether the abstract names it at all: no reader of abstracts could know the others."""
    words = "".join(character if character.isalnum() else " " for character in text.lower()).split()
    joined = {key_of(" ".join(words[at : at + size])) for size in range(1, 9) for at in range(len(words) - size + 1)}
    return any(key_of(name) in joined for name in method.names)


def _plain(
    db: Database, methods: Sequence[Method], works: Mapping[str, Any], papers: Mapping[str, tuple[Any, str]]
) -> list[dict[str, Any]]:
    wanted: dict[str, list[int]] = defaultdict(list)
    for place, method in enumerate(methods):
        for name in method.names:
            wanted[key_of(name)].append(place)
    first: dict[int, tuple[int, str]] = {}
    with db.engine.connect().execution_options(stream_results=True, yield_per=FETCH) as connection:
        for row in connection.execute(sa.text(BRACKETED)):
            for definition in definitions(Reading(str(row.document_id), row.text)):
                for place in {*wanted.get(key_of(definition.short), ()), *wanted.get(key_of(definition.long), ())}:
                    if is_same(methods[place], [definition.short, definition.long], definition.long):
                        first[place] = min(first.get(place, (9999, "~")), (row.year or 9999, str(row.document_id)))
    return [
        {"candidate": method.name if place in first else None, "introducing": first[place][1] if place in first else None,
         "right": place in first and works[first[place][1]] == papers[str(method.paper)][0]}
        for place, method in enumerate(methods)
    ]  # fmt: skip
