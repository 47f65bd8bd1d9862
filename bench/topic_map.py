"""How usable the page of the topic map is in a headless Chromium without a graphics card: first picture, frames, search, memory.

    python bench/topic_map.py [FILE]        (FILE: forge topics map --html FILE; without, the map of 300,000 made-up works)

CPU seconds are those of the page's main thread, which other work on the machine does not change; wall times are of this machine as it is.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common import machine, table

from forge_assets.topics.map.colours import topic_colour
from forge_assets.topics.map.page import page
from forge_assets.topics.map.shown import Entry, Shown

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWPORT = {"width": 1500, "height": 950}
FRAMES = 40
MADE_UP, TOPICS, WORDS = 300_000, 300, 20_000
PAN = """async ([frames, keys]) => {
    const map = document.getElementById("labels"), took = [];
    for (let n = 0; n < frames; n++) {
        const started = performance.now();
        map.dispatchEvent(new KeyboardEvent("keydown", { key: keys[n % keys.length] }));
        await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
        took.push(performance.now() - started);
    }
    return took; }"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?")
    file = parser.parse_args().file
    print(machine())
    with tempfile.TemporaryDirectory(prefix="ft-") as folder:
        if file is None:
            file = Path(folder, "map.html")
            file.write_bytes(page(made_up()))
        look(file.resolve())


def look(file: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        tab = browser.new_context(viewport=VIEWPORT, offline=True).new_page()
        session = tab.context.new_cdp_session(tab)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        tab.goto(file.as_uri())
        rows = [reached(tab, session, "first picture", "drawn"), reached(tab, session, "titles can be searched", "ready")]
        rows.append(frame(tab, session, "a frame, whole map"))
        for _ in range(5):
            tab.locator("#nearer").click()
        rows.append(frame(tab, session, "a frame, eight times nearer"))
        before = cpu(session)
        tab.fill("#word", "attention transformer")
        tab.locator("#count", has_text="found").wait_for()
        rows.append(("a search", f"{1000 * (cpu(session) - before):.0f} ms", ""))
        heap = tab.evaluate("performance.memory.usedJSHeapSize") / 1e6
        print(f"{tab.locator('#count').inner_text()}; page {file.stat().st_size / 1e6:.1f} MB, heap {heap:.0f} MB")
        print(table(["", "CPU", "wall"], rows))
        browser.close()


def made_up() -> Shown:
    """Topics as round clouds, titles of words drawn by Zipf's law."""
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), rng.integers(3, 11))) for _ in range(WORDS)]
    of = np.sort(rng.integers(TOPICS, size=MADE_UP))
    spots = rng.uniform(-1, 1, (TOPICS, 2))
    places = (spots[of] + rng.normal(scale=0.05, size=(MADE_UP, 2))).astype(np.float32)
    drawn = iter((rng.zipf(1.3, MADE_UP * 9) % WORDS).tolist())
    titles = [" ".join(words[next(drawn)] for _ in range(9)) for _ in range(MADE_UP)]
    sizes = np.bincount(of, minlength=TOPICS)
    colours = [topic_colour(n % 24, n) for n in range(TOPICS)]
    topics = [Entry(n + 1, f"topic {n}", (f"topic {n}",), int(sizes[n]), None, colours[n], *map(float, spots[n])) for n in range(TOPICS)]
    return Shown(of.astype(np.int64) + 1, (1990 + of % 35).astype(np.int16), places, titles, topics, [])


def reached(tab: Any, session: Any, name: str, mark: str) -> tuple[str, str, str]:
    """(name, CPU, wall) since the page was opened until it set a mark."""
    tab.wait_for_selector(f"html[data-{mark}]", state="attached", timeout=300_000)
    return name, f"{cpu(session):.2f} s", f"{int(tab.evaluate(f'document.documentElement.dataset.{mark}')) / 1000:.2f} s"


def cpu(session: Any) -> float:
    """Seconds of the page's main thread so far."""
    return float({m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}["TaskDuration"])


def frame(tab: Any, session: Any, name: str) -> tuple[str, str, str]:
    """(name, mean CPU, median wall) of a frame while the map is moved to and fro."""
    before = cpu(session)
    took = tab.evaluate(PAN, [FRAMES, ["ArrowLeft", "ArrowRight"]])
    return name, f"{1000 * (cpu(session) - before) / FRAMES:.0f} ms", f"{statistics.median(took):.0f} ms"


if __name__ == "__main__":
    main()
