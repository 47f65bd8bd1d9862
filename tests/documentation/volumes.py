"""Volumes made by a generator, with the documents that they cite: what the site, the book, the verifier and the rewriting are tested on."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from uuid import UUID

from forge_assets.documentation.drafts import Draft
from forge_assets.documentation.volume import Cell, Citation, Code, Figure, Links, Missing, Note, Page, Paragraph, Sentence, Source, Volume
from tests.documentation.rewrites import rewrites

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><rect width="50" height="30"/><text x="60" y="20">A to B</text></svg>'


def sentences() -> list[str]:
    """The sources of the verifier's set: some 160 sentences in the manner of the field."""
    return list(dict.fromkeys(quote for one in rewrites() for quote in one.quotes))


class Library:
    """Documents by id, each sentence once; cites them."""

    def __init__(self, texts: Sequence[str], titles: Sequence[str] = (), url: str = "https://example.org/paper") -> None:
        self.texts: dict[str, str] = {}
        self.sources: list[Source] = []
        self._places: dict[str, Citation] = {}
        for number, text in enumerate(texts):
            id_ = str(UUID(bytes=hashlib.sha256(f"{number} {text}".encode()).digest()[:16]))
            self.texts[id_] = f"Heading {number}\n\n{text} And more."
            quote = hashlib.sha256(text.encode()).hexdigest()
            start = self.texts[id_].index(text)
            self._places[text] = Citation(document_id=id_, start=start, end=start + len(text), quote=text, quote_sha256=quote)
            title = titles[number % len(titles)] if titles else f"On the subject of matter {number}"
            self.sources.append(Source(document_id=id_, work_id=id_, title=title, authors=("A. Author", "B. Brown"), year=2020 + number % 6,
                                       venue="Proceedings", url=f"{url}/{number}", bibtex_key=f"author{number}"))  # fmt: skip

    def cite(self, text: str) -> Citation:
        return self._places[text]

    def said(self, text: str) -> Sentence:
        return Sentence(text=text, citations=(self.cite(text),))


def page(library: Library, id_: str, title: str, texts: Sequence[str], links: Sequence[tuple[str, str]] = ()) -> Page:
    """A page with one block of each kind."""
    draft = Draft(id_, "component", title, f"{title}, made for a test")
    draft.heading("What it is")
    half = max(1, len(texts) // 2)
    draft.blocks.append(Paragraph(sentences=tuple(library.said(text) for text in texts[:half])))
    draft.table("Values that works state", ("Parameter", "Value"), [
        [Cell(text="learning rate"), Cell(text="3e-4", citations=(library.cite(texts[0]),))],
        [Cell(text=title, page=id_), Cell(text="1, 2", citations=tuple(library.cite(text) for text in texts[:2]), disagree=True)],
    ], "One voice per work.")  # fmt: skip
    draft.heading("Results", 3)
    draft.blocks.append(Paragraph(sentences=tuple(library.said(text) for text in texts[half:])))
    draft.blocks += [
        Figure(caption="How it fits", alt="A leads to B", svg=SVG),
        Code(caption="tokenizer.yaml", language="yaml", text="size: 1\n# <b>\n"),
        Note(text="Nothing is known of its cost.", tone="warning"), Links(title="Beside it", pages=tuple(links)),
    ]  # fmt: skip
    draft.works |= {library.cite(text).document_id for text in texts}
    return draft.page()


def volume(
    pages: int = 6, id_: str = "optimizer", seed: int = 0, library: Library | None = None, per_page: int = 8
) -> tuple[Volume, Library]:
    drawn, there = random.Random(seed), library or Library(sentences())
    known = list(there._places)
    ids = [f"{id_}/page-{number}" for number in range(pages)]
    made = []
    for number, one in enumerate(ids):
        title = f"Component {number}"
        linked = [(ids[(number + 1) % pages], "The next one"), ("nowhere/nothing", "A page that is not there")]
        made.append(page(there, one, title, drawn.sample(known, min(per_page, len(known))), linked))
    missing = (Missing(name="Rare thing", reason="2 works, 8 are needed"),)
    return Volume(
        id=id_, title=id_.title(), kind="slot", state="0" * 32, pages=tuple(made), sources=tuple(there.sources), missing=missing
    ), there
