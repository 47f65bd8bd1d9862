"""From `source add` to documents, for the Hugging Face Hub and for a list of URLs, through updates and deletions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.sources import add_source, hub_api, urls
from forge_assets.corpus.works import join_works
from forge_resources.database import Database
from forge_resources.object_store import open_store
from forge_resources.settings import settings
from tests.corpus.hub_server import hub_running, paper
from tests.local_server import Asked, serving

ALL = range(SHARD_COUNT)
TROUBLED = "SELECT h.external_id, q.* FROM quarantine q JOIN harvested h USING (document_id)"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setenv("FORGE_WORKERS", "1")
    monkeypatch.setattr(hub_api, "PAUSE_S", 0.0)
    monkeypatch.setattr(urls, "PAUSE_S", 0.0)
    for name in ("HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def ingest(database: Database) -> None:
    store = open_store(settings().objects_url, settings())
    scan(database, store, settings(), ALL)
    parse_shards(database, store, settings(), ALL)


def rows(database: Database, statement: str) -> list[Any]:
    with database.begin() as connection:
        return list(connection.execute(sa.text(statement)))


def test_the_hub(database: Database, forge_home: Path) -> None:
    with hub_running() as hub:
        for number in range(12):
            hub.put(
                f"org/model-3.{number}", f"---\nlicense: mit\n---\n# Model {number}\n\nThis model adds numbers, the {number}th of its kind."
            )
        hub.put("org/gated", "secret")
        hub.gated.add("org/gated")
        hub.papers = {"2026-03-01": [paper("2602.00001", "Attention by engines")]}
        hub.page = 5
        add_source(database, settings(), "hf:models", None, {"endpoint": hub.base})
        add_source(database, settings(), "hf:papers", None, {"endpoint": hub.base, "from": "2026-03-01"})
        ingest(database)
        documents = {row.external_id: row for row in rows(database, "SELECT * FROM document")}
        cards = {f"hf:org/model-3.{number}/card.json" for number in range(12)}
        assert set(documents) == cards | {"hf:papers/2602.00001"}
        assert documents["hf:org/model-3.7/card.json"].identifiers == {"hf": "org/model-3.7"}
        assert documents["hf:org/model-3.7/card.json"].license == "mit"
        assert documents["hf:papers/2602.00001"].identifiers == {"arxiv": "2602.00001"}
        assert [(row.external_id, row.code) for row in rows(database, TROUBLED)] == [("hf:org/gated/card.json", "missing")]
        assert join_works(database).documents == 13

        hub.later(days=1)
        hub.put("org/model-3.7", "---\nlicense: mit\n---\n# Model 7\n\nThis model now subtracts numbers.")
        hub.delete("org/model-3.2")
        hub.asked.clear()
        ingest(database)
        fetched = [target for target in hub.asked if "/resolve/" in target]
        assert len(fetched) == 1 and fetched[0].startswith("/org/model-3.7/resolve/")
        assert len(rows(database, "SELECT 1 FROM document WHERE text LIKE '%now subtracts%'")) == 1
        hub.later(days=1)
        with database.begin() as connection:
            connection.execute(sa.text("""UPDATE harvest SET cursor = cursor || '{"harvests": 7}' WHERE source LIKE '%models%'"""))
        ingest(database)  # the seventh harvest is a sweep, which finds the deletion
        left = {row.external_id for row in rows(database, "SELECT external_id FROM document WHERE external_id LIKE '%/card.json'")}
        assert left == cards - {"hf:org/model-3.2/card.json"}


def test_a_list_of_urls(database: Database, forge_home: Path, tmp_path: Path) -> None:
    pages = {
        f"/page{number}": f"<html><body><p>This is the page with number {number}, about engines.</p></body></html>" for number in range(4)
    }
    asked: list[tuple[str, int]] = []

    def answer(request: Asked) -> None:
        text = pages.get(request.path)
        etag = f'"{hash(text)}"'
        status = 404 if text is None else 304 if request.headers["If-None-Match"] == etag else 200
        asked.append((request.path, status))
        request.reply(status, (text or "").encode() * (status == 200), ETag=etag)

    with serving(answer) as base:
        file = tmp_path / "list.txt"
        file.write_text("".join(f"{base}{path}\n" for path in [*pages, "/none"]) + "http://10.0.0.1/\nno url\n")
        add_source(database, settings(), f"urls:{file}")
        ingest(database)
        assert {row.external_id for row in rows(database, "SELECT * FROM document")} == {f"{base}{path}" for path in pages}
        problems = {row.external_id: (row.code, row.reason) for row in rows(database, TROUBLED)}
        assert {name: code for name, (code, _) in problems.items()} == {
            f"{base}/none": "missing",
            "http://10.0.0.1/": "missing",
            "line:no?url": "bad_record",
        }
        assert "FORGE_PRIVATE_HOSTS" in problems["http://10.0.0.1/"][1]

        asked.clear()
        ingest(database)
        assert asked == []  # the same night

        pages["/page1"] = pages["/page1"].replace("engines", "looms")
        file.write_text("".join(f"{base}/page{number}\n" for number in range(3)))
        with database.begin() as connection:
            yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
            connection.execute(
                sa.text("UPDATE harvest SET cursor = cursor || jsonb_build_object('began', CAST(:at AS text))"), {"at": yesterday}
            )
        before = {row.external_id: row.version for row in rows(database, "SELECT external_id, xmin::text AS version FROM document")}
        ingest(database)
        assert sorted(asked[1:]) == [("/page0", 304), ("/page1", 200), ("/page2", 304)] and asked[0][0] == "/robots.txt"
        after = {row.external_id: row.version for row in rows(database, "SELECT external_id, xmin::text AS version FROM document")}
        assert {name for name in after if after[name] != before[name]} == {f"{base}/page1"} and f"{base}/page3" not in after
        assert rows(database, "SELECT * FROM quarantine") == []
