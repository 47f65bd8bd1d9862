"""In which texts the ways to write many names stand: one pass over a text, whatever the number of names (150,000 names: some 0.2 ms).

A made-up word counts as it is written, and not inside a longer one ("Swin" in "Swin-UNet"). A name of several words counts in any case, by
spaces or hyphens, not across punctuation; one with a made-up word in it as it is written. Looser than the matching of components: no
context, no abbreviations of the document.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from forge_assets.components.folding import singular
from forge_assets.components.noun_phrases import proper

_TOKEN = re.compile(r"[^\W_]+(?:(?<=[0-9])\.[0-9]+)*|[.,;:!?()\[\]]")
_WORD = re.compile(r"[^\W_]+(?:(?<=[0-9])\.[0-9]+)*")
_TAIL = re.compile(r"[+*#]{1,3}\Z")
_PERSON = re.compile(r"\s+et\s+al\b")
_BRIDGED = re.compile(r"[a-z]{2,}[0-9][a-z]{2,}\Z")
_JOINED = re.compile(r"[-‐‑](?:[A-Z0-9]|[a-z]+[A-Z])")


@dataclass(frozen=True, slots=True)
class Seen:
    """Numbers of the names that stand in a text; `plain`: those whose word stands there in small letters; `person`: before "et al.".

    `made_up`: words of small and capital letters or with digits, such as CycleGAN, that are no way to write one of the names, and where.
    """

    names: set[int]
    plain: set[int]
    person: set[int]
    made_up: dict[str, int]


class Occurrences:
    """`surfaces`: (number of the name, a way to write it); several ways may have one number, and one way several numbers."""

    def __init__(self, surfaces: Iterable[tuple[int, str]]) -> None:
        self._single: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._plain: dict[str, list[int]] = defaultdict(list)
        self._pairs: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
        self._longer: dict[tuple[str, ...], list[tuple[str, str, int]]] = defaultdict(list)
        for number, surface in dict.fromkeys(surfaces):
            words = _WORD.findall(surface)
            if len(words) == 1:
                self._add_word(number, words[0], surface)
            elif words:
                self._add_phrase(number, [word.lower() for word in words], surface if any(map(proper, words)) else "")
        self._words, self._small = frozenset(self._single), frozenset(self._plain)
        self._two, self._three = frozenset(self._pairs), frozenset(self._longer)

    def in_text(self, text: str) -> Seen:
        tokens = _TOKEN.findall(text)
        there = set(tokens)
        seen = Seen(set(), set(), set(), {})
        for word in there:
            if word not in self._words and is_made_up(word) and (at := place_of(word, text)) >= 0:
                seen.made_up[word] = at
        for word in there & self._words:
            for surface, number in self._single[word]:
                at = place_of(surface, text)
                if at >= 0:
                    seen.names.add(number)
                    if _PERSON.match(text, at + len(surface)):
                        seen.person.add(number)
        for word in there & self._small:
            seen.plain.update(self._plain[word])
        self._phrases(text, [token.lower() for token in tokens], seen.names)
        return seen

    def _phrases(self, text: str, tokens: list[str], found: set[int]) -> None:
        """Sets meet sets of tuples, which is four times as fast as walking a trie word by word."""
        following = tokens[1:]
        for pair in self._two.intersection(zip(tokens, following, strict=False)):
            found.update(number for surface, number in self._pairs[pair] if not surface or _written(surface, text))
        longer = self._three.intersection(zip(tokens, following, tokens[2:], strict=False))
        if longer:
            joined = f" {' '.join(tokens)} "
            for first in longer:
                for phrase, surface, number in self._longer[first]:
                    if phrase in joined and (not surface or _written(surface, text)):
                        found.add(number)

    def _add_phrase(self, number: int, words: list[str], surface: str) -> None:
        """`surface`: how it has to be written; "": in any way."""
        one = singular(words[-1])
        for last in dict.fromkeys((words[-1], one, one + "s")):
            phrase = (*words[:-1], last)
            if len(phrase) == 2:
                self._pairs[phrase].append((surface, number))
            else:
                self._longer[phrase[:3]].append((f" {' '.join(phrase)} ", surface, number))

    def _add_word(self, number: int, word: str, surface: str) -> None:
        tail = _TAIL.search(surface)
        written = word + (tail[0] if tail else "")
        for form, shown in ((word, written), (word + "s", word + "s")):
            if shown == written or not tail:
                self._single[form].append((shown, number))
        if not tail and not proper(word) and word[:1].isupper():
            self._plain[word.lower()].append(number)


def _written(surface: str, text: str) -> bool:
    """Whether it stands there in these letters, whatever joins its words."""
    return surface in text or surface.replace("-", " ") in text or surface.replace(" ", "-") in text


@lru_cache(maxsize=1 << 17)
def is_made_up(word: str) -> bool:
    """CycleGAN, YOLOv2, A3C, node2vec: a capital letter or a digit inside; no plain abbreviation, and no plural of one."""
    if word.isalpha():
        return not (word.islower() or word.isupper() or word.istitle() or word.endswith("s") and word[:-1].isupper())
    return len(word) > 2 and word[0].isalpha() and (not word.islower() or _BRIDGED.match(word) is not None)


def place_of(word: str, text: str) -> int:
    """Where a word stands by itself in a text; -1 where it is only part of longer names."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        before, after = text[at - 1 : at], text[end : end + 1]
        inside = before.isalnum() or before == "\\" or before in ("-", "‐", "‑", "_") and text[at - 2 : at - 1].isalnum()
        if not inside and not after.isalnum() and after not in ("+", "_") and not _JOINED.match(text, end):
            return at
        at = text.find(word, end)
    return -1
