"""A page before it is bound into a volume, and the small parts that pages are put together of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from forge_assets.documentation.citing import Found, cited, paragraph
from forge_assets.documentation.selection import Picked
from forge_assets.documentation.volume import Block, Cell, Heading, Page, PageKind, Sentence, Table

MILLION, BILLION = 1e6, 1e9


@dataclass(slots=True)
class Draft:
    """`id`: <volume>/<slug>. `works`: the distinct works that are cited, by id."""

    id: str
    kind: PageKind
    title: str
    summary: str
    blocks: list[Block] = field(default_factory=list)
    works: set[str] = field(default_factory=set)

    def heading(self, text: str, level: Any = 2) -> None:
        self.blocks.append(Heading(text=text, level=level))

    def quote(self, title: str | None, picked: Sequence[Picked]) -> None:
        """A section of chosen sentences, where there are any."""
        if not picked:
            return
        if title:
            self.heading(title)
        self.blocks.append(paragraph(picked))
        self.works |= {str(work) for one in picked for work in one.works}

    def table(self, caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], note: str = "") -> None:
        if rows:
            self.blocks.append(Table(caption=caption, columns=tuple(columns), rows=tuple(tuple(row) for row in rows), note=note))

    def cite(self, found: Iterable[Found]) -> tuple[Any, ...]:
        """The citations of places, whose works then count as the page's."""
        made = []
        for one in found:
            self.works.add(str(one.work))
            made.append(one.citation)
        return tuple(made)

    @property
    def sentences(self) -> list[Sentence]:
        return [one for block in self.blocks if block.kind == "paragraph" for one in block.sentences]

    def page(self) -> Page:
        """Bound: with the digest of everything it says."""
        content = {
            "id": self.id, "kind": self.kind, "title": self.title, "summary": self.summary,
            "blocks": [block.model_dump(mode="json") for block in self.blocks],
        }  # fmt: skip
        return Page(
            id=self.id, kind=self.kind, title=self.title, summary=self.summary, sources=len(self.works), blocks=tuple(self.blocks),
            sha256=digest_of(content),
        )  # fmt: skip

    @property
    def documents(self) -> set[str]:
        return {one.document_id for one in cited(self.blocks)}


def digest_of(content: Any) -> str:
    """SHA-256 (hex) of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()


def cell(text: str, **more: Any) -> Cell:
    return Cell(text=text, **more)


def counted(number: int, what: str = "work") -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


STEADY, FAST = 0.15, 0.5
"""Yearly growth of a share of works below which it is steady, and from which it is fast."""
STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""Counts of works are told in these steps of each power of ten, so that a page is not another one with every night."""


def step(number: int) -> int:
    """The step that a count reaches: 10, 15, 20, 30, 50, 70, 100, ...; itself below ten."""
    if number < 10:
        return number
    power = 10 ** (len(str(number)) - 1)
    return max(int(one * power) for one in STEPS if one * power <= number)


def at_least(number: int) -> str:
    """A count of works as pages tell it: exact below ten, above it the step that it reaches, with a plus."""
    return str(number) if number < 10 else f"{step(number):,}+"


def some_works(number: int) -> str:
    return counted(number) if number < 10 else f"{at_least(number)} works"


def number(value: float) -> str:
    """1.2 billion, 3.5 million, 12,000, 0.001; three digits are told."""
    size = abs(value)
    if size >= 1e15:
        return f"{value:.3g}"
    if size >= BILLION:
        return f"{value / BILLION:.3g} billion" if size < 1e12 else f"{value / 1e12:.3g} trillion"
    if size >= MILLION:
        return f"{value / MILLION:.3g} million"
    if size >= 1000:
        return f"{float(f'{value:.4g}'):,.0f}"
    return f"{value:.4g}"


def trend(value: float | None) -> str:
    """Yearly growth, exact."""
    return "" if value is None else f"{100 * value:+.0f}% a year"


def course(value: float | None) -> str:
    """Yearly growth in a word: a figure of it would be another one every night."""
    if value is None:
        return ""
    word = "steady" if abs(value) < STEADY else "rising" if value > 0 else "falling"
    return f"{word} fast" if abs(value) >= FAST else word


def sure(confidence: float) -> str:
    """Confidence in steps of 0.05."""
    return f"{round(20 * confidence) / 20:.2f}"


def times(lift: float) -> str:
    """How many times as often as by chance, in the steps of counts above ten."""
    return f"{lift:.0f}×" if lift < 10 else f"{at_least(int(lift))}×"


def slug(text: str) -> str:
    """Small letters, digits and hyphens: part of a page's id."""
    made = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())
    return "-".join(part for part in made.split("-") if part)[:80] or "page"


def years(first: int | None, latest: int | None) -> str:
    if not first:
        return ""
    return f"{first}" if first == latest else f"{first}–{latest}"
