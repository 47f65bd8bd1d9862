"""Tables and JSON on the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Coloured:
    """A cell of a table in a colour of rich's; whatever else stands in a table is text, in which brackets mean nothing."""

    text: str
    colour: str


def as_json(value: object) -> None:
    """Control characters, and those that turn the direction of writing, stand as JSON's own escapes."""
    made = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    click.echo(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", made))


def printable(text: str) -> str:
    """Control characters as their escapes: a file's name or a server's answer moves no cursor and colours nothing. Lines and tabs stay."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """A table as wide as the terminal; piped into a file it is not cut."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def shown(cell: Any) -> Text:
        if isinstance(cell, Coloured):
            return Text(cell.text, style=cell.colour)
        return Text(f"{cell:,}" if isinstance(cell, int) else printable(str(cell)))

    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    made = Table(*head, title=Text(printable(title)) if title else None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for row in rows:
        made.add_row(*(shown(cell) for cell in row))
    for column, first in zip(made.columns, rows[0] if rows else [], strict=False):
        if isinstance(first, int | float):
            column.justify = "right"
        column.overflow = "fold"
    console.print(made)
