"""One document -> everything the rules find in it: mentions, new names, values of parameters, relations. All spans index its text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forge_assets.components.folding import singular
from forge_assets.components.lexicon import Mention, lexicon_of
from forge_assets.components.new_names import NewName, new_names
from forge_assets.components.noun_phrases import TASK_HEADS
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.parameters.extract import belongings_of, values
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary
from forge_assets.components.relations import Relation, measures_of, relations
from forge_assets.components.text import Reading

RULES_VERSION = "4"
"""Raised by whoever changes what any rule of this room puts out: every document is read again."""


_LONGEST_NAME = 80
_PLAIN = frozenset("a an the deep standard conventional traditional vanilla classical pre-trained pretrained large".split())


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one document says; each list in order of place."""

    mentions: list[Mention]
    names: list[NewName]
    values: list[ParameterValue]
    relations: list[Relation]


class Extractor:
    """The rules, made ready for one ontology (some 0.2 s); read-only afterwards."""

    def __init__(self, ontology: Ontology) -> None:
        self._lexicon = lexicon_of(ontology)
        self._vocabulary = Vocabulary(ontology.parameters)
        self._belongings = belongings_of(ontology)
        self._measures = measures_of(ontology)

    def read(self, reading: Reading) -> Extraction:
        mentions = self._lexicon.find(reading)
        names = new_names(reading, mentions)
        mentions = outside_of(names, mentions, reading.text)
        stated = values(reading, mentions, self._vocabulary, self._belongings)
        return Extraction(mentions, names, stated, relations(reading, mentions, names, self._measures))


def outside_of(names: Sequence[NewName], mentions: list[Mention], text: str) -> list[Mention]:
    """The mentions without those inside a longer name that the document brings up: "Graph Mamba" of its own is no mention of Mamba, nor
    is "calibrated LoRA initialization (CLI)" one of LoRA.

    Names with a common noun at the place of a known name's neighbours stay out of it: "our LSTM" and "LSTM encoder" are mentions of LSTM.
    """
    longer = {written for name in names for written in (name.name, name.long_form) if written and _is_title(written)}
    longer |= {name.long_form for name in names if name.long_form and not _is_task(name.long_form)}
    inside = sorted(span for written in longer for span in _occurrences(written, text))
    if not inside:
        return mentions
    widest = max(end - start for start, end in inside)

    def near(mention: Mention) -> list[tuple[int, int]]:
        return inside[bisect_left(inside, (mention.end - widest, 0)) : bisect_left(inside, (mention.start + 1, 0))]

    return [m for m in mentions if not any(_renamed(m, start, end, text) for start, end in near(m))]


def _renamed(mention: Mention, start: int, end: int, text: str) -> bool:
    """Whether text[start:end] holds a mention and a word beside it that makes another thing of it; "deep" does not."""
    if not start <= mention.start < mention.end <= end:
        return False
    return any(word.lower() not in _PLAIN for word in f"{text[start : mention.start]} {text[mention.end : end]}".split())


def _is_task(long_form: str) -> bool:
    return singular(long_form.split()[-1].lower()) in TASK_HEADS


def _is_title(name: str) -> bool:
    """Several words of which all that count are capitalised."""
    words = [word for word in name.split() if len(word) > 3]
    return len(name.split()) > 1 and len(name) <= _LONGEST_NAME and all(word[0].isupper() or word[0].isdigit() for word in words)


def _occurrences(name: str, text: str) -> Iterator[tuple[int, int]]:
    at = text.find(name)
    while at >= 0:
        yield at, at + len(name)
        at = text.find(name, at + len(name))
