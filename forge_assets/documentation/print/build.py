"""A volume -> PDF: its text goes to the Typst template as data, so that nothing of a document is ever read as markup."""

from __future__ import annotations

import json
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from forge_assets.documentation.print.formulas import runs
from forge_assets.documentation.site import addresses, drawings
from forge_assets.documentation.site.build import plural
from forge_assets.documentation.site.pages import KINDS, ONE
from forge_assets.documentation.volume import Block, Cell, Citation, Page, Source, Table, Volume
from forge_resources.errors import ForgeError

PRINT_VERSION = "1"
"""Raised by whoever changes how a volume is printed."""


def pdf(volume: Volume) -> bytes:
    """The same volume, the same bytes, where the fonts are the same."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "volume.typ"
        source.write_text((files(__package__) / "volume.typ").read_text("utf-8"), encoding="utf-8")
        (Path(folder) / "volume.json").write_text(json.dumps(_Printed(volume).volume()), encoding="utf-8")
        try:
            made: bytes = typst.compile(str(source), root=folder)
        except (typst.TypstError, RuntimeError) as error:
            raise ForgeError(f"the volume {volume.id} cannot be printed: {' '.join(str(error).split())[:300]}") from None
    return made


class _Printed:
    """What the template reads. Sources are numbered through the volume, in the order in which pages cite them."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._pages = [page for page in volume.pages if page.kind != "bibliography"]  # the book's own stands at its end
        self._ids = {page.id for page in self._pages}
        self._sources = {source.document_id: source for source in volume.sources}
        self._numbers: dict[str, int] = {}

    def volume(self) -> dict[str, Any]:
        volume = self._volume
        pages = [self._page(page) for page in self._pages]
        told = f"{plural(len(pages), 'chapter')} of {plural(len(volume.sources), 'source')}"
        return {"title": _fit(volume.title), "told": told, "state": volume.state, "pages": pages,
                "sources": [self._source(id_, number) for id_, number in self._numbers.items()]}  # fmt: skip

    def _page(self, page: Page) -> dict[str, Any]:
        return {
            "title": _fit(page.title), "label": page.id,
            "kind": ONE.get(page.kind, KINDS[page.kind]), "sources": plural(page.sources, "source"),
            "summary": runs(_fit(page.summary)), "blocks": [self._block(block) for block in page.blocks],
        }  # fmt: skip

    def _block(self, block: Block) -> dict[str, Any]:
        match block.kind:
            case "heading":
                return {"kind": "heading", "level": block.level, "text": runs(_fit(block.text))}
            case "paragraph":
                told = [{"text": runs(_fit(one.text)), "marks": self._marks(one.citations), "language": _language(one.language)}
                        for one in block.sentences]  # fmt: skip
                return {"kind": "paragraph", "sentences": told, "flowing": any(one.origin == "rewritten" for one in block.sentences)}
            case "table":
                return self._table(block)
            case "figure":
                svg = (drawings.cleaned(block.svg) or drawings.NONE).decode()
                return {"kind": "figure", "caption": runs(_fit(block.caption)), "alt": _fit(block.alt), "svg": svg}
            case "code":
                return {"kind": "code", "caption": runs(_fit(block.caption)), "text": _fit(block.text, lines=True)}
            case "note":
                return {"kind": "note", "tone": block.tone, "text": runs(_fit(block.text))}
            case "links":
                pages = [(id_ if id_ in self._ids else None, _fit(title)) for id_, title in block.pages]
                return {"kind": "links", "title": _fit(block.title), "pages": pages}

    def _table(self, block: Table) -> dict[str, Any]:
        rows = [[self._cell(one) for one in row] for row in block.rows]
        widths = [_width(block, at) for at in range(len(block.columns))]
        return {"kind": "table", "caption": runs(_fit(block.caption)), "columns": [runs(_fit(one)) for one in block.columns],
                "widths": widths, "rows": rows, "note": runs(_fit(block.note))}  # fmt: skip

    def _cell(self, one: Cell) -> dict[str, Any]:
        return {"text": runs(_fit(one.values)), "marks": self._marks(one.citations), "disagree": one.disagree}

    def _marks(self, citations: tuple[Citation, ...]) -> list[int]:
        return sorted({self._numbers.setdefault(one.document_id, len(self._numbers) + 1) for one in citations})

    def _source(self, id_: str, number: int) -> dict[str, Any]:
        source: Source | None = self._sources.get(id_)
        if source is None:
            return {"number": number, "authors": "", "title": f"document {id_}", "rest": ", not among the volume's sources", "url": None}
        authors = ", ".join(source.authors[:6]) + (" et al." if len(source.authors) > 6 else "")
        rest = "".join(f", {part}" for part in (source.venue, source.year) if part) + "."
        return {"number": number, "authors": _fit(f"{authors}. " if authors else ""), "title": _fit(source.title), "rest": _fit(rest),
                "url": addresses.link(source.url)}  # fmt: skip


def _width(block: Table, column: int) -> float:
    """A share of the table's width: by what stands in the column, within bounds."""
    lengths = [len(row[column].text) for row in block.rows] + [len(block.columns[column])]
    return max(1.0, min(4.0, (sum(lengths) / len(lengths) + max(lengths) / 4) / 9))


def _language(code: str | None) -> str | None:
    return code if code and code != "en" and len(code) in (2, 3) and code.isascii() and code.isalpha() else None


def _fit(text: str, lines: bool = False) -> str:
    """Without lone surrogates and control signs, which JSON or a font cannot take."""
    kept = text.encode("utf-8", "replace").decode()
    return "".join(
        sign if sign.isprintable() or sign == " " or lines and sign in "\n\t" else " " if sign.isspace() else "" for sign in kept
    )
