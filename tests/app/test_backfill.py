"""A backfill over a range of shards from the shell, as the guide says it: `dg launch --partition-range`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import sqlalchemy as sa

from forge_app.instance import instance
from forge_assets.corpus.addresses import SHARD_KEYS
from forge_assets.corpus.sources import add_source
from forge_assets.corpus.stage_runs import of_run
from forge_resources.database import Database
from forge_resources.settings import PROJECT, settings

RANGE = SHARD_KEYS[5:11]
STAGES = ["source_inventory", "parsed_papers", "passage_embeddings"]


def test_dg_launch_works_on_a_range_of_shards_in_one_run(database: Database, tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    records = [{"doc_id": f"arxiv:2101.{n:05d}", "title": f"On subject {n}", "abstract": f"Abstract number {n}."} for n in range(300)]
    (articles / "dump.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    add_source(database, settings(), str(articles))
    with instance(settings()):
        pass  # makes the folder a home of Dagster
    launched = subprocess.run(
        ["dg", "launch", "--assets", ",".join(STAGES), "--partition-range", f"{RANGE[0]}...{RANGE[-1]}"],
        capture_output=True, text=True, cwd=PROJECT, timeout=180,
        env=os.environ | {
            "DAGSTER_HOME": str(settings().home), "FORGE_WORKERS": "2", "PYTHONPATH": str(PROJECT),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )  # fmt: skip
    assert launched.returncode == 0, launched.stderr
    with database.begin() as connection:
        shards = [set(connection.execute(sa.text(f"SELECT DISTINCT shard FROM {t}")).scalars()) for t in ("document", "passage_vector")]
        missing = connection.execute(sa.text("SELECT count(*) FROM passage p WHERE NOT EXISTS "
                                             "(SELECT FROM passage_vector v WHERE v.passage_id = p.passage_id)")).scalar_one()  # fmt: skip
    wanted = {int(key, 16) for key in RANGE}
    assert shards == [wanted, wanted] and missing == 0  # 300 records leave no shard empty here
    with instance(settings()) as home:
        (run,) = home.get_runs()
        for stage in STAGES:
            assert set(home.get_materialized_partitions(dg.AssetKey(stage))) == set(RANGE)
    assert {(s.stage, s.shards, s.cause) for s in of_run(database, run.run_id)} == {(stage, len(RANGE), "backfill") for stage in STAGES}
