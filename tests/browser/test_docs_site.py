"""A person reads the documentation in a browser: searches, rests on a citation, switches the theme, on a wide and a narrow screen.

axe-core looks for what keeps people out; payloads planted in articles must stay text. SCREENSHOTS_TO=FOLDER keeps the pictures.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from forge_assets.documentation.site.build import build_site
from forge_assets.documentation.site.server import server
from forge_assets.documentation.volume import Figure, Missing, Page, Volume
from tests.browser.offline import NEEDS_CHROMIUM
from tests.documentation.volumes import Library, sentences, volume
from tests.security.payloads import PAYLOADS

pytestmark = NEEDS_CHROMIUM
SVG_BEGIN = '<svg xmlns="http://www.w3.org/2000/svg">'
RUNS = "main :is(script, iframe, object, embed, style, link, meta, base, form, input, svg, [onerror], [onload])"
BROKEN_OUT = 'https://example.org/"><'
SERIOUS = ("serious", "critical")


@dataclass
class Served:
    url: str
    said: list[str] = field(default_factory=list)

    def open(self, browser: Any, path: str, width: int = 1300, height: int = 900, **options: Any) -> Any:
        """A page once it is ready; whatever it asks of others or complains of is kept in `said`."""
        tab = browser.new_context(viewport={"width": width, "height": height}, **options).new_page()
        tab.set_default_timeout(20_000)
        tab.on("console", lambda message: self.said.append(message.text))
        tab.on("pageerror", lambda error: self.said.append(str(error)))
        tab.on("dialog", lambda dialog: self.said.append(dialog.message))
        tab.on("request", lambda request: self.said.append(request.url) if not request.url.startswith(self.url) else None)
        tab.goto(self.url + path)
        tab.wait_for_selector("html[data-ready]", state="attached")
        return tab


def serving(folder: Path) -> Iterator[Served]:
    with server(folder, "127.0.0.1", 0) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Served(f"http://127.0.0.1:{running.server_port}/")
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    library = Library(sentences())
    volumes = [volume(5, "optimizer", 0, library)[0], volume(4, "topic-1", 3, library)[0]]
    folder = tmp_path_factory.mktemp("site")
    build_site(volumes, folder, {page.id for one in volumes for page in one.pages})
    yield from serving(folder)


def test_a_word_is_searched_in_a_volume_and_over_all(browser: Any, site: Served) -> None:
    tab = site.open(browser, "optimizer/page-1.html")
    tab.keyboard.press("/")
    tab.keyboard.type("component 3")
    tab.wait_for_selector(".results a")
    assert tab.locator(".results a strong").first.inner_text() == "Component 3"
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/optimizer/page-3.html*")
    start = site.open(browser, "index.html")
    start.fill("#query", "component")
    start.wait_for_selector(".results a")
    found = {link.get_attribute("href").split("?")[0] for link in start.locator(".results a").all()}
    assert any("/topic-1/" in one for one in found) and any("/optimizer/" in one for one in found)
    start.fill("#query", "xylophonic")
    start.wait_for_selector(".results .none")
    assert start.locator(".results").inner_text() == "Nothing found." and site.said == []


def test_a_citation_shows_its_quote_and_leads_to_its_source(browser: Any, site: Served) -> None:
    tab = site.open(browser, "optimizer/page-0.html")
    mark = tab.locator(".statements .mark").first
    said = tab.locator(".statements li span").first.inner_text()
    mark.hover()
    card = tab.locator(".card")
    assert card.locator("q").inner_text().strip("“”") == said
    assert str(card.locator("a").get_attribute("href")).startswith("https://example.org/paper/")
    tab.keyboard.press("Escape")
    assert card.count() == 0
    tab.locator("body").press("Tab")
    for _ in range(60):
        tab.keyboard.press("Tab")
        if tab.locator(".card").count():
            break
    assert tab.locator(".card").count() == 1, "the keyboard reaches a citation and shows its quote"
    number = mark.inner_text()
    mark.click()
    assert tab.url.endswith(f"#c{number}") and tab.locator(f"#c{number}").is_visible() and site.said == []


def test_light_and_dark_are_kept_over_pages(browser: Any, site: Served) -> None:
    tab = site.open(browser, "optimizer/page-0.html")
    assert background(tab) == "rgb(252, 251, 248)"
    tab.locator("#theme").click()
    assert background(tab) == "rgb(21, 23, 26)"
    keep(tab, "docs-dark")
    tab.goto(site.url + "topic-1/index.html")
    assert background(tab) == "rgb(21, 23, 26)"
    assert background(site.open(browser, "index.html", color_scheme="dark")) == "rgb(21, 23, 26)" and site.said == []


def test_a_phone_shows_it_without_scrolling_sideways(browser: Any, site: Served) -> None:
    for path in ("index.html", "optimizer/index.html", "optimizer/page-0.html"):
        tab = site.open(browser, path, 360, 740)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360, path
    keep(tab, "docs-phone")
    assert tab.locator(".side ul").first.is_hidden()
    tab.locator(".side summary").click()
    assert tab.locator(".side ul").first.is_visible() and site.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Any, site: Served, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for path in ("index.html", "optimizer/index.html", "optimizer/page-0.html"):
        tab = browser.new_context(viewport={"width": 1300, "height": 900}, color_scheme=scheme, bypass_csp=True).new_page()
        tab.goto(site.url + path)
        tab.wait_for_selector("html[data-ready]", state="attached")
        found = Axe().run(tab).response["violations"]
        faults = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS]
        assert faults == [], (path, faults)


def hostile() -> tuple[Volume, Library]:
    """Every payload as a sentence, a title, a name of a page, a caption, an address, a drawing and a language."""
    assert len(PAYLOADS) >= 60
    library = Library([f"{payload} is a sentence of an article." for payload in PAYLOADS], PAYLOADS)
    one, _ = volume(pages=4, id_="optimizer", library=library, per_page=len(PAYLOADS))
    pages = []
    for number, page in enumerate(one.pages):
        drawn = [Figure(caption=payload, alt=payload, svg=payload) for payload in PAYLOADS[number::4]]
        drawn += [
            Figure(caption="x", alt="x", svg=f'<svg xmlns="http://www.w3.org/2000/svg">{payload}</svg>') for payload in PAYLOADS[number::4]
        ]
        title = PAYLOADS[number * 9 % len(PAYLOADS)]
        pages.append(Page.model_validate({**page.model_dump(), "blocks": [*page.blocks, *drawn], "title": title, "summary": title}))
    sources = [source.model_copy(update={"url": payload if n % 2 else BROKEN_OUT + payload, "venue": payload, "language": payload})
               for n, (source, payload) in enumerate(zip(one.sources, PAYLOADS, strict=True))]  # fmt: skip
    missing = tuple(Missing(name=payload, reason=payload) for payload in PAYLOADS)
    update = {"pages": tuple(pages), "sources": tuple(sources), "missing": missing, "title": PAYLOADS[8]}
    return one.model_copy(update=update), library


def test_payloads_planted_in_articles_stay_text(browser: Any, tmp_path: Path) -> None:
    made, _ = hostile()
    build_site([made], tmp_path, {page.id for page in made.pages})
    for site in serving(tmp_path):
        for csp in (False, True):  # with the policy, and without it: nothing may hang on the policy alone
            context = browser.new_context(bypass_csp=csp)
            context.add_init_script("window.hits = 0; window.hit = () => { window.hits += 1; }")
            tab = context.new_page()
            asked: list[str] = []
            tab.on(
                "request", lambda request, site=site, asked=asked: None if request.url.startswith(site.url) else asked.append(request.url)
            )
            for file in sorted(tmp_path.rglob("*.html")):
                if "pagefind" in file.parts:
                    continue
                tab.goto(site.url + str(file.relative_to(tmp_path)))
                tab.wait_for_selector("html[data-ready]", state="attached")
                for mark in tab.locator(".mark").all()[:40]:
                    mark.dispatch_event("pointerenter", {"pointerType": "mouse"})
                tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
                assert tab.evaluate("window.hits") == 0, file
                assert tab.locator(RUNS).count() == 0
                assert tab.locator("a[href^='javascript' i], a[href^='data' i]").count() == 0 and asked == []
            tab.fill("#query", "sentence of an article")
            tab.wait_for_selector(".results a, .results .none")
            assert tab.evaluate("window.hits") == 0
            for drawing in sorted((tmp_path / "optimizer" / "figures").glob("*.svg"))[:20]:
                tab.goto(site.url + str(drawing.relative_to(tmp_path)))
                assert tab.evaluate("window.hits") == 0, drawing


def background(tab: Any) -> str:
    return str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))


def keep(tab: Any, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS_TO"):
        tab.screenshot(path=str(Path(folder) / f"{name}.png"))
