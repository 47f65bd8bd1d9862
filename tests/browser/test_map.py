"""A person opens the map of topics in a browser that is offline: looks, points, filters, searches, and does all of it by keys.

SCREENSHOTS_TO=FOLDER keeps the pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forge_assets.topics.map.colours import group_colour, topic_colour
from forge_assets.topics.map.page import page
from forge_assets.topics.map.shown import Entry, Shown, one_line
from tests.browser.offline import NEEDS_CHROMIUM, open_file

HOSTILE = '</script><script>document.title="broken"</script><img src="http://127.0.0.1:9/x" onerror="document.title=1">'
WIDTH, HEIGHT, PANEL = 1200, 800, 330
EACH = 250

pytestmark = NEEDS_CHROMIUM


def corpus(each: int = EACH) -> Shown:
    """Four topics in two groups at the corners of a square, works of 2000 to 2024, and a lone one in the middle that waits for a topic."""
    rng = np.random.default_rng(4)
    corners = np.array([(-1, -1), (1, -1), (-1, 1), (1, 1)])
    spread = 1 + rng.normal(scale=0.15, size=(each, 2))
    positions = np.concatenate([corner * spread for corner in corners] + [np.zeros((1, 2))])
    topic_of = np.append(np.repeat([11, 12, 13, 14], each), 0)
    years = np.append(np.tile(np.sort(2000 + np.arange(each) % 25), 4), 2010).astype(np.int16)
    titles = [one_line(f"{('Pruning', 'Speech', 'Proteins', 'Robots')[n // each]} number {n}") for n in range(4 * each)] + ["A lone work"]
    titles[3] = HOSTILE
    titles[each] = "Speech of Ünïcode and İstanbul"
    topics = [
        Entry(11 + n, f"{name}, more words", (name,), each, 1 + n // 2, topic_colour(n // 2, 11 + n), *map(float, corners[n]))
        for n, name in enumerate(["pruning <b>", "speech", "proteins", "robots"])
    ]
    groups = [Entry(1 + g, f"group {g}", (f"group {g}",), 2 * each, None, group_colour(g), 0.0, -1.0 + 2 * g) for g in (0, 1)]
    return Shown(topic_of, years, positions.astype(np.float32), titles, topics, groups)


def opened(browser: Any, folder: Path, what: Shown, **options: Any) -> tuple[Any, list[str]]:
    """The page once all titles are read, and a list that takes every request, error and console message of it."""
    file = folder / "map.html"
    file.write_bytes(page(what))
    return open_file(browser, file, WIDTH, HEIGHT, **options)


@pytest.fixture
def seen(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The map of `corpus`; whatever a test does with it, it must ask for nothing, report nothing, and stay the page it was."""
    tab, said = opened(browser, tmp_path, corpus())
    yield tab
    assert said == [] and tab.title() == "Map of topics" and tab.locator("img, iframe, link").count() == 0
    tab.context.close()


def middle() -> tuple[float, float]:
    return (WIDTH - PANEL) / 2, HEIGHT / 2


def count(tab: Any) -> str:
    return str(tab.locator("#count").inner_text())


def tip(tab: Any) -> str:
    from playwright.sync_api import expect

    expect(tab.locator("#tip")).to_be_visible()
    return "\n".join(tab.locator("#tip p").all_inner_texts())


def coloured(tab: Any, colour: str) -> int:
    """Number of pixels of the map that are nearly of this colour."""
    return int(
        tab.evaluate(
            """([r, g, b]) => { const map = document.getElementById("points");
            const copy = Object.assign(document.createElement("canvas"), { width: map.width, height: map.height });
            const context = copy.getContext("2d", { willReadFrequently: true });
            context.drawImage(map, 0, 0);
            const data = context.getImageData(0, 0, map.width, map.height).data;
            let found = 0;
            for (let n = 0; n < data.length; n += 4)
              found += Math.abs(data[n] - r) + Math.abs(data[n + 1] - g) + Math.abs(data[n + 2] - b) < 12;
            return found; }""",
            [int(colour[n : n + 2], 16) for n in (1, 3, 5)],
        )
    )


def test_pointing_at_a_work_tells_its_title_topic_and_year(seen: Any) -> None:
    from playwright.sync_api import expect

    assert count(seen) == "1,001 of 1,001 works shown"
    seen.mouse.move(*middle())
    assert tip(seen) == "A lone work\nno topic yet · 2010"
    seen.mouse.move(middle()[0], middle()[1] - 120)
    expect(seen.locator("#tip")).to_be_hidden()
    _keep(seen, "map")


def test_hostile_titles_and_labels_are_text(seen: Any) -> None:
    seen.fill("#word", "document.title")
    found = seen.locator("#found button")
    found.first.wait_for()
    assert found.all_inner_texts() == [HOSTILE]
    found.first.click()
    assert HOSTILE in tip(seen)
    seen.locator("#legend summary").first.click(position={"x": 4, "y": 8})
    assert "pruning <b>, more words" in seen.locator("#legend").inner_text() and seen.locator("#legend b").count() == 0


def test_nothing_but_the_page_s_own_script_can_run(browser: Any, tmp_path: Path) -> None:
    tab, said = opened(browser, tmp_path, corpus())
    tab.evaluate("""() => { const made = document.createElement("script"); const text = "document.title = 'injected'";
        try { made.textContent = text; document.body.append(made); } catch (refused) { console.log("refused: " + refused.message); } }""")
    assert tab.title() == "Map of topics" and any("refused" in line or "Content Security Policy" in line for line in said)
    tab.evaluate("fetch('http://127.0.0.1:9/').catch(() => null)")
    assert any("Content Security Policy" in line and "127.0.0.1:9" in line for line in said)
    tab.context.close()


def test_topics_and_groups_are_shown_and_hidden(seen: Any) -> None:
    speech = topic_colour(0, 12).light
    assert coloured(seen, speech) > 50
    groups = seen.locator("#legend > li > details > summary")
    groups.nth(0).get_by_role("checkbox").uncheck()
    assert count(seen) == "501 of 1,001 works shown"
    _drawn(seen)
    assert coloured(seen, speech) == 0
    groups.nth(0).click(position={"x": 4, "y": 8})
    seen.get_by_role("checkbox", name="show speech, more words").check()
    assert count(seen) == "751 of 1,001 works shown"
    assert groups.nth(0).get_by_role("checkbox").evaluate("box => box.indeterminate")
    seen.get_by_role("button", name="only speech, more words").focus()
    seen.keyboard.press("Enter")
    assert count(seen) == "250 of 1,001 works shown"
    seen.get_by_role("button", name="none", exact=True).click()
    assert count(seen) == "0 of 1,001 works shown"
    seen.mouse.move(*middle())
    assert seen.locator("#tip").is_hidden(), "what is not shown cannot be pointed at"
    seen.get_by_role("button", name="all", exact=True).click()
    assert count(seen) == "1,001 of 1,001 works shown"


def test_years_are_filtered_by_both_sliders(seen: Any) -> None:
    seen.locator("#from").fill("2020")
    assert count(seen) == "200 of 1,001 works shown" and seen.locator("#years").inner_text() == "2020 to 2024"
    seen.locator("#to").fill("2010")
    assert seen.locator("#years").inner_text() == "2010 to 2010", "the sliders do not pass one another"
    assert count(seen) == "41 of 1,001 works shown"


def test_words_of_titles_are_found_as_words_in_any_case_and_language(seen: Any) -> None:
    from playwright.sync_api import expect

    for query, found in (("PRUNING numb", 249), ("runing", 0), ("speech 25", 9), ("ünï", 1), ("istanbul", 0), ("i̇stanbul", 1), ("", None)):
        seen.fill("#word", query)
        wanted = "1,001 of 1,001 works shown" if found is None else f"{found} of 1,001 works found"
        expect(seen.locator("#count")).to_have_text(wanted)
    seen.fill("#word", "lone work")
    seen.locator("#found button").first.click()
    assert tip(seen).startswith("A lone work")
    seen.mouse.click(middle()[0] - 300, middle()[1])
    assert seen.locator("#tip").is_hidden()


def test_all_of_it_can_be_done_by_keys(seen: Any) -> None:
    from playwright.sync_api import expect

    seen.locator("#labels").focus()
    seen.keyboard.press("Enter")
    assert tip(seen).startswith("A lone work")
    expect(seen.locator("#said")).to_have_text("A lone work, no topic yet · 2010")
    for key in ("+", "+", "ArrowLeft", "ArrowUp", "-"):
        seen.keyboard.press(key)
    seen.keyboard.press("Escape")
    expect(seen.locator("#tip")).to_be_hidden()
    seen.keyboard.press("0")
    assert tip(seen).startswith("A lone work"), "0 shows the whole map again, its middle in the middle"
    reached = []
    for _ in range(9):
        seen.keyboard.press("Tab")
        reached.append(seen.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert reached == ["nearer", "farther", "whole", "theme", "word", "from", "to", "all", "none"]


def test_the_wheel_zooms_where_the_pointer_is_and_a_drag_moves_the_map(seen: Any) -> None:
    x, y = middle()
    seen.mouse.move(x, y)
    for _ in range(4):
        seen.mouse.wheel(0, -300)
    assert tip(seen).startswith("A lone work")
    seen.mouse.down()
    seen.mouse.move(x + 90, y + 60, steps=4)
    seen.mouse.up()
    seen.mouse.move(x + 91, y + 60)
    assert tip(seen).startswith("A lone work"), "the work went with the pointer"


def test_light_and_dark(browser: Any, tmp_path: Path) -> None:
    tab, said = opened(browser, tmp_path, corpus(), color_scheme="dark")
    dark, light = topic_colour(0, 11).dark, topic_colour(0, 11).light
    assert coloured(tab, dark) > 50 and coloured(tab, light) == 0 and coloured(tab, "#131416") > 100_000
    _keep(tab, "map-dark")
    tab.locator("#theme").click()
    _drawn(tab)
    assert coloured(tab, light) > 50 and coloured(tab, dark) == 0
    assert said == []
    tab.context.close()


@pytest.mark.timeout(300)
def test_three_hundred_thousand_works_stay_usable(browser: Any, tmp_path: Path) -> None:
    """In CPU seconds of the page's thread, so that a busy machine changes nothing: 0.1 for a frame."""
    tab, said = opened(browser, tmp_path, corpus(75_000))
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        return float({m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}["TaskDuration"])

    before = spent()
    frames = 20
    tab.evaluate(
        """async (frames) => { const map = document.getElementById("labels");
        for (let n = 0; n < frames; n++) {
          map.dispatchEvent(new KeyboardEvent("keydown", { key: n % 2 ? "ArrowLeft" : "ArrowRight" }));
          await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
        } }""",
        frames,
    )
    assert (spent() - before) / frames < 0.1
    tab.fill("#word", "robots 250001")
    tab.locator("#found button").first.wait_for()
    assert tab.locator("#found button").all_inner_texts() == ["Robots number 250001"] and said == []
    tab.context.close()


def _drawn(tab: Any) -> None:
    """Returns when what was changed is on the screen."""
    tab.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def _keep(tab: Any, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS_TO"):
        tab.screenshot(path=str(Path(folder) / f"{name}.png"))
