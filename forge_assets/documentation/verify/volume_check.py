"""A volume against the documents: does every sentence cite, does every quote stand where it says, does it carry what is written?

In: a volume, ours or edited by hand, and the texts of the documents that it cites. Out: faults, each with its page and its sentence.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from forge_assets.documentation.drafts import digest_of
from forge_assets.documentation.verify.content import Names
from forge_assets.documentation.verify.sentence import why_not
from forge_assets.documentation.volume import Cell, Citation, Page, Sentence, Volume
from forge_resources.database import Database

Texts = Callable[[list[str]], Mapping[str, str]]
"""The texts of documents by their ids; ids that are unknown are left out."""
BATCH = 500  # documents
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Fault:
    page: str
    said: str
    why: str


@dataclass(slots=True)
class Checked:
    """`edited`: pages that are no longer what was bound; that alone is no fault."""

    sentences: int = 0
    cells: int = 0
    quotes: int = 0
    documents: int = 0
    rewritten: int = 0
    edited: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def check_volume(volume: Volume, texts: Texts, names: Names | None = None) -> Checked:
    checked = Checked()
    for page in volume.pages:
        if _digest(page) != page.sha256:
            checked.edited.append(page.id)
        for one in _sentences(page):
            checked.sentences += 1
            checked.rewritten += one.origin == "rewritten"
            if why := _sentence_fault(one, names):
                checked.faults.append(Fault(page.id, one.text, why))
    known = {source.document_id for source in volume.sources}
    places: defaultdict[str, list[tuple[str, str, Citation]]] = defaultdict(list)
    for page_id, said, cited in _citations(volume):
        checked.quotes += 1
        places[cited.document_id].append((page_id, said, cited))
        if cited.document_id not in known:
            checked.faults.append(Fault(page_id, said, f"cites document {cited.document_id}, which is not among the volume's sources"))
    checked.cells = sum(bool(cell.citations) for page in volume.pages for cell in _cells(page))
    checked.documents = len(places)
    ids = sorted(places)
    for first in range(0, len(ids), BATCH):
        found = texts(ids[first : first + BATCH])
        for id_ in ids[first : first + BATCH]:
            for page_id, said, cited in places[id_]:
                if why := quote_fault(cited, found.get(id_)):
                    checked.faults.append(Fault(page_id, said, why))
    return checked


def quote_fault(one: Citation, text: str | None) -> str:
    """Why a citation does not stand in the text of its document."""
    if text is None:
        return f"cites document {one.document_id}, which is not there"
    if hashlib.sha256(one.quote.encode("utf-8", "replace")).hexdigest() != one.quote_sha256:
        return f"the quote of {one.document_id} is not what its hash says"
    if not 0 <= one.start < one.end <= len(text) or text[one.start : one.end] != one.quote:
        return f"the quote does not stand at {one.start}-{one.end} of document {one.document_id}"
    return ""


def _sentence_fault(one: Sentence, names: Names | None) -> str:
    if not one.citations:
        return "it cites nothing"
    if one.origin == "rewritten":
        return why_not(one.text, [citation.quote for citation in one.citations], names)
    return "" if one.text.split() == one.citations[0].quote.split() else "it is called verbatim and is not its quote"


def _sentences(page: Page) -> Iterator[Sentence]:
    for block in page.blocks:
        if block.kind == "paragraph":
            yield from block.sentences


def _cells(page: Page) -> Iterator[Cell]:
    for block in page.blocks:
        if block.kind == "table":
            yield from (cell for row in block.rows for cell in row)


def _citations(volume: Volume) -> Iterator[tuple[str, str, Citation]]:
    """(page, what is said, citation) of all sentences and cells."""
    for page in volume.pages:
        for block in page.blocks:
            said: Iterable[tuple[str, tuple[Citation, ...]]] = ()
            if block.kind == "paragraph":
                said = ((one.text, one.citations) for one in block.sentences)
            elif block.kind == "table":
                said = ((cell.text, cell.citations) for row in block.rows for cell in row)
            for text, citations in said:
                yield from ((page.id, text, one) for one in citations)


def _digest(page: Page) -> str:
    return digest_of(page.model_dump(mode="json", exclude={"sha256", "sources"}))


def texts_of(db: Database) -> Texts:
    def texts(ids: list[str]) -> dict[str, str]:
        statement = "SELECT document_id::text AS id, text FROM document WHERE document_id = ANY(CAST(:ids AS uuid[]))"
        fit = [id_ for id_ in ids if _UUID.fullmatch(id_)]
        with db.begin() as connection:
            return {row.id: row.text for row in connection.execute(sa.text(statement), {"ids": fit})}

    return texts
