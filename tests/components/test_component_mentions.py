"""The asset: figures and data versions per shard, what its checks see, and the language model that may only propose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from forge_app.components import components
from forge_app.instance import instance
from forge_app.run import materialize
from forge_assets.components import checks, extract, repeat
from forge_assets.corpus.addresses import shard_of
from forge_assets.corpus.stage_runs import StageRun, of_run
from forge_resources.database import Database
from forge_resources.errors import ForgeError
from forge_resources.for_dagster import DatabaseResource
from forge_resources.settings import settings
from tests.components.readings import ALL, held, ontology, read_here, records
from tests.embeddings.corpus_builder import put_records
from tests.resources.language_model_server import Asked, chat_server, completion

ASSET = dg.AssetKey("component_mentions")
CLAIM = "GELU works in place of ReLU in half of the tests."


@pytest.fixture
def corpus(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("FORGE_WORKERS", "1")
    monkeypatch.setattr("forge_assets.components.ontology.load_ontology", lambda overrides: ontology())
    claims = [{"doc_id": f"x:{n}", "title": f"Note {n}", "abstract": f"{CLAIM} It is note {n}.", "year": 2021} for n in range(40)]
    put_records(database, [*records(60), *claims])
    return database


def read(database: Database, shards: Any = ALL) -> None:
    """What the asset does with the documents, without Dagster and in this process."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(extract, "read_all", read_here)
        extract.extract_shards(database, ontology(), settings(), shards)


def run(shards: str = "00..3f") -> dict[str, Any]:
    return materialize(["component_mentions"], shards)["component_mentions"]


def last_run(database: Database) -> StageRun:
    with instance(settings()) as home:
        (stage,) = of_run(database, home.get_runs(limit=1)[0].run_id)
        return stage


def data_version(shard: str) -> str:
    """Of the last materialization of a partition."""
    with instance(settings()) as home:
        found = home.fetch_materializations(dg.AssetRecordsFilter(ASSET, asset_partitions=[shard]), limit=1).records
        assert found[0].asset_materialization and found[0].asset_materialization.tags
        return found[0].asset_materialization.tags["dagster/data_version"]


def test_a_run_tells_what_it_did(corpus: Database) -> None:
    told = run()
    assert (told["read"], told["quarantined"], told["dagster/row_count"], told["shards"]) == (100, 0, 100, 64)
    assert told["mentions"] > 60 and told["documents_per_second"] > 0 and told["dagster/table_name"] == "public.extraction"
    assert "proposals" not in told
    stage = last_run(corpus)
    assert (stage.stage, stage.shards, stage.counts["done"], stage.counts["total"]) == ("component_mentions", 64, 100, 100)
    with instance(settings()) as home:
        assert len(home.get_materialized_partitions(ASSET)) == 64
    with corpus.begin() as connection:
        asked = "SELECT (SELECT count(*) FROM passage_asked) + (SELECT count(*) FROM proposal)"
        assert connection.execute(sa.text(asked)).scalar_one() == 0, "by itself no language model is asked"


def test_the_data_version_follows_what_is_read(corpus: Database) -> None:
    (document,) = put_records(corpus, [{"doc_id": "x:1", "title": "Note 1", "abstract": "We use Adam.", "year": 2021}])
    shard = f"{shard_of(document):02x}"
    run(shard)
    first = data_version(shard)
    run(shard)
    assert data_version(shard) == first
    put_records(corpus, [{"doc_id": "x:1", "title": "Note 1", "abstract": "Nothing.", "year": 2021}])
    assert run(shard)["read"] == 1
    assert data_version(shard) != first


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Answers every question with the same claim, which one passage carries."""
    relation = {"subject": "gelu", "relation": "alternative_to", "object": "relu", "denied": False, "quote": CLAIM}
    with chat_server(lambda body, number: completion(json.dumps({"relations": [relation]}), usage=(900, 100))) as asked:
        monkeypatch.setenv("FORGE_LLM_BASE_URL", asked.url)
        monkeypatch.setenv("FORGE_LLM_MODEL", "small")
        yield asked


def proposals(database: Database) -> list[Any]:
    with database.begin() as connection:
        return list(connection.execute(sa.text("SELECT kind, payload->>'relation', state FROM proposal")))


def test_a_language_model_only_proposes(corpus: Database, model: Asked) -> None:
    told = run("00..0f")
    count = told["proposals"]
    assert count == len(proposals(corpus)) > 3 and told["passages_asked"] == len(model) >= count
    assert {tuple(row) for row in proposals(corpus)} == {("relation", "alternative_to", "open")}
    found, asked = held(corpus), len(model)
    with corpus.begin() as connection:
        connection.exec_driver_sql("TRUNCATE extraction CASCADE")
    read(corpus, range(16))
    assert held(corpus) == found, "with and without a model the rules' tables hold the same"
    assert run("00..0f")["passages_asked"] == 0 and len(model) == asked, "nothing is asked twice"


def test_a_budget_bounds_what_is_asked(corpus: Database, model: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_LLM_BUDGET_TOKENS", "9000")
    monkeypatch.setenv("FORGE_LLM_PARALLEL", "1")
    told = run("00..0f")
    assert "budget of 9000 tokens" in told["language_model_stopped"]
    assert told["language_model_tokens"] <= 9000 and 0 < told["passages_asked"] < told["read"]


def test_an_endpoint_that_is_away_stops_nothing(corpus: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with chat_server(lambda body, number: completion("{}")) as gone:
        monkeypatch.setenv("FORGE_LLM_BASE_URL", gone.url)
    monkeypatch.setenv("FORGE_LLM_MODEL", "small")
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)  # its pauses between tries; they would take 15 s
    told = run("00..03")
    assert told["read"] > 0 and told["proposals"] == told["passages_asked"] == 0 < told["passages_unanswered"]


def test_half_a_setting_is_told_before_anything_is_read(corpus: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_LLM_MODEL", "small")
    with pytest.raises(ForgeError, match="needs FORGE_LLM_BASE_URL and FORGE_LLM_MODEL"):
        run("00")
    assert held(corpus)["extraction"] == []


# -- the checks -----------------------------------------------------------------------------------------------------------


def passed(check: Any) -> bool:
    return bool(check(DatabaseResource()).passed)


def change(database: Database, statement: str) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql(statement)


def test_checks_pass_on_what_was_read(corpus: Database) -> None:
    read(corpus)
    assert [check for check in checks.CHECKS if not passed(check)] == []
    found, rows = repeat.misplaced(corpus, 100)
    assert found == [] and rows == sum(len(rows) for table, rows in held(corpus).items() if table != "extraction")
    assert repeat.differing(corpus, ontology(), 100) == ([], 100)


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE mention SET start = start + 100000, "end" = "end" + 100000',
        "UPDATE mention SET start = start - 1 WHERE component = 'bert'",
        "UPDATE new_name SET start = start + 1",
        'UPDATE parameter_value SET "end" = "end" + 1 WHERE parameter = \'learning_rate\'',
        'UPDATE relation SET "end" = "end" - 1',
    ],
)
def test_a_span_that_slipped_is_seen(corpus: Database, statement: str) -> None:
    read(corpus)
    change(corpus, statement)
    assert not passed(checks.every_mention_lies_on_its_text)


def test_a_reading_that_cannot_be_repeated_is_seen(corpus: Database) -> None:
    read(corpus)
    change(corpus, "UPDATE extraction SET digest = digest + 1")
    assert not passed(checks.a_document_read_again_says_the_same)


def test_an_unknown_component_is_seen(corpus: Database) -> None:
    read(corpus)
    change(corpus, "UPDATE mention SET component = 'unheard-of' WHERE component = 'bert'")
    assert not passed(checks.mentions_are_of_known_components)


def test_documents_left_out_or_failed_are_seen(corpus: Database) -> None:
    read(corpus)
    change(corpus, "DELETE FROM extraction WHERE document_id = (SELECT min(document_id::text)::uuid FROM document)")
    assert not passed(checks.every_document_of_a_read_shard_has_a_reading)
    assert passed(checks.the_rules_could_read_every_document)
    assert "no problems" in CliRunner().invoke(components, ["problems"]).output
    change(
        corpus,
        "UPDATE extraction SET problem = 'a rule failed: why' WHERE document_id = (SELECT max(document_id::text)::uuid FROM document)",
    )
    assert not passed(checks.the_rules_could_read_every_document)
    said = CliRunner().invoke(components, ["problems"]).output
    assert "a rule failed: why" in said and "1 document;" in said
    assert json.loads(CliRunner().invoke(components, ["problems", "--json"]).output)[0]["reason"] == "a rule failed: why"


def test_an_empty_corpus_passes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forge_assets.components.ontology.load_ontology", lambda overrides: ontology())
    read(database)
    assert [check for check in checks.CHECKS if not passed(check)] == []
