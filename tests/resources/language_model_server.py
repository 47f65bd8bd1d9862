"""A real HTTP server that speaks the protocol of chat completions; each test says what it answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Request = dict[str, Any]


@dataclass(slots=True)
class Reply:
    """`drip_s` sends the body in pieces with this pause between them; `wait_s` waits before anything is sent."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    drip_s: float = 0.0


def completion(text: str | None, finish: str = "stop", usage: Any = (50, 10), **message: Any) -> Reply:
    """What the endpoint of OpenAI and those like it answer."""
    used = None if usage is None else {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish, "logprobs": None}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "small", "choices": [choice], "usage": used}
    return Reply(body=json.dumps(whole).encode())


def refusal(status: int, message: str, parameter: str | None = None, **headers: str) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": parameter, "code": None}
    return Reply(status, json.dumps({"error": error}).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


class Asked:
    """What the server was asked: bodies of requests and their headers, in order; and how many were under way at once."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[Request] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.bodies)

    def enter(self, body: Request, headers: dict[str, str]) -> None:
        with self._lock:
            self.bodies.append(body)
            self.headers.append(headers)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)

    def leave(self) -> None:
        with self._lock:
            self._now -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the test."""


@contextmanager
def chat_server(answer: Callable[[Request, int], Reply]) -> Iterator[Asked]:
    """`answer` gets the request and its number, from 0; it may be called by several threads."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.enter(body, {name.lower(): value for name, value in self.headers.items()})
            number = len(asked) - 1
            try:
                reply = answer(body, number) if self.path == "/v1/chat/completions" else refusal(404, f"no {self.path}")
                self._send(reply)
            finally:
                asked.leave()

        def _send(self, reply: Reply) -> None:
            time.sleep(reply.wait_s)
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if not reply.drip_s:
                self.wfile.write(reply.body)
                return
            for start in range(0, len(reply.body), 8):
                self.wfile.write(reply.body[start : start + 8])
                self.wfile.flush()
                time.sleep(reply.drip_s)

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    asked = Asked(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
