"""From `source add arxiv:...` to works: abstract, LaTeX and PDF of a paper are one, through kills, updates and withdrawals."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.corpus.catalogue import digest
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.sources import add_source, remove_source
from forge_assets.corpus.sources.arxiv import ArxivFeed
from forge_assets.corpus.sources.interface import Page
from forge_assets.corpus.works import join_works
from forge_resources.database import Database
from forge_resources.object_store import open_store
from forge_resources.settings import settings
from tests.corpus.arxiv_server import Arxiv, Paper, Reply, serving
from tests.corpus.pdf_making import lines_at, pdf_of
from tests.corpus.test_eprint import MAIN

ALL = range(SHARD_COUNT)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Arxiv]:
    monkeypatch.setenv("FORGE_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setenv("FORGE_WORKERS", "2")
    monkeypatch.setattr("forge_assets.corpus.sources.arxiv.PAUSE_S", 0.0)
    with serving() as arxiv:
        yield arxiv


def stock(server: Arxiv, count: int) -> None:
    for n in range(1, count + 1):
        identity, title = f"2501.{n:05}", f"The {n}th result on sums of numbers by engines"
        server.papers.append(Paper(identity, f"2026-01-{n:02}", title))
        source = gzip.compress(MAIN.replace("On the sum of two numbers", title).encode(), mtime=0)
        server.files[f"e-print/{identity}"] = Reply(source, 200, {"Content-Type": "application/x-eprint", "ETag": f'"{identity}"'})
        lines = [(72.0, 700.0 - 14 * line, f"Line {line} of the paper with number {n}.") for line in range(20)]
        server.files[f"pdf/{identity}"] = Reply(pdf_of([lines_at(lines)]), 200, {"Content-Type": "application/pdf"})


def ingest(database: Database) -> None:
    store = open_store(settings().objects_url, settings())
    scan(database, store, settings(), ALL)
    parse_shards(database, store, settings(), ALL)


def rows(database: Database, statement: str) -> list[Any]:
    with database.begin() as connection:
        return list(connection.execute(sa.text(statement)))


def test_abstract_latex_and_pdf_become_one_work(database: Database, forge_home: object, server: Arxiv) -> None:
    stock(server, 5)
    del server.files["e-print/2501.00003"]  # withdrawn
    add_source(database, settings(), "arxiv:cs.LG", None, {"endpoint": server.address, "with": ["latex", "pdf"], "from": "2026-01-02"})
    ingest(database)
    documents = {row.external_id: row for row in rows(database, "SELECT * FROM document")}
    assert set(documents) == {f"arxiv:2501.0000{n}{kind}" for n in range(2, 6) for kind in ("", "#latex", "#pdf")} - {
        "arxiv:2501.00003#latex"
    }
    assert {row.identifiers["arxiv"] for row in documents.values()} == {f"2501.0000{n}" for n in range(2, 6)}
    assert {row.media_type for row in documents.values()} == {"application/json", "application/x-tex", "application/pdf"}
    assert [row.code for row in rows(database, "SELECT code FROM quarantine")] == ["missing"]
    report = join_works(database)
    assert (report.documents, report.works, report.joined) == (11, 4, 4)

    asked = len(server.fetched)
    server.papers[4].title, server.papers[4].datestamp, server.now = (
        "An entirely new title of this paper",
        "2026-02-01",
        "2026-02-02T09:00:00Z",
    )
    server.papers[3].deleted, server.papers[3].datestamp = True, "2026-02-01"
    ingest(database)
    titles = {row.external_id: row.title for row in rows(database, "SELECT external_id, title FROM document")}
    assert titles["arxiv:2501.00005"] == "An entirely new title of this paper"
    assert not any("00004" in name for name in titles) and len(titles) == 8
    assert not [path for path, _ in server.fetched[asked:] if "00003" not in path]


class _Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.mark.parametrize("kill", [pytest.param(1, marks=pytest.mark.trial), 2, pytest.param(3, marks=pytest.mark.trial)])
def test_a_killed_ingest_that_is_run_again_leaves_what_an_undisturbed_one_does(
    database: Database, forge_home: object, server: Arxiv, monkeypatch: pytest.MonkeyPatch, kill: int
) -> None:
    stock(server, 5)

    def add() -> None:
        add_source(database, settings(), "arxiv:cs.LG,stat.ML", "cs-lg-stat-ml", {"endpoint": server.address, "with": ["latex"]})

    add()
    whole = ArxivFeed.changes

    def dying(self: ArxivFeed, cursor: dict[str, Any] | None) -> Iterator[Page]:
        for count, page in enumerate(whole(self, cursor), 1):
            if count == kill:
                raise _Killed
            yield page

    with monkeypatch.context() as patch:
        patch.setattr(ArxivFeed, "changes", dying)
        with pytest.raises(_Killed):
            ingest(database)
    assert len(rows(database, "SELECT FROM harvested")) == 4 * (kill - 1)
    server.requests.clear()
    ingest(database)
    assert ("resumptionToken" in server.requests[0]) == (kill > 1)
    assert len(rows(database, "SELECT FROM document")) == 10
    mended, asked = digest(database, "document", ALL), len(server.fetched)
    ingest(database)
    assert digest(database, "document", ALL) == mended and len(server.fetched) == asked
    remove_source(database, "cs-lg-stat-ml")
    ingest(database)
    assert rows(database, "SELECT FROM document") == []
    add()
    ingest(database)
    assert digest(database, "document", ALL) == mended
