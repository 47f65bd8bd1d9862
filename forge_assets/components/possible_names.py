"""Every place of a passage where components and parameters may be meant: all ways to write them, without the rules of context.

In: a lexicon or the parameters of an ontology, a text. Out: spans. Looser than the lexicon's own rules on purpose: what stands here and was
not taken there is what a language model is asked about; what does not stand here, no model may claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from forge_assets.components.folding import fold
from forge_assets.components.lexicon import WORD, Lexicon, words_of
from forge_assets.components.ontology.model import Parameter

_GAP = re.compile(r"(?:\s+|[-‐-―_/.+*&'’]|\s[-‐-―/&]\s)?\Z")


@dataclass(frozen=True, slots=True)
class Named:
    """text[start:end] may mean this component or parameter."""

    id: str
    start: int
    end: int


def possible_components(lexicon: Lexicon, text: str) -> Iterator[Named]:
    """All of them in order, overlapping ones too; letters must be capital where the lexicon says so."""
    for words in _phrases(text):
        node, written = lexicon.root, []
        for start, end in words:
            following = node.follows.get(fold(text[start:end]))
            if following is None:
                break
            node = following
            written.append(text[start:end])
            for way in node.ways:
                if all(rule is None or word in (rule, rule + "s") for word, rule in zip(written, way.exact, strict=True)):
                    yield Named(way.component, words[0][0], end)


class ParameterNames:
    """The names of parameters in prose."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self._ids: dict[tuple[str, ...], set[str]] = {}
        for parameter in parameters.values():
            for written in (parameter.title, *parameter.aliases):
                self._ids.setdefault(words_of(written), set()).add(parameter.id)
        self._ids.pop((), None)
        self._longest = max(map(len, self._ids), default=0)

    def find(self, text: str) -> Iterator[Named]:
        """All of them in order, overlapping ones too."""
        for words in _phrases(text):
            key: tuple[str, ...] = ()
            for start, end in words[: self._longest]:
                key += (fold(text[start:end]),)
                for id_ in sorted(self._ids.get(key, ())):
                    yield Named(id_, words[0][0], end)


def _phrases(text: str, longest: int = 12) -> Iterator[list[tuple[int, int]]]:
    """For each word of a text: it and the words that follow with no more than white space or one sign between them."""
    words = [found.span() for found in WORD.finditer(text)]
    joined = [bool(_GAP.match(text[before[1] : after[0]])) for before, after in pairwise(words)]
    for first in range(len(words)):
        last = first + 1
        while last < len(words) and last - first < longest and joined[last - 1]:
            last += 1
        yield words[first:last]
