"""The list of URLs against web servers on this machine: robots, validators, limits, hosts that are down, and where it must not go."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from forge_assets.corpus.addresses import file_uri
from forge_assets.corpus.parse import parse
from forge_assets.corpus.sources import robots, urls
from forge_assets.corpus.sources.interface import Cursor, Found, Page
from forge_assets.corpus.sources.robots import read_rules
from forge_assets.corpus.sources.urls import UrlFeed
from forge_resources import http_client
from forge_resources.errors import DocumentProblem, FetchError, SourceError
from forge_resources.settings import Settings
from tests.corpus.pdf_making import lines_at, pdf_of
from tests.local_server import Asked, serving


class Site:
    """Pages by path; `robots` is the answer to /robots.txt: bytes, a status, or None for 404."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.robots: bytes | int | None = None
        self.asked: list[str] = []
        self.times: list[float] = []
        self.base = ""

    def answer(self, asked: Asked) -> None:
        self.asked.append(asked.path)
        self.times.append(time.monotonic())
        if asked.path == "/robots.txt":
            status = self.robots if isinstance(self.robots, int) else 404 if self.robots is None else 200
            return asked.reply(status, self.robots if isinstance(self.robots, bytes) else b"")
        headers = self.headers.get(asked.path, {})
        if "Location" in headers:
            return asked.reply(302, **headers)
        if asked.path not in self.pages:
            return asked.reply(404)
        same = headers.get("ETag") and asked.headers["If-None-Match"] == headers["ETag"]
        same = same or headers.get("Last-Modified") and asked.headers["If-Modified-Since"] == headers["Last-Modified"]
        return asked.reply(304, **headers) if same else asked.reply(200, self.pages[asked.path], **headers)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(urls, "PAUSE_S", 0.0)
    patient = http_client.HttpClient.__init__
    monkeypatch.setattr(
        http_client.HttpClient, "__init__", lambda self, **options: patient(self, **options, attempts=2, longest_wait_s=0.05)
    )
    site = Site()
    with serving(site.answer) as site.base:
        yield site


def feed_of(tmp_path: Path, text: str | bytes = "", private: str = "127.0.0.1", **settings: Any) -> UrlFeed:
    path = tmp_path / "my list.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return UrlFeed("web", file_uri(path).replace("file://", "urls://", 1), {}, Settings(home=tmp_path, private_hosts=private, **settings))


def harvested(feed: UrlFeed, cursor: Cursor | None) -> tuple[dict[str, Found], list[Page], Cursor]:
    pages = list(feed.changes(cursor))
    return {item.external_id: item for page in pages for item in page.found}, pages, json.loads(json.dumps(pages[-1].cursor))


def test_a_list_is_read_line_by_line(tmp_path: Path) -> None:
    text = "\ufeffhttps://Example.org:443/a?b=1#part\tA title\r\n\r\n# a comment\nhttp://example.org  # why\nhttps://example.org/a?b=1\n"
    wrong = "not a url\nftp://example.org/x\nhttps://me:secret@example.org/y\nhttp://\x00/\nhttps://example.org/" + "x" * 3000 + "\n"
    found, pages, cursor = harvested(feed_of(tmp_path, text + wrong), None)
    assert sorted(name for name, item in found.items() if not item.problem) == ["http://example.org/", "https://example.org/a?b=1"]
    problems = [item.problem for item in found.values() if item.problem]
    assert len(problems) == 5 and all(text.startswith("bad_record: line ") for text in problems)
    assert "line 6 of my list.txt" in problems[0] and not any("secret" in f"{item.external_id}{item.problem}" for item in found.values())
    assert len(pages) == 1 and pages[0].ends_sweep and pages[0].sweep == 1 == cursor["sweep"]


def test_a_long_list_has_pages_and_no_url_twice(tmp_path: Path) -> None:
    text = "".join(f"https://example.org/{number % 2200}\n" for number in range(5000))
    pages = list(feed_of(tmp_path, text).changes(None))
    assert [(len(page.found), page.sweep, page.ends_sweep) for page in pages] == [(1000, 1, False), (1000, 1, False), (200, 1, True)]
    assert len({item.external_id for page in pages for item in page.found}) == 2200


def test_pages_are_asked_for_once_a_night(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, "https://example.org/a\n")
    first, _, cursor = harvested(feed, None)
    second, pages, cursor = harvested(feed, cursor)
    assert pages[0].sweep == 2 and first["https://example.org/a"].token == second["https://example.org/a"].token
    for began in (datetime.now(UTC) - timedelta(hours=20), datetime.now(UTC) + timedelta(days=1)):  # a night later; the clock set back
        third, _, after = harvested(feed, cursor | {"began": began.isoformat()})
        assert third["https://example.org/a"].token != first["https://example.org/a"].token and after["sweep"] == 3


def test_what_is_fetched_can_be_read(site: Site, tmp_path: Path) -> None:
    sentence = "Attention lets a model look at all of its input at once, which is why it is used."
    site.pages = {
        "/page": f"<!doctype html><html><head><title>On attention</title></head><body><p>{sentence}</p></body></html>".encode(),
        "/README.md?raw=true": f"# On attention\n\n{sentence}\n".encode(),
        "/pdf/2401.00001v2": pdf_of([lines_at([(72, 720, sentence)])]),
    }
    feed = feed_of(tmp_path, "".join(f"{site.base}{path}\n" for path in site.pages))
    kinds = set()
    for name, item in harvested(feed, None)[0].items():
        document = parse(feed.fetch(name, item.location or "", None).data or b"", name)
        assert "look at all of its input" in document.text, name
        kinds.add(document.parsed.media_type)
    assert kinds == {"text/html", "text/markdown", "application/pdf"}


@pytest.mark.parametrize(
    "headers", [{"ETag": '"v1"'}, {"Last-Modified": "Tue, 24 Feb 2026 02:00:00 GMT"}, {"ETag": 'W/"v 1"', "Last-Modified": "x"}]
)
def test_an_unchanged_page_is_not_sent_again(site: Site, tmp_path: Path, headers: dict[str, str]) -> None:
    site.pages, site.headers = {"/a": b"<html>hello"}, {"/a": headers}
    feed = feed_of(tmp_path)
    first = feed.fetch("a", f"{site.base}/a", None)
    assert first.data == b"<html>hello" and first.validator
    second = feed.fetch("a", f"{site.base}/a", first.validator)
    assert second.data is None and second.validator == first.validator and not second.gone
    site.headers = {"/a": {"ETag": '"v2"'}}
    assert feed.fetch("a", f"{site.base}/a", first.validator).data


def test_robots_are_obeyed_and_fetched_once(site: Site, tmp_path: Path) -> None:
    site.robots = b"User-agent: *\nDisallow: /\n\nUser-agent: Forge-AI\nDisallow: /private\nAllow: /private/open$\n"
    site.pages = {"/a": b"a", "/private/open": b"b", "/private/x": b"c"}
    site.headers = {"/moved": {"Location": "/private/x"}}
    feed = feed_of(tmp_path)
    assert feed.fetch("a", f"{site.base}/a", None).data == b"a" and feed.fetch("b", f"{site.base}/private/open", None).data == b"b"
    for path in ("/private/x", "/moved"):
        with pytest.raises(DocumentProblem, match=r"robots\.txt of 127\.0\.0\.1:\d+ forbids it") as caught:
            feed.fetch("c", f"{site.base}{path}", None)
        assert caught.value.code == "missing"
    assert site.asked == ["/robots.txt", "/a", "/private/open", "/moved"]


def test_a_redirect_to_another_host_asks_for_its_robots(site: Site, tmp_path: Path) -> None:
    other = Site()
    other.robots, other.pages = b"User-agent: *\nDisallow: /secret", {"/secret": b"x", "/free": b"y"}
    with serving(other.answer) as base:
        site.headers = {"/1": {"Location": f"{base}/secret"}, "/2": {"Location": f"{base}/free"}}
        feed = feed_of(tmp_path)
        with pytest.raises(DocumentProblem, match="forbids"):
            feed.fetch("1", f"{site.base}/1", None)
        assert feed.fetch("2", f"{site.base}/2", None).data == b"y"
    assert other.asked == ["/robots.txt", "/free"]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_host_without_robots_allows_all(site: Site, tmp_path: Path, status: int) -> None:
    site.robots, site.pages = status, {"/a": b"a"}
    assert feed_of(tmp_path).fetch("a", f"{site.base}/a", None).data == b"a"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_host_that_cannot_tell_now_is_not_asked(site: Site, tmp_path: Path, status: int) -> None:
    site.robots, site.pages = status, {"/a": b"a"}
    with pytest.raises(FetchError, match=r"robots\.txt"):
        feed_of(tmp_path).fetch("a", f"{site.base}/a", None)
    assert "/a" not in site.asked


def test_a_crawl_delay_is_kept(site: Site, tmp_path: Path) -> None:
    site.robots, site.pages = b"User-agent: *\nCrawl-delay: 0.3\n", {"/a": b"a", "/b": b"b"}
    feed = feed_of(tmp_path)
    feed.fetch("a", f"{site.base}/a", None)
    feed.fetch("b", f"{site.base}/b", None)
    assert site.times[2] - site.times[1] > 0.25


def test_a_delay_without_end_is_cut(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robots, "LONGEST_DELAY_S", 0.1)
    site.robots, site.pages = b"User-agent: *\nCrawl-delay: 86400\n", {"/a": b"a"}
    began = time.monotonic()
    assert feed_of(tmp_path).fetch("a", f"{site.base}/a", None).data and time.monotonic() - began < 5


def test_private_places_are_refused_with_the_setting_that_opens_them(site: Site, tmp_path: Path) -> None:
    feed = feed_of(tmp_path, private="")
    for url in (f"{site.base}/a", site.base.replace("127.0.0.1", "localhost"), "http://169.254.169.254/latest/meta-data"):
        with pytest.raises(FetchError, match="FORGE_PRIVATE_HOSTS") as caught:
            feed.fetch("a", url, None)
        assert not caught.value.transient
    assert site.asked == []


def test_a_redirect_to_a_private_place_is_refused(site: Site, tmp_path: Path) -> None:
    site.headers = {"/a": {"Location": site.base.replace("127.0.0.1", "localhost") + "/inside"}}
    with pytest.raises(FetchError, match="private address"):
        feed_of(tmp_path).fetch("a", f"{site.base}/a", None)
    assert site.asked == ["/robots.txt", "/a"]


def test_pages_that_are_not_there_or_too_large(site: Site, tmp_path: Path) -> None:
    site.pages = {"/large": bytes(2_000_000)}
    feed = feed_of(tmp_path, max_document_mb=1)
    for path, code in (("/none", "missing"), ("/large", "too_large")):
        with pytest.raises(DocumentProblem) as caught:
            feed.fetch("a", f"{site.base}{path}", None)
        assert caught.value.code == code


def test_a_host_that_is_down_is_asked_once_and_does_not_stop_the_others(site: Site, tmp_path: Path) -> None:
    site.pages = {"/a": b"a"}
    asked: list[str] = []

    def busy(request: Asked) -> None:
        asked.append(request.path)
        request.reply(503)

    feed = feed_of(tmp_path)
    with serving(busy) as down:
        assert feed.fetch("a", f"{site.base}/a", None).data
        for number in range(10):
            with pytest.raises(FetchError) as caught:
                feed.fetch("x", f"{down}/{number}", None)
            assert not caught.value.transient  # others have answered: it is this host's fault, not the network's
    assert asked == ["/robots.txt"] * 2 and "out of order" in str(caught.value)


def test_without_any_network_the_feed_breaks_off(tmp_path: Path, site: Site) -> None:
    """Nobody has answered yet: a failure is taken for ours, and pages already held are left as they are."""
    with pytest.raises(FetchError) as caught:
        feed_of(tmp_path).fetch("x", "http://127.0.0.1:1/a", None)
    assert caught.value.transient


@pytest.mark.parametrize(
    ("text", "target", "allowed"),
    [
        ("", "/x", True),
        ("User-agent: *\nDisallow:", "/x", True),
        ("User-agent: *\nDisallow: /", "/x", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow: /\nAllow: /public", "/public/a", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/papers/x.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/papers/x.pdf?download=1", True),
        ("User-agent: *\nDisallow: /*?*session=", "/x?a=1&session=2", False),
        ("User-agent: *\nDisallow: /a*b*c$", "/a-b-b-c", False),
        ("User-agent: *\nDisallow: /a*bc$", "/abcbc", False),
        ("User-agent: *\nDisallow: /ab*b$", "/ab", True),
        ("User-agent: *\nDisallow: /%7Ejoe/ü", "/~joe/%C3%BC", False),
        ("User-agent: other\nDisallow: /", "/x", True),
        ("User-agent: other\nUser-agent: forge-ai/2.0\nDisallow: /x", "/x", False),
        ("User-agent: forge-ai\nDisallow: /x\nUser-agent: *\nDisallow: /y\nUser-agent: FORGE-AI\nDisallow: /z", "/z", False),
        ("User-agent: forge-ai\nDisallow: /x\nUser-agent: *\nDisallow: /y", "/y", True),
        ("user-agent : * # all\n  disallow : /x # why\nSitemap: https://a.org/s.xml", "/x", False),
        ("Disallow: /x", "/x", True),
    ],
)  # fmt: skip
def test_rules(text: str, target: str, allowed: bool) -> None:
    assert read_rules(text).allow(target) is allowed


def test_rules_are_read_in_linear_time() -> None:
    rules = read_rules("User-agent: *\n" + "Disallow: /" + "a*" * 5000 + "b$\n")
    began = time.monotonic()
    assert rules.allow("/" + "a" * 20_000) and time.monotonic() - began < 1


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    feed = feed_of(tmp_path)
    feed.path.unlink()
    for failing in (feed.check, lambda: list(feed.changes({"sweep": 4, "round": 2, "began": None}))):
        with pytest.raises(SourceError, match="is no file"):
            failing()


def test_what_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="expected urls:PATH"):
        UrlFeed("x", "urls:relative.txt", {}, Settings(home=tmp_path))
    with pytest.raises(SourceError, match="knows no --from"):
        UrlFeed("x", "urls:///a.txt", {"from": "2026-01-01"}, Settings(home=tmp_path))
