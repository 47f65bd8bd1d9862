"""The hub's daily papers, a day at a time: each as a record with its arXiv id, so that it joins the other documents of the work.

The last days are read again every time: their papers still gather votes, and late ones are added.
Cursor: `day`, the first to ask for.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from forge_assets.corpus.sources.hub_api import HubApi
from forge_assets.corpus.sources.interface import Cursor, Found, Page

FIRST_DAY = date(2023, 5, 4)
"""The day the daily papers began."""

AGAIN_DAYS = 7
PAGE = 100
_MOST_PAGES = 50
_ARXIV = re.compile(r"\d{4}\.\d{4,5}")
_KEPT = {"upvotes": "upvotes", "ai_keywords": "keywords", "githubRepo": "github", "projectPage": "project_page"}


def changes(api: HubApi, first: date | None, last: date | None, cursor: Cursor | None) -> Iterator[Page]:
    """One Page per day, up to today by the server's clock. Raises FetchError."""
    day = date.fromisoformat(cursor["day"]) if cursor else first or FIRST_DAY
    day = max(day, first) if first else day
    end = last
    while end is None or day <= end:
        found, today = _of_day(api, day)
        end = min(today, last) if last else today
        again = max(end - timedelta(days=AGAIN_DAYS - 1), first or FIRST_DAY)
        day += timedelta(days=1)
        yield Page(list(found.values()), {"day": min(day, again).isoformat()})


def _of_day(api: HubApi, day: date) -> tuple[dict[str, Found], date]:
    found: dict[str, Found] = {}
    for page in range(_MOST_PAGES):
        query = [("date", day.isoformat()), ("limit", str(PAGE)), ("p", str(page))]
        entries, _, now = api.listing("daily_papers", query)
        before = len(found)
        for entry in entries:
            item = _found(entry, day)
            found[item.external_id] = item
        if len(entries) < PAGE or len(found) == before:
            break
    return found, now.date()


def _found(entry: Any, day: date) -> Found:
    entry = entry if isinstance(entry, dict) else {}
    paper = entry.get("paper")
    paper = entry | paper if isinstance(paper, dict) else entry
    name, title = paper.get("id"), paper.get("title") or entry.get("title")
    if not isinstance(name, str) or not re.fullmatch(r"[\w.\-]+", name) or not isinstance(title, str):
        digest = hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]
        return Found(f"hf:papers/?{digest}", digest, problem=f"bad_record: a daily paper of {day} has no id or no title")
    authors = [
        a["name"] for a in paper.get("authors") or [] if isinstance(a, dict) and isinstance(a.get("name"), str) and not a.get("hidden")
    ]
    record = {
        "title": title,
        "abstract": paper.get("summary") or "",
        "authors": authors,
        "published": str(paper.get("publishedAt") or "")[:10],
        "url": f"https://huggingface.co/papers/{name}",
        "daily_paper_of": day.isoformat(),
    }
    if _ARXIV.fullmatch(name):
        record["arxiv_id"] = name
    record |= {ours: paper[theirs] for theirs, ours in _KEPT.items() if paper.get(theirs) not in (None, "", [])}
    data = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    return Found(f"hf:papers/{name}", hashlib.sha256(data).hexdigest(), data=data)
