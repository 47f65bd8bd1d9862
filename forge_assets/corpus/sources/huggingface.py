"""The Hugging Face Hub as a feed: cards of models and datasets, and the daily papers.

A card's document is a record: the text of README.md, and what the hub says of the repository as it was when the card was fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, quote

from forge_assets.corpus.problems import problem
from forge_assets.corpus.readers.decoding import decode
from forge_assets.corpus.sources import hub_papers, hub_repos
from forge_assets.corpus.sources.hub_api import HubApi, Kind, read_address
from forge_assets.corpus.sources.interface import Cursor, Fetched, Page
from forge_resources.errors import FetchError, SourceError
from forge_resources.settings import Settings

_OPTIONS: Mapping[Kind, frozenset[str]] = {
    "models": frozenset({"endpoint", "per_run"}),
    "datasets": frozenset({"endpoint", "per_run"}),
    "papers": frozenset({"endpoint", "from", "until"}),
}


@dataclass(frozen=True, slots=True)
class HubFeed:
    """`hf:models?...`, `hf:datasets?...` or `hf:papers`.

    Options: `endpoint` (default HF_ENDPOINT, then https://huggingface.co), `per_run` (fetches in one run), for papers `from` and `until`.
    Raises SourceError for an address or an option that makes no sense.
    """

    name: str
    address: str
    options: Mapping[str, Any]
    settings: Settings
    kind: Kind = field(init=False)
    parameters: list[tuple[str, str]] = field(init=False)
    api: HubApi = field(init=False)
    days: tuple[date | None, date | None] = field(init=False)

    def __post_init__(self) -> None:
        kind, parameters = read_address(self.address)
        given = {key: value for key, value in self.options.items() if value not in (None, [], {})}
        if unknown := sorted(set(given) - _OPTIONS[kind]):
            known = ", ".join(f"--{key.replace('_', '-')}" for key in sorted(_OPTIONS[kind]))
            raise SourceError(f"source {self.name}: hf:{kind} knows no --{unknown[0].replace('_', '-')}; it knows: {known}")
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "parameters", parameters)
        object.__setattr__(self, "api", HubApi(given.get("endpoint"), self.settings))
        object.__setattr__(self, "days", (_day(given.get("from")), _day(given.get("until"))))

    @property
    def fetches_per_run(self) -> int:
        return int(self.options.get("per_run") or self.settings.fetches_per_run)

    def check(self) -> None:
        """Raises SourceError for an endpoint that makes no sense; nobody is asked before a harvest."""
        self.api.check()

    def changes(self, cursor: Cursor | None) -> Iterator[Page]:
        if self.kind == "papers":
            return hub_papers.changes(self.api, *self.days, cursor)
        return hub_repos.changes(self.api, self.kind, self.parameters, cursor)

    def fetch(self, external_id: str, location: str, validator: str | None) -> Fetched:
        """The card as a record. Raises FetchError, and DocumentProblem 'missing' for a card behind a login."""
        path, _, facts = location.partition("#")
        url = f"{self.api.endpoint}/{quote(path)}"
        headers = self.api.headers() | ({"if-none-match": validator} if validator else {})
        try:
            answer = self.api.client.get(url, headers=headers, limit=int(self.settings.max_document_mb * 1e6))
        except FetchError as error:
            if error.status in (404, 410):
                return Fetched(None, gone=True)
            if error.status in (401, 403):
                raise problem("missing", f"{external_id} is private or gated; accept its terms on the hub and set HF_TOKEN") from None
            raise
        mark = answer.headers.get("etag")
        if answer.status == 304:
            return Fetched(None, mark or validator)
        return Fetched(card_record(external_id, decode(answer.data, external_id), facts), mark)


def card_record(external_id: str, text: str, facts: str) -> bytes:
    """A card as JSON for readers/cards.py. `facts`: url-encoded pairs."""
    name = external_id.removeprefix("hf:").removesuffix(hub_repos.CARD)
    infos: dict[str, Any] = dict(parse_qsl(facts))
    infos |= {key: int(infos[key]) for key in ("downloads", "likes") if infos.get(key, "").isdecimal()}
    record = {"modelId": name, "url": f"https://huggingface.co/{name}", "text": text, "infos": infos}
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text)) if text else None
    except ValueError:
        raise SourceError(f"{text!r} is no day; expected YYYY-MM-DD") from None
