"""What tests of extraction share: an ontology to read by, records to be read, and all that the tables hold afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from forge_assets.components.answer import Answer, Given, answer
from forge_assets.components.extraction import Extractor
from forge_assets.components.ontology import entries
from forge_assets.components.ontology.load import FOLDER
from forge_assets.components.ontology.model import Alias, Component, Ontology
from forge_assets.components.rows import TABLES
from forge_resources.database import Database
from forge_resources.strict_yaml import Fields, parse
from tests.components.small_ontology import small_ontology

_ENTRIES = parse((FOLDER / "parameters.yaml").read_text(encoding="utf-8"))
_PARAMETERS = {made.id: made for made in (entries.parameter(Fields("parameters.yaml", entry, [])) for entry in _ENTRIES)}
ALL = range(64)


def ontology(*more: Component, without: Sequence[str] = ()) -> Ontology:
    """The small ontology with the shipped parameters; `more` are added, or stand in place of those with the same id."""
    components = {id_: c for id_, c in small_ontology().components.items() if id_ not in without}
    return replace(small_ontology(), parameters=_PARAMETERS, components=components | {c.id: c for c in more})


def component(id_: str, *aliases: str | Alias, slot: str = "optimizer") -> Component:
    written = tuple(alias if isinstance(alias, Alias) else Alias(alias) for alias in aliases)
    return Component(id_, written[0].text, slot, written, None, (), (), (), (), "described", "")


SAYINGS = (
    "We train BERT with Adam and a learning rate of 3e-4 for 20 epochs.",
    "GELU outperforms ReLU by 1.2 points.",
    "Low-rank adaptation (LoRA) needs no dropout.",
    "We propose WobbleNorm, a new normalization layer, which improves on LayerNorm.",
    "The model has 24 layers, 16 attention heads and rotary position embeddings.",
    "Tests were made on a lattice of spins, without any network.",
    "Stochastic depth regularises transformers, as FlashAttention does not.",
)


def records(count: int, prefix: str = "r") -> list[dict[str, Any]]:
    """Records that say one to three things each."""
    made = []
    for number in range(count):
        said = " ".join(SAYINGS[(number * step) % len(SAYINGS)] for step in (1, 3, 5)[: 1 + number % 3])
        made.append({"doc_id": f"{prefix}:{number}", "title": f"Study {number} of training", "abstract": said, "year": 2000 + number % 25})
    return made


def read_here(tasks: Iterable[list[Given]], by: Ontology, workers: int, timeout_s: float) -> Generator[list[Answer], None, None]:
    """In place of readers.read_all: the same answers, in this process."""
    extractor = Extractor(by)
    for task in tasks:
        yield [answer(extractor, given) for given in task]


def held(db: Database) -> dict[str, list[Any]]:
    """All rows of the tables of readings, in order."""
    with db.begin() as connection:
        found = {"extraction": list(connection.execute(sa.text("SELECT * FROM extraction ORDER BY document_id")))}
        for table in TABLES:
            found[table] = list(connection.execute(sa.text(f"SELECT to_jsonb(t) FROM {table} t ORDER BY to_jsonb(t)::text")).scalars())
    return found


def hash_of(db: Database) -> str:
    return hashlib.sha256(repr(held(db)).encode()).hexdigest()


def versions(db: Database) -> dict[Any, str]:
    """Document -> the transaction that wrote its reading: another one means that it was written anew."""
    with db.begin() as connection:
        rows = connection.execute(sa.text("SELECT document_id, min(m.xmin::text) FROM mention m GROUP BY document_id"))
        return {row[0]: row[1] for row in rows}
