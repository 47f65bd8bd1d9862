"""Comparison tables: the right figures, a source in each cell, and names that survive every format."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from forge_assets.compatibility.graph.build import build
from forge_assets.compatibility.graph.tables import COLUMNS, Cell, Comparison, Row, Source, compare
from forge_assets.compatibility.graph.tables_written import FORMATS
from forge_assets.components.catalogue.build import build as catalogue
from forge_assets.components.ontology.model import Introduced, Ontology
from forge_resources.database import Database
from forge_resources.errors import QueryError
from tests.compatibility.graphs import HOSTILE
from tests.components.catalogue_corpus import ontology as small
from tests.components.catalogue_corpus import paper, put

BODY = "The study of year {0} was made in room {0} by {1} people, who noted {1} findings on {0} pages and lost {1} of them again."
PAPER = Source("paper", "https://x.y/z")
TABLE = Comparison(
    "norm", HOSTILE, COLUMNS,
    (Row("a|b", HOSTILE, (Cell(HOSTILE, (Source(HOSTILE, "javascript:alert(1)"), PAPER)), *[Cell("=1+1")] * 9)),),
)  # fmt: skip


def ontology() -> Ontology:
    made = small()
    gelu = replace(made.components["gelu"], introduced=Introduced("Gaussian Error Linear Units", 2016, "1606.08415"), inputs=("hidden",))
    return replace(made, components=dict(made.components) | {"gelu": gelu})


def table(db: Database, slot: str) -> dict[str, dict[str, Cell]]:
    rates = [paper(n, f"We train with Adam with a learning rate of {n}e-4. {BODY.format(n, n + 3)}") for n in (1, 2, 3)]
    beats = [paper(10 + n, f"GELU outperforms ReLU in kitchen {n}. {BODY.format(n + 20, n + 8)}") for n in range(2)]
    put(db, [*rates, *beats], ontology())
    catalogue(db, ontology())
    build(db, ontology())
    made = compare(db, ontology(), slot)
    return {row.component: dict(zip(made.columns, row.cells, strict=True)) for row in made.rows}


def test_each_cell_says_what_is_known_and_where_it_stands(database: Database) -> None:
    rows = table(database, "activation")
    assert list(rows) == ["gelu", "relu"]
    gelu = rows["gelu"]
    assert gelu["introduced"].text == "2016" and gelu["introduced"].sources[0].url == "https://arxiv.org/abs/1606.08415"
    assert gelu["works"].text == "2" and gelu["takes"].text == "hidden" and gelu["build"].text == "described"
    assert gelu["supersedes or improves on"].text.startswith("improves on relu (0.7")
    assert [source.told for source in gelu["supersedes or improves on"].sources] == [
        "Note 10 on kitchens (x:10, 2020)",
        "Note 11 on kitchens (x:11, 2020)",
    ]
    assert rows["relu"]["supersedes or improves on"].text == "", "what is beaten beats nothing"
    assert all(bool(cell.text) == bool(cell.sources) for row in rows.values() for cell in row.values())


def test_usual_values_stand_with_their_spread_and_texts(database: Database) -> None:
    cell = table(database, "optimizer")["adam"]["typical values"]
    assert cell.text == "learning_rate 0.0002 (quartiles 0.00015 and 0.00025; 3 works)"
    assert len(cell.sources) == 2 and all(source.document and source.start for source in cell.sources)


def test_an_unknown_slot_is_told_with_a_near_one(database: Database) -> None:
    with pytest.raises(QueryError, match="no slot is called 'activatoin'; did you mean 'activation'"):
        compare(database, ontology(), "activatoin")


def test_csv_keeps_names_and_runs_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(FORMATS["csv"](TABLE), newline="")))
    assert rows[0][:4] == ["component", "name", "introduced", "introduced: sources"] and len(rows) == 2
    assert rows[1][:3] == ["a|b", HOSTILE, HOSTILE] and rows[1][4] == "'=1+1"


def test_json_keeps_names() -> None:
    (row,) = json.loads(FORMATS["json"](TABLE))["rows"]
    assert (
        row["name"] == HOSTILE
        and row["cells"]["introduced"]["sources"][1]["url"] == "https://x.y/z"
        and list(row["cells"]) == list(COLUMNS)
    )


def test_markdown_is_one_table_whose_cells_are_text() -> None:
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(FORMATS["markdown"](TABLE))
    cells = [inline(tokens[n + 1]) for n, token in enumerate(tokens) if token.type == "td_open"]
    assert cells[0] == " ".join(f"{HOSTILE} (a|b)".split()) and cells[1] == " ".join(f"{HOSTILE} [1] [2]".split()) and len(cells) == 11
    assert not any(token.type.startswith("html") for each in tokens for token in (each, *(each.children or ())))


def inline(token: Any) -> str:
    assert all(child.type in ("text", "text_special") for child in token.children), [child.type for child in token.children]
    return "".join(child.content for child in token.children)


def test_the_page_holds_texts_as_texts() -> None:
    from lxml import html

    page = html.fromstring(FORMATS["html"](TABLE))
    assert page.xpath("//td")[0].text == HOSTILE and page.xpath("//h1")[0].text.strip() == HOSTILE.strip()
    assert page.xpath("//script | //img | //b") == [] and [link.get("href") for link in page.xpath("//li/a")] == ["https://x.y/z"]
    assert "default-src 'none'" in page.xpath("//meta[@http-equiv]")[0].get("content")
