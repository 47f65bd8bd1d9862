"""A comparison as Markdown, CSV, JSON or one HTML page. Sources are numbered where there is no room for them."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from importlib.resources import files

from forge_assets.compatibility.graph.drawing import plain
from forge_assets.compatibility.graph.tables import Cell, Comparison, Source
from forge_assets.single_page import policy_hash


def markdown(table: Comparison) -> str:
    """GitHub's tables; the numbers in brackets are those of the list below."""
    numbers = _numbered(table)
    head = ("component", *table.columns)
    lines = [f"# {_marked(table.title)} ({table.slot})", "", _line(head), _line(["---"] * len(head))]
    for row in table.rows:
        cells = [f"{_marked(cell.text)}{_references(cell, numbers)}" for cell in row.cells]
        lines.append(_line([f"{_marked(row.name)} ({_marked(row.component)})", *cells]))
    lines += ["", "## Sources", ""]
    lines += [f"{number}. {_marked(source.told)}" + (f" <{source.url}>" if _opens(source) else "") for source, number in numbers.items()]
    return "\n".join(lines) + "\n"


def csv_(table: Comparison) -> str:
    """RFC 4180; beside each column one with its sources. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(["component", "name", *(name for column in table.columns for name in (column, f"{column}: sources"))])
    for row in table.rows:
        cells = [text for cell in row.cells for text in (cell.text, "; ".join(_addressed(source) for source in cell.sources))]
        writer.writerow([_harmless(plain(text)) for text in (row.component, row.name, *cells)])
    return file.getvalue()


def json_(table: Comparison) -> str:
    rows = [
        {"component": row.component, "name": row.name, "cells": {c: asdict(cell) for c, cell in zip(table.columns, row.cells, strict=True)}}
        for row in table.rows
    ]
    return json.dumps({"slot": table.slot, "title": table.title, "rows": rows}, ensure_ascii=False, indent=1, default=str) + "\n"


def page(table: Comparison) -> str:
    """A page without scripts that loads nothing."""
    numbers = _numbered(table)
    style = (files("forge_assets.compatibility.graph") / "html" / "table.css").read_text("utf-8")
    policy = f"default-src 'none'; style-src '{policy_hash(style)}'; base-uri 'none'"
    head = "".join(f'<th scope="col">{_escaped(column)}</th>' for column in ("component", *table.columns))
    rows = "\n".join(
        f'<tr><th scope="row">{_escaped(row.name)}<small>{_escaped(row.component)}</small></th>'
        + "".join(f"<td>{_escaped(cell.text)}{_links(cell, numbers)}</td>" for cell in row.cells) + "</tr>"
        for row in table.rows
    )  # fmt: skip
    sources = "\n".join(f'<li id="source-{number}">{_linked(source)}</li>' for source, number in numbers.items())
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{_escaped(table.title)}</title>
<style>{style}</style>
</head>
<body>
<h1>{_escaped(table.title)} <small>{_escaped(table.slot)}</small></h1>
<div class="wide"><table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
<h2>Sources</h2>
<ol>
{sources}
</ol>
</body>
</html>
"""


def _numbered(table: Comparison) -> dict[Source, int]:
    """Each source once, in the order in which the cells name them."""
    numbers: dict[Source, int] = {}
    for row in table.rows:
        for cell in row.cells:
            for source in cell.sources:
                numbers.setdefault(source, len(numbers) + 1)
    return numbers


def _references(cell: Cell, numbers: Mapping[Source, int]) -> str:
    return "".join(f" [{number}]" for number in dict.fromkeys(numbers[source] for source in cell.sources))


def _links(cell: Cell, numbers: Mapping[Source, int]) -> str:
    found = dict.fromkeys(numbers[source] for source in cell.sources)
    return "".join(f'<sup><a href="#source-{number}">{number}</a></sup>' for number in found)


def _linked(source: Source) -> str:
    told = _escaped(source.told)
    return f'<a href="{_escaped(source.url or "")}" rel="noreferrer noopener">{told}</a>' if _opens(source) else told


def _opens(source: Source) -> bool:
    return source.url is not None and source.url.startswith(("https://", "http://")) and not set(source.url) & set(" <>\n\r\t")


def _addressed(source: Source) -> str:
    return f"{source.told} {source.url}" if _opens(source) else source.told


def _escaped(text: str) -> str:
    return html.escape(plain(text))


def _marked(text: str) -> str:
    """Text as Markdown shows it: one line, and no sign of it is markup."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#&" else sign for sign in " ".join(plain(text).split()))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _harmless(text: str) -> str:
    """A number may begin with a sign, anything else that does is a formula to a spreadsheet."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not re.match(r"[+-]\d+% a year$", text) else text


FORMATS: Mapping[str, Callable[[Comparison], str]] = {"markdown": markdown, "csv": csv_, "json": json_, "html": page}
