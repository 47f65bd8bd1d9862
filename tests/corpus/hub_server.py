"""A small Hugging Face Hub: lists of models and datasets with Link headers, cards behind /resolve/ with ETags, daily papers."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.local_server import Asked, serving

START = datetime(2026, 3, 1, tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass
class Hub:
    """What the hub holds. `now` is its clock, `page` its largest page; `asked` are the targets of all requests."""

    now: datetime = START
    page: int = 1000
    repos: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"models": {}, "datasets": {}})
    cards: dict[str, str] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    papers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    base: str = ""
    fail_next: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    link_host: str | None = None
    cards_elsewhere: str | None = None

    def put(self, name: str, card: str | None, *, kind: str = "models", **more: Any) -> None:
        """Creates a repository, or updates it now."""
        old = self.repos[kind].get(name, {})
        sha = hashlib.sha1(f"{name}{card}{self.now}".encode(), usedforsecurity=False).hexdigest()
        entry = {"_id": sha[:24], "id": name, "likes": 3, "downloads": 1200, "private": False, "gated": False, "disabled": False}
        entry |= {
            "tags": ["transformers", "region:us"],
            "createdAt": old.get("createdAt") or stamp(self.now),
            "lastModified": stamp(self.now),
        }
        entry |= {"sha": sha, "siblings": [{"rfilename": ".gitattributes"}, *([{"rfilename": "README.md"}] if card is not None else [])]}
        entry |= {"modelId": name} if kind == "models" else {}
        self.repos[kind][name] = entry | more
        full = name if kind == "models" else f"datasets/{name}"
        self.cards.pop(full, None)
        if card is not None:
            self.cards[full] = card

    def delete(self, name: str, kind: str = "models") -> None:
        del self.repos[kind][name]
        self.cards.pop(name if kind == "models" else f"datasets/{name}", None)

    def later(self, **how_much: float) -> None:
        self.now += timedelta(**how_much)

    def answer(self, asked: Asked) -> None:
        self.asked.append(asked.path)
        self.tokens.append(asked.headers["Authorization"])
        if self.fail_next:
            status, headers = self.fail_next.pop(0)
            return self._send(asked, status, b"", headers)
        parts = urlsplit(asked.path)
        query = parse_qs(parts.query)
        if parts.path in ("/api/models", "/api/datasets"):
            return self._list(asked, parts.path.rsplit("/", 1)[1], query)
        if parts.path == "/api/daily_papers":
            return self._daily(asked, query)
        if parts.path.endswith("/README.md"):
            return self._card(asked, parts.path.strip("/").partition("/resolve/")[0])
        return self._send(asked, 404, b"Not Found")

    def _list(self, asked: Asked, kind: str, query: dict[str, list[str]]) -> None:
        known = {"pipeline_tag", "author", "search", "filter", "sort", "limit", "full", "cursor", "gated", "num_parameters"}
        if set(query) - known or query["sort"][0] not in ("createdAt", "lastModified") or query["full"] != ["true"]:
            return self._send(asked, 400, b'{"error":"Invalid query"}')
        order = query["sort"][0]
        entries = [e for e in self.repos[kind].values() if e.get("pipeline_tag") == query.get("pipeline_tag", [e.get("pipeline_tag")])[0]]
        entries = [e for e in entries if set(query.get("filter", [])) <= set(e["tags"])]
        entries.sort(key=lambda e: (e[order], e["id"]), reverse=True)
        if "cursor" in query:
            after = json.loads(base64.b64decode(query["cursor"][0]))
            entries = [e for e in entries if [e[order], e["id"]] < after]
        page = entries[: min(self.page, int(query["limit"][0]))]
        headers = {}
        if len(page) < len(entries):
            cursor = base64.b64encode(json.dumps([page[-1][order], page[-1]["id"]]).encode()).decode()
            following = urlencode({**query, "cursor": [cursor]}, doseq=True)
            headers["Link"] = f'<{self.link_host or self.base}/api/{kind}?{following}>; rel="next"'
        return self._send(asked, 200, json.dumps(page).encode(), headers)

    def _daily(self, asked: Asked, query: dict[str, list[str]]) -> None:
        day, page, limit = query["date"][0], int(query["p"][0]), int(query["limit"][0])
        if day > self.now.date().isoformat():
            return self._send(asked, 400, b'{"error":"date is in the future"}')
        return self._send(asked, 200, json.dumps(self.papers.get(day, [])[page * limit : (page + 1) * limit]).encode())

    def _card(self, asked: Asked, name: str) -> None:
        if name in self.gated and asked.headers["Authorization"] != "Bearer hf_good":
            return self._send(asked, 401, b"Access to this model is restricted")
        if name not in self.cards:
            return self._send(asked, 404, b"Entry not found")
        if self.cards_elsewhere:
            return self._send(asked, 302, b"", {"Location": f"{self.cards_elsewhere}/{name}"})
        data = self.cards[name].encode()
        etag = f'"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"'
        if asked.headers["If-None-Match"] == etag:
            return self._send(asked, 304, b"", {"ETag": etag})
        return self._send(asked, 200, data, {"ETag": etag, "Content-Type": "text/plain; charset=utf-8"})

    def _send(self, asked: Asked, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        asked.send_response_only(status)
        for name, value in {"Date": format_datetime(self.now, usegmt=True), "Content-Length": str(len(body)), **(headers or {})}.items():
            asked.send_header(name, value)
        asked.end_headers()
        asked.wfile.write(body)


@contextmanager
def hub_running() -> Iterator[Hub]:
    hub = Hub()
    with serving(hub.answer) as hub.base:
        yield hub


def paper(number: str, title: str, **more: Any) -> dict[str, Any]:
    """An entry as /api/daily_papers gives it."""
    authors = [{"_id": "1", "name": "Ada Lovelace", "hidden": False}, {"_id": "2", "name": "Taken Back", "hidden": True}]
    inner = {"id": number, "authors": authors, "publishedAt": "2026-02-27T00:00:00.000Z", "title": title, "summary": f"We study {title}.",
             "upvotes": 7, "discussionId": "x", "ai_keywords": ["attention"], "githubRepo": "https://github.com/a/b"}  # fmt: skip
    return {"paper": inner | more, "publishedAt": "2026-02-28T01:00:00.000Z", "title": title, "summary": inner["summary"], "numComments": 1}
