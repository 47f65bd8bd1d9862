"""The site over HTTP on this machine: files of one folder, read only, with the headers that a browser heeds and files cannot carry."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from forge_resources.errors import QueryError

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cache-Control": "no-cache",
}


class _Files(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        self.send_error(404, "there is no such page")

    def send_head(self) -> Any:
        name = self.path.split("?", 1)[0].rsplit("/", 1)[-1]
        if name.startswith("."):
            self.send_error(404, "there is no such page")
            return None
        return super().send_head()

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def server(folder: Path, host: str, port: int) -> ThreadingHTTPServer:
    try:
        return _Server((host, port), partial(_Files, directory=str(folder)))
    except OSError as error:
        raise QueryError(f"cannot listen on {host}:{port}: {error.strerror or error}; --port takes another one") from None
