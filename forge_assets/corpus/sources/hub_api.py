"""The Hugging Face Hub's HTTP interface, as far as Forge reads it: addresses `hf:...`, JSON answers, the token.

Forge's own client is used rather than huggingface_hub: `HfApi.list_models` hands out no page cursor, so a listing of two million
models could not go on where it broke off, and its session knows neither our pauses nor our limits. Paths, parameters and the
Link header are those that huggingface_hub 2.4 uses.
"""

from __future__ import annotations

import json
import os
import re
import threading
import weakref
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from forge_resources.errors import FetchError, SourceError
from forge_resources.settings import Settings

if TYPE_CHECKING:
    from forge_resources.http_client import HttpClient

Kind = Literal["models", "datasets", "papers"]

PAUSE_S = 0.2
"""Seconds between requests: the hub allows an anonymous address a few thousand per five minutes."""

LONGEST_WAIT_S = 310.0
"""The hub counts requests over windows of five minutes and says how much of one is left."""

_ENDPOINT = "https://huggingface.co"
_PLAIN = {
    "models": ("pipeline_tag", "author", "search", "gated", "num_parameters"),
    "datasets": ("author", "search", "gated"),
    "papers": (),
}
_TAGS = {
    "models": {"filter": "", "library": "", "language": "", "license": "license:", "dataset": "dataset:"},
    "datasets": {"filter": "", "language": "language:", "license": "license:", "size_categories": "size_categories:"}
    | {"task_categories": "task_categories:", "library": "library:"},
    "papers": {},
}
"""What a person writes -> prefix of the tag that the hub's parameter `filter` wants."""


def read_address(address: str) -> tuple[Kind, list[tuple[str, str]]]:
    """`hf:models?pipeline_tag=...` -> what is listed, and the parameters for the hub. Raises SourceError with what may be written."""
    what, _, query = address.removeprefix("hf:").partition("?")
    kinds: dict[str, Kind] = {"models": "models", "datasets": "datasets", "papers": "papers"}
    if not address.startswith("hf:") or what not in kinds:
        raise SourceError(f"source {address!r}: expected hf:models?..., hf:datasets?... or hf:papers")
    kind = kinds[what]
    parameters: list[tuple[str, str]] = []
    for key, value in parse_qsl(query, keep_blank_values=True):
        if not value or key not in _PLAIN[kind] and key not in _TAGS[kind]:
            known = ", ".join([*_PLAIN[kind], *_TAGS[kind]]) or "none"
            raise SourceError(f"source {address!r}: {key}={value} is no filter of hf:{kind}; there are: {known}")
        prefix = _TAGS[kind].get(key)
        parameters.append((key, value) if prefix is None else ("filter", value if value.startswith(prefix) else prefix + value))
    return kind, parameters


class HubApi:
    """Requests to one endpoint. The token of HF_TOKEN goes to it and nowhere else."""

    def __init__(self, endpoint: str | None, settings: Settings) -> None:
        self.endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or _ENDPOINT).rstrip("/")
        self._settings = settings
        self._lock = threading.Lock()
        self._client: HttpClient | None = None

    @property
    def client(self) -> HttpClient:
        """One client for all requests, so that its pauses hold; it is closed with this object."""
        from forge_resources.http_client import HttpClient

        with self._lock:
            if self._client is None:
                private, contact = self._settings.private_host_list, self._settings.contact
                self._client = HttpClient(pause_s=PAUSE_S, private_hosts=private, contact=contact, longest_wait_s=LONGEST_WAIT_S)
                weakref.finalize(self, self._client.close)
            return self._client

    def check(self) -> None:
        """Raises SourceError for an endpoint that is no URL; nobody is asked."""
        if urlsplit(self.endpoint).scheme not in ("http", "https") or not urlsplit(self.endpoint).hostname:
            raise SourceError(f"the endpoint {self.endpoint!r} of the Hugging Face Hub (--endpoint or HF_ENDPOINT): expected https://host")

    def headers(self) -> dict[str, str]:
        token = os.environ.get("HF_TOKEN", "").strip()
        return {"authorization": f"Bearer {token}"} if token else {}

    def listing(self, path: str, query: str | Sequence[tuple[str, str]]) -> tuple[list[Any], str | None, datetime]:
        """(entries, query of the next page or None, the server's time). Raises FetchError.

        Of the Link to the next page only the query is taken: a mirror's may name the hub itself, and the token stays at home.
        """
        query = query if isinstance(query, str) else urlencode(query)
        url = f"{self.endpoint}/api/{path}" + (f"?{query}" if query else "")
        answer = self.client.get(url, headers=self.headers())
        try:
            entries = json.loads(answer.data)
        except (ValueError, RecursionError):
            entries = None
        if not isinstance(entries, list):
            raise FetchError(f"{url}: expected a JSON list of {path}, found something else; is the endpoint right?", transient=True)
        link = re.search(r"<([^<>]*)>\s*;[^,<]*\brel=\"?next\b", answer.headers.get("link", ""))
        following = urlsplit(link[1]).query if link else ""
        if following == query:
            raise FetchError(f"{url}: its next page is itself; a later run asks again", transient=True)
        return entries, following or None, _server_time(answer.headers)


def _server_time(headers: Mapping[str, str]) -> datetime:
    try:
        return parsedate_to_datetime(headers.get("date", "")).astimezone(UTC)
    except (ValueError, TypeError):
        return datetime.now(UTC)
