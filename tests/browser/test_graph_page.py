"""A person opens the compatibility graph in a browser that is offline: looks, searches, filters, clicks through to sentences, uses keys.

SCREENSHOTS_TO=FOLDER keeps the pictures.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forge_assets.compatibility.graph.page import page
from forge_assets.compatibility.graph.view import View, of
from tests.browser.offline import NEEDS_CHROMIUM, open_file
from tests.compatibility.graphs import HOSTILE, component, edge, hostile_view, ontology, passage

TITLE = "Compatibility graph"
SHOWN = " ".join(HOSTILE.split())

pytestmark = NEEDS_CHROMIUM


def opened(browser: Any, folder: Path, shown: View, **options: Any) -> tuple[Any, list[str]]:
    """The page once it is drawn, and a list that takes every request, error and console message of it."""
    file = folder / "graph.html"
    file.write_text(page(shown), encoding="utf-8")
    return open_file(browser, file, 1300, 850, **options)


@pytest.fixture
def seen(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Four edges, some hostile; whatever a test does, the page must ask for nothing, report nothing, and stay the page it was."""
    tab, said = opened(browser, tmp_path, hostile_view())
    yield tab
    assert said == [] and tab.title() == TITLE and tab.locator("img, iframe, link, b:not(#around)").count() == 0
    tab.context.close()


def count(tab: Any) -> str:
    return str(tab.locator("#count").inner_text())


def detail(tab: Any) -> str:
    return " ".join(tab.locator("#detail").inner_text().split())


def test_a_click_on_an_edge_tells_its_sentences_and_their_sources(seen: Any) -> None:
    assert count(seen) == "4 of 4 edges drawn, 6 of 6 components"
    seen.locator(".edge[data-edge='2'] .hit").click(force=True)
    assert "GELU improves on ReLU 0.70; 1 work for it" in detail(seen) and "GELU outperforms ReLU." in detail(seen)
    assert seen.locator(".edge.faint").count() == 3 and seen.locator(".edge.chosen").count() == 1
    seen.keyboard.press("Escape")
    assert seen.locator("#detail").is_hidden() and seen.locator(".faint").count() == 0
    _keep(seen, "graph")


def test_hostile_names_sentences_titles_and_addresses_are_text(seen: Any) -> None:
    seen.locator(".node[data-node]").filter(has_text="He said").first.focus()
    seen.keyboard.press("Enter")
    assert seen.locator("#detail h2").inner_text().split() == HOSTILE.split()
    seen.locator("#detail .edges button").first.click()
    told = seen.locator(".evidence").first
    assert SHOWN in " ".join(told.inner_text().split()) and seen.locator("#detail a").count() == 0, "no link leads to javascript:"
    assert seen.locator(".evidence.against").inner_text().startswith("GELU is no better.")


def test_a_component_is_found_by_part_of_its_name_and_drawn_with_what_surrounds_it(seen: Any) -> None:
    seen.fill("#word", "gel")
    assert seen.locator("#found button").all_inner_texts() == ["GELU · Activation function · 2 edges"]
    seen.keyboard.press("Enter")
    assert count(seen) == "2 of 4 edges drawn, 3 of 6 components" and seen.locator("#around").inner_text() == "GELU"
    assert "gelu · Activation function" in detail(seen) and seen.locator(".node.center").count() == 1
    seen.fill("#word", "nobody")
    assert seen.locator("#found").inner_text() == "no component with an edge is called so"
    seen.get_by_role("button", name="leave").click()
    assert count(seen) == "4 of 4 edges drawn, 6 of 6 components" and seen.locator("#focus").is_hidden()


def test_relations_slots_confidence_and_number_are_filters(seen: Any) -> None:
    seen.get_by_role("checkbox", name="improves on", exact=True).uncheck()
    assert count(seen) == "3 of 3 edges drawn, 5 of 6 components"
    seen.locator("#least").fill("0.75")
    assert count(seen) == "2 of 2 edges drawn, 3 of 6 components"
    seen.get_by_role("button", name="none", exact=True).click()
    assert count(seen) == "0 of 0 edges drawn, 0 of 6 components"
    seen.get_by_role("checkbox", name="Optimizer", exact=True).check()
    seen.get_by_role("checkbox", name="Activation function", exact=True).check()
    assert count(seen) == "1 of 1 edge drawn, 2 of 6 components"
    seen.get_by_role("button", name="all", exact=True).click()
    seen.get_by_role("checkbox", name="Optimizer", exact=True).uncheck()
    seen.locator("#least").fill("0")
    assert count(seen) == "1 of 1 edge drawn, 2 of 6 components"


def test_it_zooms_and_moves(seen: Any) -> None:
    before = seen.locator("#graph").get_attribute("viewBox")
    seen.mouse.move(300, 300)
    seen.mouse.wheel(0, -400)
    zoomed = seen.locator("#graph").get_attribute("viewBox")
    assert float(zoomed.split()[2]) < float(before.split()[2])
    seen.mouse.down()
    seen.mouse.move(380, 340, steps=4)
    seen.mouse.up()
    assert seen.locator("#graph").get_attribute("viewBox").split()[:2] != zoomed.split()[:2]
    seen.get_by_role("button", name="show all").click()
    assert seen.locator("#graph").get_attribute("viewBox") == before


def test_light_and_dark(browser: Any, tmp_path: Path) -> None:
    tab, said = opened(browser, tmp_path, hostile_view(), color_scheme="dark")
    fill = tab.locator(".node circle").first.get_attribute("fill")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 22)"
    _keep(tab, "graph-dark")
    tab.locator("#theme").click()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(253, 253, 252)"
    assert tab.locator(".node circle").first.get_attribute("fill") != fill and said == []
    tab.context.close()


def test_nothing_but_the_page_s_own_script_can_run(browser: Any, tmp_path: Path) -> None:
    tab, said = opened(browser, tmp_path, hostile_view())
    tab.evaluate("""() => { const made = document.createElement("script"); const text = "document.title = 'injected'";
        try { made.textContent = text; document.body.append(made); } catch (refused) { console.log("refused: " + refused.message); } }""")
    assert tab.title() == TITLE and any("refused" in line or "Content Security Policy" in line for line in said)
    tab.evaluate("fetch('http://127.0.0.1:9/').catch(() => null)")
    assert any("Content Security Policy" in line and "127.0.0.1:9" in line for line in said)
    tab.context.close()


def large(components: int = 3000, edges: int = 9000) -> View:
    """Components of which a few have many edges, as in life."""
    drawn = random.Random(5)
    slots = [slot for slot in ontology().slots if slot != "eval"]
    made = {f"c{n}": component(f"c{n}", slots[n % len(slots)], f"Component number {n}") for n in range(components)}
    by = replace(ontology(), components=made)
    pairs = {
        (min(a, b), max(a, b))
        for a, b in ((int(components * drawn.random() ** 3), drawn.randrange(components)) for _ in range(2 * edges))
        if a != b
    }
    chosen = sorted(pairs)[:edges]
    found = [
        edge(f"c{a}", "improves_on", f"c{b}", 0.99 - n / 20_000, passage(f"c{a} beats c{b}.", 10 * n)) for n, (a, b) in enumerate(chosen)
    ]
    return of(found, by)


@pytest.mark.timeout(300)
def test_three_thousand_components_stay_readable(browser: Any, tmp_path: Path) -> None:
    """The surest edges come first; work of the page's thread is bounded in CPU seconds, so that a busy machine changes nothing."""
    tab, said = opened(browser, tmp_path, large())
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        return float({m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}["TaskDuration"])

    assert count(tab).startswith("80 of 9,000 edges drawn, ") and tab.locator(".edge").count() == 80
    before = spent()
    tab.fill("#word", "component number 7")
    tab.locator("#found button").first.click()
    assert spent() - before < 2
    assert tab.locator(".node.center").count() == 1 and 1 < tab.locator(".node").count() <= 81
    tab.locator("#most").fill("400")
    assert tab.locator(".edge").count() <= 400 and spent() - before < 6
    _keep(tab, "graph-large")
    assert said == []
    tab.context.close()


def _keep(tab: Any, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS_TO"):
        tab.screenshot(path=str(Path(folder) / f"{name}.png"))
