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

from forge_assets.components.candidates.introductions import ENTITLED, OPENS, PLAIN, TITLED, front, level_of
from forge_assets.components.candidates.names import key_of
from forge_assets.components.candidates.occurrences import Occurrences
from forge_assets.components.candidates.senses import Sense
from forge_assets.components.lexicon import WORD

FETCH = 500  # documents at once
TEXTS = "SELECT n.document_id, n.number, n.year, d.title, d.text FROM work_number n JOIN document d USING (document_id)"


@dataclass(slots=True)
class Documents:
    """The documents of the pass: int32 numbers of works, years (0: unknown)."""

    ids: list[UUID] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    work: array[int] = field(default_factory=lambda: array("i"))
    year: array[int] = field(default_factory=lambda: array("i"))


@dataclass(slots=True)
class Counted:
    """`name`, `document`, `level` [n]: place of a sense, place of a document that holds it, how that one's title names it
    (introductions.PLAIN ...); int32, int32, int8.

    `plain`, `person`: place of a sense -> documents with its word in small letters, before "et al.". `made_up`: a word that no work brings
    up -> (document, where in its text, level) of each that holds it.
    """

    documents: Documents
    name: npt.NDArray[np.int32]
    document: npt.NDArray[np.int32]
    level: npt.NDArray[np.int8]
    plain: Counter[int]
    person: Counter[int]
    made_up: dict[str, list[tuple[int, int, int]]]


def count(connection: sa.Connection, senses: Sequence[Sense]) -> Counted:
    """Looks for the senses in every document of `work_number` (reading.number_works)."""
    occurrences = Occurrences((place, way) for place, sense in enumerate(senses) for way in ways(sense))
    entitled = {key_of(way): place for place, sense in enumerate(senses) for way in sense.surfaces if way not in sense.shared}
    spaced = [tuple(dict.fromkeys(_spaced(way) for way in sense.surfaces)) for sense in senses]
    documents, name, document, level = Documents(), array("i"), array("i"), array("b")
    plain: Counter[int] = Counter()
    person: Counter[int] = Counter()
    made_up: dict[str, list[tuple[int, int, int]]] = {}
    rows: Any = connection.execute(sa.text(TEXTS), execution_options={"stream_results": True, "yield_per": FETCH})
    for row in rows:
        place = len(documents.ids)
        documents.ids.append(row.document_id)
        documents.titles.append(row.title or "")
        documents.work.append(row.number)
        documents.year.append(row.year)
        seen = occurrences.in_text(row.text)
        title = _spaced(row.title or "")
        whole = entitled.get(key_of(front(row.title))) if row.title else None
        for number in seen.names if whole is None else seen.names | {whole}:
            name.append(number)
            document.append(place)
            level.append(ENTITLED if number == whole else _level(title, spaced[number]))
        plain.update(seen.plain)
        person.update(seen.person)
        for word, at in seen.made_up.items():
            made_up.setdefault(word, []).append((place, at, level_of(word, row.title or "")))
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


def _spaced(text: str) -> str:
    """Words in small letters, each with a space before and behind it: to find whole words by."""
    return f" {' '.join(WORD.findall(text.lower()))} "


def _level(title: str, ways: Sequence[str]) -> int:
    if any(title.startswith(way) for way in ways):
        return OPENS
    return TITLED if any(way in title for way in ways) else PLAIN
