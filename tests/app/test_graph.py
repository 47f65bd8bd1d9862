"""The asset graph: what people expect to see, and that loading it is cheap and needs no database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from forge_assets.automation import WHOLE_CORPUS
from forge_assets.definitions import ASSETS, defs
from forge_assets.partitions import SHARDS
from forge_resources.settings import PROJECT


def specs() -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_the_graph_is_the_designs() -> None:
    graph = defs.resolve_asset_graph()
    parents = {key.to_user_string(): {p.to_user_string() for p in graph.get(key).parent_keys} for key in graph.get_all_asset_keys()}
    assert parents == {
        "source_inventory": set(),
        "parsed_papers": {"source_inventory"},
        "works": {"parsed_papers"},
        "lexical_index": {"parsed_papers"},
        "passage_embeddings": {"parsed_papers"},
        "search_index": {"passage_embeddings"},
        "nightly_report": {"works", "lexical_index", "search_index", "component_catalog", "topic_map", "compatibility_graph"},
        "component_mentions": {"parsed_papers"},
        "component_catalog": {"works", "component_mentions"},
        "topic_clusters": {"works", "passage_embeddings"},
        "topic_map": {"works", "topic_clusters"},
        "compatibility_graph": {"works", "component_mentions", "component_catalog"},
        "technique_stack": {"component_catalog", "compatibility_graph"},
        "tech_spec": {"technique_stack"},
        "infrastructure_files": {"tech_spec"},
        "architecture_diagrams": {"tech_spec"},
        "pseudocode": {"tech_spec"},
        "scaffold": {"tech_spec"},
        "fragment_01_tokenizer": {"tech_spec"},
        "fragment_02_embedding": {"tech_spec", "fragment_01_tokenizer"},
        "fragment_03_position": {"tech_spec", "fragment_02_embedding"},
        "fragment_04_attention": {"tech_spec", "fragment_03_position"},
        "fragment_05_ffn": {"tech_spec", "fragment_04_attention"},
        "fragment_06_norm": {"tech_spec", "fragment_05_ffn"},
        "fragment_07_block": {"tech_spec", "fragment_04_attention", "fragment_05_ffn", "fragment_06_norm"},
        "fragment_08_head": {"tech_spec", "fragment_02_embedding", "fragment_06_norm", "fragment_07_block"},
        "fragment_09_assembled": {
            "tech_spec",
            "fragment_01_tokenizer",
            "fragment_02_embedding",
            "fragment_03_position",
            "fragment_04_attention",
            "fragment_05_ffn",
            "fragment_06_norm",
            "fragment_07_block",
            "fragment_08_head",
        },
        "fragment_10_trained": {"tech_spec", "fragment_09_assembled"},
        "fragment_11_lora": {"tech_spec", "fragment_10_trained"},
        "fragment_12_export": {"tech_spec", "fragment_10_trained"},
        "doc_volumes": {"works", "component_mentions", "component_catalog", "topic_clusters", "compatibility_graph"},
        "doc_site": {"doc_volumes"},
    }


@pytest.mark.parametrize("name", [asset.key.to_user_string() for asset in ASSETS])
def test_every_asset_tells_what_it_is(name: str) -> None:
    spec = specs()[name]
    assert spec.description and len(spec.description) > 60
    assert spec.owners == ["team:forge"]
    assert spec.group_name in (
        "corpus",
        "embeddings",
        "components",
        "topics",
        "compatibility",
        "blueprints",
        "fragments",
        "documentation",
        "nights",
    )
    assert spec.kinds and spec.code_version
    assert "dagster/code_references" in spec.metadata


def test_corpus_stages_have_64_shards_in_single_runs() -> None:
    for name in ("source_inventory", "parsed_papers", "passage_embeddings", "component_mentions"):
        asset = next(a for a in ASSETS if a.key.to_user_string() == name)
        assert asset.partitions_def == SHARDS and len(SHARDS.get_partition_keys()) == 64
        assert asset.backfill_policy == dg.BackfillPolicy.single_run()


def test_the_embedder_runs_in_the_gpu_pool() -> None:
    asset = next(a for a in ASSETS if a.key.to_user_string() == "passage_embeddings")
    assert asset.node_def.pool == "gpu"  # type: ignore[attr-defined]


def test_the_schedule_asks_for_one_run_over_all_shards() -> None:
    schedule = defs.resolve_schedule_def("nightly_reindex")
    data = schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=__import__("datetime").datetime(2026, 1, 2, 3)))
    (request,) = data.run_requests or []
    assert WHOLE_CORPUS.items() <= request.tags.items()
    assert request.tags["forge/cause"] == "nightly"


def test_the_inbox_sensor_waits_for_files_to_be_complete(forge_home: Path) -> None:
    sensor = defs.resolve_sensor_def("inbox")
    inbox = forge_home / "inbox"
    inbox.mkdir()

    def tick(cursor: str | None) -> tuple[list[dg.RunRequest], str | None, str | None]:
        with dg.DagsterInstance.ephemeral() as instance:
            data = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor, definitions=defs))
        return list(data.run_requests or []), data.cursor, data.skip_message

    assert tick(None)[0] == []
    (inbox / "new.md").write_text("text")
    requests, cursor, message = tick(None)
    assert requests == [] and message == "1 files are still being written"
    os.utime(inbox / "new.md", (1, 1))
    requests, cursor, _ = tick(cursor)
    assert len(requests) == 1 and WHOLE_CORPUS.items() <= requests[0].tags.items()
    assert tick(cursor)[0] == []
    (inbox / "new.md").unlink()
    assert len(tick(cursor)[0]) == 1


def test_definitions_load_fast_and_without_heavy_libraries(forge_home: Path) -> None:
    program = (
        "import time, sys, json; t = time.process_time(); import forge_assets.definitions;"
        "heavy = ['torch', 'transformers', 'unstructured', 'haystack', 'sentence_transformers', 'spacy', 'openvino', 'peft'];"
        "print(json.dumps([time.process_time() - t, [m for m in heavy if m in sys.modules]]))"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT).stdout
    seconds, heavy = json.loads(output)
    assert heavy == []
    assert seconds < 3


def test_dg_lists_the_definitions_without_a_database(forge_home: Path) -> None:
    environment = os.environ | {
        "FORGE_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    listed = subprocess.run(["dg", "list", "defs", "--json"], capture_output=True, text=True, cwd=PROJECT, env=environment, timeout=120)
    assert listed.returncode == 0, listed.stderr
    assert {asset["asset_key"] for asset in json.loads(listed.stdout)["assets"]} == set(specs())
    assert not (forge_home / "postgres").exists()
