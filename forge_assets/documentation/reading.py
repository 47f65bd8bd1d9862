"""A document -> the sentences of it that can stand on a page, each with its subject, role and score. Pure: same text, same rows."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from forge_assets.components.text import Reading
from forge_assets.documentation.cues import said
from forge_assets.documentation.fitness import fitness
from forge_assets.documentation.subjects import Name, subject_of
from forge_assets.documentation.volume import Role

FLOOR = 0.3
"""A sentence with a lower score is not kept."""
MOST_OF_A_SUBJECT = 2
"""Sentences of one document about one subject and in one role: more would never stand on one page."""


@dataclass(frozen=True, slots=True)
class Found:
    """text[start:end] of a document is fit to be quoted; the fields are those of the table doc_sentence."""

    start: int
    end: int
    subject: str
    slot: str
    role: Role
    score: float
    others: tuple[str, ...]
    open: bool
    advice: bool
    quote: int


def found_in(
    reading: Reading, names: Sequence[Name], values: Collection[int], slots: Mapping[str, str], broad: Collection[str]
) -> list[Found]:
    """The sentences of a document. `names`: in order of place; `values`: where values of parameters begin; `slots`: of each subject."""
    if not names:
        return []
    starts = [name.start for name in names]
    settings = sorted(values)
    kept: list[Found] = []
    for start, end in reading.sentences:
        inside = names[bisect_left(starts, start) : bisect_left(starts, end)]
        if inside and not reading.in_heading(start):
            has_value = bisect_left(settings, start) < bisect_left(settings, end)
            one = _judged(reading.text, start, end, [name for name in inside if name.end <= end], has_value, slots, broad)
            if one is not None:
                kept.append(one)
    return sorted(_best(kept), key=lambda one: one.start)


def _judged(
    text: str, start: int, end: int, inside: Sequence[Name], has_value: bool, slots: Mapping[str, str], broad: Collection[str]
) -> Found | None:
    chosen = subject_of(inside, start, broad)
    if chosen is None or chosen.name.subject not in slots:
        return None
    quote = text[start:end]
    fit = fitness(quote)
    if fit < FLOOR:
        return None
    name, slot = chosen.name, slots[chosen.name.subject]
    what = said(
        quote,
        name.start - start,
        name.end - start,
        others=bool(chosen.others),
        rivals=any(slots.get(other) == slot for other in chosen.others),
        has_value=has_value,
    )
    if what.role is None:
        return None
    score = fit * (0.5 * what.strength + 0.5 * what.prominence)
    if score < FLOOR:
        return None
    return Found(
        start,
        end,
        name.subject,
        slots[name.subject],
        what.role,
        round(score, 4),
        chosen.others,
        what.open,
        what.advice,
        quote_number(quote),
    )


def _best(found: Sequence[Found]) -> Iterator[Found]:
    counted: dict[tuple[str, str], int] = {}
    for one in sorted(found, key=lambda one: (-one.score, one.start)):
        key = (one.subject, one.role)
        counted[key] = counted.get(key, 0) + 1
        if counted[key] <= MOST_OF_A_SUBJECT:
            yield one


def quote_number(quote: str) -> int:
    """The first 8 bytes of the quote's SHA-256 as a signed number."""
    return int.from_bytes(hashlib.sha256(quote.encode()).digest()[:8], "big", signed=True)
