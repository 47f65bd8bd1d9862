"""What a document says of itself, in a form that two documents of one work share: title, series marks, surnames, identifiers."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9.+\-]*:")
_VERSION = re.compile(r"v\d+$")
_COMMAND = re.compile(r"\\(?:[a-zA-Z]+\*?|.)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,80}>")
_NOT_WORD = re.compile(r"[\W_]+")
_ACCENT = re.compile(r"\\[`'^\"~=.](?=\s*\{?\s*\\?[a-zA-Z])\s*|\\[cvuHkr](?:\s+|(?=\{))")
_ROMAN = re.compile(r"(?:i{1,3}|iv|vi{0,3}|ix|xi{0,3})")
_NUMBER_WORDS = frozenset("one two three four five six seven eight nine ten first second third fourth fifth sixth".split())
_OTHER_PIECE = re.compile(
    r"\W*(?:corrigend\w+|errat(?:um|a)|corrections? (?:to|for)|retract\w+|(?:comments?|discussion|reply|replies|response|rejoinder|"
    r"addendum|supplement\w*|appendix|appendices)(?: \w+)? (?:on|to|of|for))\b|"
    r".*[:(\[—-]\s*(?:corrigend|errat[ua]|supplement|appendix)", re.I
)  # fmt: skip
DISTINCT_WORDS = 4
DISTINCT_LENGTH = 24
"""A title of fewer words or characters (readme, introduction, a survey of transformers) names many works."""


def title_words(title: str | None) -> list[str]:
    """The words of a title, without case, accents, TeX, HTML and punctuation."""
    text = html.unescape(title or "")
    if "\\" in text:
        text = _COMMAND.sub(" ", _ACCENT.sub("", text)).replace("{", "").replace("}", "")
    elif "{" in text:
        text = text.replace("{", "").replace("}", "")
    if "<" in text:
        text = _TAG.sub("", text)
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", text.casefold()).split()


def title_key(words: Sequence[str]) -> str:
    """Two titles with one key are the same: "Pre-Training" is "pretraining"."""
    return "".join(words)


def is_distinct(words: Sequence[str]) -> bool:
    """Whether so long a title names one work, nearly always."""
    return len(words) >= DISTINCT_WORDS and sum(map(len, words)) + len(words) - 1 >= DISTINCT_LENGTH


def series_marks(words: Sequence[str]) -> tuple[str, ...]:
    """What tells the parts, editions and versions of one series apart: numbers in figures, words or Roman, in order."""
    return tuple(w for i, w in enumerate(words) if any(c.isdigit() for c in w) or w in _NUMBER_WORDS or i and _ROMAN.fullmatch(w))


def is_other_piece(title: str | None) -> bool:
    """Whether the title says that this is a correction of, a comment on, or a supplement to a work."""
    return bool(_OTHER_PIECE.match(title or ""))


def surnames(authors: Sequence[str]) -> frozenset[str]:
    """The last names, without case and accents."""
    return frozenset(words[-1] for name in authors if (words := title_words(name)))


def identifier_keys(source: str, external_id: str | None, identifiers: Mapping[str, object]) -> list[str]:
    """Who shares one of these shares the work. An id without a scheme ('17') names a document within its source only."""
    keys = []
    if isinstance(arxiv := identifiers.get("arxiv"), str):
        keys.append(f"arxiv:{_VERSION.sub('', arxiv.lower())}")
    if isinstance(doi := identifiers.get("doi"), str):
        keys.append(f"doi:{doi.lower()}")
    if external_id is not None:
        keys.append(f"id:{external_id}" if _SCHEME.match(external_id) else f"id of {source}:{external_id}")
    return keys


def reason_of(key: str) -> str:
    """The reason by which documents with this key are one work."""
    scheme = key.partition(":")[0]
    return f"identifier:{scheme}" if scheme in ("arxiv", "doi") else "identifier:source"
