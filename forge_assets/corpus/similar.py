"""Whether two documents are one work, by their titles, people and texts alone: the same answer whatever else the corpus holds.

False joins are worse than missed ones. Figures behind the thresholds: docs/explanation/works.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forge_assets.corpus.minhash import FEWEST_TRIPLES, Hashes, triples
from forge_assets.corpus.work_keys import is_distinct, is_other_piece, series_marks, surnames, title_key, title_words

ABSTRACT_WORDS = 40
"""A first paragraph with fewer is a byline, not an abstract."""
ABSTRACT_LENGTH = 6_000
HEAD_LENGTH = 16_000
"""Characters at the front of a long text where a short one's words are looked for."""
FIRST_BLOCKS = 60
SAME_TITLE = 0.08
"""Similarity that a distinctive common title needs beside it; two unrelated texts of one field have 0.01."""
SAME_SHORT_TITLE = 0.5
SAME_TEXT = 0.6
SAME_TEXT_OTHER_ID = 0.9
"""The same where the two bear different identifiers of one scheme: a template filled in twice."""
SAME_ABSTRACT = 0.7
CONTAINED = 0.8
"""Share of a short text (an abstract) that is found in the beginning of a long one."""
TELLING = 40
"""Triples that texts of different titles need to be told to be one; shorter ones are boilerplate too often."""
SAME_NUMBERS = 0.7
YEARS_APART = 2
ALIKE_TITLES = 0.6
"""Share of the shorter title's words that the two parts of a series have in common."""

_ABSTRACT = re.compile(r"\s*(?:\d+\.?\s*)?(?:abstract|summary|zusammenfassung|résumé|resumen|аннотация|摘要|概要)\s*[.:—–-]*\s*", re.I)
_NAME = re.compile(r"(?=.*[-_/])[\w.\-]+(?:/[\w.\-]+)?")
_NOTICE = re.compile(r"personal use of this material is permitted|to ensure timely dissemination of scholarly", re.I)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
PROSE = ("paragraph", "quote", "list_item", "footnote")


@dataclass(frozen=True, slots=True)
class Portrait:
    """What is compared of a document; hashes are sorted and distinct."""

    title: tuple[str, ...]
    other_piece: bool
    surnames: frozenset[str]
    year: int | None
    names: Mapping[str, str]
    abstract: Hashes
    head: Hashes
    whole: Hashes
    numbers: frozenset[str]


def abstract_of(text: str, blocks: Sequence[Sequence[Any]]) -> str:
    """The abstract: what stands under or after that word, else the first paragraph of ABSTRACT_WORDS words, else the first of the body."""
    first = blocks[:FIRST_BLOCKS]
    for place, block in enumerate(first):
        found = _ABSTRACT.match(text, block[1], block[2])
        if found and block[0] == "heading" and found.end() == block[2]:
            return _until_heading(text, first[place + 1 :])
        if found and block[0] in PROSE and block[2] - block[1] > 200:
            return text[found.end() : min(block[2], block[1] + ABSTRACT_LENGTH)]
    for block in first:
        if block[0] in PROSE and text.count(" ", block[1], block[2]) >= ABSTRACT_WORDS:
            return text[block[1] : min(block[2], block[1] + ABSTRACT_LENGTH)]
    return body_of(text, blocks)[: ABSTRACT_LENGTH // 3]


def _until_heading(text: str, blocks: Sequence[Sequence[Any]]) -> str:
    """The paragraphs up to the next heading."""
    parts = []
    for block in blocks:
        if block[0] == "heading":
            break
        if block[0] in PROSE:
            parts.append(text[block[1] : block[2]])
    return "\n".join(parts)[:ABSTRACT_LENGTH]


def body_of(text: str, blocks: Sequence[Sequence[Any]]) -> str:
    """The text without its title: another title makes no other text."""
    return text[blocks[0][2] :] if blocks and blocks[0][0] == "title" else text


def portraits(rows: Sequence[Any]) -> list[Portrait]:
    """Of rows of `document` with title, authors, year, identifiers, text and blocks."""
    bodies = [_told(body_of(row.text, row.blocks)) for row in rows]
    texts = [
        piece
        for row, body in zip(rows, bodies, strict=True)
        for piece in (abstract_of(row.text, row.blocks) if body else "", body[:HEAD_LENGTH], body)
    ]
    hashes, places = triples(texts)
    sets = [np.unique(hashes[places[i] : places[i + 1]]) for i in range(len(texts))]
    return [
        Portrait(
            tuple(title_words(row.title)), is_other_piece(row.title), surnames(row.authors), row.year,
            _names(row),
            sets[3 * i], sets[3 * i + 1], sets[3 * i + 2], frozenset(_NUMBER.findall(body)),
        )
        for i, (row, body) in enumerate(zip(rows, bodies, strict=True))
    ]  # fmt: skip


def _told(body: str) -> str:
    """The body, or nothing where a publisher's notice stands in place of an abstract."""
    return "" if _NOTICE.search(body, 0, 400) else body


def resemblance(a: Hashes, b: Hashes) -> float:
    """|A ∩ B| / |A ∪ B|; 0 where one is too short to say."""
    if min(len(a), len(b)) < FEWEST_TRIPLES:
        return 0.0
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common)


def containment(a: Hashes, b: Hashes) -> float:
    """|A ∩ B| / |A|: how much of A is in B; 0 where A is too short to say."""
    return len(np.intersect1d(a, b, assume_unique=True)) / len(a) if len(a) >= FEWEST_TRIPLES else 0.0


@dataclass(frozen=True, slots=True)
class Likeness:
    """Resemblance of the whole texts and of the abstracts, and how much of the shorter text is in the longer one's beginning."""

    whole: float
    abstract: float
    contained: float

    @property
    def most(self) -> float:
        return max(self.whole, self.abstract, self.contained)


def likeness(a: Portrait, b: Portrait) -> Likeness:
    short, long = (a, b) if len(a.whole) <= len(b.whole) else (b, a)
    return Likeness(resemblance(a.whole, b.whole), resemblance(a.abstract, b.abstract), containment(short.whole, long.head))


def judge(a: Portrait, b: Portrait, title_counts: bool = True) -> tuple[str, float] | None:
    """Why the two are one work (title, author, abstract, text) and how similar their texts are, or None. judge(a, b) == judge(b, a).

    `title_counts` is False for a title that a crowd bears: it says nothing.
    """
    if a.other_piece != b.other_piece or _other_name(a, b):
        return None
    like = likeness(a, b)
    same_title = title_counts and bool(a.title) and title_key(a.title) == title_key(b.title)
    reason = _by_title(a, b, like.most) if same_title else _by_text(a, b, like)
    return (reason, round(like.most, 4)) if reason else None


def _by_title(a: Portrait, b: Portrait, similarity: float) -> str | None:
    """The title is common; short ones need more beside them."""
    common = a.surnames & b.surnames
    if common and (a.year is None or b.year is None or abs(a.year - b.year) <= YEARS_APART):
        return "author"
    strangers = bool(a.surnames and b.surnames and not common)
    distinct = is_distinct(a.title)
    if min(len(a.whole), len(b.whole)) < FEWEST_TRIPLES:  # nothing to compare
        return "title" if distinct and not strangers else None
    if _other_id(a, b) and similarity < SAME_TEXT_OTHER_ID:
        return None
    if distinct and not strangers:
        return "title" if similarity >= SAME_TITLE else None
    return "title" if similarity >= SAME_SHORT_TITLE and not _other_numbers(a, b) else None


def _by_text(a: Portrait, b: Portrait, like: Likeness) -> str | None:
    """The titles differ: the texts must be near the same, and no mark of a series or a template may part the two."""
    if min(len(a.whole), len(b.whole)) < TELLING or _parts_of_a_series(a, b) or _template(a, b, like.whole):
        return None
    if like.whole >= SAME_TEXT:
        return "text"
    short = a if len(a.whole) <= len(b.whole) else b
    is_abstract = len(short.abstract) >= TELLING and 2 * len(short.abstract) >= len(short.whole)
    return "abstract" if is_abstract and (like.abstract >= SAME_ABSTRACT or like.contained >= CONTAINED) else None


def _parts_of_a_series(a: Portrait, b: Portrait) -> bool:
    """Whether titles that are alike differ in their numbers: Part I and II, WMT 2019 and 2020."""
    ours, theirs = series_marks(a.title), series_marks(b.title)
    if ours == theirs:
        return False
    one, other = set(a.title) - set(ours), set(b.title) - set(theirs)
    return len(one & other) >= ALIKE_TITLES * min(len(one), len(other))


def _template(a: Portrait, b: Portrait, similarity: float) -> bool:
    """Whether one form was filled in twice: other identifiers, or the same words with other numbers."""
    if similarity >= SAME_TEXT_OTHER_ID and not _other_numbers(a, b):
        return False
    return _other_id(a, b) or similarity < 1 and _other_numbers(a, b)


def _names(row: Any) -> dict[str, str]:
    """Ids of schemes in which two ids are two things (a work in two venues has two DOIs)."""
    names = {scheme: str(row.identifiers[scheme]).lower() for scheme in ("arxiv", "hf") if scheme in row.identifiers}
    if (row.external_id or "").startswith("hf:"):
        names["hf"] = row.external_id.removeprefix("hf:").lower()
    if _NAME.fullmatch((row.title or "").strip()):
        names["name"] = row.title.strip().lower()
    return names


def _other_id(a: Portrait, b: Portrait) -> bool:
    return any(a.names[scheme] != b.names[scheme] for scheme in a.names.keys() & b.names.keys())


def _other_name(a: Portrait, b: Portrait) -> bool:
    """Whether both are named like models (owner/bert-base-cased) and differ in more than the owner: cards of a family are alike."""
    return any(a.names[s].rpartition("/")[2] != b.names[s].rpartition("/")[2] for s in ("hf", "name") if s in a.names and s in b.names)


def _other_numbers(a: Portrait, b: Portrait) -> bool:
    """Of the numbers in the shorter list, too few are in the other."""
    fewer = min(len(a.numbers), len(b.numbers))
    return fewer >= 3 and len(a.numbers & b.numbers) < SAME_NUMBERS * fewer
