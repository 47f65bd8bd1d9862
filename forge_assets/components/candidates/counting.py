"""documents -> in which of them each name stands: one pass over all texts, for names that works bring up and words that they only use.

The full-text index would tell holders of single words only, without their case; a pass of 0.2 ms a document tells all at once, exactly.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from forge_assets.components.candidates.names import key_of
from forge_assets.components.candidates.occurrences import Occurrences
from forge_assets.components.candidates.senses import Sense

FETCH = 500  # documents at once
TEXTS = "SELECT n.document_id, n.number, n.year, d.title, d.text FROM work_number n JOIN document d USING (document_id)"
PLAIN, TITLED, ENTITLED = 0, 1, 2
"""How a document names it: in its text, in its title, as its title or before the title's colon."""
LONGEST_FRONT = 60


@dataclass(slots=True)
class Documents:
    """The documents of the pass: int32 numbers of works, years (0: unknown)."""

    ids: list[UUID] = field(default_factory=list)
    work: array[int] = field(default_factory=lambda: array("i"))
    year: array[int] = field(default_factory=lambda: array("i"))


@dataclass(slots=True)
class Counted:
    """`name`, `document`, `level`: place of a sense, of a document, and how the one stands in the other; int32 [n], int8 for the level.

    `plain`, `person`: place of a sense -> documents with its word in small letters, before "et al.". `made_up`: a word that no work brings
    up -> (document, where in its text) of each that holds it.
    """

    documents: Documents
    name: npt.NDArray[np.int32]
    document: npt.NDArray[np.int32]
    level: npt.NDArray[np.int8]
    plain: Counter[int]
    person: Counter[int]
    made_up: dict[str, list[tuple[int, int]]]


def count(connection: sa.Connection, senses: Sequence[Sense]) -> Counted:
    """Looks for the senses in every document of `work_number` (reading.number_works)."""
    occurrences = Occurrences((place, way) for place, sense in enumerate(senses) for way in ways(sense))
    entitled = {key_of(way): place for place, sense in enumerate(senses) for way in sense.surfaces if way not in sense.shared}
    documents, name, document, level = Documents(), array("i"), array("i"), array("b")
    plain: Counter[int] = Counter()
    person: Counter[int] = Counter()
    made_up: dict[str, list[tuple[int, int]]] = {}
    rows: Any = connection.execute(sa.text(TEXTS), execution_options={"stream_results": True, "yield_per": FETCH})
    for row in rows:
        place = len(documents.ids)
        documents.ids.append(row.document_id)
        documents.work.append(row.number)
        documents.year.append(row.year)
        seen = occurrences.in_text(row.text)
        titled = occurrences.in_text(row.title).names if row.title else set()
        front = entitled.get(key_of(_front(row.title))) if row.title else None
        for number in seen.names | titled | ({front} if front is not None else set()):
            name.append(number)
            document.append(place)
            level.append(ENTITLED if number == front else TITLED if number in titled else PLAIN)
        plain.update(seen.plain)
        person.update(seen.person)
        for word, at in seen.made_up.items():
            made_up.setdefault(word, []).append((place, at))
    return Counted(documents, np.array(name, np.int32), np.array(document, np.int32), np.array(level, np.int8), plain, person, made_up)


def ways(sense: Sense) -> list[str]:
    """What counts as the name of a sense: all that works write and that means nothing else, joined words included."""
    own = [way for way in sense.surfaces if way not in sense.shared]
    joined = [way.replace("-", "").replace(" ", "") for way in own if _is_joinable(way)]
    return list(dict.fromkeys([*own, *joined]))


def _is_joinable(way: str) -> bool:
    """FlashAttention for Flash-Attention: two or three words, each with a capital."""
    words = way.replace("-", " ").split()
    return 2 <= len(words) <= 3 and all(word[0].isupper() and not word.isupper() for word in words)


def _front(title: str) -> str:
    front = title.partition(":")[0].strip()
    return front if len(front) <= LONGEST_FRONT else ""
