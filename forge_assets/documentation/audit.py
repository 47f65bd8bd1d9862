"""All volumes read against the documents: citations that are missing or do not hold, sentences that are said twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from forge_assets.documentation.build import read_volume
from forge_assets.documentation.citing import cited
from forge_assets.documentation.volume import Paragraph, Volume
from forge_resources.database import Database
from forge_resources.object_store import ObjectStore

BATCH = 5000


@dataclass(slots=True)
class Audit:
    """`repeated` sentences stand somewhere else too; `first` is one of the `faults`, told in a few words."""

    sentences: int = 0
    citations: int = 0
    faults: int = 0
    repeated: int = 0
    first: str = ""

    def fault(self, told: str) -> None:
        self.faults += 1
        self.first = self.first or told


def audit(db: Database, objects: ObjectStore, *, quotes: bool = True) -> Audit:
    """`quotes`: whether each one is looked up in its document."""
    found, seen = Audit(), set[str]()
    with db.begin() as connection:
        volumes = list(connection.execute(sa.text("SELECT volume FROM doc_volume ORDER BY volume")).scalars())
    for id_ in volumes:
        volume = read_volume(objects, id_)
        if volume is None:
            found.fault(f"volume {id_} is not in the object store")
            continue
        _sentences(volume, found, seen)
        if quotes:
            for fault in _quotes(db, volume, found):
                found.fault(fault)
    return found


def _sentences(volume: Volume, found: Audit, seen: set[str]) -> None:
    for page in volume.pages:
        for block in page.blocks:
            for one in block.sentences if isinstance(block, Paragraph) else ():
                found.sentences += 1
                found.repeated += one.text in seen
                seen.add(one.text)
                if not one.citations:
                    found.fault(f"{page.id}: {one.text[:60]!r} has no citation")
                elif one.origin == "verbatim" and one.text != one.citations[0].quote:
                    found.fault(f"{page.id}: {one.text[:60]!r} is not its quote")


def _quotes(db: Database, volume: Volume, found: Audit) -> Iterator[str]:
    every = [(page.id, one) for page in volume.pages for one in cited(page.blocks)]
    statement = sa.text("""SELECT x.number, substr(d.text, x.start + 1, x."end" - x.start) AS text
        FROM unnest(CAST(:numbers AS int[]), CAST(:documents AS uuid[]), CAST(:starts AS int[]), CAST(:ends AS int[]))
            AS x (number, document_id, start, "end") JOIN document d USING (document_id)""")
    for first in range(0, len(every), BATCH):
        some = every[first : first + BATCH]
        columns = {
            "numbers": list(range(len(some))), "documents": [UUID(one.document_id) for _, one in some],
            "starts": [one.start for _, one in some], "ends": [one.end for _, one in some],
        }  # fmt: skip
        with db.begin() as connection:
            texts = {row.number: row.text for row in connection.execute(statement, columns)}
        found.citations += len(some)
        for number, (page, one) in enumerate(some):
            if texts.get(number) != one.quote or hashlib.sha256(one.quote.encode()).hexdigest() != one.quote_sha256:
                yield f"{page}: {one.quote[:60]!r} does not stand in document {one.document_id} at {one.start}"
