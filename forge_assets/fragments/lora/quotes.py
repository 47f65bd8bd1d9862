"""Which sentences can be read alone, and what they speak of.

`a row with the text around a place -> the sentence there, or None`. A sentence speaks of a component where it begins with its name and a
verb follows; so it stands alone, and its verb tells what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forge_assets.corpus import sentences

ASPECTS: Mapping[str, str] = {
    "definition": r"(?:is|are) (?:an?(?! alternative| extension| part)|the(?! same)|one of)|refers? to|denotes?",
    "mechanism": r"uses?|replaces?|adds?|encodes?|computes?|applies|apply|splits?|injects?|freezes?|combines?|rotates?|learns?|selects?|"
    r"divides?|partitions?|maps?|stores?|updates?|estimates?|assigns?|routes?|inserts?|projects?|decomposes?|approximates?|generates?|"
    r"predicts?|minimi[sz]es?|maximi[sz]es?|normali[sz]es?|works? by|consists? of|operates?|samples?|masks?|drops?|shares?|"
    r"aligns?|extends?",
    "benefit": r"reduces?|improves?|enables?|allows?|helps?|accelerates?|speeds? up|avoids?|increases?|prevents?|mitigates?|lowers?|saves?|"
    r"provides?|offers?|eliminates?|stabili[sz]es?|cuts?|alleviates?|removes?|preserves?|supports?|scales?|makes?|leads? to|overcomes?",
    "limitation": r"suffers?|requires?|needs?|fails?|struggles?|cannot|lacks?|relies|rely|depends?|assumes?|incurs?|degrades?|"
    r"(?:is|are) (?:limited|prone|sensitive|expensive|slow|vulnerable|susceptible|inefficient|unstable|difficult|costly)|does not|do not",
}
"""Aspect of a component -> verbs behind its name that speak of it."""
WINDOW = 420
"""Characters of text that a row brings on each side of its place."""
SHORTEST, LONGEST = 45, 260
"""Characters of a sentence."""
_OPENING = re.compile(
    r"(?:This|These|That|Those|It|They|Such|Here|However|Also|Then|Notably|Moreover|Furthermore|Additionally|In addition|Specifically|"
    r"Finally|Interestingly|Importantly|Conversely|Instead|Similarly|Hence|Consequently|Thus|Therefore|But|And|Both|Experiments?|Results?|"
    r"First|Second|Third|The (?:same|latter|former|above|resulting|models?|methods?|results?|approach|framework|system|network))\b"
)
_DEBRIS = re.compile(r"[\\${}<>|\[\]_^~=#*]|https?:|www\.|\bet al\b|\b(?:Fig|Tab|Sec|Eq|Alg)\w*\.? ?\d|\?\?|�|\.\.\.|…|;|:")
_LEANING = re.compile(
    r"\b(?:we|our|us|ours|I|my|this|these|those|here|above|below|following|aforementioned|former|latter|herein|proposed|it|they|"
    r"such|paper|section|authors?|respectively|however|also|therefore|thus|previous|prior|recent(?:ly)?|recently)\b",
    re.IGNORECASE,
)
_PRAISE = re.compile(
    r"\b(?:attention|popular|promising|powerful|interest|success(?:ful)?|state-of-the-art|widely|remarkabl[ey])\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Place:
    """text[start:end] of a document, white space made even; of a whole work it is the title and has no span."""

    document: str
    title: str | None
    work: str
    start: int | None
    end: int | None
    quote: str


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence about a component. `name` as it is written there with its article, `plural` by its verb."""

    component: str
    aspect: str
    name: str
    plural: bool
    introduces: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Stated:
    """`value` as written, inside the quote."""

    component: str
    parameter: str
    value: str
    place: Place


def even(text: str) -> str:
    """Runs of white space become one space, and none at the ends."""
    return " ".join(text.split())


def fit(quote: str, most: int = LONGEST) -> bool:
    """Whether a sentence can be read alone: whole, without formulas, debris, pointers and words that lean on what stood before."""
    letters = sum(one.isalpha() or one.isspace() for one in quote)
    return (
        SHORTEST <= len(quote) <= most
        and quote.endswith(".")
        and quote[0].isupper()
        and quote.count("(") == quote.count(")")
        and letters > 0.85 * len(quote)
        and not _DEBRIS.search(quote)
        and not _LEANING.search(quote)
        and not _OPENING.match(quote)
    )


def any_verb() -> str:
    """A pattern of the verbs of all aspects."""
    return "|".join(ASPECTS.values())


_ADVERBS = "only|then|further|simply|directly|efficiently|effectively|significantly"
_AFTER = {
    aspect: re.compile(rf"s?(?: \([\w-]{{2,16}}\))? (?:(?:{_ADVERBS}) )?(?P<verb>{verbs})\b")
    for aspect, verbs in ASPECTS.items()
}  # fmt: skip
_BEFORE = re.compile(r"(?:The|An?) \Z")


def said_in(row: Any) -> Said | None:
    """The sentence that begins with the mention, and which aspect it speaks of; None where it cannot stand alone."""
    length = row.end - row.start
    article = found[0] if (found := _BEFORE.search(row.before)) else ""
    text = article + row.after
    spans = sentences.split(text)
    if not spans or spans[0][0] != 0 or spans[0][1] >= len(text) - 1:
        return None
    raw = text[: spans[0][1]]
    quote, behind = even(raw), raw[len(article) + length :]
    rest = (" " if behind[:1].isspace() else "") + even(behind)
    if not fit(quote):
        return None
    for aspect, pattern in _AFTER.items():
        if match := pattern.match(rest):
            if aspect == "definition" and _PRAISE.search(rest[: match.end() + 40]):
                return None
            surface = even(row.after[:length]) + ("s" if rest.startswith("s") else "")
            verb = match["verb"].split()[0]
            plural = verb != "cannot" and not verb.endswith("s")
            start = row.start - len(article)
            return Said(row.component, aspect, (article.lower() + surface).strip(), plural, row.stance == "introduced",
                        place_of(row, start, start + len(raw), raw))  # fmt: skip
    return None


def stated_in(row: Any) -> Stated | None:
    """A value, with the sentence around it."""
    place = around(row)
    return Stated(row.component, row.parameter, even(row.after[: row.end - row.start]), place) if place else None


def around(row: Any) -> Place | None:
    """The sentence that a place stands in, where it can be read. `before`, `after`: the text up to a window's length on both sides."""
    text, at = row.before + row.after, len(row.before)
    for start, end in sentences.split(text):
        cut = (start == 0 and at == WINDOW) or (end >= len(text) - 1 and len(row.after) == WINDOW)
        if start <= at and at + row.end - row.start <= end and not cut and fit_value(even(text[start:end])):
            first = row.start - at + start
            return place_of(row, first, first + end - start, text[start:end])
    return None


def fit_value(quote: str) -> bool:
    """Sentences with a number speak of "we" and "our" by nature; all else as in `fit`."""
    letters = sum(one.isalpha() or one.isspace() for one in quote)
    return (
        SHORTEST <= len(quote) <= LONGEST and quote.endswith(".") and quote[0].isupper() and letters > 0.75 * len(quote)
        and not _OPENING.match(quote)
        and not re.search(r"[\\${}<>|_^~#*]|https?:", quote) and quote.count("(") == quote.count(")")
    )  # fmt: skip


def place_of(row: Any, start: int, end: int, text: str) -> Place:
    """text = document[start:end], of a row with uri, title and work."""
    return Place(row.uri, even(row.title) if row.title else None, row.work, start, end, even(text))
