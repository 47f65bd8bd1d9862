"""A person opens the UI that `forge up` started, materializes two shards from the asset's page, and sees what came of it.

SCREENSHOTS_TO=FOLDER keeps the pictures; docs/images/asset-graph.png is one of them.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forge_app.run import materialize
from forge_assets.corpus.sources import add_source
from forge_resources.database import Database
from forge_resources.settings import PROJECT, settings

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: run tools/debian.sh as root"),
]


@pytest.fixture
def ui(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a UI over the sample corpus, with a part of it materialized; afterwards nothing of it runs any more."""
    monkeypatch.setenv("FORGE_WORKERS", "2")
    with Database.open() as db:
        add_source(db, settings(), str(PROJECT / "examples" / "corpus"))
        materialize(["source_inventory", "parsed_papers", "works", "lexical_index"], shards="04..0f")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", "from forge_app.cli import main; main()", "up", "--port", str(port)],
        env=os.environ | {"PYTHONPATH": str(PROJECT)}, cwd=PROJECT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert f"http://127.0.0.1:{port}" in line, f"forge up said {line!r}: {process.stdout.read()}"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and rest.rstrip().endswith("stopped")
    assert not _running(forge_home), "forge up left processes behind"


def _running(home: Path) -> list[str]:
    """Dagster processes of this home, and its Postgres once the last user has left."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if folder.name != str(os.getpid()) and str(home).encode() in environment and ("dagster" in command or "postgres" in command):
                found.append(command)
        if not found:
            return []
        time.sleep(0.2)
    return found


@pytest.mark.timeout(240)
def test_two_shards_are_materialized_from_the_asset_page(ui: str) -> None:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(30_000)
        page.goto(f"{ui}/assets/source_inventory")
        page.get_by_role("button", name="Materialize").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("Select a partition or create one").click()
        for shard in ("00", "01"):
            page.get_by_role("menuitem", name=shard).first.click()
        page.keyboard.press("Escape")
        expect(dialog.get_by_text("2 partitions")).to_be_visible()
        expect(dialog.get_by_text("Backfills all partitions in a single run.")).to_be_visible()
        dialog.get_by_role("button", name="Launch backfill").click()
        page.goto(f"{ui}/runs")
        expect(page.get_by_text("2 partitions").first).to_be_visible()
        # the run that prepared the home is one success, the backfill of the two shards is the second
        expect(page.get_by_text("Success", exact=True)).to_have_count(2, timeout=150_000)
        page.goto(f"{ui}/assets/source_inventory?partition=00&view=partitions")
        expect(page.get_by_text("Partition row count").or_(page.get_by_text("dagster/partition_row_count")).first).to_be_visible()
        _keep(page, "partition")
        page.goto(f"{ui}/assets/parsed_papers")
        expect(page.get_by_text("Row count").first).to_be_visible()
        expect(page.get_by_text("canonical text; every character offset points into it")).to_be_visible()
        _keep(page, "parsed-papers")
        _show_graph(page, ui)
        browser.close()
    with urllib.request.urlopen(f"{ui}/server_info", timeout=10) as answer:
        assert answer.status == 200


def _show_graph(page: Any, ui: str) -> None:
    """The whole graph with its groups opened; every asset is on it."""
    from playwright.sync_api import expect

    page.set_viewport_size({"width": 2000, "height": 1150})
    page.goto(f"{ui}/asset-groups?expanded=global%40global%3Acorpus%2Cglobal%40global%3Aembeddings")
    page.get_by_role("img", name="panel_show_right").last.click()  # the side bar would hide half of it
    page.get_by_role("img", name="panel_show_right").first.click()
    for asset in ("source_inventory", "parsed_papers", "works", "lexical_index", "passage_embeddings", "search_index"):
        expect(page.get_by_text(asset, exact=True).first).to_be_visible()
    if os.environ.get("SCREENSHOTS_TO"):
        page.wait_for_timeout(2500)  # the graph glides into place
    _keep(page, "asset-graph")


def _keep(page: Any, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS_TO"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))
