"""A proxy before a real S3 server that loses its temper: by chance, or at the k-th request."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("slow_down", "internal_error", "truncated", "reset_before", "reset_after", "silent")
SILENCE_S = 1.5
PASSED_ON = ("content-type", "etag", "last-modified", "x-amz-meta-sha256", "x-amz-meta-writer", "x-amz-checksum-sha256", "content-length")


@dataclass
class Temper:
    """`chance` is the probability of a fault per request, `at` names requests (counted from 1) that fail for sure; both with `faults`."""

    chance: float = 0.0
    at: dict[int, str] = field(default_factory=dict)
    faults: tuple[str, ...] = FAULTS
    seed: int = 0
    page: int | None = None  # keys per page of a listing
    before: Callable[[str, str], None] | None = None  # called with method and path before a request is passed on
    count: int = 0
    happened: dict[str, int] = field(default_factory=dict)
    endpoint: str = ""
    quiet: bool = False  # passes everything on for a while

    def __post_init__(self) -> None:
        self._random, self._lock = random.Random(self.seed), threading.Lock()

    def calm(self) -> None:
        self.chance, self.at, self.before = 0.0, {}, None

    def next(self) -> str | None:
        if self.quiet:
            return None
        with self._lock:
            self.count += 1
            fault = self.at.get(self.count)
            if fault is None and self._random.random() < self.chance:
                fault = self._random.choice(self.faults)
            if fault:
                self.happened[fault] = self.happened.get(fault, 0) + 1
            return fault


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.temper.next()
        if fault in ("slow_down", "internal_error"):
            code, word = (503, "SlowDown") if fault == "slow_down" else (500, "InternalError")
            self._answer(code, {}, f"<?xml version='1.0'?><Error><Code>{word}</Code></Error>".encode())
            return
        if fault in ("silent", "reset_before"):
            time.sleep(SILENCE_S if fault == "silent" else 0)
            self._hang_up()
            return
        if self.server.temper.before is not None:
            self.server.temper.before(self.command, self.path)
        status, headers, data = self._ask(body)
        if fault == "reset_after":
            self._hang_up()
        else:
            self._answer(status, headers, data, cut=fault == "truncated")

    do_HEAD = do_PUT = do_DELETE = do_POST = do_GET  # noqa: N815

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        path = self.path
        if self.server.temper.page is not None and "list-type=2" in path:
            path += f"&max-keys={self.server.temper.page}"
        connection = http.client.HTTPConnection(self.server.target.hostname or "", self.server.target.port)
        try:
            connection.request(self.command, path, body or None, {k: v for k, v in self.headers.items() if k.lower() != "expect"})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], data: bytes, cut: bool = False) -> None:
        self.send_response(status)
        kept = {name: value for name, value in headers.items() if name in PASSED_ON}
        if self.command != "HEAD" and status != 204:
            kept["content-length"] = str(len(data))
        for name, value in kept.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        if cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *given: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ValueError, OSError):
            pass  # the client is gone, or we hung up


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str, temper: Temper) -> None:
        self.target, self.temper = urlsplit(upstream), temper
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: object, client: object) -> None:
        pass


@contextmanager
def faulty(upstream: str, temper: Temper) -> Iterator[Temper]:
    """The proxy's address is in `temper.endpoint`."""
    with Server(upstream, temper) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        temper.endpoint = f"http://127.0.0.1:{server.server_port}"
        try:
            yield temper
        finally:
            server.shutdown()
            thread.join()
