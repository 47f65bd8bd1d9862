"""The arXiv feed: the bulk snapshot that goes before the protocol, and the files of papers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from forge_assets.corpus.sources.arxiv import ArxivFeed
from forge_assets.corpus.sources.interface import Cursor, Page
from forge_resources.errors import DocumentProblem, FetchError
from forge_resources.settings import Settings
from tests.corpus.arxiv_feeds import feed_of, held, ids, papers
from tests.corpus.arxiv_server import Arxiv, Paper, Reply, serving


@pytest.fixture
def server() -> Iterator[Arxiv]:
    with serving() as arxiv:
        yield arxiv


def line_of(number: int, changed: str, **more: Any) -> dict[str, Any]:
    """A line of the bulk snapshot as it really looks."""
    versions = [{"version": "v1", "created": "Mon, 6 Jan 2025 19:18:42 GMT"}, {"version": "v2", "created": "Tue, 7 Jan 2025 00:00:00 GMT"}]
    return {"id": f"2501.{number:05}", "submitter": "Ada", "authors": "Ada Lovelace and Martin Luther King, Jr",
            "title": f"Paper\n  number {number}", "comments": None, "journal-ref": None, "doi": None, "report-no": None,
            "categories": "cs.LG stat.ML", "license": None,
            "abstract": "  We show a result\nthat spans two lines.\n", "versions": versions, "update_date": changed,
            "authors_parsed": [["Lovelace", "Ada", ""], ["King", "Martin Luther", "Jr."]], **more}  # fmt: skip


PACKERS = {".json": bytes, ".jsonl": bytes, ".json.gz": gzip.compress, ".jsonl.zst": zstandard.compress}


def snapshot_of(path: Path, lines: list[Any]) -> Path:
    packed = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()
    path.write_bytes(next(pack for suffix, pack in PACKERS.items() if path.name.endswith(suffix))(packed))
    return path


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_snapshot_is_read_first_and_the_protocol_goes_on_from_its_newest_date(server: Arxiv, tmp_path: Path, suffix: str) -> None:
    lines = [line_of(1, "2025-06-01"), line_of(2, "2026-01-20"), line_of(3, "2026-01-25", categories="math.NT"), line_of(4, "2019-01-01")]
    path = snapshot_of(tmp_path / f"arxiv-metadata-oai-snapshot{suffix}", lines)
    updated = Paper("2501.00002", "2026-01-27", "Paper number 2, revised")
    server.papers = [Paper("2501.00001", "2025-06-01", "Paper number 1"), updated]
    pages = list(feed_of(server, snapshot=str(path), **{"from": "2020-01-01"}).changes(None))
    known = held(pages)
    assert set(known) == {"arxiv:2501.00001", "arxiv:2501.00002"}
    assert server.requests[0]["from"] == "2026-01-24"
    assert b"revised" in (known["arxiv:2501.00002"].data or b"")
    server.requests.clear()
    list(feed_of(server, snapshot=str(path), **{"from": "2020-01-01"}).changes(pages[-1].cursor))
    assert [request["from"] for request in server.requests] == ["2026-01-31"]


def test_a_record_is_the_same_from_the_snapshot_and_from_the_protocol(server: Arxiv, tmp_path: Path) -> None:
    path = snapshot_of(tmp_path / "s.jsonl", [line_of(1, "2025-06-01")])
    dates = {"created": "2025-01-06", "updated": "2025-01-07"}
    server.papers = [Paper("2501.00001", "2026-01-01", "Paper\n number 1", categories="cs.LG stat.ML", **dates)]
    [of_snapshot, of_protocol] = [page.found for page in feed_of(server, snapshot=str(path), **{"with": ["pdf"]}).changes(None)]
    assert of_snapshot == of_protocol


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_a_killed_reading_of_the_snapshot_goes_on_at_its_line(
    server: Arxiv, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forge_assets.corpus.sources.arxiv.SNAPSHOT_PAGE", 10)
    path = snapshot_of(tmp_path / f"s{suffix}", [line_of(n, "2025-06-01") for n in range(95)])
    feed = feed_of(server, snapshot=str(path))
    pages: list[Page] = []
    cursor: Cursor | None = None
    for _ in range(11):
        page = next(feed.changes(cursor))
        cursor = json.loads(json.dumps(page.cursor))
        pages.append(page)
    assert ids(pages) == [f"arxiv:2501.{n:05}" for n in range(95)]
    assert len(server.requests) == 1 and len(pages[3].found) == 10


def test_bad_lines_of_a_snapshot_are_told_and_no_snapshot_at_all_is_refused(server: Arxiv, tmp_path: Path) -> None:
    path = snapshot_of(tmp_path / "s.json", [line_of(1, "2025-06-01"), "{broken", [1], {"id": "x"}, "", line_of(2, "2025-06-01")])
    known = held(feed_of(server, snapshot=str(path)).changes(None))
    assert {name for name, found in known.items() if found.problem} == {f"arxiv:snapshot#line-{n}" for n in (2, 3, 4)}
    assert all(found.problem is None or found.problem.startswith("bad_record: line ") for found in known.values())
    other = snapshot_of(tmp_path / "other.json", ["no json"] * 300)
    with pytest.raises(FetchError, match="no snapshot of arXiv"):
        list(feed_of(server, snapshot=str(other)).changes(None))
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(path.read_bytes() * 50)[:-40])
    with pytest.raises(FetchError, match="breaks off"):
        list(feed_of(server, snapshot=str(tmp_path / "cut.json.gz")).changes(None))


def test_files_are_fetched_where_the_endpoint_is_and_not_twice(server: Arxiv) -> None:
    server.papers = papers(1, created="2025-01-01", updated="2025-02-02")
    feed = feed_of(server, **{"with": ["latex", "pdf"]})
    [page] = feed.changes(None)
    latex, pdf = page.found[1:]
    assert (latex.token, latex.location, latex.data) == ("2025-02-02", "e-print/2501.00001", None)
    server.files["e-print/2501.00001"] = Reply(b"\x1f\x8b source", 200, {"Content-Type": "application/x-eprint-tar", "ETag": '"one"'})
    server.files["pdf/2501.00001"] = Reply(b"%PDF-1.5 x", 200, {"Content-Type": "application/pdf"})
    fetched = feed.fetch(latex.external_id, latex.location, None)
    assert (fetched.data, fetched.validator) == (b"\x1f\x8b source", '"one"')
    again = feed.fetch(latex.external_id, latex.location, fetched.validator)
    assert again.data is None and not again.gone and again.validator == '"one"'
    assert pdf.location is not None
    assert feed.fetch(pdf.external_id, pdf.location, None).data == b"%PDF-1.5 x"


def test_a_withdrawn_paper_is_gone_and_a_web_page_is_no_file(server: Arxiv) -> None:
    feed = feed_of(server)
    assert feed.fetch("arxiv:2501.00009#latex", "e-print/2501.00009", None).gone
    server.files["pdf/1"] = Reply(b"<html>The PDF is being made</html>", 200, {"Content-Type": "text/html; charset=utf-8"})
    server.files["pdf/2"] = Reply(b"something else", 200, {"Content-Type": "application/pdf"})
    server.files["pdf/3"] = Reply(b"denied", 403, {"Content-Type": "text/html"})
    for location in ("pdf/1", "pdf/2", "pdf/3"):
        with pytest.raises(FetchError) as caught:
            feed.fetch("arxiv:1#pdf", location, None)
        assert caught.value.transient


def test_a_file_over_the_limit_is_refused(server: Arxiv) -> None:
    settings = Settings(private_hosts="127.0.0.1", max_document_mb=0.001)
    feed = ArxivFeed("lg", "arxiv:cs.LG", {"endpoint": server.address, "pause": 0}, settings)
    server.files["e-print/1"] = Reply(b"x" * 5000, 200, {"Content-Type": "application/x-eprint"})
    with pytest.raises(DocumentProblem) as caught:
        feed.fetch("arxiv:1#latex", "e-print/1", None)
    assert caught.value.code == "too_large"
