"""The one HTTP client for other people's servers: slow where they ask for it, patient with faults, bounded in every direction.

    with HttpClient(pause_s=3, contact="me@example.org") as client:
        answer = client.get("https://example.org/list", params={"page": "2"})

Proxies are used only where the environment names one (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), and not for `private_hosts`. A proxy resolves
names itself: then addresses written out in a URL and names that resolve here are checked, but where the proxy goes in the end is up to it.
"""

from __future__ import annotations

import os
import random
import re
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from functools import cache
from importlib import metadata
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import httpcore
import httpx

from forge_resources.errors import FetchError
from forge_resources.http_answers import AGAIN, Answer, asked_wait, broken, refused, safe_url, unpacked
from forge_resources.http_guard import CONNECT_S, Backend, Deadline, Guard, HostNotFound

__all__ = ["Answer", "HttpClient", "parsed_url", "safe_url"]

READ_S = 30.0
"""Longest silence of a server, seconds."""

DEADLINE_S = 600.0
"""Longest time for one try of one request as a whole, seconds."""

REDIRECTS = 5
GOES_ALONG = frozenset({"accept", "accept-language", "if-none-match", "if-modified-since", "range"})
"""Headers that follow a redirect to another host; a token stays."""


class HttpClient:
    """GET requests to public hosts, for many threads.

    `pause_s`: least seconds between the starts of two requests to one host. `private_hosts`: 'host' or 'host:port' that may have
    private addresses. `contact`: an e-mail address put into the User-Agent. `attempts`: tries of one request in all.
    `longest_wait_s`: longest pause between two tries; a server that asks for more is not asked again, the error is transient.
    """

    def __init__(
        self,
        *,
        pause_s: float = 0.0,
        private_hosts: Collection[str] = (),
        contact: str | None = None,
        attempts: int = 5,
        longest_wait_s: float = 120.0,
    ) -> None:
        self._pause_s = pause_s
        self._attempts = attempts
        self._longest_wait_s = longest_wait_s
        self._agent = f"forge-ai/{_version()}" + (f" (+mailto:{contact})" if contact else "")
        self._guard = Guard(private_hosts)
        self._deadline = Deadline()
        self._pauses: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()
        self._pools: dict[str | None, httpcore.ConnectionPool] = {}

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections; the next `get` opens new ones."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def pause(self, host: str, seconds: float) -> None:
        """Raises the least time between two requests to one host (a Crawl-delay); never lowers it."""
        with self._lock:
            self._pauses[host.lower()] = max(seconds, self._pauses.get(host.lower(), 0.0))

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 100_000_000,
        allow: Callable[[str], None] | None = None,
    ) -> Answer:
        """An answer of status 2xx or 304; redirects are followed, `allow` is called with each target and may raise.

        Raises FetchError for any other answer and for none, DocumentProblem("too_large") for a body of more than `limit` bytes unpacked.
        """
        address = parsed_url(url)
        address = address.copy_merge_params(dict(params)) if params else address
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        for _ in range(REDIRECTS + 1):
            answer = self._patiently(address, sent, limit)
            target = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                break
            origin, address = _origin(address), parsed_url(urljoin(answer.url, target))
            if _origin(address) != origin:
                sent = {name: value for name, value in sent.items() if name in GOES_ALONG}
            if allow is not None:
                allow(str(address))
        else:
            raise FetchError(f"{safe_url(url)}: more than {REDIRECTS} redirects, the last to {safe_url(str(address))}", transient=False)
        if answer.status == 304 or 200 <= answer.status < 300:
            return answer
        raise refused(answer)

    def _patiently(self, address: httpx.URL, headers: Mapping[str, str], limit: int) -> Answer:
        """The answer of one address, after as many tries as are due. Only answers that another try may mend are taken for failures."""
        for attempt in range(1, self._attempts + 1):
            self._wait_for_turn(address.host)
            wait: float | None = None
            try:
                answer = self._once(address, headers, limit)
                if answer.status not in AGAIN:
                    return answer
                failure = refused(answer)
                wait = asked_wait(answer)
            except FetchError as error:
                failure = error
            if not failure.transient or isinstance(failure, HostNotFound) or attempt == self._attempts:
                raise failure
            if wait is not None and wait > self._longest_wait_s:
                raise FetchError(
                    f"{failure}; it asks to wait {wait:.0f} s, longer than Forge waits within a run", transient=True, status=failure.status
                )
            if wait is None:
                wait = min(2.0 ** (attempt - 1) * random.uniform(0.75, 1.25), self._longest_wait_s)  # noqa: S311 - no secret
            self._postpone(address.host, wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(self, address: httpx.URL, headers: Mapping[str, str], limit: int) -> Answer:
        url = str(address)
        self._deadline.at = time.monotonic() + DEADLINE_S
        try:
            with self._opened(address, headers) as response:
                got = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                has_use = response.status < 300
                data = unpacked(safe_url(url), response.iter_stream(), got, limit) if has_use else b""
                return Answer(url, response.status, got, data)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise broken(url, error) from None
        except FetchError as error:
            raise type(error)(f"{safe_url(url)}: {error}", transient=error.transient, status=error.status) from None
        finally:
            self._deadline.at = float("inf")

    def _opened(self, address: httpx.URL, headers: Mapping[str, str]) -> AbstractContextManager[httpcore.Response]:
        sent = [*({"user-agent": self._agent, "accept": "*/*", **headers, "accept-encoding": "gzip"}).items()]
        target = httpcore.URL(scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=address.raw_path)
        timeouts = {"connect": CONNECT_S, "read": READ_S, "write": READ_S, "pool": DEADLINE_S}
        return self._pool(address).stream("GET", target, headers=sent, extensions={"timeout": timeouts})

    def _pool(self, address: httpx.URL) -> httpcore.ConnectionPool:
        """The connections to use: the guarded ones, or those to the proxy that the environment names."""
        host, port = _host_and_port(address)
        proxies = urllib.request.getproxies_environment()
        proxy = proxies.get(address.scheme)
        if self._guard.allows_private(host, port) or (proxy and urllib.request.proxy_bypass(host)):
            proxy = None
        if proxy:
            try:
                self._guard.addresses(host, port)
            except FetchError as error:
                if not error.transient:
                    raise
        with self._lock:
            if proxy not in self._pools:
                self._pools[proxy] = self._new_pool(proxy)
            return self._pools[proxy]

    def _new_pool(self, proxy: str | None) -> httpcore.ConnectionPool:
        context = _tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        options: dict[str, Any] = {"ssl_context": context, "max_connections": 32, "keepalive_expiry": 15.0}
        if proxy is None:
            return httpcore.ConnectionPool(network_backend=Backend(self._deadline, self._guard), **options)
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        account = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        named = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return httpcore.HTTPProxy(named, proxy_auth=account, network_backend=Backend(self._deadline, None), **options)

    def _wait_for_turn(self, host: str) -> None:
        """Sleeps until this host may be asked again, and takes the turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + max(self._pause_s, self._pauses.get(host, 0.0))
        if turn > now:
            time.sleep(turn - now)

    def _postpone(self, host: str, seconds: float) -> None:
        """No thread asks this host within the next seconds."""
        with self._lock:
            self._next[host] = max(time.monotonic() + seconds, self._next.get(host, 0.0))


def parsed_url(url: str) -> httpx.URL:
    """A URL in one form (lower-case host, no default port, no fragment, a path). Raises FetchError for what is none, or not of http."""
    try:
        scheme, mark, rest = url.strip().partition(":")
        address = httpx.URL(f"{scheme.lower()}{mark}{rest}")
        host = address.host
    except (httpx.InvalidURL, UnicodeError, ValueError, TypeError) as error:
        raise FetchError(f"{safe_url(url)}: no URL ({error})", transient=False) from None
    if address.scheme not in ("http", "https") or not re.fullmatch(rb"[\w.\-]+|\[?[0-9a-fA-F:.]+\]?", address.raw_host) or not host:
        raise FetchError(f"{safe_url(url)}: expected http://host/... or https://host/...", transient=False)
    if address.userinfo:
        raise FetchError(f"{safe_url(url)}: a user and a password in a URL are not used; remove them", transient=False)
    return address.copy_with(raw_path=address.raw_path, fragment=None)


def _host_and_port(address: httpx.URL) -> tuple[str, int]:
    return address.raw_host.decode("ascii"), address.port or (443 if address.scheme == "https" else 80)


def _origin(address: httpx.URL) -> tuple[str, str, int]:
    return (address.scheme, *_host_and_port(address))


@cache
def _tls(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The certificates to trust; reading them takes a tenth of a second. The arguments are the environment that httpx looks at."""
    return httpx.create_ssl_context()


def _version() -> str:
    try:
        return metadata.version("forge-ai")
    except metadata.PackageNotFoundError:
        return "0"
