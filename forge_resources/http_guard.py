"""Connections that lead only where they may: to addresses of the public net, and to the hosts a person has named.

A name is resolved once, every address it has is checked, and the connection goes to a checked address: a name that answers
differently the next time (DNS rebinding) gains nothing. The name itself stays in the Host header and in the check of the certificate.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore

from forge_resources.errors import FetchError

CONNECT_S = 30.0
"""Longest time for one connection; a host with several addresses shares it."""

_NAT64 = IPv6Network("64:ff9b::/96")
_CARRY_IPV4_AT_THE_END = (_NAT64, IPv6Network("::ffff:0:0/96"), IPv6Network("::ffff:0:0:0/96"), IPv6Network("::/96"))
_NOT_GLOBAL = [ip_network(net) for net in ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "100::/64", "3fff::/20", "fec0::/10")]
"""Ranges that older Pythons take for global."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address lies in the public net, whatever form it hides in: IPv4 inside IPv6 (mapped, NAT64, 6to4, Teredo) counts."""
    if isinstance(address, IPv6Address):
        if any(address in network for network in _CARRY_IPV4_AT_THE_END):
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour is not None:
            return is_public(address.sixtofour)
        if address.teredo is not None:
            return all(is_public(part) for part in address.teredo)
    if address.is_multicast or address.is_reserved or any(address in network for network in _NOT_GLOBAL):
        return False
    return address.is_global


class HostNotFound(FetchError):
    """A name that no address is known for. Another night it may have one; another try in the same minute gains nothing."""


class Guard:
    """Says to which addresses of a host a connection may go. `private_hosts`: 'host' or 'host:port' that may lie anywhere."""

    def __init__(self, private_hosts: Collection[str] = ()) -> None:
        self._private = {host.strip().lower().rstrip(".") for host in private_hosts if host.strip()}

    def allows_private(self, host: str, port: int) -> bool:
        host = host.lower().strip("[]").rstrip(".")
        return not self._private.isdisjoint({host, f"[{host}]", f"{host}:{port}", f"[{host}]:{port}"})

    def addresses(self, host: str, port: int) -> list[str]:
        """All addresses of a host, checked. Raises FetchError for a host that has none, or one that it must not have."""
        bare = host.strip("[]")
        try:
            infos = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            kind = FetchError if getattr(error, "errno", None) == socket.EAI_AGAIN else HostNotFound
            raise kind(f"the host {bare} is not found ({why}); correct the address, or look at the network", transient=True) from None
        found = list(dict.fromkeys(str(info[4][0]) for info in infos))
        if not self.allows_private(bare, port):
            for address in found:
                if not is_public(ip_address(address)):
                    raise FetchError(
                        f"the host {bare} has the private address {address} and was not asked; "
                        f"if it is yours, add {bare} to FORGE_PRIVATE_HOSTS",
                        transient=False,
                    )
        return found


class Deadline(threading.local):
    """The moment, on the monotonic clock, at which what this thread is fetching must have come."""

    at: float = float("inf")

    def bound(self, timeout: float | None) -> float:
        """The time-out shortened to what is left. Raises httpcore.ReadTimeout when nothing is."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("it took too long as a whole")
        return min(left, CONNECT_S if timeout is None else timeout)


class Stream(httpcore.NetworkStream):
    """A connection under the deadline, so that a server that sends a byte now and then comes to an end too."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.bound(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.bound(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return Stream(self._inner.start_tls(ssl_context, server_hostname, self._deadline.bound(timeout)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Backend(httpcore.NetworkBackend):
    """Opens connections: with a guard to checked addresses only, without one (to a proxy that the user named) to any."""

    def __init__(self, deadline: Deadline, guard: Guard | None) -> None:
        self._deadline = deadline
        self._guard = guard
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in self._guard.addresses(host, port) if self._guard else [host]:
            try:
                inner = self._plain.connect_tcp(address, port, self._deadline.bound(timeout), local_address, socket_options)
                return Stream(inner, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def failures(error: BaseException) -> Iterator[BaseException]:
    """An error and those it came from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
