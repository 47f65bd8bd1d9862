"""What happens to sources in life: ids in several dumps, dumps unreadable for a moment, sources renamed, odd names, lost bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from forge_assets.corpus import containers, inventory
from forge_assets.corpus.addresses import SHARD_COUNT, file_uri
from forge_assets.corpus.catalogue import digest, problem_counts
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.inventory_rows import ScanReport
from forge_assets.corpus.sources import FolderSource, add_source, remove_source
from forge_resources.database import Database
from forge_resources.object_store import ObjectStore, open_store
from forge_resources.settings import settings

ALL = range(SHARD_COUNT)


@pytest.fixture
def store(forge_home: Path) -> ObjectStore:
    return open_store(settings().objects_url, settings())


@pytest.fixture
def folder(database: Database, tmp_path: Path) -> Path:
    root = tmp_path / "dumps"
    root.mkdir()
    add_source(database, settings(), str(root))
    return root


def dump(path: Path, ids: range, text: str = "Text.") -> None:
    lines = [json.dumps({"doc_id": f"x:{n}", "title": f"Title {n}", "abstract": text}) for n in ids]
    path.write_text("".join(line + "\n" for line in lines))


def look(database: Database, store: ObjectStore, shards: range | list[int] = ALL) -> ScanReport:
    return scan(database, store, settings(), shards)


def listed(database: Database, condition: str = "true") -> int:
    with database.begin() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM inventory WHERE {condition}")).scalar_one())


def test_an_id_in_two_dumps_stays_while_one_of_them_holds_it(database: Database, store: ObjectStore, folder: Path) -> None:
    dump(folder / "a.jsonl", range(100))
    dump(folder / "b.jsonl", range(50, 150))
    assert look(database, store).new == 150
    (folder / "b.jsonl").unlink()
    assert look(database, store).removed == 50
    assert listed(database) == 100
    dump(folder / "b.jsonl", range(150))
    look(database, store)
    dump(folder / "a.jsonl", range(10))
    look(database, store)
    assert listed(database) == 150


def test_what_stands_in_the_inventory_depends_on_the_dumps_alone(
    database: Database, store: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "BATCH", 64)
    dump(folder / "a.jsonl", range(300), "first")
    with (folder / "a.jsonl").open("a") as file:
        file.write("".join(json.dumps({"doc_id": f"x:{n}", "title": "again", "abstract": "second"}) + "\n" for n in range(200)))
    dump(folder / "b.jsonl", range(250, 400), "third")
    report = look(database, store, range(32, 64))
    report = look(database, store)
    assert report.changed == 0 and report.unchanged >= 0 and listed(database) == 400
    before = digest(database, "inventory", ALL)
    for name in ("a.jsonl", "b.jsonl", "a.jsonl"):
        os.utime(folder / name, (1, 1))
        assert look(database, store).changed == 0
    assert digest(database, "inventory", ALL) == before


def test_a_dump_that_cannot_be_read_for_a_moment_loses_nothing(
    database: Database, store: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump(folder / "a.jsonl", range(100))
    look(database, store)
    readable = os.access
    with monkeypatch.context() as moment:
        moment.setattr(os, "access", lambda path, mode: False if str(path).endswith("a.jsonl") else readable(path, mode))
        assert look(database, store).removed == 0
        dump(folder / "a.jsonl", range(5))
        report = look(database, store)
    assert (report.removed, report.problems) == (0, 1)
    assert listed(database, "problem IS NULL") == 100
    dump(folder / "a.jsonl", range(100))
    look(database, store)
    assert listed(database) == 100


def test_a_source_under_another_name_keeps_its_documents_and_passages(database: Database, store: ObjectStore, folder: Path) -> None:
    dump(folder / "a.jsonl", range(30))
    (folder / "one.md").write_text("# One\n\nSome text of one.\n")
    look(database, store)
    parse_shards(database, store, settings(), ALL)
    remove_source(database, "dumps")
    add_source(database, settings(), str(folder), name="other")
    look(database, store)
    report = parse_shards(database, store, settings(), ALL)
    assert (report.parsed, report.removed) == (0, 0)
    with database.begin() as connection:
        assert connection.execute(sa.text("SELECT DISTINCT source FROM document")).scalars().all() == ["other"]
    assert listed(database) == 31


def test_lost_bytes_are_stored_again_and_the_document_is_parsed(database: Database, store: ObjectStore, folder: Path) -> None:
    dump(folder / "a.jsonl", range(3))
    (folder / "one.md").write_text("# One\n\nSome text of one.\n")
    look(database, store)
    with database.begin() as connection:
        keys = connection.execute(sa.text("SELECT DISTINCT raw_key FROM inventory")).scalars().all()
    for key in keys:
        store.delete(key)
    parse_shards(database, store, settings(), ALL)
    assert problem_counts(database) == {"missing": 4}
    look(database, store)
    assert parse_shards(database, store, settings(), ALL).parsed == 4
    assert problem_counts(database) == {}


def test_forges_own_state_is_no_source(database: Database, store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_HOME", str(tmp_path / "around" / "home"))
    (tmp_path / "around" / "home" / "postgres").mkdir(parents=True)
    (tmp_path / "around" / "home" / "postgres" / "base.txt").write_text("no article")
    (tmp_path / "around" / "article.md").write_text("# Outside\n\ntext\n")
    add_source(database, settings(), str(tmp_path / "around"))
    look(database, store)
    assert listed(database) == listed(database, "uri LIKE '%article.md'") == 1


def test_names_and_ids_that_no_index_or_encoding_takes_harm_nobody(database: Database, store: ObjectStore, folder: Path) -> None:
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "a.md").write_text("# Fine\n\ntext\n")
    deep = folder
    for _ in range(9):
        deep = deep / ("d" * 250)
        deep.mkdir()
    (deep / "deep.md").write_text("# Deep\n\ntext\n")
    (folder / os.fsdecode(b"d\xff.jsonl")).write_text('{"title": "no id", "abstract": "text"}\nno JSON\n')
    (folder / "ids.jsonl").write_text(
        json.dumps({"id": "i" * 8000, "title": "T", "abstract": "x"}) + '\n{"id": "s\\ud83dx", "title": "T"}\n'
    )
    (folder / "array.json").write_text('[{"id": "1", "abstract": "cut emoji \\ud83d", "title": "T"}]')
    look(database, store)
    parse_shards(database, store, settings(), ALL)
    assert listed(database) == 7
    assert problem_counts(database) == {"bad_record": 2}


def test_a_batch_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "BATCH_BYTES", 1000)
    records = [containers.Record(None, "", None, b"x" * 400, "", None) for _ in range(10)]  # type: ignore[arg-type]
    assert [len(batch) for batch in containers.batches(iter(records))] == [2, 2, 2, 2, 2]


def test_a_file_that_grows_after_it_was_listed_is_not_read_beyond_the_limit(folder: Path) -> None:
    path = folder / "growing.md"
    path.write_bytes(b"x" * 101)
    source = FolderSource("folder", file_uri(folder), folder)
    listed_before = SimpleNamespace(uri=file_uri(path), source="folder", token="t", size=50, problem=None)
    row, data = inventory._take(source, listed_before, 100)
    assert row.problem is not None and row.problem.startswith("too_large: ")
    assert (row.raw_key, data) == (None, b"")
