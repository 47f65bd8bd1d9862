"""What arXiv says of a paper, by the harvesting protocol or in the bulk snapshot -> one JSON record, the same from both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from forge_assets.corpus.metadata import iso_date, names_of
from forge_assets.corpus.readers.dumps import iter_lines
from forge_assets.corpus.sources.oai import text_of
from forge_resources.errors import FetchError

NAMESPACE = "{http://arxiv.org/OAI/arXiv/}"
_FIELDS = ("categories", "comments", "report-no", "msc-class", "acm-class", "journal-ref", "doi", "license")


def record_of_metadata(metadata: Any) -> dict[str, Any] | None:
    """The record of an <arXiv> element; None where the element is of another format."""
    if metadata.tag != f"{NAMESPACE}arXiv":
        return None
    people = metadata.iterfind(f"{NAMESPACE}authors/{NAMESPACE}author")
    names = [[text_of(person, part, NAMESPACE) for part in ("forenames", "keyname", "suffix")] for person in people]
    found = {name: text_of(metadata, name, NAMESPACE) for name in ("id", "title", "abstract", "created", "updated", *_FIELDS)}
    return _record(found, names)


def record_of_line(line: dict[str, Any]) -> dict[str, Any] | None:
    """The record of a line of the snapshot; None where it has no id or no title."""
    versions = [date for version in _list(line.get("versions")) if isinstance(version, dict) and (date := _day(version.get("created")))]
    names = [
        [str(part) for part in (*entry[1:2], *entry[:1], *entry[2:3]) if isinstance(part, str)]
        for entry in _list(line.get("authors_parsed"))
        if isinstance(entry, list)
    ]
    found = {name: value for name in ("id", "title", "abstract", *_FIELDS) if isinstance(value := line.get(name), str)}
    found["created"] = versions[0] if versions else ""
    found["updated"] = versions[-1] if len(versions) > 1 and versions[-1] != versions[0] else ""
    if not names and isinstance(line.get("authors"), str):
        names = [[name] for name in names_of(line["authors"])]
    return _record(found, names)


def _record(found: dict[str, str], names: list[list[str]]) -> dict[str, Any] | None:
    record: dict[str, Any] = {name: " ".join(value.split()) for name, value in found.items() if name != "abstract"}
    if not record.get("id") or not record.get("title"):
        return None
    record["abstract"] = "\n".join(line.rstrip() for line in found.get("abstract", "").strip().splitlines())
    record["authors"] = [name for parts in names if (name := " ".join(" ".join(parts).split()))]
    record["url"] = f"https://arxiv.org/abs/{record['id']}"
    return {name: value for name, value in record.items() if value}


def bytes_of(record: dict[str, Any]) -> bytes:
    """The same bytes for the same record, however it came."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")


def token_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def lines_of(path: Path, after: int) -> Iterator[tuple[int, bytes]]:
    """(number from 1, line) of a snapshot (.json, .jsonl, plain, .gz or .zst) behind the line `after`, streaming.

    Raises FetchError where the file cannot be read to its end.
    """
    number = 0
    try:
        with path.open("rb") as stream:
            for line, over in iter_lines(stream, path.name):
                number += 1
                if number > after:
                    yield number, b"" if over else line
    except (OSError, EOFError) as error:
        raise FetchError(f"the snapshot {path} breaks off after line {number}: {error}; get it anew", transient=False) from None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _day(value: object) -> str | None:
    """'Mon, 2 Apr 2007 19:18:42 GMT' -> '2007-04-02'."""
    if not isinstance(value, str):
        return None
    try:
        return parsedate_to_datetime(value).date().isoformat()
    except (ValueError, TypeError, IndexError):
        return iso_date(value)
