"""What other people's servers answer: bodies unpacked within bounds, how long they ask to wait, sentences for what went wrong."""

from __future__ import annotations

import re
import ssl
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore

from forge_resources.errors import DocumentProblem, FetchError
from forge_resources.http_guard import failures

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
ADVICE = {
    401: "it wants a login or a token",
    403: "it forbids this",
    404: "nothing is there; correct the address",
    410: "what was there is gone for good",
    429: "it asks for fewer requests; a later run asks again",
}
_SECRET = re.compile(r"(?i)([?&](?:[\w.-]*(?:token|key|secret|signature|passw|auth|credential)[\w.-]*|sig|code)=)[^&#]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. `url` is where it came from after redirects; names of headers are lower-case; `data` is unpacked."""

    url: str
    status: int
    headers: Mapping[str, str]
    data: bytes


def safe_url(url: str) -> str:
    """A URL fit for messages: without user, password and the values of parameters that look secret."""
    return _SECRET.sub(r"\1...", re.sub(r"^([a-zA-Z][\w+.-]*://)[^/?#]*@", r"\1", url))


def unpacked(url: str, chunks: Iterable[bytes], headers: Mapping[str, str], limit: int) -> bytes:
    """The unpacked bytes of an answer; never more than `limit` are held, however small they were packed."""
    announced = headers.get("content-length", "")
    packed = headers.get("content-encoding", "identity").strip().lower()
    too_large = DocumentProblem("too_large", f"{url}: more than {limit / 1e6:g} MB; raise FORGE_MAX_DOCUMENT_MB to fetch it")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    if packed not in ("identity", "", "gzip", "x-gzip"):
        raise FetchError(f"the answer is packed as {packed}, which was not asked for", transient=False)
    unpack = zlib.decompressobj(wbits=31) if "gzip" in packed else None
    body = bytearray()
    for chunk in chunks:
        rest = chunk
        while rest:
            if unpack is None:
                body += rest
                rest = b""
            else:
                if unpack.eof:
                    unpack = zlib.decompressobj(wbits=31)
                try:
                    body += unpack.decompress(rest, limit + 1 - len(body))
                except zlib.error as error:
                    raise FetchError(f"the answer is no sound gzip ({error})", transient=True) from None
                rest = unpack.unused_data or unpack.unconsumed_tail
            if len(body) > limit:
                raise too_large
    if unpack is not None and not unpack.eof and body:
        raise FetchError("the answer broke off within its gzip", transient=True)
    return bytes(body)


def refused(answer: Answer) -> FetchError:
    advice = ADVICE.get(answer.status, "a later run asks again" if answer.status >= 500 else "correct the address")
    return FetchError(
        f"{safe_url(answer.url)}: answered {answer.status}; {advice}",
        transient=answer.status in AGAIN or answer.status >= 500,
        status=answer.status,
    )


def broken(url: str, error: Exception) -> FetchError:
    """A connection that failed. A certificate that does not fit and a request that cannot be sent are not mended by waiting."""
    for cause in failures(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return FetchError(f"{safe_url(url)}: its certificate is not accepted ({cause.verify_message})", transient=False)
    what = str(error) or type(error).__name__
    return FetchError(
        f"{safe_url(url)}: no whole answer ({what}); a later run asks again", transient=not isinstance(error, httpcore.LocalProtocolError)
    )


def asked_wait(answer: Answer) -> float | None:
    """Seconds that a server asks to wait: Retry-After as a number or a date (against the server's own clock), or RateLimit's `t`."""
    asked = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", asked):
        return float(asked)
    if asked:
        until, now = _date(asked), _date(answer.headers.get("date", "")) or datetime.now(UTC)
        if until is not None:
            return max(0.0, (until - now).total_seconds())
    reset = re.search(r"\bt=(\d+)", answer.headers.get("ratelimit", ""))
    return float(reset[1]) if reset else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
