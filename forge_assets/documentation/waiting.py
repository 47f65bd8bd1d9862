"""Pages that wait for a person: those that nobody has decided on as they stand, the ones changed since a decision first."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from forge_assets.compatibility.review import Proposal
from forge_assets.documentation.catalogue import verdicts
from forge_assets.documentation.plans import volume_of
from forge_assets.documentation.volume import Page
from forge_resources.database import Database

PAGES = """SELECT page, volume, kind, title, sources, sha256 FROM doc_page WHERE kind NOT IN ('bibliography', 'counts')
    AND (CAST(:volume AS text) IS NULL OR volume = :volume) AND (CAST(:page AS text) IS NULL OR page = :page)
    ORDER BY sources DESC, page"""


def of_pages(db: Database, overrides: Path | None, slot: str | None = None, page: str | None = None) -> list[Proposal]:
    """The pages of the volume of `slot`, or the one called `page`, that were neither approved nor rejected as they stand."""
    decided = verdicts(overrides)
    before = {id_: verdict for (id_, _), verdict in decided.items()}
    with db.begin() as connection:
        rows = connection.execute(sa.text(PAGES), {"volume": slot and volume_of(slot), "page": page}).all()
    found = [
        Proposal("page", row.page, f"{row.title} is right as it stands", _because(row, before.get(row.page)), (), float(row.sources))
        for row in rows
        if (row.page, row.sha256) not in decided
    ]
    return sorted(found, key=lambda one: (one.id not in before, -one.worth, one.id))


def _because(row: sa.Row[tuple[object, ...]], before: str | None) -> str:
    told = f"a {row.kind} page of {row.sources:,} sources"
    return f"{told}; changed since a person {'approved' if before == 'approve' else 'rejected'} it" if before else told


def said(page: Page) -> list[str]:
    """What the page says, a line each: its headings, and its sentences with how many sources carry them."""
    lines: list[str] = []
    for block in page.blocks:
        if block.kind == "heading":
            lines.append(f"## {block.text}")
        elif block.kind == "table":
            lines.append(f"[table of {len(block.rows)} rows: {block.caption}]")
        elif block.kind == "paragraph":
            lines += [f"- {' '.join(one.text.split())} [{len(one.citations)}]" for one in block.sentences]
    return lines
