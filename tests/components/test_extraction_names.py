"""What extraction leaves out: names inside longer new names, and the common nouns of broad components."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forge_assets.components.extraction import Extractor
from forge_assets.components.lexicon import Lexicon
from forge_assets.components.ontology.model import Alias
from forge_assets.components.text import Reading
from tests.components.small_ontology import small_ontology


def components_in(text: str) -> list[str]:
    return [mention.component for mention in Extractor(small_ontology()).read(Reading("d", text)).mentions]


def test_a_known_name_inside_a_longer_name_of_the_text_is_no_mention() -> None:
    text = "We propose Mesh Transformer, a network for surfaces. Mesh Transformer is small. A Transformer is large."
    assert components_in(text) == ["transformer"]


@pytest.mark.parametrize(
    ("alias", "counts"), [("pre-training", False), ("PT", False), ("LLMs", False), ("node2vec", True), ("TransE", True)]
)
def test_of_a_broad_component_only_made_up_names_are_looked_for(alias: str, counts: bool) -> None:
    ontology = small_ontology()
    broad = replace(ontology.components["pretraining"], aliases=(Alias(alias),), broad=True)
    lexicon = Lexicon(replace(ontology, components={"pretraining": broad}))
    assert bool(lexicon.find(Reading("d", f"They rely on {alias} here."))) is counts
