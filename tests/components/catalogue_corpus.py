"""What tests of the catalogue share: an ontology with slots, and a corpus read by it, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from forge_assets.components import extract
from forge_assets.components.ontology import entries
from forge_assets.components.ontology.load import FOLDER
from forge_assets.components.ontology.model import Component, Ontology, ParameterUse
from forge_assets.corpus.works import join_works
from forge_resources.database import Database
from forge_resources.settings import settings
from forge_resources.strict_yaml import Fields, parse
from tests.components import readings
from tests.components.readings import ALL, read_here
from tests.embeddings.corpus_builder import put_records

_SLOTS = parse((FOLDER / "slots.yaml").read_text(encoding="utf-8"))
SLOTS = {made.id: made for made in (entries.slot(Fields("slots.yaml", entry, [])) for entry in _SLOTS)}


def ontology(*more: Component) -> Ontology:
    """The small ontology with the shipped slots and parameters; Adam has a learning rate."""
    made = readings.ontology(*more)
    adam = replace(made.components["adam"], parameters=(ParameterUse("learning_rate"),))
    return replace(made, slots=SLOTS, components=dict(made.components) | {"adam": adam})


def put(db: Database, records: Sequence[dict[str, Any]], by: Ontology | None = None) -> None:
    """Stores the records, joins works, and reads all documents."""
    if records:
        put_records(db, records)
    join_works(db)
    read(db, by)


def read(db: Database, by: Ontology | None = None) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(extract, "read_all", read_here)
        extract.extract_shards(db, by or ontology(), settings(), ALL)


def paper(number: int, text: str, title: str = "", **more: Any) -> dict[str, Any]:
    """A record of the year 2020 whose title says nothing unless one is given."""
    return {"doc_id": f"x:{number}", "title": title or f"Note {number} on kitchens", "abstract": text, "year": 2020} | more


FILL = "It was seen in the {0} kitchen of house {0} that water boils slower when {0} people look at {1} pots, as notes {0} to {1} say."


def filler(count: int, first: int = 1000, **more: Any) -> list[dict[str, Any]]:
    """Papers that name nothing."""
    return [paper(first + n, FILL.format(first + n, 7 * n + 3), **more) for n in range(count)]
