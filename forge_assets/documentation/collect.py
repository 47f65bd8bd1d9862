"""extraction, documents -> sentences fit to be quoted, with their subjects: new and changed documents only, batch by batch.

What is looked through is kept per document, so a night reads what changed. Candidates that are new are looked for in the documents that
the full-text index says may name them; without an index in all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from forge_assets.components.ontology.model import Ontology
from forge_assets.components.text import Reading
from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.corpus.model import Block
from forge_assets.documentation import sentence_store as store
from forge_assets.documentation.candidate_names import CandidateNames
from forge_assets.documentation.own_sense import own_names
from forge_assets.documentation.reading import Found, found_in
from forge_assets.documentation.renewal import renew
from forge_assets.documentation.subjects import CANDIDATE, Name
from forge_assets.documentation.version import RULES_VERSION
from forge_resources.database import Database

CANDIDATES = """SELECT candidate, name, long_form, aliases, slot FROM candidate
    WHERE independent >= :independent AND slot IS NOT NULL ORDER BY candidate"""
INDEPENDENT_WORKS = 20
"""A candidate that so many independent works name may have a page."""


@dataclass(slots=True)
class CollectReport:
    """`read` documents of `documents`, `sentences` written, in `seconds` of wall time."""

    documents: int = 0
    read: int = 0
    sentences: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Subjects:
    """What sentences can be about: the slot of each, the names of candidates, and which components only order the tree."""

    slots: Mapping[str, str]
    candidates: CandidateNames
    broad: frozenset[str]
    introduced: Mapping[str, int]
    """Component -> year of the work that introduced it."""

    @property
    def version(self) -> str:
        return self.candidates.version


def subjects(db: Database, ontology: Ontology) -> Subjects:
    with db.begin() as connection:
        rows = connection.execute(sa.text(CANDIDATES), {"independent": INDEPENDENT_WORKS}).all()
    slots = {one.id: one.slot for one in ontology.components.values()}
    slots |= {CANDIDATE + row.candidate: row.slot for row in rows}
    names = {row.candidate: sorted({row.name, *row.aliases, *([row.long_form] if row.long_form else [])}) for row in rows}
    broad = frozenset(one.id for one in ontology.components.values() if one.broad)
    introduced = {one.id: one.introduced.year for one in ontology.components.values() if one.introduced}
    return Subjects(slots, CandidateNames(names), broad, introduced)


def collect(db: Database, ontology: Ontology, lexical: Path | None = None, say: Callable[[str], None] = lambda text: None) -> CollectReport:
    """Brings the sentences up to what has been read. `lexical`: folder of the full-text index."""
    started, report, about = time.monotonic(), CollectReport(), subjects(db, ontology)
    version = RULES_VERSION
    renew(db, about.slots, about.candidates.names, about.version, version, lexical)
    for shard in range(SHARD_COUNT):
        missing = store.lacking(db, shard, version, about.version)
        for first in range(0, len(missing), store.BATCH):
            read = [(one, _found(one, about)) for one in store.texts(db, missing[first : first + store.BATCH])]
            report.sentences += store.write(db, read, version, about.version)
            report.read += len(read)
        if missing:
            say(f"shard {shard:02x}: {report.read:,} documents looked through, {report.sentences:,} sentences kept")
    report.seconds = time.monotonic() - started
    return report


def _found(one: store.Read, about: Subjects) -> list[Found]:
    names = _names(one, about)
    if not names:
        return []
    blocks = [Block(*block) for block in one.blocks]
    reading = Reading(str(one.document_id), one.text, blocks, one.title, one.year, one.media_type)
    foreign = own_names(reading, names, about.introduced)
    meant = [name for name in names if name.subject not in foreign]
    return found_in(reading, with_capitals(reading, meant), one.settings, about.slots, about.broad)


def with_capitals(reading: Reading, names: Sequence[Name]) -> Sequence[Name]:
    """The names, and where a sentence begins with one that the document writes small elsewhere: "Dropout is a ..." """
    text, known = reading.text, {name.start for name in names}
    small = {text[one.start : one.end]: one.subject for one in names if not one.candidate and text[one.start].islower()}
    longest = sorted(small, key=lambda surface: (-len(surface), surface))
    if not small:
        return names
    found = []
    for start, _ in reading.sentences:
        first = start + 4 if text.startswith("The ", start) else start
        for surface in longest:
            end = first + len(surface)
            if text[first:end].lower() == surface.lower() and not text[end : end + 1].isalnum() and first not in known:
                found.append(Name(first, end, small[surface]))
                break
    return sorted([*names, *found], key=lambda name: (name.start, name.subject))


def _names(one: store.Read, about: Subjects) -> Sequence[Name]:
    """Components, and candidates where no component stands, in order of place."""
    found = list(about.candidates.found_in(one.text))
    if not found:
        return one.names
    taken = sorted((name.start, name.end) for name in one.names)
    free = [name for name in found if not any(start < name.end and name.start < end for start, end in taken)]
    return sorted([*one.names, *free], key=lambda name: (name.start, name.subject))
