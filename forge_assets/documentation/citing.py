"""Citations and sources: places in documents as a volume writes them, and the documents they stand in."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.documentation.quotes import passage_at
from forge_assets.documentation.selection import Picked
from forge_assets.documentation.volume import Block, Citation, Paragraph, Sentence, Source, Table
from forge_resources.database import Database

MOST_CITATIONS = 12
"""Of one sentence or cell."""
DOCUMENTS = """SELECT d.document_id, coalesce(w.work_id, d.document_id) AS work_id, coalesce(d.title, d.external_id, d.uri) AS title,
        d.authors, d.year, coalesce(d.venue, '') AS venue, d.url, d.identifiers, coalesce(d.license, '') AS licence,
        coalesce(d.language, 'en') AS language
    FROM document d LEFT JOIN work_document w USING (document_id) WHERE d.document_id = ANY(:documents)"""
PLACES = f"""SELECT x.document_id, x.start, x."end", substr(d.text, x.start + 1, x."end" - x.start) AS text,
        coalesce(w.work_id, d.document_id) AS work, d.year, length(d.text) AS length, {passage_at("x.start")} AS passage
    FROM unnest(CAST(:documents AS uuid[]), CAST(:starts AS int[]), CAST(:ends AS int[])) AS x (document_id, start, "end")
    JOIN document d USING (document_id) LEFT JOIN work_document w USING (document_id)"""
TITLES = f"""SELECT d.document_id, t.start, t."end", substr(d.text, t.start + 1, t."end" - t.start) AS text, d.year,
        coalesce(w.work_id, d.document_id) AS work, {passage_at("t.start")} AS passage
    FROM document d LEFT JOIN work_document w USING (document_id)
    CROSS JOIN LATERAL (SELECT (b->>1)::int AS start, (b->>2)::int AS "end" FROM jsonb_array_elements(d.blocks) AS b
        WHERE b->>0 = 'title' LIMIT 1) AS t
    WHERE d.document_id = ANY(:documents)"""

Place = tuple[UUID, int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at a place."""

    place: Place
    text: str
    work: UUID
    year: int | None
    passage: UUID | None

    @property
    def citation(self) -> Citation:
        return cite(*self.place, self.text, self.passage)


def cite(document: UUID, start: int, end: int, text: str, passage: UUID | None) -> Citation:
    digest = hashlib.sha256(text.encode()).hexdigest()
    within = None if passage is None else str(passage)
    return Citation(document_id=str(document), passage_id=within, start=start, end=end, quote=text, quote_sha256=digest)


def sentence(picked: Picked) -> Sentence:
    """The sentence word for word, cited with all that say the same."""
    quotes = [picked.quote, *picked.alike][:MOST_CITATIONS]
    language = picked.quote.language if picked.quote.language not in (None, "en") else None
    return Sentence(
        text=picked.quote.text,
        citations=tuple(cite(*one.place, one.text, one.passage) for one in quotes),
        role=picked.quote.role,
        language=language,
    )


def paragraph(picked: Iterable[Picked]) -> Paragraph:
    return Paragraph(sentences=tuple(sentence(one) for one in picked))


def places(db: Database, wanted: Collection[Place]) -> dict[Place, Found]:
    """What stands at these places, as far as the documents are there and reach so far."""
    ordered = sorted(set(wanted), key=str)
    columns = {"documents": [p[0] for p in ordered], "starts": [p[1] for p in ordered], "ends": [p[2] for p in ordered]}
    with db.begin() as connection:
        rows = connection.execute(sa.text(PLACES), columns).all()
    return {
        (row.document_id, row.start, row.end): Found((row.document_id, row.start, row.end), row.text, row.work, row.year, row.passage)
        for row in rows
        if row.end <= row.length
    }


def titles(db: Database, documents: Collection[UUID]) -> dict[UUID, Found]:
    """Where documents say their titles."""
    with db.begin() as connection:
        rows = connection.execute(sa.text(TITLES), {"documents": list(documents)}).all()
    return {row.document_id: Found((row.document_id, row.start, row.end), row.text, row.work, row.year, row.passage) for row in rows}


def cited(blocks: Iterable[Block]) -> Iterator[Citation]:
    """All citations of a page, in order."""
    for block in blocks:
        if isinstance(block, Paragraph):
            for one in block.sentences:
                yield from one.citations
        elif isinstance(block, Table):
            for row in block.rows:
                for cell in row:
                    yield from cell.citations


def sources(db: Database, documents: Collection[str]) -> list[Source]:
    """The documents, by title."""
    with db.begin() as connection:
        rows = connection.execute(sa.text(DOCUMENTS), {"documents": [UUID(one) for one in documents]}).mappings().all()
    return sorted(map(_source, rows), key=lambda one: (one.title.lower(), one.document_id))


def _source(row: Any) -> Source:
    authors = tuple(row["authors"] or ())
    return Source(
        document_id=str(row["document_id"]),
        work_id=str(row["work_id"]),
        title=" ".join(str(row["title"]).split()),
        authors=authors,
        year=row["year"],
        venue=row["venue"],
        url=_address(row["url"], row["identifiers"] or {}),
        licence=row["licence"],
        language=row["language"],
        bibtex_key=bibtex_key(authors, row["year"], str(row["title"]), str(row["document_id"])),
    )


def _address(url: str | None, identifiers: Any) -> str | None:
    if url and url.startswith(("https://", "http://")):
        return url
    if identifiers.get("arxiv"):
        return f"https://arxiv.org/abs/{identifiers['arxiv']}"
    return f"https://doi.org/{identifiers['doi']}" if identifiers.get("doi") else None


def bibtex_key(authors: Collection[str], year: int | None, title: str, document: str) -> str:
    """The same from night to night and of no two documents: author or first word, year, and digits of the document's id."""
    first = next(iter(authors), "").split(",")[0].split()
    name = first[-1] if first else next((word for word in re.findall(r"[A-Za-z]{3,}", title) if word.lower() not in _SMALL), "work")
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return f"{re.sub(r'[^a-z]', '', plain.lower()) or 'work'}{year or ''}-{document[:6]}"


_SMALL = frozenset("the and for with from towards toward what how why are can using via".split())
