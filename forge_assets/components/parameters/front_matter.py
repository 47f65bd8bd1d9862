"""Front matter that stands in the canonical text.

The markdown reader keeps a card's front matter in `metadata`, outside the text, so nothing of it can be quoted with a span: it is left
out. Only a document that consists of front matter has it as text, a block of code after the title; that one is read here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from forge_assets.components.parameters import configs
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary
from forge_assets.corpus.model import Block

_MAPPING = re.compile(r"(?:---\s*\n)?[A-Za-z_][\w.-]*\s*:(?:\s|$)")


def block_of(text: str, blocks: Sequence[Block], media_type: str) -> Block | None:
    """The block that is front matter, or None."""
    rest = list(islice((block for block in blocks if block.kind != "title"), 2))
    if media_type != "text/markdown" or len(rest) != 1 or rest[0].kind != "code":
        return None
    return rest[0] if _MAPPING.match(text, rest[0].start, rest[0].end) else None


def read(text: str, block: Block, vocabulary: Vocabulary) -> list[ParameterValue]:
    """The values of a block of front matter."""
    return configs.read(text, block.start, block.end, vocabulary, source="front_matter")
