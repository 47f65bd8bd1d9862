"""The tree of components, as lines and as a page: everything once, in order, and nothing from outside."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from forge_assets.components.ontology import Ontology, load_ontology
from forge_assets.components.ontology.tree import grow, lines
from forge_assets.components.ontology.tree_picture import draw
from tests.components.ontology_files import FILES, lay


@pytest.fixture
def small(tmp_path: Path) -> Ontology:
    return load_ontology(folder=lay(tmp_path / "ontology"))


def drawn(ontology: Ontology, works: dict[str, int] | None = None, slot: str | None = None) -> list[str]:
    return [f"{before}{branch.title}  {note}" for before, branch, note in lines(grow(ontology, works=works, slot=slot))]


def test_the_tree_in_lines(small: Ontology) -> None:
    assert drawn(small) == [
        "Architecture  2 components",
        "├── Attention  attention · 1 component",
        "│   └── Multi-head attention  multi-head-attention",
        "└── Normalization  norm · 1 component",
        "    └── Layer normalization  layer-norm · 2016",
        "Optimization  3 components",
        "└── Optimizer  optimizer · 3 components",
        "    └── Stochastic gradient descent  sgd · 1951",
        "        └── Adam  adam · 2014",
        "            └── Lion  lion",
        "Evaluation  1 component",
        "└── Hardware  hardware · 1 component",
        "    └── H100  h100",
    ]


def test_with_works_the_most_named_come_first_and_each_says_how_many(tmp_path: Path) -> None:
    flat = FILES["optimizer"].replace("  parent: sgd\n", "").replace("  parent: adam\n", "")
    ontology = load_ontology(folder=lay(tmp_path / "ontology", optimizer=flat))
    assert drawn(ontology, {"lion": 1, "adam": 1200}, slot="optimizer") == [
        "Optimization  3 components",
        "└── Optimizer  optimizer · 3 components",
        "    ├── Adam  adam · 2014 · 1,200 works",
        "    ├── Lion  lion · 1 work",
        "    └── Stochastic gradient descent  sgd · 1951 · 0 works",
    ]


def test_a_family_without_a_year_stands_where_its_oldest_member_would(tmp_path: Path) -> None:
    entry = "- {{id: {0}, name: {0}, aliases: [{0} x], build: fdl, description: A.{1}}}\n"
    norm = entry.format("new", ", introduced: {title: N, year: 2020}") + entry.format("family", "")
    norm += entry.format("old", ", introduced: {title: O, year: 1990}, parent: family") + entry.format("undated", "")
    ontology = load_ontology(folder=lay(tmp_path / "ontology", norm=norm))
    assert [branch.id for branch in grow(ontology, slot="norm")[0].children[0].children] == ["family", "new", "undated"]


class Page(HTMLParser):
    """Ids drawn, addresses that a browser would fetch, and tags left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.drawn: list[str] = []
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if "data-id" in said:
            self.drawn.append(said["data-id"] or "")
        if tag == "a":
            self.links.append(said["href"] or "")
        else:
            self.fetched += [said[name] or "" for name in ("src", "href") if said.get(name) not in (None, "data:,")]
        if tag not in ("meta", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_draws_everything_once_and_fetches_nothing(small: Ontology) -> None:
    text = draw(small, works={"adam": 7})
    page = Page(text)
    assert sorted(page.drawn) == sorted([*small.slots, *small.components])
    assert (page.fetched, page.open) == ([], [])
    assert "<!--=" not in text
    assert "6 components in 4 slots for 3 tasks" in text
    assert "7 works" in text and "Scales &lt;steps&gt; by" in text
    assert {"https://arxiv.org/abs/1412.6980", "https://doi.org/10.1214/aoms/1177729586", "#optimization"} <= set(page.links)
    assert "url(" not in text and "@import" not in text
    assert "works</span>" not in draw(small), "without counts none are drawn"


CHROMIUM = shutil.which("chromium")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: run tools/debian.sh as root")
def test_the_page_folds_and_is_searched_in_a_browser(small: Ontology, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    file = tmp_path / "tree.html"
    file.write_text(draw(small), encoding="utf-8")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.goto(file.as_uri())
        adam, norm = page.locator("[data-id=adam] > details > summary"), page.locator("[data-id=layer-norm]")
        assert not adam.is_visible() and not norm.is_visible()
        page.click("[data-id=norm] > details > summary > .title")
        assert norm.is_visible()
        page.keyboard.press("/")
        page.keyboard.type("MOMENT est")
        assert adam.is_visible() and page.locator("[data-id=sgd] > details > summary").is_visible()
        assert not norm.is_visible() and not page.locator("[data-id=lion]").is_visible()
        assert page.locator("output").inner_text() == "1 component"
        page.fill("#query", "normalization")
        assert norm.is_visible()
        page.fill("#query", "no such thing")
        assert page.locator("#nothing").is_visible() and page.locator("output").inner_text() == "0 components"
        page.keyboard.press("Escape")
        assert norm.is_visible() and not adam.is_visible(), "as it was before the search"
        page.click("#open")
        assert adam.is_visible()
        page.click("#close")
        assert not adam.is_visible()
        browser.close()
    assert asked == [file.as_uri()]
    assert wrong == []
