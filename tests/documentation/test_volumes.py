"""Volumes made of a corpus: what stands on their pages, that every quote is where it says, and that only what changed is made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner
from markdown_it import MarkdownIt

from forge_app.docs import docs
from forge_app.review import review
from forge_assets.components.ontology import load_ontology
from forge_assets.documentation import catalogue, markdown
from forge_assets.documentation.audit import audit
from forge_assets.documentation.build import BuildReport, build, read_volume
from forge_assets.documentation.hierarchy import files, reading
from forge_assets.documentation.waiting import of_pages
from forge_resources.database import Database
from forge_resources.errors import QueryError
from forge_resources.object_store import ObjectStore, open_store
from tests.components.catalogue_corpus import paper
from tests.documentation.written_corpus import SAID, papers, stages


@pytest.fixture
def objects(forge_home: Path) -> ObjectStore:
    return open_store()


def made(db: Database, objects: ObjectStore, only: list[str] | None = None) -> BuildReport:
    return build(db, objects, None, None, only or ["adapter"])


def rewritten(objects: ObjectStore, said: str, text: str) -> None:
    """As if a language model had put `text` for a sentence of the volume."""
    content = json.loads(objects.get("volumes/adapter/volume.json"))
    blocks = [block for page in content["pages"] for block in page["blocks"] if block["kind"] == "paragraph"]
    sentence = next(one for block in blocks for one in block["sentences"] if one["text"] == said)
    sentence |= {"text": text, "origin": "rewritten"}
    objects.put("volumes/adapter/volume.json", json.dumps(content).encode())


def quotes(content: Any) -> Iterator[dict[str, Any]]:
    """Every citation of a volume.json, found without Forge's own code."""
    if isinstance(content, dict):
        if "quote_sha256" in content:
            yield content
        for value in content.values():
            yield from quotes(value)
    elif isinstance(content, list):
        for value in content:
            yield from quotes(value)


def test_every_quote_is_what_stands_in_its_document(database: Database, objects: ObjectStore) -> None:
    stages(database, papers())
    made(database, objects)
    with database.begin() as connection:
        texts = {str(row.document_id): row.text for row in connection.execute(sa.text("SELECT document_id, text FROM document"))}
    content = json.loads(objects.get("volumes/adapter/volume.json"))
    found = list(quotes(content))
    assert len(found) >= 12
    for one in found:
        assert texts[one["document_id"]][one["start"] : one["end"]] == one["quote"]
        assert hashlib.sha256(one["quote"].encode()).hexdigest() == one["quote_sha256"]
    sentences = [s for page in content["pages"] for block in page["blocks"] if block["kind"] == "paragraph" for s in block["sentences"]]
    assert sentences and all(s["citations"] and s["text"] == s["citations"][0]["quote"] for s in sentences)
    assert len({s["text"] for s in sentences}) == len(sentences)
    result = audit(database, objects)
    assert (result.faults, result.repeated) == (0, 0) and result.sentences == len(sentences)


def test_the_audit_sees_what_is_wrong(database: Database, objects: ObjectStore) -> None:
    stages(database, papers())
    made(database, objects)
    key = "volumes/adapter/volume.json"
    objects.put(key, objects.get(key).replace(b"two small trainable matrices", b"two huge trainable matrices"))
    result = audit(database, objects)
    assert result.faults and "does not stand in document" in result.first


def test_a_page_says_what_a_component_is_how_it_works_and_where_it_fails(database: Database, objects: ObjectStore) -> None:
    stages(database, papers())
    made(database, objects)
    volume = read_volume(objects, "adapter")
    assert volume is not None
    page = next(page for page in volume.pages if page.id == "adapter/lora")
    assert (page.kind, page.title) == ("component", load_ontology().components["lora"].name)
    sections: dict[str, list[str]] = {}
    title = ""
    for block in page.blocks:
        if block.kind == "heading":
            title = block.text
        elif block.kind == "paragraph":
            sections[title] = [one.text for one in block.sentences]
    assert set(sections["What it is"]) == set(SAID[:2])
    assert SAID[2] in sections["How it works and where it is used"] and SAID[7] in sections["Limitations"]
    assert page.sources >= 8
    assert all(page.sources >= 5 for page in volume.pages if page.kind == "component")
    reasons = {one.name: one.reason for one in volume.missing}
    assert reasons[load_ontology().components["dora"].name] == "no work of the corpus names it"


def test_nothing_is_made_again_while_nothing_changes(database: Database, objects: ObjectStore) -> None:
    stages(database, papers())
    both = ["adapter", "overview"]
    first = made(database, objects, both)
    before = {info.key: objects.get(info.key) for info in objects.list("volumes/")}
    again = made(database, objects, both)
    kinds = [page.kind for id_ in both if (volume := read_volume(objects, id_)) for page in volume.pages]
    assert first.written == 2 and first.made == first.pages - kinds.count("bibliography") > 10
    assert (again.made, again.written, again.sentences_read) == (0, 0, 0)
    assert again.state == first.state
    assert {info.key: objects.get(info.key) for info in objects.list("volumes/")} == before


def test_a_change_makes_only_its_own_pages_again(database: Database, objects: ObjectStore) -> None:
    more = [paper(100 + n, f"Adam {text[5:]}") for n, text in enumerate(SAID) if text.startswith("LoRA ")]
    stages(database, [*papers(), *more])
    both = ["adapter", "optimizer"]
    made(database, objects, both)
    rewritten(objects, SAID[2], "LoRA freezes the network's weights and learns their change by multiplying two thin matrices.")
    rewritten(objects, SAID[0], "LoRA adds two small trainable matrices to each frozen weight of a large network.")
    optimizer = objects.get("volumes/optimizer/volume.json")
    changed = [paper(1, "Cooks of house 1 wrote it down. LoRA is a way of adding two thin matrices to each frozen weight of a network.")]
    stages(database, changed)
    again = made(database, objects, both)
    assert again.sentences_read == 1
    assert again.made > 0 and again.written == 1
    assert objects.get("volumes/optimizer/volume.json") == optimizer
    volume = objects.get("volumes/adapter/volume.json").decode()
    assert "two thin matrices to each frozen weight" in volume and SAID[0] not in volume
    assert "LoRA freezes the network's weights" in volume, "a section whose evidence is the same stays rewritten"
    assert "LoRA adds two small trainable" not in volume and audit(database, objects).faults == 0


def test_a_component_without_evidence_has_no_page(database: Database, objects: ObjectStore) -> None:
    stages(database, papers(SAID[:2]))
    made(database, objects)
    volume = read_volume(objects, "adapter")
    assert volume is not None and not [page for page in volume.pages if page.kind == "component"]
    name = load_ontology().components["lora"].name
    assert next(one.reason for one in volume.missing if one.name == name) == "sentences of 2 works can be quoted; a page needs 3"


def test_sources_that_disagree_stand_beside_each_other(database: Database, objects: ObjectStore) -> None:
    ranks = [paper(200 + n, f"We train LoRA with a rank of {rank} for {n + 3} epochs in house {n}.") for n, rank in enumerate((8, 16, 64))]
    stages(database, [*papers(), *ranks])
    made(database, objects)
    volume = read_volume(objects, "adapter")
    assert volume is not None
    page = next(page for page in volume.pages if page.id == "adapter/lora")
    cells = [cell for block in page.blocks if block.kind == "table" for row in block.rows for cell in row if cell.disagree]
    assert any({"8", "16", "64"} <= {one.quote for one in cell.citations} and cell.text.startswith("sources disagree") for cell in cells)


def test_the_hierarchy_keeps_to_its_schema(database: Database) -> None:
    stages(database, [*papers(), *(paper(300 + n, f"We train LoRA with a rank of {rank}.") for n, rank in enumerate((8, 16, 32)))])
    made = files.files(reading.known(database, load_ontology()))
    schema = json.loads(made["hierarchy.schema.json"])
    written = {name: yaml.safe_load(text) for name, text in made.items() if name.endswith(".yaml")}
    for content in written.values():
        jsonschema.validate(content, schema, cls=jsonschema.Draft202012Validator)
    lora = next(one for one in written["fine_tuning.yaml"]["slots"]["adapter"]["options"] if one["component"] == "lora")
    rank = next(one for one in lora["parameters"] if one["parameter"] == "lora_rank")
    assert rank["quartiles"]["median"] == 16.0 and rank["sources_disagree"] and len(rank["sources"]) == 3
    assert {"tokenizer.yaml", "model.yaml", "training_loop.md", "data_pipeline.txt", "optimizer.yaml", "evaluation.md"} <= set(made)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written["model.yaml"] | {"slots": {"x": {}}}, schema)


def test_markdown_shows_text_of_documents_as_it_is(database: Database, objects: ObjectStore) -> None:
    hostile = "LoRA is a *method* of [kitchens](javascript:alert) that adds `code` and two thin matrices to weights."
    assert markdown.escaped("<script>") == "\\<script\\>"
    html = MarkdownIt("commonmark").render(markdown.escaped(hostile))
    assert "<em>" not in html and "<a " not in html and "<code>" not in html
    stages(database, papers())
    made(database, objects)
    text = objects.get("volumes/adapter/markdown/lora.md").decode()
    assert text.startswith("# ") and "[^1]" in text and "[^1]: " in text
    assert objects.get("volumes/adapter/bibliography.bib").decode().count("@") >= 10


def test_an_approval_holds_for_the_text_that_was_approved(
    database: Database, objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_OVERRIDES", str(tmp_path / "overrides.yaml"))
    stages(database, papers())
    made(database, objects)
    result = CliRunner().invoke(docs, ["approve", "adapter/lora", "--reason", "read it"])
    assert result.exit_code == 0, result.output

    def decision() -> str:
        return next(
            row["decision"] for row in catalogue.pages(database, "adapter", tmp_path / "overrides.yaml") if row["page"] == "adapter/lora"
        )

    assert decision() == "approve"
    assert "adapter/lora" not in {one.id for one in of_pages(database, tmp_path / "overrides.yaml")}
    stages(database, [paper(1, "Cooks of house 1 wrote it down. LoRA is a way of adding two thin matrices to frozen weights of networks.")])
    made(database, objects)
    assert decision() == ""
    with pytest.raises(QueryError, match="no page 'adapter/none'"):
        catalogue.page_hash(database, "adapter/none")
    first = of_pages(database, tmp_path / "overrides.yaml", "adapter")[0]
    assert first.id == "adapter/lora" and first.because.endswith("changed since a person approved it")
    told = CliRunner().invoke(review, ["accept", "adapter/lora", "--slot", "adapter", "--reason", "x"])
    assert isinstance(told.exception, QueryError) and "this is about the page" in str(told.exception), told.output
    walked = CliRunner().invoke(review, ["walk", "--kind", "page"], input="r\nits counts are off\n", catch_exceptions=False)
    assert SAID[1] in walked.output and "1 decided" in walked.output and decision() == "reject"
    assert first.id not in {one.id for one in of_pages(database, tmp_path / "overrides.yaml")}


def test_an_unknown_volume_is_refused(database: Database, objects: ObjectStore) -> None:
    with pytest.raises(QueryError, match="no volume is called 'adaptr'"):
        made(database, objects, ["adaptr"])
