"""arXiv as a feed: metadata by OAI-PMH (after a bulk snapshot, where one is at hand), e-print sources and PDFs on request.

    arxiv:cs.LG   arxiv:cs   arxiv:cs.LG,stat.ML

One record is one document `arxiv:<id>`; with the option `with` also `arxiv:<id>#latex` and `arxiv:<id>#pdf`, fetched one by one.
Dates come from the server alone: a harvest begins a day before the server's date of the first answer of the one before it.
"""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from forge_assets.corpus.sources import arxiv_records, arxiv_sets, oai
from forge_assets.corpus.sources.interface import Cursor, Fetched, Found, Page
from forge_resources.errors import FetchError, SourceError
from forge_resources.settings import Settings

if TYPE_CHECKING:
    from forge_resources.http_client import HttpClient

ENDPOINT = "https://oaipmh.arxiv.org/oai"
FILES = "https://export.arxiv.org"
PAUSE_S = 3.0
"""Seconds between two requests, by arXiv's terms of use."""
EARLIEST = "2005-09-16"
"""The first date that arXiv's protocol knows: whatever is older bears it, and asking from before it is refused."""
KINDS = {"latex": "e-print", "pdf": "pdf"}
"""What `with` may name -> where it lies."""
OPTIONS = frozenset({"from", "until", "with", "endpoint", "per_run", "snapshot", "pause"})
SNAPSHOT_PAGE = 1000
SNAPSHOT_LINES = 50_000
"""Lines of a snapshot after which the place is written down, whether or not they held anything."""
BAD_LINES = 100
RESTARTS = 3


class ArxivFeed:
    """The sets of one address. `options`: from, until (dates of the record's last change), with, endpoint, per_run, snapshot, pause."""

    def __init__(self, name: str, address: str, options: Mapping[str, Any], settings: Settings) -> None:
        self.name = name
        self.address = address
        self._options = {key: value for key, value in options.items() if value not in (None, "", [], {})}
        self._settings = settings
        self._endpoint = str(self._options.get("endpoint") or ENDPOINT)
        self._lock = threading.Lock()
        self._fetching = threading.Lock()  # arXiv wants one connection at a time
        self._opened: HttpClient | None = None

    @property
    def fetches_per_run(self) -> int:
        return int(self._options.get("per_run") or self._settings.fetches_per_run)

    def check(self) -> None:
        """Raises SourceError for an address or an option that makes no sense; asks nobody."""
        arxiv_sets.sets_of(self.address)
        unknown = sorted(set(self._options) - OPTIONS)
        if unknown:
            raise SourceError(f"source {self.name}: arXiv has no option {', '.join(unknown)}; it has {', '.join(sorted(OPTIONS))}")
        for key in ("from", "until"):
            if key in self._options and not oai.is_date(str(self._options[key])):
                raise SourceError(f"source {self.name}: {key} {self._options[key]!r}: expected a date such as 2026-01-31")
        if {"from", "until"} <= self._options.keys() and self._options["from"] > self._options["until"]:
            raise SourceError(f"source {self.name}: from {self._options['from']} lies after until {self._options['until']}")
        kinds = self._options.get("with", [])
        if not isinstance(kinds, list) or not set(kinds) <= KINDS.keys():
            raise SourceError(f"source {self.name}: with {kinds!r}: expected latex, pdf or both")
        if urlsplit(self._endpoint).scheme not in ("http", "https") or not urlsplit(self._endpoint).hostname:
            raise SourceError(f"source {self.name}: endpoint {self._endpoint!r}: expected for example {ENDPOINT}")
        pause = self._options.get("pause", PAUSE_S)
        if isinstance(pause, bool) or not isinstance(pause, int | float) or not 0 <= pause <= 3600:
            raise SourceError(f"source {self.name}: pause {pause!r}: expected seconds between two requests, {PAUSE_S:g} by arXiv's terms")
        if "snapshot" in self._options and not Path(self._options["snapshot"]).is_file():
            raise SourceError(f"source {self.name}: the snapshot {self._options['snapshot']} is no file")

    def changes(self, cursor: Cursor | None) -> Iterator[Page]:
        """What changed, a page of the snapshot or of the protocol at a time. Raises FetchError."""
        sets = arxiv_sets.sets_of(self.address)
        plan = {key: self._options.get(key) for key in ("from", "until", "with", "snapshot")}
        state = _copy(cursor) if cursor and cursor.get("plan") == plan else {"plan": plan, "since": {}, "set": None}
        if plan["snapshot"] and not state.get("snapshot_read"):
            yield from self._snapshot(state, sets)
        for spec in self._left(state, sets):
            yield from self._harvest(state, spec)

    def fetch(self, external_id: str, location: str, validator: str | None) -> Fetched:
        """The bytes of an e-print or a PDF. Raises FetchError, and DocumentProblem for one that is too large."""
        base = f"{urlsplit(self._endpoint).scheme}://{urlsplit(self._endpoint).netloc}" if self._endpoint != ENDPOINT else FILES
        asked = {("If-None-Match" if '"' in validator else "If-Modified-Since"): validator} if validator else {}
        try:
            with self._fetching:
                answer = self._client().get(f"{base}/{location}", headers=asked, limit=int(self._settings.max_document_mb * 1_000_000))
        except FetchError as error:
            if error.status in (404, 410):
                return Fetched(None, gone=True)
            if error.status == 403:
                raise FetchError(f"{error}; arXiv refuses those who ask too often", transient=True, status=403) from None
            raise
        if answer.status == 304:
            return Fetched(None, validator)
        is_page = answer.headers.get("content-type", "").lower().startswith("text/html")
        if is_page or external_id.endswith("#pdf") and b"%PDF-" not in answer.data[:1024]:
            what = "a web page" if is_page else "no PDF"
            raise FetchError(f"{answer.url} answered with {what}; a later run asks again", transient=True, status=answer.status)
        return Fetched(answer.data, answer.headers.get("etag") or answer.headers.get("last-modified"))

    def _client(self) -> HttpClient:
        """One client for all requests, so that the pause between them holds; it is closed with the feed."""
        from forge_resources.http_client import HttpClient

        with self._lock:
            if self._opened is None:
                pause = float(self._options.get("pause", PAUSE_S))
                settings = self._settings
                self._opened = HttpClient(pause_s=pause, private_hosts=settings.private_host_list, contact=settings.contact)
                weakref.finalize(self, self._opened.close)
            return self._opened

    def _left(self, state: Cursor, sets: list[str]) -> Iterator[str]:
        """The sets that this harvest has still to ask for: all of them, or, after a break, from the one it broke in."""
        specs = [arxiv_sets.set_spec(one) for one in sets]
        broken_in = state["set"] if state["set"] in specs else None
        for spec in specs[specs.index(broken_in) if broken_in else 0 :]:
            until, since = self._options.get("until"), state["since"].get(spec)
            if not (until and since and since > until):
                yield spec

    def _harvest(self, state: Cursor, spec: str) -> Iterator[Page]:
        """All pages of one set. `state` after each is where to go on: the token, or the date from which all is to be asked again."""
        if state["set"] != spec:
            start = max(state["since"].get(spec, ""), self._options.get("from", "")) or None
            state.update({"set": spec, "from": start, "token": None, "began": None, "latest": None, "ordered": True, "size": None})
        restarts = 0
        while True:
            by_token = bool(state["token"])
            try:
                page = self._asked(state, spec)
            except oai.OaiFault as fault:
                restarts += 1
                self._mend(state, fault, spec, restarts)
                continue
            yield Page(self._found(page), self._advance(state, spec, page))
            if page.token is None:
                return
            restarts = 0 if by_token else restarts

    def _asked(self, state: Cursor, spec: str) -> oai.OaiPage:
        """The next page; one without records where nothing has changed. Raises OaiFault, FetchError."""
        try:
            return oai.list_records(self._client(), self._endpoint, self._arguments(state, spec))
        except oai.OaiFault as fault:
            if fault.code != "noRecordsMatch" or not oai.is_date(fault.response_date[:10]):
                raise
            return oai.OaiPage(fault.response_date, [], None, None)
        except FetchError as error:
            if not error.transient or ":" in spec or state["token"]:
                raise
            advice = f"where a whole archive is too much for it, name categories: {self.address}.XX,{self.address.rpartition(':')[2]}.YY"
            raise FetchError(f"{error} ({advice})", transient=True, status=error.status) from None

    def _arguments(self, state: Cursor, spec: str) -> dict[str, str]:
        if state["token"]:
            return {"resumptionToken": state["token"]}
        arguments = {"metadataPrefix": "arXiv", "set": spec}
        if state["from"] and state["from"] > EARLIEST:
            arguments["from"] = state["from"]
        if self._options.get("until") and not state.get("unbounded"):
            arguments["until"] = self._options["until"]
        return arguments

    def _mend(self, state: Cursor, fault: oai.OaiFault, spec: str, restarts: int) -> None:
        """Makes of the state one that can be asked for, or raises FetchError."""
        if fault.code == "badResumptionToken" and state["token"] and restarts <= RESTARTS:
            state["token"] = None
            state["from"] = (state["latest"][:10] if state["latest"] and state["ordered"] else None) or state["from"]
        elif fault.code == "badArgument" and not state["token"] and self._options.get("until") and not state.get("unbounded"):
            state["unbounded"] = True  # arXiv refuses an end that lies in the future; what is later is left out here
        else:
            transient = fault.code == "badResumptionToken"
            raise FetchError(f"{self._endpoint} refuses to list {spec}: {fault.code}: {fault}", transient=transient)

    def _advance(self, state: Cursor, spec: str, page: oai.OaiPage) -> Cursor:
        if page.token is not None and page.token == state["token"]:
            raise FetchError(f"{self._endpoint} repeats its resumption token for {spec}; a later run asks again", transient=True)
        for record in page.records:
            state["ordered"] = state["ordered"] and record.datestamp >= (state["latest"] or "")
            state["latest"] = max(record.datestamp, state["latest"] or "")
        state["began"] = state["began"] or page.response_date
        state["token"], state["size"] = page.token, page.size or state["size"]
        if page.token is None:
            state["since"][spec] = oai.day_before(state["began"])
            state["set"] = None
        return _copy(state)

    def _found(self, page: oai.OaiPage) -> list[Found]:
        found: dict[str, Found] = {}
        until = self._options.get("until")
        for item in page.records:
            if until and item.datestamp[:10] > until:
                continue
            identity = item.identifier.rpartition("arXiv.org:")[2]
            if item.deleted:
                each = [Found(f"arxiv:{identity}{kind}", item.datestamp, deleted=True) for kind in self._suffixes()]
            else:
                record = arxiv_records.record_of_metadata(item.metadata)
                if record is None:
                    reason = "bad_record: the answer of arXiv has neither an id nor a title for it"
                    each = [Found(f"arxiv:{identity}", item.datestamp, problem=reason)]
                else:
                    each = self._documents(record)
            found.update({one.external_id: one for one in each})
        return list(found.values())

    def _suffixes(self) -> list[str]:
        return ["", *(f"#{kind}" for kind in self._options.get("with", []))]

    def _documents(self, record: dict[str, Any]) -> list[Found]:
        """The record itself, and its files that are asked for."""
        data, identity = arxiv_records.bytes_of(record), record["id"]
        version = record.get("updated") or record.get("created") or arxiv_records.token_of(data)
        files = [Found(f"arxiv:{identity}#{kind}", version, location=f"{KINDS[kind]}/{identity}") for kind in self._options.get("with", [])]
        return [Found(f"arxiv:{identity}", arxiv_records.token_of(data), data), *files]

    def _snapshot(self, state: Cursor, sets: list[str]) -> Iterator[Page]:
        """The records of the snapshot; its newest date is from where the protocol goes on."""
        path = Path(self._options["snapshot"])
        try:
            info = path.stat()
        except OSError as error:
            raise FetchError(f"the snapshot {path} cannot be read: {error.strerror}", transient=False) from None
        mark = f"{info.st_size}:{info.st_mtime_ns}"
        if state.get("mark") != mark:
            state.update({"mark": mark, "line": 0, "newest": "", "bad": 0})
        found: dict[str, Found] = {}
        written = state["line"]
        for number, line in arxiv_records.lines_of(path, state["line"]):
            state["line"] = number
            found.update({one.external_id: one for one in self._of_line(state, number, line, sets)})
            if len(found) >= SNAPSHOT_PAGE or number - written >= SNAPSHOT_LINES:
                yield Page(list(found.values()), _copy(state))
                found, written = {}, number
        if not state["newest"]:
            raise FetchError(f"{path} is no snapshot of arXiv: no line has an update_date", transient=False)
        state["snapshot_read"] = True
        state["since"] = {arxiv_sets.set_spec(one): oai.day_before(state["newest"]) for one in sets}
        yield Page(list(found.values()), _copy(state))

    def _of_line(self, state: Cursor, number: int, line: bytes, sets: list[str]) -> list[Found]:
        if not line.strip():
            return []
        try:
            entry = json.loads(line)
            record = arxiv_records.record_of_line(entry)
            changed = str(entry["update_date"])
            if record is None or not oai.is_date(changed):
                raise ValueError("no id, no title or no date")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            state["bad"] += 1
            if state["bad"] > BAD_LINES:
                path = self._options["snapshot"]
                raise FetchError(f"{path} is no snapshot of arXiv: {BAD_LINES} lines are no records of it", transient=False) from None
            reason = f"bad_record: line {number} of the snapshot is no record of arXiv: {str(error)[:200]}"
            return [Found(f"arxiv:snapshot#line-{number}", arxiv_records.token_of(line), problem=reason)]
        state["newest"] = max(state["newest"], changed)
        wanted = self._options.get("from", "") <= changed <= self._options.get("until", "9999")
        return self._documents(record) if wanted and arxiv_sets.belongs(record.get("categories", ""), sets) else []


def _copy(cursor: Cursor) -> Cursor:
    return dict(json.loads(json.dumps(cursor)))
