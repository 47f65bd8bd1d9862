"""Rows of tables as HTML. Tables hold most of what a site shows, so their cells are written here and not one by one by the template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape

from forge_assets.documentation.site.inline import inline

SHORT = 14
"""Letters; a cell with fewer is not broken into lines."""


@dataclass(frozen=True, slots=True)
class ShownCell:
    """`text` as in the volume; `way`: the address it leads to; `marks`: the numbers of its sources on the page."""

    text: str
    way: str | None
    marks: Sequence[int]
    disagree: bool
    short: bool


def rows(cells: Iterable[Iterable[ShownCell]], once: Callable[[int], str]) -> Markup:
    """The body of a table, a line a row. `once` numbers marks in the order in which they are written."""
    lines = (
        "<tr>" + "".join(f"{_opened(one)}{marks(one.marks, once) if one.marks else ''}</td>" for one in row) + "</tr>\n" for row in cells
    )
    return Markup("".join(lines))  # noqa: S704 (texts are escaped by inline, addresses by _content)


def marks(numbers: Iterable[int], once: Callable[[int], str]) -> Markup:
    """Links from a statement to the quotes it stands on."""
    made = "".join(
        f'<a class="mark" id="m{once(number)}" href="#c{number}" aria-label="Source {number}">{number}</a>' for number in numbers
    )
    return Markup(f'<span class="marks">{made}</span>' if made else "")  # noqa: S704 (numbers)


def _opened(one: ShownCell) -> str:
    return _content(one.text, one.way, one.disagree, one.short)


@lru_cache(maxsize=1 << 15)
def _content(text: str, way: str | None, disagree: bool, short: bool) -> str:
    shown = str(inline(text))
    told = '<span class="disagree">sources disagree</span> ' if disagree else ""
    opened = '<td class="short">' if short else "<td>"
    return opened + told + (f'<a href="{escape(way)!s}">{shown}</a>' if way else shown)
