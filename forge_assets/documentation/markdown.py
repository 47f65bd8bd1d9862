"""A volume as Markdown files: one per page, an index, the sources as footnotes and links. Text of documents is escaped, it cannot
become markup.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from forge_assets.documentation.volume import (
    Block,
    Cell,
    Citation,
    Code,
    Figure,
    Heading,
    Links,
    Note,
    Page,
    Paragraph,
    Sentence,
    Source,
    Table,
    Volume,
)

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")
_START = re.compile(r"^(\s*)([-+=]|\d+[.)])", re.M)


def escaped(text: str) -> str:
    """Text that CommonMark shows as it is, on one line."""
    return _START.sub(_unlisted, _SPECIAL.sub(r"\\\1", " ".join(text.split())))


def _unlisted(found: re.Match[str]) -> str:
    """What would begin a list or a heading, escaped; of a number its dot."""
    return f"{found[1]}{found[2][:-1]}\\{found[2][-1]}"


def files(volume: Volume) -> Iterator[tuple[str, str]]:
    """Name -> text: index.md, a file for each page by its slug."""
    yield "index.md", index(volume)
    known = {one.document_id: one for one in volume.sources}
    for page in volume.pages:
        yield f"{page.id.split('/', 1)[1]}.md", page_text(page, known)


def index(volume: Volume) -> str:
    lines = [f"# {escaped(volume.title)}", "", f"{len(volume.pages):,} pages of {len(volume.sources):,} sources.", ""]
    for page in volume.pages:
        lines.append(f"- [{escaped(page.title)}]({page.id.split('/', 1)[1]}.md) ({page.kind}): {escaped(page.summary)}")
    if volume.missing:
        lines += ["", "## Without enough evidence", "", *(f"- {escaped(one.name)}: {escaped(one.reason)}" for one in volume.missing)]
    return "\n".join(lines) + "\n"


def page_text(page: Page, sources: Mapping[str, Source]) -> str:
    notes = _Notes(sources)
    parts = [f"# {escaped(page.title)}", escaped(page.summary)]
    parts += ["\n".join(_block(block, page.id, notes)) for block in page.blocks]
    return "\n\n".join([*(part for part in parts if part), *notes.lines()]) + "\n"


class _Notes:
    """Footnotes in the order of their first use, one for each place."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self._numbers: dict[tuple[str, int, int], int] = {}
        self._texts: list[str] = []

    def mark(self, citations: tuple[Citation, ...]) -> str:
        return "".join(f"[^{self._number(one)}]" for one in citations)

    def _number(self, one: Citation) -> int:
        place = (one.document_id, one.start, one.end)
        if place not in self._numbers:
            self._numbers[place] = len(self._numbers) + 1
            self._texts.append(self._told(one))
        return self._numbers[place]

    def _told(self, one: Citation) -> str:
        source = self._sources[one.document_id]
        title = escaped(source.title)
        linked = f"[{title}](<{source.url.replace('<', '%3C').replace('>', '%3E')}>)" if source.url else title
        year = f", {source.year}" if source.year else ""
        return f"{linked}{year}; characters {one.start}–{one.end} of document {one.document_id}"

    def lines(self) -> list[str]:
        return ["\n".join(f"[^{number}]: {text}" for number, text in enumerate(self._texts, 1))] if self._texts else []


def _block(block: Block, page: str, notes: _Notes) -> Iterator[str]:
    match block:
        case Heading():
            yield f"{'#' * block.level} {escaped(block.text)}"
        case Paragraph():
            for one in block.sentences:
                yield f"- {_sentence(one)}{notes.mark(one.citations)}"
        case Table():
            yield f"**{escaped(block.caption)}**"
            yield ""
            yield "| " + " | ".join(escaped(column) for column in block.columns) + " |"
            yield "|" + " --- |" * len(block.columns)
            for row in block.rows:
                yield "| " + " | ".join(_cell(one, page, notes) for one in row) + " |"
            if block.note:
                yield ""
                yield f"*{escaped(block.note)}*"
        case Figure():
            yield f"*Figure: {escaped(block.caption)}.* {escaped(block.alt)}"
        case Code():
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", block.text)), default=0))
            yield f"**{escaped(block.caption)}**"
            yield ""
            yield f"{fence}{block.language}"
            yield block.text.rstrip("\n")
            yield fence
        case Note():
            yield f"> {'**Note:** ' if block.tone == 'plain' else '**Warning:** '}{escaped(block.text)}"
        case Links():
            yield f"**{escaped(block.title)}:** " + ", ".join(f"[{escaped(title)}]({link(page, target)})" for target, title in block.pages)


def _sentence(one: Sentence) -> str:
    language = f" *({one.language})*" if one.language else ""
    return escaped(one.text) + language


def _cell(one: Cell, page: str, notes: _Notes) -> str:
    text = escaped(one.text)
    if one.page and text:
        text = f"[{text}]({link(page, one.page)})"
    return f"{'⚠ ' if one.disagree else ''}{text}{notes.mark(one.citations)}"


def link(page: str, target: str) -> str:
    """From a page's file to that of another, of any volume: volumes/<volume>/markdown/<slug>.md."""
    (here, _), (there, slug) = page.split("/", 1), target.split("/", 1)
    return f"{slug}.md" if here == there else f"{os.pardir}/{os.pardir}/{there}/markdown/{slug}.md"
