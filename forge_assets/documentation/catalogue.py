"""What `forge docs list` shows, and which pages people approved as they stand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from forge_resources.database import Database
from forge_resources.decisions import read_decisions, standing
from forge_resources.errors import QueryError

KIND = "page"
"""Of decisions on pages in the log; their value holds the `sha256` of the text that was decided on."""
VOLUMES = "SELECT volume, kind, title, pages, sources, missing, made_at::timestamp(0)::text AS made FROM doc_volume ORDER BY kind, volume"
PAGES = """SELECT page, kind, title, sources, sha256, made_at::timestamp(0)::text AS made FROM doc_page
    WHERE volume = :volume ORDER BY kind, page"""


def volumes(db: Database) -> list[dict[str, Any]]:
    with db.begin() as connection:
        return [dict(row) for row in connection.execute(sa.text(VOLUMES)).mappings()]


def pages(db: Database, volume: str, overrides: Path | None = None) -> list[dict[str, Any]]:
    """The pages of a volume, with what was decided on them as they stand. Raises QueryError for a volume that is not there."""
    with db.begin() as connection:
        rows = [dict(row) for row in connection.execute(sa.text(PAGES), {"volume": volume}).mappings()]
    if not rows:
        raise QueryError(f"there is no volume {volume!r}; `forge docs list` names those that are")
    decided = verdicts(overrides)
    return [{**row, "decision": decided.get((row["page"], row["sha256"]), ""), "sha256": row["sha256"][:12]} for row in rows]


def verdicts(overrides: Path | None) -> dict[tuple[str, str], str]:
    """(page, sha256 of its text) -> approve or reject: what people said of exactly this text."""
    known = standing(read_decisions(overrides), date.today()) if overrides else {}
    return {(subject, str(one.value.get("sha256", ""))): one.verdict for (kind, subject), one in known.items() if kind == KIND}


def page_hash(db: Database, page: str) -> str:
    """Raises QueryError for a page that is not there."""
    with db.begin() as connection:
        found = connection.execute(sa.text("SELECT sha256 FROM doc_page WHERE page = :page"), {"page": page}).scalar_one_or_none()
    if found is None:
        raise QueryError(f"there is no page {page!r}; `forge docs list VOLUME` names those that are")
    return str(found)
