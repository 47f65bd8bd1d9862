"""robots.txt by RFC 9309: the rules of a host for Forge, and whether a URL may be asked for.

urllib.robotparser takes the first rule that fits and knows neither `*` nor `$`, so it would ask for what a host forbids.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urlsplit

from forge_assets.corpus.problems import problem
from forge_resources.errors import DocumentProblem, FetchError

if TYPE_CHECKING:
    from forge_resources.http_client import HttpClient

AGENT = "forge-ai"
LONGEST_DELAY_S = 60.0
"""A longer Crawl-delay is cut to this, so that a run comes to an end."""

_LIMIT = 5_000_000
_READ = 512_000
"""Bytes of a robots.txt that count, by the RFC at least 500 KiB."""


@dataclass(slots=True)
class Rules:
    """What one host asks of one crawler. `paths`: (allowed, pattern); `delay`: seconds between two requests."""

    paths: list[tuple[bool, str]] = field(default_factory=list)
    delay: float = 0.0

    def allow(self, target: str) -> bool:
        """Whether a path with its query may be asked for: the longest pattern decides, and of two as long the one that allows."""
        target = _canonical(target)
        if target == "/robots.txt":
            return True
        fitting = [(len(pattern), allowed) for allowed, pattern in self.paths if _fits(pattern, target)]
        return max(fitting, default=(0, True))[1]


def read_rules(text: str, agent: str = AGENT) -> Rules:
    """The rules for `agent`, or those for `*` where none name it; groups of the same agent count together."""
    groups: dict[str, Rules] = {}
    current: list[Rules] = []
    naming = False
    for line in text.lstrip("\ufeff").splitlines():
        key, mark, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not mark:
            continue
        if key == "user-agent":
            current = current if naming else []
            name = re.match(r"\*|[\w\-]*", value.lower())
            current.append(groups.setdefault(name[0] if name else "", Rules()))
            naming = True
        elif key in ("allow", "disallow", "crawl-delay"):
            naming = False
            for rules in current:
                _add(rules, key, value)
    return groups.get(agent.lower()) or groups.get("*") or Rules()


def _add(rules: Rules, key: str, value: str) -> None:
    if key == "crawl-delay":
        if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", value):
            rules.delay = max(rules.delay, float(value))
    elif value:
        rules.paths.append((key == "allow", _canonical(value)))


def _canonical(path: str) -> str:
    """One form of percent-encoding: what need not be encoded is not, everything else is."""
    return re.sub(r"(?:%[0-9A-Fa-f]{2}|[^\x21-\x7e])+", lambda part: quote(unquote_to_bytes(part[0]), safe="~"), path)


def _fits(pattern: str, target: str) -> bool:
    """Whether a pattern with `*` and a final `$` fits from the beginning; in linear time whatever a host writes."""
    closed = pattern.endswith("$")
    first, *rest = (pattern[:-1] if closed else pattern).split("*")
    if not target.startswith(first):
        return False
    at = len(first)
    if closed and not rest:
        return at == len(target)
    last = rest.pop() if closed else ""
    for part in rest:
        at = target.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return not closed or len(target) - len(last) >= at and target.endswith(last)


class Robots:
    """The robots.txt of all hosts, each fetched once in the life of this object."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._known: dict[str, Rules | FetchError] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def check(self, url: str) -> None:
        """Raises DocumentProblem 'missing' for a URL that its host forbids; FetchError (transient) while the host does not tell."""
        parts = urlsplit(url)
        rules = self._rules(f"{parts.scheme}://{parts.netloc}")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not rules.allow(target):
            raise problem("missing", f"{url} is not fetched: robots.txt of {parts.netloc} forbids it")

    def _rules(self, origin: str) -> Rules:
        with self._lock:
            lock = self._locks.setdefault(origin, threading.Lock())
        with lock:
            if origin not in self._known:
                self._known[origin] = self._fetched(origin)
            known = self._known[origin]
        if isinstance(known, FetchError):
            raise FetchError(str(known), transient=known.transient, status=known.status)
        return known

    def _fetched(self, origin: str) -> Rules | FetchError:
        """Rules; a host that has none (4xx) allows all; one that cannot tell now (5xx, 429, nothing at all) is not asked for anything."""
        try:
            data = self._client.get(f"{origin}/robots.txt", limit=_LIMIT).data[:_READ]
        except FetchError as error:
            if 400 <= error.status < 500 and not error.transient:
                return Rules()
            return error
        except DocumentProblem as error:
            return FetchError(f"the robots.txt of {origin} cannot be read ({error})", transient=True)
        rules = read_rules(data.decode("utf-8", "replace"))
        if rules.delay and (host := urlsplit(origin).hostname):
            self._client.pause(host, min(rules.delay, LONGEST_DELAY_S))
        return rules
