"""What the tests of the arXiv feed have in common: a feed that asks the local server, and what a harvest leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from forge_assets.corpus.sources.arxiv import ArxivFeed
from forge_assets.corpus.sources.interface import Found, Page
from forge_resources.settings import Settings
from tests.corpus.arxiv_server import Arxiv, Paper


def feed_of(server: Arxiv, address: str = "arxiv:cs.LG", **options: Any) -> ArxivFeed:
    settings = Settings(private_hosts="127.0.0.1")
    feed = ArxivFeed("lg", address, {"endpoint": server.address, "pause": 0, **options}, settings)
    feed.check()
    return feed


def papers(count: int, **more: Any) -> list[Paper]:
    return [Paper(f"2501.{n:05}", f"2026-01-{1 + n // 2:02}", f"Paper number {n}", **more) for n in range(1, count + 1)]


def ids(pages: Iterable[Page]) -> list[str]:
    return [found.external_id for page in pages for found in page.found]


def held(pages: Iterable[Page], before: dict[str, Found] | None = None) -> dict[str, Found]:
    """What a harvest leaves: the last word on each document."""
    known = dict(before or {})
    for found in (found for page in pages for found in page.found):
        known[found.external_id] = found
        if found.deleted:
            del known[found.external_id]
    return known
