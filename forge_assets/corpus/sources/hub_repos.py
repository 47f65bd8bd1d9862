"""What changed among the models or datasets of the hub: a sweep over all at first and every seventh time, in between the newest only.

A sweep goes by date of creation, which never changes, so that a repository updated meanwhile is not jumped over. In between, the listing
is read from the last update backwards to the moment at which the harvest before began, by the server's clock, and a little further.

Cursor: `harvests` finished, `since` (start of the last finished one), and while one is under way `mode`, `began`, `next` (query).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from forge_assets.corpus.sources.hub_api import HubApi, Kind
from forge_assets.corpus.sources.interface import Cursor, Found, Page
from forge_resources.errors import FetchError

PAGE = 1000
SWEEP_EVERY = 7
OVERLAP = timedelta(minutes=15)
"""How far a harvest reads behind the start of the one before: the hub's listing may lag."""

FACTS = ("pipeline_tag", "library_name", "downloads", "likes", "createdAt", "lastModified")
"""What the hub says of a repository beside its card; goes along in the location."""

CARD = "/card.json"
"""Ends the id of a card: names such as org/Llama-3.1-8B or org/notes.pdf would promise readers another format."""

_ID = re.compile(r"[\w.\-]+(?:/[\w.\-]+)?")


def changes(api: HubApi, kind: Kind, parameters: list[tuple[str, str]], cursor: Cursor | None) -> Iterator[Page]:
    """Raises FetchError."""
    cursor = dict(cursor or {})
    harvests, resumed = int(cursor.get("harvests", 0)), cursor.get("next")
    if not resumed:
        sweeping = harvests % SWEEP_EVERY == 0 or "since" not in cursor
        cursor |= {"mode": "sweep" if sweeping else "changes", "began": None}
        if sweeping:
            cursor["sweep"] = int(cursor.get("sweep", 0)) + 1
    sweeping = cursor["mode"] == "sweep"
    order = [("sort", "createdAt" if sweeping else "lastModified"), ("limit", str(PAGE)), ("full", "true")]
    query = resumed or urlencode([*parameters, *order])
    floor = None if sweeping else datetime.fromisoformat(cursor["since"]) - OVERLAP
    while query:
        try:
            entries, following, now = api.listing(kind, query)
        except FetchError as error:
            if query == resumed and 400 <= error.status < 500 and error.status not in (401, 403, 429):
                yield from changes(api, kind, parameters, {k: v for k, v in cursor.items() if k not in ("next", "mode", "began")})
                return  # the hub no longer knows this page
            raise
        cursor["began"] = cursor["began"] or now.isoformat()
        found = [item for entry in entries for item in [_found(entry, kind, sweeping)] if item]
        if floor and any((_time(entry) or floor) < floor for entry in entries):
            following = None
        query = following
        if following:
            yield Page(found, cursor | {"next": following}, cursor.get("sweep") if sweeping else None)
        else:
            done = {"harvests": harvests + 1, "since": cursor["began"], "sweep": cursor.get("sweep", 0)}
            yield Page(found, done, cursor["sweep"] if sweeping else None, ends_sweep=sweeping)


def _found(entry: Any, kind: Kind, sweeping: bool) -> Found | None:
    """A repository of a listing. One without a card is no document: a sweep passes it over, otherwise it is reported as gone."""
    name = (entry.get("id") or entry.get("modelId")) if isinstance(entry, dict) else None
    if not isinstance(name, str) or not _ID.fullmatch(name):
        shown = re.sub(r"[^\w./\-]", "?", str(name))[:100]
        return Found(f"hf:?{shown}", "0", problem=f"bad_record: the hub lists a repository under the name {shown}")
    full = f"datasets/{name}" if kind == "datasets" else name
    files = entry.get("siblings")
    if isinstance(files, list) and not any(isinstance(file, dict) and file.get("rfilename") == "README.md" for file in files):
        return None if sweeping else Found(f"hf:{full}{CARD}", "", deleted=True)
    sha = entry.get("sha")
    sha = sha if isinstance(sha, str) and re.fullmatch(r"[0-9a-f]{40,64}", sha) else None
    facts = urlencode([(key, str(entry[key])) for key in FACTS if isinstance(entry.get(key), str | int) and entry[key] != ""])
    token = sha or str(entry.get("lastModified") or "main")
    return Found(f"hf:{full}{CARD}", token, location=f"{full}/resolve/{sha or 'main'}/README.md#{facts}")


def _time(entry: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(entry["lastModified"])
    except (KeyError, TypeError, ValueError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
