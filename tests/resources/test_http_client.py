"""The HTTP client against real servers on this machine: patience and bounds."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from forge_resources import http_client
from forge_resources.errors import DocumentProblem, FetchError
from forge_resources.http_client import HttpClient
from tests.local_server import Asked, serving


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(private_hosts=["127.0.0.1"], contact="me@example.org", attempts=3, longest_wait_s=2.0) as client:
        yield client


@pytest.fixture
def quick() -> Iterator[HttpClient]:
    """Hardly waits where the server does not ask it to."""
    with HttpClient(private_hosts=["127.0.0.1"], attempts=3, longest_wait_s=0.01) as client:
        yield client


def test_plain(client: HttpClient) -> None:
    with serving(lambda asked: asked.reply(body=f"{asked.path} {asked.headers['User-Agent']}".encode(), ETag='"1"')) as base:
        answer = client.get(f"{base}/a?x=1#part", params={"y": "é b"})
    assert answer.status == 200 and answer.headers["etag"] == '"1"'
    path, agent = answer.data.decode().split(" ", 1)
    assert path == "/a?x=1&y=%C3%A9+b"
    assert agent.startswith("forge-ai/") and agent.endswith("(+mailto:me@example.org)")


def test_not_modified(client: HttpClient) -> None:
    with serving(lambda asked: asked.reply(304 if asked.headers["If-None-Match"] == '"1"' else 200, ETag='"1"')) as base:
        assert client.get(base, headers={"If-None-Match": '"1"'}).status == 304


@pytest.mark.parametrize("headers", [{"Retry-After": "1"}, {"RateLimit": '"api";r=0;t=1'}])
def test_it_waits_as_long_as_it_is_asked_to(client: HttpClient, headers: dict[str, str]) -> None:
    times: list[float] = []

    def handle(asked: Asked) -> None:
        times.append(time.monotonic())
        asked.reply(429 if len(times) == 1 else 200, **headers)

    with serving(handle) as base:
        assert client.get(base).status == 200
    assert 0.95 < times[1] - times[0] < 2


def test_a_date_to_wait_for_is_measured_by_the_servers_clock(client: HttpClient) -> None:
    times: list[float] = []

    def handle(asked: Asked) -> None:
        times.append(time.monotonic())
        if len(times) > 1:
            return asked.reply()
        asked.send_response_only(503)
        for name, value in (("Date", formatdate(1_000_000_000, usegmt=True)), ("Retry-After", formatdate(1_000_000_001, usegmt=True))):
            asked.send_header(name, value)
        asked.send_header("Content-Length", "0")
        return asked.end_headers()

    with serving(handle) as base:
        assert client.get(base).status == 200
    assert 0.95 < times[1] - times[0] < 2


def test_a_server_that_asks_for_more_patience_than_there_is_is_left_alone(client: HttpClient) -> None:
    asked_for: list[str] = []

    def handle(asked: Asked) -> None:
        asked_for.append(asked.path)
        asked.reply(503, Retry_After="3600")

    with serving(handle) as base, pytest.raises(FetchError, match="asks to wait 3600 s") as caught:
        client.get(base)
    assert caught.value.transient and caught.value.status == 503 and len(asked_for) == 1


@pytest.mark.parametrize(
    ("status", "tries", "transient"), [(500, 3, True), (503, 3, True), (404, 1, False), (403, 1, False), (501, 1, True)]
)
def test_what_is_tried_again(quick: HttpClient, status: int, tries: int, transient: bool) -> None:
    asked_for: list[str] = []

    def handle(asked: Asked) -> None:
        asked_for.append(asked.path)
        asked.reply(status, b"sorry")

    with serving(handle) as base, pytest.raises(FetchError, match=f"answered {status}") as caught:
        quick.get(f"{base}/x?token=abc&page=2")
    assert (len(asked_for), caught.value.transient, caught.value.status) == (tries, transient, status)
    assert "abc" not in str(caught.value) and "page=2" in str(caught.value)


@pytest.mark.parametrize("chunked", [True, False])
def test_a_truncated_body_is_asked_for_again(quick: HttpClient, chunked: bool) -> None:
    bodies: list[bytes] = []

    def handle(asked: Asked) -> None:
        bodies.append(b"0123456789")
        whole = len(bodies) == 2
        asked.send_response(200)
        asked.send_header("Transfer-Encoding" if chunked else "Content-Length", "chunked" if chunked else "10")
        asked.end_headers()
        asked.wfile.write((b"a\r\n0123456789\r\n" + b"0\r\n\r\n" * whole) if chunked else b"0123456789"[: 10 if whole else 7])
        asked.close_connection = True

    with serving(handle) as base:
        assert quick.get(base).data == b"0123456789"
    assert len(bodies) == 2


def test_a_connection_that_breaks_every_time(quick: HttpClient) -> None:
    def handle(asked: Asked) -> None:
        asked.connection.shutdown(socket.SHUT_RDWR)
        asked.close_connection = True

    with serving(handle) as base, pytest.raises(FetchError, match="no whole answer") as caught:
        quick.get(base)
    assert caught.value.transient and caught.value.status == 0


def test_nobody_listens(quick: HttpClient) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(FetchError, match="no whole answer") as caught:
            quick.get(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert caught.value.transient


def test_gzip_is_unpacked_and_a_bomb_is_not(quick: HttpClient) -> None:
    packed = {"/small": gzip.compress(b"hello") + gzip.compress(b" again"), "/bomb": gzip.compress(bytes(50_000_000))}
    packed["/cut"] = packed["/bomb"][:20_000]

    with serving(lambda asked: asked.reply(body=packed[asked.path], Content_Encoding="gzip")) as base:
        assert quick.get(f"{base}/small").data == b"hello again"
        with pytest.raises(DocumentProblem, match="more than 1 MB") as caught:
            quick.get(f"{base}/bomb", limit=1_000_000)
        assert caught.value.code == "too_large"
        with pytest.raises(FetchError, match="broke off within its gzip"):
            quick.get(f"{base}/cut")


def test_another_packing_is_refused(quick: HttpClient) -> None:
    with serving(lambda asked: asked.reply(body=b"x", Content_Encoding="br")) as base, pytest.raises(FetchError, match="packed as br"):
        quick.get(base)


@pytest.mark.parametrize("announced", [True, False])
def test_too_large(quick: HttpClient, announced: bool) -> None:
    def handle(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Length" if announced else "Connection", "1001" if announced else "close")
        asked.end_headers()
        asked.wfile.write(bytes(1001))
        asked.close_connection = True

    with serving(handle) as base, pytest.raises(DocumentProblem) as caught:
        quick.get(base, limit=1000)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("silence", [0.05, 4.0])
def test_a_trickling_server_comes_to_an_end(monkeypatch: pytest.MonkeyPatch, silence: float) -> None:
    monkeypatch.setattr(http_client, "DEADLINE_S", 0.3)

    def handle(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Length", "1000")
        asked.end_headers()
        for _ in range(40):
            try:
                asked.wfile.write(b"x")
            except OSError:
                break
            time.sleep(silence)
        asked.close_connection = True

    began = time.monotonic()
    client = HttpClient(private_hosts=["127.0.0.1"], attempts=1)
    with serving(handle) as base, client, pytest.raises(FetchError, match=r"too long|timed out") as caught:
        client.get(base)
    assert caught.value.transient and time.monotonic() - began < 3


def test_redirects(client: HttpClient) -> None:
    def handle(asked: Asked) -> None:
        if asked.path == "/end":
            asked.reply(body=b"here")
        else:
            asked.reply(302, Location="/loop" if asked.path == "/loop" else "end")

    allowed: list[str] = []
    with serving(handle) as base:
        answer = client.get(f"{base}/start", allow=allowed.append)
        assert answer.data == b"here" and answer.url == f"{base}/end" == allowed[0]
        with pytest.raises(FetchError, match="more than 5 redirects") as caught:
            client.get(f"{base}/loop")
    assert not caught.value.transient


def test_a_token_stays_with_its_host(client: HttpClient) -> None:
    seen: dict[str, str | None] = {}

    def other(asked: Asked) -> None:
        seen["other"], seen["accept"] = asked.headers["Authorization"], asked.headers["Accept"]
        asked.reply()

    with serving(other) as elsewhere:

        def handle(asked: Asked) -> None:
            seen[asked.path] = asked.headers["Authorization"]
            asked.reply(302, Location="/second" if asked.path == "/first" else elsewhere)

        with serving(handle) as base:
            client.get(f"{base}/first", headers={"Authorization": "Bearer secret", "Accept": "text/x"})
    assert seen == {"/first": "Bearer secret", "/second": "Bearer secret", "other": None, "accept": "text/x"}


def test_pauses_hold_over_threads() -> None:
    times: list[float] = []

    def handle(asked: Asked) -> None:
        times.append(time.monotonic())
        asked.reply()

    with serving(handle) as base, HttpClient(pause_s=0.05, private_hosts=["127.0.0.1"]) as client:
        client.get(base)
        client.pause("127.0.0.1", 0.15)
        client.pause("127.0.0.1", 0.01)  # never lowers it
        threads = [threading.Thread(target=client.get, args=(base,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(times) == 6 and max(times[1:]) - min(times[1:]) > 0.5, times


def test_no_cookies_are_kept(client: HttpClient) -> None:
    seen: list[str | None] = []

    def handle(asked: Asked) -> None:
        seen.append(asked.headers["Cookie"])
        asked.reply(Set_Cookie="id=1")

    with serving(handle) as base:
        client.get(base)
        client.get(base)
    assert seen == [None, None]
