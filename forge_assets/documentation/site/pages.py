"""A page of a volume -> what the template shows: blocks with their text as HTML, sources numbered in the order of their first use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from forge_assets.documentation.site import addresses, drawings
from forge_assets.documentation.site.cells import SHORT, ShownCell
from forge_assets.documentation.site.inline import inline
from forge_assets.documentation.volume import Block, Cell, Citation, Figure, Heading, Page, Sentence, Source, Table, Volume

KINDS = {
    "overview": "Overview", "guide": "Guides", "survey": "Surveys", "comparison": "Comparisons", "component": "Components",
    "candidate": "Candidates", "parameters": "Parameters", "timeline": "Timelines", "problems": "Open problems", "glossary": "Glossary",
    "counts": "In figures", "bibliography": "Bibliography",
}  # fmt: skip
ONE = {"component": "Component", "candidate": "Candidate", "guide": "Guide", "survey": "Survey", "comparison": "Comparison",
       "timeline": "Timeline"}  # fmt: skip
LANGUAGES = {
    "de": "German", "fr": "French", "es": "Spanish", "pt": "Portuguese", "it": "Italian", "zh": "Chinese", "ja": "Japanese", "ko": "Korean",
    "ru": "Russian", "uk": "Ukrainian", "pl": "Polish", "tr": "Turkish", "ar": "Arabic", "hi": "Hindi", "vi": "Vietnamese", "nl": "Dutch",
}  # fmt: skip
MOST_SHOWN = 60
"""Pages of one kind in a page's navigation; of more, those around the page."""


@dataclass(slots=True)
class Place:
    """One numbered source of a page: what it says, and where."""

    number: int
    quote: Markup
    title: str
    told: str
    url: str | None
    language: str | None


@dataclass(slots=True)
class Shown:
    """What a page's template needs beside the volume."""

    page: Page
    kind: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    contents: list[tuple[str, str, int]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


class PageView:
    """Pages of one volume. `known`: ids of all pages of the site; what is not among them is not linked."""

    def __init__(self, volume: Volume, known: Collection[str]) -> None:
        self.volume, self._known = volume, known
        self._sources: Mapping[str, Source] = {source.document_id: source for source in volume.sources}

    def shown(self, page: Page) -> Shown:
        made = Shown(page, ONE.get(page.kind, KINDS[page.kind]))
        numbers: dict[tuple[str, int, int], int] = {}
        for block in page.blocks:
            made.blocks.append(self._block(block, made, numbers))
        return made

    def _block(self, block: Block, made: Shown, numbers: dict[tuple[str, int, int], int]) -> dict[str, Any]:
        match block:
            case Heading():
                id_ = f"s{len(made.contents) + 1}"
                made.contents.append((id_, block.text, block.level))
                return {"kind": "heading", "id": id_, "level": block.level, "text": inline(block.text)}
            case Figure():
                made.figures.append(block)
                return {"kind": "figure", "file": drawings.name_of(block), "alt": block.alt, "caption": inline(block.caption)}
            case Table():
                return self._table(block, made, numbers)
            case _ if block.kind == "paragraph":
                told = [self._sentence(one, made, numbers) for one in block.sentences]
                return {"kind": "paragraph", "sentences": told, "flowing": any(one.origin == "rewritten" for one in block.sentences)}
            case _ if block.kind == "links":
                pages = [(self.way(page), title) for page, title in block.pages]
                return {"kind": "links", "title": block.title, "pages": pages}
            case _ if block.kind == "note":
                return {"kind": "note", "tone": block.tone, "text": inline(block.text)}
            case _:
                return {"kind": "code", "caption": inline(block.caption), "language": block.language, "text": block.text}

    def way(self, page: str | None) -> str | None:
        return addresses.way(self.volume.id, page) if page is not None and page in self._known else None

    def _sentence(self, one: Sentence, made: Shown, numbers: dict[tuple[str, int, int], int]) -> dict[str, Any]:
        return {"text": inline(one.text), "marks": self._marks(one.citations, made, numbers), "language": _language(one.language)}

    def _table(self, block: Table, made: Shown, numbers: dict[tuple[str, int, int], int]) -> dict[str, Any]:
        def cell(one: Cell) -> ShownCell:
            marks = self._marks(one.citations, made, numbers) if one.citations else ()
            return ShownCell(one.values, self.way(one.page), marks, one.disagree, len(one.text) < SHORT)

        rows = [[cell(one) for one in row] for row in block.rows]
        number = 1 + sum(other["kind"] == "table" for other in made.blocks)
        return {"kind": "table", "number": number, "caption": inline(block.caption), "columns": [inline(one) for one in block.columns],
                "rows": rows, "note": inline(block.note), "plain_caption": block.caption}  # fmt: skip

    def _marks(self, citations: Iterable[Citation], made: Shown, numbers: dict[tuple[str, int, int], int]) -> list[int]:
        marks = []
        for one in citations:
            key = (one.document_id, one.start, one.end)
            if key not in numbers:
                numbers[key] = len(numbers) + 1
                made.places.append(self._place(one, numbers[key]))
            marks.append(numbers[key])
        return marks

    def _place(self, one: Citation, number: int) -> Place:
        source = self._sources.get(one.document_id)
        if source is None:  # of a volume edited by hand
            return Place(number, inline(one.quote), f"document {one.document_id}", "not among the volume's sources", None, None)
        authors = ", ".join(source.authors[:3]) + (" et al." if len(source.authors) > 3 else "")
        told = " · ".join(part for part in (authors, str(source.year or ""), source.venue) if part)
        return Place(number, inline(one.quote), source.title, told, addresses.link(source.url), _language(source.language))


def _language(code: str | None) -> str | None:
    """The code where a text is not English and the code is one."""
    return code if code and code != "en" and code.replace("-", "").isalnum() and code.isascii() else None


def navigation(volume: Volume, current: Page | None) -> list[dict[str, Any]]:
    """Pages by kind: those of the current page's kind in full or around it, of the others how many there are."""
    groups = []
    for kind, title in KINDS.items():
        pages = [page for page in volume.pages if page.kind == kind]
        if not pages:
            continue
        opened = current is None or current.kind == kind or len(pages) <= 3
        shown = pages
        if current is not None and len(pages) > MOST_SHOWN and current.kind == kind:
            at = next((index for index, page in enumerate(pages) if page.id == current.id), 0)
            shown = pages[max(0, at - MOST_SHOWN // 2) : at + MOST_SHOWN // 2]
        entries = (
            [(addresses.file_of(page.id), page.title, current is not None and page.id == current.id) for page in shown] if opened else []
        )
        groups.append(
            {"kind": kind, "title": title, "count": len(pages), "pages": entries, "more": len(pages) - len(entries) if opened else 0}
        )
    return groups
