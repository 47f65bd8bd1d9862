"""Where the HTTP client refuses to go: private addresses under every disguise, other names than the certificate's, what is no URL."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from forge_resources import http_guard
from forge_resources.errors import FetchError
from forge_resources.http_client import HttpClient, parsed_url, safe_url
from forge_resources.http_guard import is_public
from tests.local_server import Asked, serving


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(private_hosts=["127.0.0.1"], contact="me@example.org", attempts=3, longest_wait_s=2.0) as client:
        yield client


@pytest.mark.parametrize(
    "target", ["http://localhost:1/", "http://169.254.169.254/latest/meta-data", "http://[::1]/", "file:///etc/passwd"]
)
def test_a_redirect_to_a_private_place_is_refused(client: HttpClient, target: str) -> None:
    with serving(lambda asked: asked.reply(302, Location=target)) as base, pytest.raises(FetchError) as caught:
        client.get(base)
    assert not caught.value.transient and ("private address" in str(caught.value) or "expected http" in str(caught.value))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_private_hosts_are_refused_unless_named(host: str) -> None:
    touched: list[str] = []

    def handle(asked: Asked) -> None:
        touched.append(asked.path)
        asked.reply()

    client = HttpClient(private_hosts=["elsewhere", "127.0.0.1:1"])
    with serving(handle) as base, client, pytest.raises(FetchError, match="FORGE_PRIVATE_HOSTS") as caught:
        client.get(f"http://{host}:{base.rsplit(':')[-1]}/")
    assert not caught.value.transient and not touched


def test_a_private_host_may_be_named_with_its_port() -> None:
    with serving(lambda asked: asked.reply(body=asked.headers["Host"].encode())) as base:
        host = base.removeprefix("http://")
        with HttpClient(private_hosts=[host]) as client:
            assert client.get(base).data.decode() == host


def test_a_name_that_changes_its_address_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the second answer would be private; the connection goes to the first, which was checked."""
    answers, connected = ["93.184.216.34", "127.0.0.1"], []
    monkeypatch.setattr(http_guard.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (answers.pop(0), 80))])

    def connect(self: object, host: str, *_: object) -> None:
        connected.append(host)
        raise http_guard.httpcore.ConnectError("no net in tests")

    monkeypatch.setattr(http_guard.httpcore.SyncBackend, "connect_tcp", connect)
    with HttpClient(attempts=1) as client, pytest.raises(FetchError, match="no net in tests"):
        client.get("http://rebinding.example/")
    assert connected == ["93.184.216.34"]


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(http_guard.socket, "getaddrinfo", lambda *_, **__: found)
    with HttpClient() as client, pytest.raises(FetchError, match=r"private address 10\.0\.0\.1"):
        client.get("http://mixed.example/")


def test_an_unknown_host_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    def unknown(*args: object, **_: object) -> None:
        calls.append(args)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(http_guard.socket, "getaddrinfo", unknown)
    with HttpClient() as client, pytest.raises(FetchError, match="not found") as caught:
        client.get("http://nowhere.example/")
    assert caught.value.transient and len(calls) == 1


@pytest.mark.parametrize(
    "address",
    "10.1.2.3 100.64.0.1 127.0.0.1 169.254.169.254 172.16.0.1 192.168.1.1 0.0.0.0 224.0.0.1 240.0.0.1 255.255.255.255 192.0.0.8 198.18.0.1 "
    "::1 :: ::127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:10.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1::1 2002:0a00:0001::1 2002:7f00:1:: fe80::1 fc00::1 "
    "fec0::1 ff02::1 2001:db8::1 2001:0:7f00:1::f5ff:fffe".split(),
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", "8.8.8.8 93.184.216.34 2606:2800:220:1::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1".split())
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url", ["ftp://a.org/", "nonsense", "http:///x", "http://a b/", "http://a.org:x/", "http://a\n.org/", "http://u:p@a.org/"]
)
def test_what_is_no_url(url: str) -> None:
    with HttpClient() as client, pytest.raises(FetchError) as caught:
        client.get(url)
    assert not caught.value.transient and "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "one"),
    [
        ("HTTPS://ExAmple.org:443", "https://example.org/"),
        ("http://a.org:80/x/../y?b=1#part", "http://a.org/y?b=1"),
        ("http://bücher.de?q=1", "http://xn--bcher-kva.de/?q=1"),
        ("http://a.org/%7Ex y", "http://a.org/%7Ex%20y"),
    ],
)
def test_one_form(url: str, one: str) -> None:
    assert str(parsed_url(url)) == one == str(parsed_url(one))


def test_messages_hold_no_secrets() -> None:
    shown = safe_url("https://me:pw@a.org/x?X-Amz-Signature=s1&api_key=s2&page=3&access_token=s4#s")
    assert shown == "https://a.org/x?X-Amz-Signature=...&api_key=...&page=3&access_token=...#s"


def test_a_proxy_of_the_environment_is_used_but_not_for_private_places(monkeypatch: pytest.MonkeyPatch) -> None:
    through: list[str] = []

    def proxy(asked: Asked) -> None:
        through.append(asked.path)
        asked.reply(body=b"by proxy")

    with serving(proxy) as address, serving(lambda asked: asked.reply(body=b"direct")) as base:
        monkeypatch.setenv("http_proxy", address)
        monkeypatch.delenv("no_proxy", raising=False)
        with HttpClient() as client:
            assert client.get("http://nowhere.invalid/x").data == b"by proxy"
            with pytest.raises(FetchError, match="private address"):
                client.get("http://10.0.0.1/")
        with HttpClient(private_hosts=["127.0.0.1"]) as client:
            assert client.get(base).data == b"direct"
    assert through == ["http://nowhere.invalid/x"]


def test_a_certificate_must_fit_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to a checked address, but the name is what the certificate and the Host header are about."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext".split()
    make += ["subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def get(host: str) -> bytes:
        with HttpClient(private_hosts=["127.0.0.1", "localhost"], attempts=3, longest_wait_s=0.01) as client:
            return client.get(f"https://{host}/").data

    with serving(lambda asked: asked.reply(body=asked.headers["Host"].encode()), context) as base:
        port = base.rsplit(":")[-1]
        with pytest.raises(FetchError, match="certificate is not accepted") as caught:
            get(f"localhost:{port}")
        assert not caught.value.transient
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert get(f"localhost:{port}") == f"localhost:{port}".encode()
        with pytest.raises(FetchError, match="certificate is not accepted"):
            get(f"127.0.0.1:{port}")
