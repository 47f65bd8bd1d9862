"""Checks volume.json against the documents, without anything of Forge.

    python tools/verify_volume.py VOLUME.json... (--database URL | --texts FILE)

For each sentence: it cites; each quote has the SHA-256 that is written beside it and stands at its place in its document's text; a sentence
that is called verbatim is the quote it cites. For each table cell: its citations hold.
--texts is a file of JSON lines {"document_id", "text"}.
Exit code 0 where all holds, 1 where something does not, 2 where it cannot be told.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOST_TOLD = 50


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify_volume.py", description="Check volumes against the documents they cite.")
    parser.add_argument("volumes", nargs="+", type=Path, metavar="VOLUME.json")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--database", help="postgresql://... of a table document(document_id, text)")
    where.add_argument("--texts", type=Path, help='JSON lines {"document_id": ..., "text": ...}')
    chosen = parser.parse_args(arguments)
    faults, totals = 0, {"sentences": 0, "cells": 0, "quotes": 0}
    try:
        for path in chosen.volumes:
            volume = json.loads(path.read_text("utf-8"))
            said = list(statements(volume))
            ids = sorted({one["document_id"] for _, _, _, citations in said for one in citations})
            texts = from_database(chosen.database, ids) if chosen.database else from_file(chosen.texts, set(ids))
            for page, kind, told, citations in said:
                totals[kind] += 1
                totals["quotes"] += len(citations)
                for why in wrong(kind, told, citations, texts):
                    faults += 1
                    if faults <= MOST_TOLD:
                        print(f"{path}: {page}: {why}: {told['text'][:100]!r}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"verify_volume.py: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(f"{len(chosen.volumes)} volumes, {totals['sentences']:,} sentences, {totals['cells']:,} cells, {totals['quotes']:,} quotes: "
          f"{faults:,} faults")  # fmt: skip
    return 1 if faults else 0


def statements(volume: Any) -> Iterator[tuple[str, str, Any, list[Any]]]:
    """(page, "sentences" or "cells", what is said, its citations); cells without a citation claim nothing of the corpus."""
    for page in volume["pages"]:
        for block in page["blocks"]:
            if block["kind"] == "paragraph":
                for sentence in block["sentences"]:
                    yield page["id"], "sentences", sentence, sentence["citations"]
            elif block["kind"] == "table":
                for row in block["rows"]:
                    for cell in row:
                        if cell.get("citations"):
                            yield page["id"], "cells", cell, cell["citations"]


def wrong(kind: str, told: Any, citations: list[Any], texts: dict[str, str]) -> Iterator[str]:
    if kind == "sentences" and not citations:
        yield "cites nothing"
        return
    for one in citations:
        text, quote = texts.get(one["document_id"]), one["quote"]
        if text is None:
            yield f"document {one['document_id']} is not there"
        elif hashlib.sha256(quote.encode()).hexdigest() != one["quote_sha256"]:
            yield "the quote is not what its hash says"
        elif not 0 <= one["start"] < one["end"] or text[one["start"] : one["end"]] != quote:
            yield f"the quote does not stand at {one['start']}-{one['end']} of {one['document_id']}"
    if kind == "sentences" and told.get("origin", "verbatim") == "verbatim" and told["text"].split() != citations[0]["quote"].split():
        yield "is called verbatim and is not its quote"


def from_database(url: str, ids: list[str]) -> dict[str, str]:
    import psycopg

    found: dict[str, str] = {}
    try:
        with psycopg.connect(url) as connection:
            for first in range(0, len(ids), 500):
                rows = connection.execute(
                    "SELECT document_id::text, text FROM document WHERE document_id = ANY(%s::uuid[])", (ids[first : first + 500],)
                )
                found.update(rows.fetchall())
    except psycopg.Error as error:
        raise OSError(f"the database cannot be read: {error}") from None
    return found


def from_file(file: Path, ids: set[str]) -> dict[str, str]:
    with file.open(encoding="utf-8") as lines:
        records = (json.loads(line) for line in lines if line.strip())
        return {record["document_id"]: record["text"] for record in records if record["document_id"] in ids}


if __name__ == "__main__":
    sys.exit(main())
