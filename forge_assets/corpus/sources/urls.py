"""A text file of URLs as a feed: one a line, `#` begins a comment, what follows a tab (a title) is for people.

The list is read as a whole at every harvest. A page is asked for again in every round, with the validators of the last answer;
a round begins with the first harvest ROUND after the one before it began, so that two runs in a night ask once.

Cursor: `sweep`, `round` (numbers), `began` (of the round).
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from forge_assets.corpus.addresses import file_path
from forge_assets.corpus.problems import problem
from forge_assets.corpus.sources.interface import Cursor, Fetched, Found, Page
from forge_assets.corpus.sources.robots import Robots
from forge_resources.errors import FetchError, SourceError
from forge_resources.settings import Settings

if TYPE_CHECKING:
    from forge_resources.http_client import HttpClient

PAUSE_S = 1.0
"""Seconds between two requests to one host, unless its Crawl-delay asks for more."""

ROUND = timedelta(hours=12)
PAGE = 1000
LONGEST_URL = 2000
_OPTIONS = frozenset({"per_run"})


class UrlFeed:
    """`urls:///path/of/list.txt`. Option: `per_run`. Raises SourceError for an address or an option that makes no sense."""

    def __init__(self, name: str, address: str, options: Mapping[str, Any], settings: Settings) -> None:
        if not address.startswith("urls:///"):
            raise SourceError(f"source {address!r}: expected urls:PATH, a text file with a URL a line")
        given = {key for key, value in options.items() if value not in (None, [], {})}
        if unknown := sorted(given - _OPTIONS):
            raise SourceError(f"source {name}: a list of URLs knows no --{unknown[0]}; it knows: --per-run")
        self.name = name
        self.address = address
        self.path: Path = file_path(address.replace("urls://", "file://", 1))
        self._per_run = int(options.get("per_run") or settings.fetches_per_run)
        self._settings = settings
        self._lock = threading.Lock()
        self._client: HttpClient | None = None
        self._robots: Robots | None = None
        self._down: dict[str, str] = {}
        self._any_answered = False

    @property
    def fetches_per_run(self) -> int:
        return self._per_run

    def check(self) -> None:
        if not self.path.is_file():
            raise SourceError(f"source {self.name}: {self.path} is no file; correct the path or `forge source remove {self.name}`")

    def changes(self, cursor: Cursor | None) -> Iterator[Page]:
        """A sweep over the list. Raises SourceError when it cannot be read; then nothing is changed."""
        self.check()
        now = datetime.now(UTC)
        cursor = dict(cursor or {"sweep": 0, "round": 0, "began": None})
        cursor["sweep"] += 1
        if not cursor["began"] or abs(now - datetime.fromisoformat(cursor["began"])) >= ROUND:
            cursor |= {"round": cursor["round"] + 1, "began": now.isoformat()}
        found: dict[str, Found] = {}
        seen: set[str] = set()
        for item in self._listed(str(cursor["round"])):
            if item.external_id not in seen:
                seen.add(item.external_id)
                found[item.external_id] = item
            if len(found) == PAGE:
                yield Page(list(found.values()), cursor, cursor["sweep"])
                found = {}
        yield Page(list(found.values()), cursor, cursor["sweep"], ends_sweep=True)

    def _listed(self, token: str) -> Iterator[Found]:
        from forge_resources.http_client import parsed_url

        try:
            with self.path.open(encoding="utf-8-sig", errors="replace") as lines:
                for number, line in enumerate(lines, 1):
                    text = line.partition("\t")[0].strip()
                    if not text or text.startswith("#"):
                        continue
                    try:
                        if len(text) > LONGEST_URL:
                            raise FetchError(f"a URL of {len(text)} characters; at most {LONGEST_URL} are taken", transient=False)
                        url = str(parsed_url(re.split(r"\s+#", text)[0]))
                    except FetchError as error:
                        shown = re.sub(r"[^\x21-\x7e]|//[^/]*@", "?", text)[:200]
                        why = f"bad_record: line {number} of {self.path.name} is no URL that can be fetched: {error}"
                        yield Found(f"line:{shown}", text[:200], problem=re.sub(r"[\x00-\x1f]", "?", why)[:500])
                    else:
                        yield Found(url, token, location=url)
        except OSError as error:
            raise SourceError(f"source {self.name}: {self.path} cannot be read ({error.strerror}); nothing was changed") from None

    def fetch(self, external_id: str, location: str, validator: str | None) -> Fetched:
        """The bytes of a page. Raises FetchError, and DocumentProblem for one that robots.txt forbids, that is not there or too large.

        A host that is down is asked once in the life of the feed, and is no reason to leave the others alone: its errors are
        transient only while no host at all has answered. A page that could not be had is asked for again in the next round.
        """
        from forge_resources.http_client import safe_url

        host = urlsplit(location).netloc
        if host in self._down:
            raise FetchError(f"{safe_url(location)}: not asked, since {host} is out of order: {self._down[host]}", transient=False)
        try:
            fetched = self._fetched(location, validator)
        except FetchError as error:
            if error.status in (404, 410):
                raise problem("missing", str(error)) from None
            self._any_answered = self._any_answered or error.status > 0
            if error.transient and error.status in (0, 429, 503):
                self._down[host] = str(error)
            raise FetchError(str(error), transient=error.transient and not self._any_answered, status=error.status) from None
        self._any_answered = True
        return fetched

    def _fetched(self, location: str, validator: str | None) -> Fetched:
        client, robots = self._net()
        robots.check(location)
        kind, _, mark = (validator or "").partition(" ")
        headers = {{"etag": "if-none-match", "date": "if-modified-since"}[kind]: mark} if mark else {}
        answer = client.get(location, headers=headers, limit=int(self._settings.max_document_mb * 1e6), allow=robots.check)
        if answer.status == 304:
            return Fetched(None, validator)
        etag, date = answer.headers.get("etag"), answer.headers.get("last-modified")
        return Fetched(answer.data, f"etag {etag}" if etag else f"date {date}" if date else None)

    def _net(self) -> tuple[HttpClient, Robots]:
        """One client for all requests, closed with the feed."""
        from forge_resources.http_client import HttpClient

        with self._lock:
            if self._client is None or self._robots is None:
                private, contact = self._settings.private_host_list, self._settings.contact
                self._client = HttpClient(pause_s=PAUSE_S, private_hosts=private, contact=contact)
                self._robots = Robots(self._client)
                weakref.finalize(self, self._client.close)
            return self._client, self._robots
