"""The id that a record carries."""

from __future__ import annotations

from typing import Any


def record_identity(record: dict[str, Any]) -> str | None:
    """The id a record carries, or None: `doc_id`, `id`, `arxiv_id`, `paper_id`, `uri` or `url`, whichever comes first."""
    for key in ("doc_id", "id", "arxiv_id", "paper_id", "uri", "url"):
        value = record.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return None
