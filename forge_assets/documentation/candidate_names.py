"""Where a text names candidates: techniques that works bring up and the ontology does not hold yet.

In: names of candidates. Out: places in texts. A name of several words counts in any case and in the plural, a single word only as it is
written, and one that has no capital or digit never: texts use such words without meaning the technique.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from forge_assets.documentation.subjects import CANDIDATE, Name

_WORD = re.compile(r"[^\W_]+")
_GAP = re.compile(r"[ \t\u00a0\n/-]{1,2}")
LONGEST = 7
"""Words of a name."""


@dataclass(frozen=True)
class CandidateNames:
    """Candidate id -> the ways it is written."""

    names: Mapping[str, Sequence[str]]

    @cached_property
    def version(self) -> str:
        return hashlib.sha256(repr(sorted((id_, sorted(ways)) for id_, ways in self.names.items())).encode()).hexdigest()[:16]

    @cached_property
    def _ways(self) -> dict[tuple[str, ...], tuple[str, str | None]]:
        """Words in small letters -> the candidate, and the exact spelling where only that counts."""
        found: dict[tuple[str, ...], tuple[str, str | None]] = {}
        for id_, ways in sorted(self.names.items()):
            for way in sorted(ways):
                words = tuple(_folded(word) for word in _WORD.findall(way))
                if words and len(words) <= LONGEST and (len(words) > 1 or _is_proper(way)):
                    found.setdefault(words, (id_, way if len(words) == 1 else None))
        return found

    @cached_property
    def _starts(self) -> dict[str, frozenset[int]]:
        """First word -> how many words the names that begin with it have."""
        lengths: dict[str, set[int]] = {}
        for words in self._ways:
            lengths.setdefault(words[0], set()).add(len(words))
        return {word: frozenset(some) for word, some in lengths.items()}

    def found_in(self, text: str) -> Iterator[Name]:
        """Each place once, the longest name there, in order."""
        starts, ways = self._starts, self._ways
        words = [(found.start(), found.end(), _folded(found[0])) for found in _WORD.finditer(text)]
        number = 0
        while number < len(words):
            step = 1
            for length in sorted(starts.get(words[number][2], ()), reverse=True):
                some = words[number : number + length]
                way = ways.get(tuple(word for _, _, word in some))
                if way is not None and _joined(text, some) and (way[1] is None or _as_written(text, some[0], way[1])):
                    yield Name(some[0][0], some[-1][1], CANDIDATE + way[0])
                    step = length
                    break
            number += step


def _folded(word: str) -> str:
    """In small letters and without the plural's s."""
    word = word.lower()
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _is_proper(way: str) -> bool:
    return any(letter.isupper() or letter.isdigit() for letter in way) and len(way) > 2


def _as_written(text: str, word: tuple[int, int, str], way: str) -> bool:
    return text[word[0] : word[1]] in (way, way + "s")


def _joined(text: str, words: list[tuple[int, int, str]]) -> bool:
    return all(_GAP.fullmatch(text, before[1], after[0]) for before, after in pairwise(words))
