"""Parameters of the shipped ontology's own file, and what the rules find in a text of one block."""

from __future__ import annotations

from pathlib import Path

import yaml

from forge_assets.components import ontology
from forge_assets.components.ontology.model import Parameter
from forge_assets.components.parameters.extract import values
from forge_assets.components.parameters.subjects import Belongings, Mentioned
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary
from forge_assets.components.text import Reading
from forge_assets.corpus.model import Block, Kind


def _vocabulary() -> Vocabulary:
    entries = yaml.safe_load((Path(ontology.__file__).parent / "parameters.yaml").read_text())
    made = [
        Parameter(
            entry["id"], entry["title"], entry["kind"], entry.get("unit"), entry.get("low"), entry.get("high"), tuple(entry["aliases"]),
            tuple(entry["keys"]), {value: tuple(ways) for value, ways in entry.get("choices", {}).items()},
        )
        for entry in entries
    ]  # fmt: skip
    return Vocabulary({parameter.id: parameter for parameter in made})


VOCABULARY = _vocabulary()
BELONGINGS = Belongings({"beta1": frozenset({"adamw"})}, frozenset({"bert"}))


def read(text: str, kind: Kind = "paragraph", mentions: tuple[Mentioned, ...] = (), title: str | None = None) -> list[ParameterValue]:
    """The values of a text that is one block, below a title where one is given."""
    blocks = [Block(kind, 0, len(text))]
    if title:
        blocks = [Block("title", 0, len(title)), Block(kind, len(title) + 2, len(title) + 2 + len(text))]
        text = f"{title}\n\n{text}"
    return values(Reading("d", text, blocks, title), mentions, VOCABULARY, BELONGINGS)


def told(text: str, kind: Kind = "paragraph") -> list[tuple[str, object, str]]:
    """(parameter, value, as written) of a text of one block."""
    return [(v.parameter, v.value, text[v.start : v.end]) for v in read(text, kind)]
