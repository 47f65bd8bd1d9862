"""A local arXiv: OAI-PMH with the XML of arXiv's own service, e-prints and PDFs, and faults on demand."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ '
    'http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">\n    <responseDate>{now}</responseDate>\n'
)
ARXIV = (
    '<arXiv xmlns="http://arxiv.org/OAI/arXiv/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://arxiv.org/OAI/arXiv/ http://arxiv.org/OAI/arXiv.xsd">'
)


@dataclass
class Paper:
    """What arXiv knows of one paper. `fields` are further elements of its metadata, by their names."""

    identity: str
    datestamp: str
    title: str
    abstract: str = "  We show a result\nthat spans two lines."
    categories: str = "cs.LG"
    created: str = "2025-01-01"
    updated: str = ""
    authors: tuple[tuple[str, str, str], ...] = (("Lovelace", "Ada", ""), ("King", "Martin Luther", "Jr."))
    fields: dict[str, str] = field(default_factory=dict)
    deleted: bool = False

    def sets(self) -> list[str]:
        groups = {"hep-th": "physics:hep-th"}
        return [groups.get(c) or f"{c.partition('.')[0]}:{c.partition('.')[0]}:{c.partition('.')[2]}" for c in self.categories.split()]

    def xml(self) -> str:
        specs = "".join(f"<setSpec>{spec}</setSpec>" for spec in self.sets())
        status = ' status="deleted"' if self.deleted else ""
        identity = f"<identifier>oai:arXiv.org:{self.identity}</identifier>"
        header = f"<header{status}>\n{identity}\n<datestamp>{self.datestamp}</datestamp>{specs}</header>"
        if self.deleted:
            return f"<record>{header}</record>"
        people = "".join(
            f"<author><keyname>{escape(key)}</keyname><forenames>{escape(fore)}</forenames>{f'<suffix>{suffix}</suffix>' if suffix else ''}"
            f"</author>"
            for key, fore, suffix in self.authors
        )
        more = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in self.fields.items())
        updated = f"<updated>{self.updated}</updated>" if self.updated else ""
        return (
            f"<record>{header}<metadata>{ARXIV}<id>{self.identity}</id><created>{self.created}</created>{updated}<authors>{people}</authors>"
            f"<title>{escape(self.title)}</title><categories>{self.categories}</categories>{more}"
            f"<abstract>{escape(self.abstract)}</abstract></arXiv></metadata></record>"
        )


@dataclass
class Reply:
    """A raw answer. `claimed` is a Content-Length that may lie."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/xml"})
    claimed: int | None = None


class Arxiv:
    """The state of the server; tests change it between harvests. `faults` answer the next requests for lists, before anything else."""

    def __init__(self) -> None:
        self.papers: list[Paper] = []
        self.now = "2026-02-01T10:00:00Z"
        self.page_size = 2
        self.overlap = 0
        self.generation = 1  # tokens of another generation have expired
        self.faults: deque[Reply | None] = deque()
        self.files: dict[str, Reply] = {}
        self.requests: list[dict[str, str]] = []
        self.fetched: list[tuple[str, dict[str, str]]] = []
        self.address = ""
        self.refuses_future_until = False

    def answer(self, path: str, headers: dict[str, str]) -> Reply:
        parts = urlsplit(path)
        if parts.path != "/oai":
            self.fetched.append((parts.path, headers))
            reply = self.files.get(parts.path.lstrip("/"))
            if reply is None:
                return Reply(b"<html>No such paper</html>", 404, {"Content-Type": "text/html"})
            etag = reply.headers.get("ETag")
            return Reply(b"", 304, {}) if etag and headers.get("if-none-match") == etag else reply
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append(query)
        if self.faults and (fault := self.faults.popleft()):
            return fault
        return Reply(self._list(query).encode())

    def _list(self, query: dict[str, str]) -> str:
        start, asked = 0, query
        if "resumptionToken" in query:
            if set(query) != {"verb", "resumptionToken"}:
                return self.error("badArgument", "resumptionToken is exclusive")
            asked = {name: values[0] for name, values in parse_qs(unquote(query["resumptionToken"])).items()}
            if asked.pop("generation", "") != str(self.generation):
                return self.error("badResumptionToken", "The value of the resumptionToken argument is invalid or expired.")
            start = int(asked.pop("skip"))
        if asked.get("metadataPrefix") != "arXiv" or asked.get("set", "").startswith("xx"):
            return self.error("badArgument", "Set does not exist")
        if self.refuses_future_until and asked.get("until", "") > self.now[:10]:
            return self.error("badArgument", "until date too late")
        matching = sorted((paper for paper in self.papers if self._matches(paper, asked)), key=lambda p: (p.datestamp, p.identity))
        if not matching[start:]:
            return self.error("noRecordsMatch", "no records match")
        end = start + self.page_size
        token = ""
        if end < len(matching):
            value = quote(urlencode({**asked, "skip": end - self.overlap, "generation": self.generation}))
            marks = f"expirationDate='{self.now}' completeListSize='{len(matching)}' cursor='{start}'"
            token = f"<resumptionToken {marks}>{value}</resumptionToken>"
        elif start:
            token = "<resumptionToken>\n\n    </resumptionToken>"
        records = "\n".join(paper.xml() for paper in matching[start:end])
        request = f'<request verb="ListRecords" metadataPrefix="arXiv" set="{asked["set"]}">{self.address}</request>'
        return f"{HEAD.format(now=self.now)}{request}<ListRecords>\n{records}\n{token}</ListRecords></OAI-PMH>"

    def _matches(self, paper: Paper, asked: dict[str, str]) -> bool:
        wanted = asked["set"]
        inside = any(spec == wanted or spec.startswith(f"{wanted}:") for spec in paper.sets())
        return inside and asked.get("from", "") <= paper.datestamp <= asked.get("until", "9999")

    def error(self, code: str, message: str) -> str:
        return f"{HEAD.format(now=self.now)}<request>{self.address}</request><error code='{code}'>{message}</error></OAI-PMH>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        reply = self.server.arxiv.answer(self.path, {name.lower(): value for name, value in self.headers.items()})
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) if reply.claimed is None else reply.claimed))
        self.end_headers()
        self.wfile.write(reply.body)
        if reply.claimed is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Arxiv]:
    """A running server; `address` of what comes back is its endpoint."""
    arxiv = Arxiv()
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.arxiv = arxiv
    arxiv.address = f"http://127.0.0.1:{server.server_port}/oai"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield arxiv
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
