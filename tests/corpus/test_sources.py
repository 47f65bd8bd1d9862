"""Sources as a person names them: kinds, options, overlaps; JSON lines under any name, with a field map."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import zstandard
from click.testing import CliRunner

from forge_app.corpus import source
from forge_assets.corpus.addresses import SHARD_COUNT, file_uri
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.inventory_rows import ScanReport
from forge_assets.corpus.sources import add_source, is_feed, list_sources, load_sources, normalise, remove_source
from forge_assets.corpus.sources.fields import at_path, mapped
from forge_assets.corpus.sources.places import options_in_short, overlap, parse_fields, parse_place
from forge_resources.database import Database
from forge_resources.errors import SettingError, SourceError
from forge_resources.object_store import ObjectStore, open_store
from forge_resources.settings import settings

ALL = range(SHARD_COUNT)


@pytest.fixture
def store(forge_home: Path) -> ObjectStore:
    return open_store(settings().objects_url, settings())


def look(database: Database, store: ObjectStore) -> ScanReport:
    report = scan(database, store, settings(), ALL)
    parse_shards(database, store, settings(), ALL)
    return report


def documents(database: Database) -> dict[str, Any]:
    with database.begin() as connection:
        return {row.external_id: row for row in connection.execute(sa.text("SELECT * FROM document"))}


def lines(records: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def news(number: int, words: str = "Words of it.") -> dict[str, Any]:
    return {
        "nr": number,
        "doi": f"10.1000/{number}",
        "headline": f"Head {number}",
        "content": {"body": words},
        "by": [{"n": "A"}, {"n": "B"}],
    }


# -- places and options ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kind", "address"),
    [
        ("s3://bucket/a/", "s3", "s3://bucket/a"),
        ("arxiv:cs.LG", "arxiv", "arxiv:cs.LG"),
        ("hf:models?pipeline_tag=text-generation", "hf", "hf:models?pipeline_tag=text-generation"),
        ("hf:papers", "hf", "hf:papers"),
        ("/some where/x", "folder", "file:///some%20where/x"),
        ("file:///some%20where/x", "folder", "file:///some%20where/x"),
        ("jsonl:/some where/x", "jsonl", "file:///some%20where/x"),
        ("jsonl:s3://bucket/a", "jsonl", "s3://bucket/a"),
        ("urls:/a/list.txt", "urls", "urls:///a/list.txt"),
        ("urls:///a/list.txt", "urls", "urls:///a/list.txt"),
    ],
)
def test_what_is_typed_becomes_an_address(typed: str, kind: str, address: str) -> None:
    place = parse_place(typed)
    assert (place.kind, place.address) == (kind, address)
    assert normalise(typed) == address


def test_options_are_kept_under_the_names_that_connectors_read(tmp_path: Path) -> None:
    snapshot = tmp_path / "arxiv.json"
    snapshot.write_text("{}")
    given = {"from": "2026-01-01", "until": None, "with": ["latex", "pdf"], "per_run": 5, "snapshot": str(snapshot), "fields": {}}
    place = parse_place("arxiv:cs.LG", given)
    assert place.options == {"from": "2026-01-01", "with": ["latex", "pdf"], "per_run": 5, "snapshot": str(snapshot)}
    assert options_in_short(place.options) == f"--from 2026-01-01 --with latex,pdf --per-run 5 --snapshot {snapshot}"
    place = parse_place("jsonl:/x", {"fields": {"title": "headline", "id": "doi"}})
    assert place.options == {"fields": {"title": "headline", "id": "doi"}, "format": "jsonl"}
    assert options_in_short(place.options) == "--field title=headline --field id=doi"


@pytest.mark.parametrize(
    ("typed", "options", "sentence"),
    [
        ("", {}, "no place is given"),
        (
            "gopher://x/y",
            {},
            "there is no scheme 'gopher'; expected a folder or a file, s3://bucket/prefix, jsonl:PATH .* arxiv:SET .* hf:",
        ),
        ("arxiv:", {}, "expected arxiv:SET"),
        ("arxiv:cs LG", {}, "expected arxiv:SET"),
        ("jsonl:", {}, "found no path"),
        ("s3:bucket", {}, "found no bucket"),
        ("/x", {"from": "2026-01-01"}, "--from is no option of a folder or a file; it knows: none"),
        ("urls:/x", {"fields": {"id": "x"}}, "--field is no option of urls:PATH .*; it knows: .*--per-run"),
        ("jsonl:/x", {"with": ["pdf"], "per_run": 3}, "--with and --per-run is no option of jsonl:PATH"),
        ("arxiv:cs.LG", {"from": "1.1.2026"}, "--from '1.1.2026': expected a date such as 2026-01-31"),
        ("arxiv:cs.LG", {"until": "20260101"}, "--until '20260101': expected a date"),
        ("arxiv:cs.LG", {"from": "2026-02-30"}, "expected a date"),
        ("arxiv:cs.LG", {"from": "2026-02-01", "until": "2026-01-01"}, "--from 2026-02-01 lies after --until 2026-01-01"),
        ("arxiv:cs.LG", {"with": ["latex", "html"]}, "--with html: expected latex, pdf or latex,pdf"),
        ("arxiv:cs.LG", {"endpoint": "ftp://x"}, "expected http://host:port or https://host"),
        ("arxiv:cs.LG", {"per_run": 0}, "expected 1 or more"),
        ("arxiv:cs.LG", {"snapshot": "/no/such/file"}, "there is no such file"),
    ],
)
def test_what_makes_no_sense_is_refused(typed: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        parse_place(typed, options)


@pytest.mark.parametrize("pairs", [["title"], ["=x"], ["title="], ["colour=x"], ["id=a", "id=b"]])
def test_a_field_map_that_makes_no_sense_is_refused(pairs: list[str]) -> None:
    with pytest.raises(SourceError, match="--field"):
        parse_fields(pairs)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("file:///a", "file:///a/b", True),
        ("file:///a", "file:///ab", False),
        ("s3://bucket", "s3://bucket/x", True),
        ("arxiv:cs", "arxiv:cs.LG", True),
        ("arxiv:cs.L", "arxiv:cs.LG", False),
        ("arxiv:cs.LG,stat.ML", "arxiv:stat.ML", True),
        ("hf:models", "hf:models?x=y", True),
        ("hf:models?x=y", "hf:models?x=y&z=1", True),
        ("hf:models?x=y", "hf:models?x=yy", False),
        ("hf:models", "hf:papers", False),
        ("urls:///a", "urls:///a/b.txt", False),
    ],
)
def test_sources_that_hold_each_other_overlap(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) == overlap(other, one) == expected


def test_commands_add_list_and_remove_all_kinds(database: Database, forge_home: Path) -> None:
    folder = forge_home  # a short path: the table breaks lines, and the length of pytest's own hangs on the number of the run
    (folder / "news").mkdir()
    (folder / "news" / "a.json").write_bytes(lines([news(1)]))

    def forge(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(source, words)
        assert result.exit_code == code, result.output
        return result.output

    forge("add", f"jsonl:{folder / 'news'}", "--field", "title=headline", "--field", "text=content.body")
    overlapping = CliRunner().invoke(source, ["add", f"jsonl:{folder / 'news' / 'a.json'}"])
    assert "overlaps with source news" in str(overlapping.exception)
    forge("add", "arxiv:cs.LG", "--from", "2026-01-01", "--with", "latex,pdf", "--per-run", "7", "--name", "ml")
    with database.begin() as connection:
        connection.execute(sa.text("INSERT INTO harvest (source, failure, failed_at) VALUES ('ml', 'the host is away', now())"))
    shown = " ".join(forge("list").split())
    assert "--field title=headline" in shown
    assert "--from 2026-01-01 --with latex,pdf --per-run 7" in shown
    assert "not yet" in shown and "the host is away" in shown
    rows = json.loads(forge("list", "--json"))
    assert [(row["name"], row["pending"]) for row in rows] == [("news", None), ("ml", 0)]
    assert [is_feed(one) for one in load_sources(database, settings())] == [False, True]
    forge("remove", "arxiv:cs.LG")
    forge("remove", "news")
    assert list_sources(database) == []


@pytest.mark.parametrize(("name", "value"), [("FORGE_CONTACT", "me"), ("FORGE_FETCHES_PER_RUN", "-1")])
def test_settings_of_feeds_are_checked(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=name):
        settings()


def test_private_hosts_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings().private_host_list == ()
    monkeypatch.setenv("FORGE_PRIVATE_HOSTS", " 127.0.0.1:8080, Mirror.example ,")
    assert settings().private_host_list == ("127.0.0.1:8080", "mirror.example")


# -- field maps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", 1),
        ("b.c", 2),
        ("d.0.e", 3),
        ("d.e", [3, 4]),
        ("d.9", None),
        ("b.x", None),
        ("a.b", None),
        ("f.g", 5),
        ("l.1", "y"),
        ("n", None),
    ],
)
def test_paths_lead_into_objects_and_lists(path: str, expected: object) -> None:
    assert at_path({"a": 1, "b": {"c": 2}, "d": [{"e": 3}, {"e": 4}, {}], "f.g": 5, "l": ["x", "y"], "n": None}, path) == expected


def test_a_record_keeps_its_fields_and_gains_ours() -> None:
    record = {"id": "own", "abstract": "short", "body": "long", "doi": "10.1000/x", "z": 1}
    assert mapped(record, {"id": "doi", "text": "body", "title": "none"}) == {
        "id": "10.1000/x", "own_id": "own", "text": "long", "own_abstract": "short", "body": "long", "doi": "10.1000/x", "z": 1
    }  # fmt: skip
    assert mapped(record, {"text": "abstract"})["text"] == "short"
    assert record["id"] == "own"


def test_every_file_of_a_jsonl_source_is_a_dump_and_its_fields_are_mapped(database: Database, store: ObjectStore, tmp_path: Path) -> None:
    root = tmp_path / "news"
    root.mkdir()
    (root / "a.json").write_bytes(lines([news(n) for n in range(10)]))
    (root / "b.txt").write_bytes(lines([news(n) for n in range(10, 20)]))
    (root / "c.gz").write_bytes(gzip.compress(lines([news(n) for n in range(20, 30)])))
    (root / "d.zst").write_bytes(zstandard.compress(lines([news(n) for n in range(30, 40)])))
    (root / "e.json").write_text(json.dumps([news(40), news(41)], indent=1))
    (root / "f.dat").write_bytes(lines([{"id": 42, "title": "Own title", "abstract": "Own text."}]))
    options = {"fields": {"title": "headline", "text": "content.body", "id": "doi", "authors": "by.n"}}
    add_source(database, settings(), f"jsonl:{root}", options=options)
    assert look(database, store).new == 43
    found = documents(database)
    assert set(found) == {f"10.1000/{n}" for n in range(42)} | {"42"}
    row = found["10.1000/7"]
    assert (row.uri, row.title, row.authors, row.text) == (f"{file_uri(root)}#10.1000/7", "Head 7", ["A", "B"], "Head 7\n\nWords of it.")
    assert row.identifiers == {"doi": "10.1000/7"} and row.metadata["nr"] == 7
    assert found["42"].title == "Own title"
    assert look(database, store).unchanged == 43


def test_another_field_map_reads_the_dumps_again(database: Database, store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "a.data").write_bytes(lines([{"id": 1, "one": "First title", "two": "Second title"}]))
    add_source(database, settings(), f"jsonl:{tmp_path / 'a.data'}", "x", {"fields": {"title": "one"}})
    look(database, store)
    assert documents(database)["1"].title == "First title"
    remove_source(database, "x")
    add_source(database, settings(), f"jsonl:{tmp_path / 'a.data'}", "x", {"fields": {"title": "two"}})
    assert look(database, store).changed == 1
    assert documents(database)["1"].title == "Second title"


def test_a_field_that_no_record_has_is_refused_at_once(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines([news(n) for n in range(3)]))
    with pytest.raises(SourceError, match=r"--field text=content\.text: none of the first 3 records .* fields are: nr, doi, headline"):
        add_source(database, settings(), f"jsonl:{tmp_path}", options={"fields": {"title": "headline", "text": "content.text"}})
    assert list_sources(database) == []
    with pytest.raises(SourceError, match="does not exist"):
        add_source(database, settings(), f"jsonl:{tmp_path / 'nowhere'}")


# -- JSON lines named .json ------------------------------------------------------------------------------------------------


def arxiv_record(number: int, authors: int) -> dict[str, Any]:
    """A line of arXiv's metadata snapshot."""
    return {
        "id": f"0704.{number:04}", "authors": ", ".join(f"Author {n}" for n in range(authors)), "title": f"Title {number}",
        "categories": "hep-ph", "abstract": f"  Abstract {number}.\n", "update_date": "2008-11-26",
        "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
        "authors_parsed": [["Author", str(n), ""] for n in range(authors)],
    }  # fmt: skip


@pytest.mark.parametrize("authors", [2, 3000])
@pytest.mark.parametrize("prefix", ["", "jsonl:"])
def test_the_arxiv_snapshot_is_json_lines_though_its_name_says_json(
    database: Database, store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authors: int, prefix: str
) -> None:
    monkeypatch.setenv("FORGE_MAX_DOCUMENT_MB", "0.2")  # it is no document, so the limit of one does not hold for it
    records = [arxiv_record(n, authors if n < 2 else 2) for n in range(300)]
    (tmp_path / "arxiv-metadata-oai-snapshot.json").write_bytes(lines(records))
    (tmp_path / "single.json").write_text(json.dumps(arxiv_record(9999, 2), indent=1))
    target = tmp_path / ("arxiv-metadata-oai-snapshot.json" if prefix else "")
    add_source(database, settings(), f"{prefix}{target}")
    assert look(database, store).new == (300 if prefix else 301)
    found = documents(database)
    assert found["0704.0007"].title == "Title 7" and len(found) == (300 if prefix else 301)
    assert len(found["0704.0001"].authors) == authors


@pytest.mark.parametrize(
    "content",
    [
        '{"title": "One object", "abstract": "It is a document."}',
        '{"title": "One object",\n "abstract": "It is a document."}\n',
        '{"title": "One line", "abstract": "It is a document."}\n\n',
        '{"title": "An object",\n{"broken": 1}\n',
    ],
)
def test_a_json_file_of_one_object_is_one_document(database: Database, store: ObjectStore, tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    add_source(database, settings(), str(tmp_path))
    look(database, store)
    with database.begin() as connection:
        (row,) = connection.execute(sa.text("SELECT uri, container FROM inventory"))
    assert (row.uri, row.container) == (file_uri(tmp_path / "a.json"), None)
