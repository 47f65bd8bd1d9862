"""The field map of a JSON-lines dump: our name -> the path of theirs, such as {"title": "headline", "text": "content.body"}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RIVALS = {
    "id": ("doc_id", "id"),
    "title": ("title", "display_name", "name"),
    "text": ("abstract", "text"),
    "authors": ("authors_parsed", "authors"),
    "published": ("versions", "published"),
    "year": ("year",),
    "venue": ("venue",),
    "license": ("license",),
    "url": ("url",),
    "doi": ("doi",),
    "language": ("language",),
}
"""What may be mapped, and the fields of a record that a reader would look at before it, or instead of it."""


def at_path(record: Any, path: str) -> Any:
    """The value at a dotted path, or None. A number picks from a list; a name in a list is that field of each of its items."""
    if isinstance(record, dict) and path in record:
        return record[path]
    head, _, rest = path.partition(".")
    if isinstance(record, dict):
        return at_path(record.get(head), rest) if rest else None
    if isinstance(record, list):
        if head.isdigit():
            found = record[int(head)] if int(head) < len(record) else None
            return at_path(found, rest) if rest else found
        return [value for item in record if (value := at_path(item, path)) is not None] or None
    return None


def mapped(record: dict[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """The record with our fields added; its own field of a name that ours takes is kept as `own_<name>`."""
    made = dict(record)
    for ours, path in fields.items():
        value = at_path(record, path)
        if value is None:
            continue
        for rival in RIVALS[ours]:
            if rival in made and rival not in fields:
                own = made.pop(rival)
                if own != value:
                    made[f"own_{rival}"] = own
        if ours in record and record[ours] != value:
            made[f"own_{ours}"] = record[ours]
        made[ours] = value
    return made
