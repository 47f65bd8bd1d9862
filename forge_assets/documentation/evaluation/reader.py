"""What a reader of the volumes finds on a question: the volumes are searched by BM25, and the sections found are read, the best first.

In: volumes as they are built, which know no question. Out: for a question the sentences of its best sections, up to so many words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from forge_assets.documentation.volume import Volume

SECTIONS = 40
"""Sections that are looked at for a question."""
TITLES = 2.0
"""Weight of the titles of page and section beside the text, as in search over a site."""
SHORTEST = 60
"""Characters of a quoted cell that counts as a sentence: glossaries quote in tables."""
_WORD = re.compile(r"[^\W_]+")


class VolumeReader:
    """Sections of all volumes in an index in memory; 30,000 sentences take some seconds and 50 MB."""

    def __init__(self, volumes: Iterable[Volume]) -> None:
        import tantivy  # type: ignore[import-not-found, unused-ignore]

        made = tantivy.SchemaBuilder()
        for field in ("title", "text"):
            made.add_text_field(field, stored=False, tokenizer_name="en_stem")
        made.add_unsigned_field("number", stored=True, indexed=False)
        self._index: Any = tantivy.Index(made.build())
        self._sections: list[list[str]] = []
        self.pages = 0
        writer = self._index.writer(64_000_000, 1)
        for volume in volumes:
            self.pages += len(volume.pages)
            for title, sentences in sections(volume):
                document = tantivy.Document()
                document.add_text("title", title)
                document.add_text("text", " ".join(sentences))
                document.add_unsigned("number", len(self._sections))
                writer.add_document(document)
                self._sections.append(sentences)
        writer.commit()
        self._index.reload()

    def read(self, question: str) -> Iterator[str]:
        """The sentences of the sections found, section by section."""
        asked = " ".join(_WORD.findall(question))
        searcher = self._index.searcher()
        query = self._index.parse_query(asked.lower(), ["title", "text"], field_boosts={"title": TITLES})
        for _, address in searcher.search(query, SECTIONS).hits:
            yield from self._sections[searcher.doc(address).get_first("number")]


def sections(volume: Volume) -> Iterator[tuple[str, list[str]]]:
    """(Titles of page and section, sentences), without repeated headings; bibliographies hold none."""
    for page in volume.pages:
        heading = ""
        for block in page.blocks:
            if block.kind == "heading":
                heading = block.text
            elif block.kind == "paragraph":
                yield f"{page.title} {heading}", [one.text for one in block.sentences]
            elif block.kind == "table" and page.kind != "bibliography":
                for row in block.rows:
                    quoted = [cell.text for cell in row if cell.citations and len(cell.text) >= SHORTEST and not cell.disagree]
                    if quoted:
                        yield f"{page.title} {row[0].text}", quoted
