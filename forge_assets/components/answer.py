"""What goes to a process that reads documents, and what comes back: rows of the tables, or why there are none."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from forge_assets.components.extraction import Extractor
from forge_assets.components.rows import Rows, digest_of, rows_of
from forge_assets.components.text import Reading
from forge_assets.corpus.model import Block

LONGEST_PROBLEM = 300


class Given(NamedTuple):
    """A document to read. `mark` is its version (content hash;parser version), `blocks` the JSON of its blocks."""

    document_id: UUID
    mark: str
    text: str
    blocks: str
    title: str | None
    year: int | None
    media_type: str


class Answer(NamedTuple):
    """What was found in a document, or the `problem` that the rules met in it."""

    document_id: UUID
    mark: str
    characters: int
    digest: int
    rows: Rows
    problem: str | None = None


def failed(given: Given, problem: str) -> Answer:
    """The answer for a document that cannot be read."""
    return Answer(given.document_id, given.mark, len(given.text), digest_of(given.mark, {}), {}, problem)


def answer(extractor: Extractor, given: Given) -> Answer:
    try:
        blocks = [Block(*block) for block in json.loads(given.blocks)]
        reading = Reading(str(given.document_id), given.text, blocks, given.title, given.year, given.media_type)
        rows = rows_of(reading, extractor.read(reading))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {error}"
        return failed(given, f"a rule failed: {said[:LONGEST_PROBLEM]}")
    return Answer(given.document_id, given.mark, len(given.text), digest_of(given.mark, rows), rows)
