"""One document -> everything the rules find in it: mentions, new names, values of parameters, relations. All spans index its text."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.components.lexicon import Lexicon, Mention
from forge_assets.components.new_names import NewName, new_names
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.parameters.extract import belongings_of, values
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary
from forge_assets.components.relations import Relation, relations
from forge_assets.components.text import Reading

RULES_VERSION = "1"
"""Raised by whoever changes what any rule of this room puts out: every document is read again."""


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
        self._lexicon = Lexicon(ontology)
        self._vocabulary = Vocabulary(ontology.parameters)
        self._belongings = belongings_of(ontology)

    def read(self, reading: Reading) -> Extraction:
        mentions = self._lexicon.find(reading)
        names = new_names(reading, mentions)
        stated = values(reading, mentions, self._vocabulary, self._belongings)
        return Extraction(mentions, names, stated, relations(reading, mentions, names))
