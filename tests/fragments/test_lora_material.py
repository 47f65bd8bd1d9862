"""What instructions are derived from, read from a real database: sentences, claims, values, entries and the spec's evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa

from forge_assets.blueprints.spec.model import Spec
from forge_assets.blueprints.spec.values import Evidence, Strict, Text, chosen
from forge_assets.components.ontology import load_ontology
from forge_assets.fragments.lora.instructions import examples
from forge_assets.fragments.lora.material import material, quotes_of
from forge_resources.database import Database

TEXT = (
    "LoRA (2021) is new. LoRA is a method that adds two small matrices to frozen weights. This sentence names LoRA too. "
    "LoRA reduces the memory that training needs by two thirds.\nOur LoRA uses tricks. "
    "QLoRA improves on LoRA in memory alone and in nothing else. "
    "The rank of LoRA that most experiments take is 16 on every layer of the model. The end."
)
ID, URI = "ab" * 16, "file:///lora.txt"


class Named(Strict):
    name: str


class Small(Strict):
    """Of a spec what is read of it: its name, and values wherever they stand."""

    identity: Named
    components: dict[str, Text]


def evidence(start: int, end: int, words: str) -> Evidence:
    return Evidence(document=URI, start=start, end=end, quote_hash=hashlib.sha256(words.encode()).hexdigest())


PLACES = (evidence(20, 24, "LoRA"), evidence(1, 5, "DoRA"))
SPEC = cast(Spec, Small(identity=Named(name="tiny"), components={"adapter": chosen("lora", "works use it", evidence=PLACES)}))


def _insert(db: Database, table: str, **row: Any) -> None:
    columns, casts = ", ".join(f'"{name}"' for name in row), {"document_id": "uuid", "introducing_document": "uuid", "sources": "jsonb"}
    values = ", ".join(f"CAST(:{name} AS {casts[name]})" if name in casts else f":{name}" for name in row)
    with db.begin() as connection:
        connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), row)


def _fill(db: Database) -> None:
    _insert(db, "document", document_id=ID, uri=URI, shard=0, source="s", content_hash="h", stage_version="1", media_type="text/plain",
            title="LoRA: low rank", text=TEXT, blocks="[]", year=2021, language="en")  # fmt: skip
    _insert(db, "extraction", document_id=ID, shard=0, version="1", ontology="o")
    at = -1
    while (at := TEXT.find("LoRA", at + 1)) >= 0:
        if TEXT[at - 1] != "Q":
            _insert(db, "mention", document_id=ID, start=at, end=at + 4, component="lora", role="method", stance="used", negated=False,
                    via="alias")  # fmt: skip
    start = TEXT.index("QLoRA")
    _insert(db, "relation", document_id=ID, start=start, end=TEXT.index(" The rank"), subject="qlora",
            relation="improves_on", object="lora", pattern="p", polarity=True, quote_hash="q")  # fmt: skip
    value = TEXT.index("16 on")
    _insert(db, "parameter_value", document_id=ID, start=value, end=value + 2, parameter="lora_rank", number=16, source="prose",
            quote_hash="q")  # fmt: skip
    _insert(db, "catalogue_entry", component="lora", slot="adapter", documents=1, works=1, used=1, years="{}", introducing_document=ID,
            introducing_reason="title", neighbours="[]")  # fmt: skip
    _insert(db, "typical_value", component="lora", parameter="lora_rank", works=1, sources=f'[["{ID}", {value}, {value + 2}, 16]]')


def test_sentences_that_begin_with_a_component_and_speak_of_it_are_found_with_their_places(database: Database) -> None:
    _fill(database)
    ontology = load_ontology()
    found = material(database, ontology, SPEC)
    assert {one.place.quote: one.aspect for one in found.said} == {
        "LoRA is a method that adds two small matrices to frozen weights.": "definition",
        "LoRA reduces the memory that training needs by two thirds.": "benefit",
    }
    for one in (*(said.place for said in found.said), found.claims[0].place, found.stated[0].place):
        assert TEXT[one.start : one.end] == one.quote and one.document == URI
    assert found.claims[0].place.quote == "QLoRA improves on LoRA in memory alone and in nothing else." and found.stated[0].value == "16"
    assert found.entries[0].place is not None and found.entries[0].place.quote == "LoRA: low rank"
    asked: Mapping[str, str] = {one.kind: one.answer for one in examples(found, ontology) if one.component == "lora"}
    assert found.settings[0].value == ontology.components["lora"].name and found.settings[0].title == ontology.slots["adapter"].title
    assert asked["values"].startswith("One work states 16 [")
    assert "It was introduced in LoRA: low rank (2021) [" in asked["card"]


def test_evidence_whose_words_have_changed_is_cited_no_more(database: Database) -> None:
    _fill(database)
    assert [one.quote for one in quotes_of(database, PLACES[:1]).values()] == [
        "LoRA is a method that adds two small matrices to frozen weights."
    ]
    assert quotes_of(database, PLACES[1:]) == {}


def test_an_empty_catalogue_gives_nothing(database: Database) -> None:
    ontology = load_ontology()
    assert examples(material(database, ontology, SPEC), ontology) == []
