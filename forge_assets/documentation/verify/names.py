"""The names of components, whatever they are called: RoPE and rotary position embeddings are one."""

from __future__ import annotations

from functools import lru_cache

from forge_assets.components.lexicon import lexicon_of
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.possible_names import possible_components
from forge_assets.documentation.verify.content import Names


def names_of(ontology: Ontology) -> Names:
    lexicon = lexicon_of(ontology)

    @lru_cache(maxsize=1 << 15)
    def names(text: str) -> frozenset[str]:
        return frozenset(named.id for named in possible_components(lexicon, text) if named.start == 0 and named.end == len(text))

    return names
