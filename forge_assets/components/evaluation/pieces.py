"""The drawn passages with their documents: tests/components/labels/drawn.jsonl and the shared corpus in, parsed documents out."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import zstandard

from forge_assets.components.text import Reading
from forge_assets.corpus.model import Document
from forge_assets.corpus.parse import parse, parse_record
from forge_resources.errors import SettingError
from forge_resources.settings import PROJECT

LABELS = PROJECT / "tests" / "components" / "labels"
CORPUS = PROJECT.parent / "shared" / "corpus"
Half = Literal["dev", "test"]
_SEED = "forge-labels-20261124"
_ID = re.compile(rb'"doc_id": ?("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch text[start:end] of a document that people labelled. `half`: rules may be made looking at `dev`; `test` is opened once."""

    number: int
    id: str
    start: int
    end: int
    half: Half
    document: Document

    def reading(self) -> Reading:
        """The whole document, as extraction reads it."""
        parsed = self.document.parsed
        year = int(parsed.published[:4]) if parsed.published and parsed.published[:4].isdigit() else None
        return Reading(self.id, self.document.text, self.document.blocks, parsed.title, year, parsed.media_type)

    def holds(self, start: int, end: int) -> bool:
        """Whether a span of the document lies in the piece."""
        return self.start <= start and end <= self.end


def half_of(purpose: str, number: int) -> Half:
    """By the committed seed: about as many pieces each."""
    return "dev" if hashlib.sha256(f"{_SEED}:half:{purpose}:{number}".encode()).hexdigest() < "8" else "test"


def labelled(purpose: str, half: Half | None = None, labels: Path = LABELS, corpus: Path = CORPUS) -> list[Piece]:
    """The pieces drawn for a purpose (components, parameters), in order. Raises SettingError where corpus or labels are missing, and where
    a document is no longer parsed as it was when its piece was labelled."""
    rows = [row for row in rows_of(labels / "drawn.jsonl") if row["set"] == purpose]
    rows = [row for row in rows if half is None or half_of(purpose, row["piece"]) == half]
    if not corpus.is_dir():
        raise SettingError(
            f"{corpus} is not there; labels are measured on the texts of the shared corpus, which stays outside the repository"
        )
    documents = documents_of(rows, corpus)
    pieces = [
        Piece(row["piece"], row["id"], row["start"], row["end"], half_of(purpose, row["piece"]), documents[row["id"]]) for row in rows
    ]
    changed = [piece.number for piece, row in zip(pieces, rows, strict=True) if _digest(piece) != row["sha256"]]
    if changed:
        raise SettingError(
            f"{len(changed)} labelled pieces ({changed[:5]}...) are parsed otherwise than when they were labelled; draw anew"
        )
    return pieces


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines. Raises SettingError where it is missing."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise SettingError(
            f"{path} cannot be read: {error.strerror}; the labels come with a checkout of Forge, not with its wheel"
        ) from None


def _digest(piece: Piece) -> str:
    return hashlib.sha256(piece.document.text[piece.start : piece.end].encode()).hexdigest()


def documents_of(rows: list[dict[str, Any]], corpus: Path) -> dict[str, Document]:
    """The parsed documents of rows by `id` and `source` (article, card, file). Raises SettingError where the corpus lacks one."""
    found: dict[str, Document] = {}
    for source, folder in (("article", "articles"), ("card", "hf_cards")):
        wanted = {row["id"] for row in rows if row["source"].split(":")[0] == source}
        for record in _records(corpus / folder, wanted):
            found[record["doc_id"]] = parse_record(record, record["doc_id"])
    for row in rows:
        if row["source"].startswith("file") and row["id"] not in found:
            found[row["id"]] = parse((corpus / "formats" / row["id"]).read_bytes(), row["id"])
    missing = [row["id"] for row in rows if row["id"] not in found]
    if missing:
        raise SettingError(f"{len(missing)} labelled documents are not in {corpus}, {missing[0]} among them")
    return found


def _records(folder: Path, wanted: set[str]) -> Iterator[dict[str, Any]]:
    """The wanted records of a folder of dumps, of each the first; a line is only read as JSON where its id is wanted."""
    left = set(wanted)
    for path in sorted(folder.glob("*.jsonl.zst")):
        with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
            for line in io.BufferedReader(stream, 1 << 20):
                match = _ID.search(line, 0, 400)
                if match and (known := json.loads(match[1])) in left:
                    left.discard(known)
                    yield json.loads(line)
        if not left:
            return
