"""What tests of self-contained pages share: a page in an offline browser that tells whatever it asks for or complains of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_ui import CHROMIUM

NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: run tools/debian.sh as root"),
]


def open_file(browser: Any, file: Path, width: int, height: int, **options: Any) -> tuple[Any, list[str]]:
    """The page once it says that it is ready, and a list that takes every request, error and console message of it."""
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **options)
    tab, said = context.new_page(), []
    tab.set_default_timeout(30_000)
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: said.append(request.url) if request.url != file.as_uri() else None)
    tab.goto(file.as_uri())
    tab.wait_for_selector("html[data-ready]", state="attached")
    return tab, said
