"""The arXiv feed against a local server that speaks the protocol: nothing lost, nothing twice, whatever breaks off."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forge_assets.corpus.parse import parse_record
from forge_assets.corpus.sources.arxiv import ENDPOINT, ArxivFeed
from forge_assets.corpus.sources.arxiv_sets import belongs, set_spec
from forge_assets.corpus.sources.interface import Page
from forge_resources.errors import FetchError, SourceError
from forge_resources.settings import Settings
from tests.corpus.arxiv_feeds import feed_of, held, ids, papers
from tests.corpus.arxiv_server import Arxiv, Paper, Reply, serving


@pytest.fixture
def server() -> Iterator[Arxiv]:
    with serving() as arxiv:
        yield arxiv


@pytest.mark.parametrize(
    ("asked", "spec"),
    [("cs.LG", "cs:cs:LG"), ("cs", "cs"), ("stat.ML", "stat:stat:ML"), ("hep-th", "physics:hep-th"), ("physics", "physics:physics"),
     ("physics.comp-ph", "physics:physics:comp-ph"), ("cond-mat.stat-mech", "physics:cond-mat:stat-mech"), ("q-bio.BM", "q-bio:q-bio:BM"),
     ("cond-mat", "physics:cond-mat"), ("math", "math")],
)  # fmt: skip
def test_a_category_is_asked_for_by_the_name_the_protocol_has_for_it(asked: str, spec: str) -> None:
    assert set_spec(asked) == spec


@pytest.mark.parametrize(
    ("address", "options", "word"),
    [
        ("arxiv:", {}, "names no archive"),
        ("arxiv: , ", {}, "names no archive"),
        ("arxiv:computing", {}, "no archive 'computing'"),
        ("arxiv:cs.learning rates", {}, "no category"),
        ("arxiv:hep-th.QA", {}, "not divided"),
        ("arxiv:cmp-lg", {}, "cs.CL"),
        ("arxiv:cs.LG", {"fields": {"title": "t"}}, "fields"),
        ("arxiv:cs.LG", {"from": "yesterday"}, "yesterday"),
        ("arxiv:cs.LG", {"from": "2026-02-01", "until": "2026-01-01"}, "after until"),
        ("arxiv:cs.LG", {"with": ["ps"]}, "latex, pdf"),
        ("arxiv:cs.LG", {"endpoint": "arxiv.org"}, "endpoint"),
        ("arxiv:cs.LG", {"pause": -1}, "pause"),
        ("arxiv:cs.LG", {"snapshot": "/nowhere/at/all.json"}, "no file"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(address: str, options: dict[str, Any], word: str) -> None:
    with pytest.raises(SourceError, match=word):
        ArxivFeed("x", address, options, Settings()).check()


def test_a_check_asks_nobody_and_the_real_arxiv_is_the_default() -> None:
    feed = ArxivFeed("x", "arxiv:cs.LG,hep-th", {}, Settings(fetches_per_run=7))
    feed.check()
    assert feed.fetches_per_run == 7 and ENDPOINT.startswith("https://oaipmh.arxiv.org")


def test_all_pages_are_read_one_after_the_other_and_a_whole_archive_too(server: Arxiv) -> None:
    server.papers = papers(5)
    pages = list(feed_of(server).changes(None))
    assert ids(pages) == [f"arxiv:2501.0000{n}" for n in range(1, 6)]
    assert [len(page.found) for page in pages] == [2, 2, 1]
    first, *others = server.requests
    assert first == {"verb": "ListRecords", "metadataPrefix": "arXiv", "set": "cs:cs:LG"}
    assert all(set(other) == {"verb", "resumptionToken"} for other in others) and len(others) == 2
    assert ids(feed_of(server, "arxiv:cs").changes(None)) == ids(pages)


def test_pages_come_as_they_are_asked_for(server: Arxiv) -> None:
    server.papers = papers(9)
    assert len(list(itertools.islice(feed_of(server).changes(None), 2))) == 2
    assert len(server.requests) == 2


def test_a_record_is_read_well(server: Arxiv) -> None:
    fields = {"comments": "12 pages", "journal-ref": "J. Tests 1 (2025)", "doi": "10.1000/XYZ", "report-no": "R-1",
              "license": "http://creativecommons.org/licenses/by/4.0/"}  # fmt: skip
    server.papers = [Paper("math/0309136", "2026-01-01", "On\n  $p$-adic sums & <others>", categories="math.NT cs.LG", fields=fields,
                           created="2003-09-08", updated="2004-01-02")]  # fmt: skip
    [page] = feed_of(server).changes(None)
    [found] = page.found
    assert found.external_id == "arxiv:math/0309136" and found.data is not None
    document = parse_record(json.loads(found.data), found.external_id)
    parsed = document.parsed
    assert parsed.identifiers == {"arxiv": "math/0309136", "doi": "10.1000/xyz"}
    assert parsed.authors == ["Ada Lovelace", "Martin Luther King Jr."]
    assert (parsed.published, parsed.license, parsed.venue) == ("2003-09-08", "CC-BY-4.0", "J. Tests 1 (2025)")
    assert parsed.url == "https://arxiv.org/abs/math/0309136" and parsed.metadata["categories"] == "math.NT cs.LG"
    assert parsed.title and "others" in parsed.title and "We show a result that spans two lines." in document.text
    assert list(json.loads(found.data)) == sorted(json.loads(found.data))


def test_the_next_harvest_asks_from_the_day_before_the_first_answer_of_the_last(server: Arxiv) -> None:
    server.papers = papers(3)
    harvest = feed_of(server).changes(None)
    next(harvest)
    server.now = "2026-02-02T03:00:00Z"  # the harvest goes on past midnight
    server.papers.append(Paper("2501.09999", "2026-02-01", "Came while we read"))
    *_, last = harvest
    server.requests.clear()
    server.papers[0].title, server.papers[0].datestamp = "A new title", "2026-02-01"
    again = list(feed_of(server).changes(last.cursor))
    assert server.requests[0]["from"] == "2026-01-31"
    assert set(ids(again)) == {"arxiv:2501.09999", "arxiv:2501.00001"}
    assert b"A new title" in (held(again)["arxiv:2501.00001"].data or b"")


def test_what_is_delivered_twice_is_the_same_to_the_byte(server: Arxiv) -> None:
    server.papers, server.overlap = papers(7), 1
    pages = list(feed_of(server).changes(None))
    assert len(ids(pages)) > len(set(ids(pages))) == 7
    by_id: dict[str, set[tuple[str, bytes | None]]] = {}
    for found in (found for page in pages for found in page.found):
        by_id.setdefault(found.external_id, set()).add((found.token, found.data))
    assert all(len(versions) == 1 for versions in by_id.values())


def test_nothing_new_is_no_failure_and_moves_the_cursor(server: Arxiv) -> None:
    [page] = feed_of(server).changes(None)
    assert page.found == []
    server.now = "2026-03-01T00:00:00Z"
    [page] = feed_of(server).changes(page.cursor)
    [page] = feed_of(server).changes(page.cursor)
    assert [request.get("from") for request in server.requests] == [None, "2026-01-31", "2026-02-28"]


def test_a_deleted_record_and_its_files_are_told(server: Arxiv) -> None:
    server.papers = papers(2)
    feed = feed_of(server, **{"with": ["latex", "pdf"]})
    first = list(feed.changes(None))
    before = held(first)
    assert len(before) == 6
    server.papers[1].deleted, server.papers[1].datestamp = True, "2026-02-01"
    after = held(feed.changes(first[-1].cursor), before)
    assert set(after) == {"arxiv:2501.00001", "arxiv:2501.00001#latex", "arxiv:2501.00001#pdf"}


@pytest.mark.parametrize("kill", range(1, 8))
def test_a_killed_harvest_goes_on_after_its_last_page(server: Arxiv, kill: int) -> None:
    both = Paper("2501.00077", "2026-01-05", "In both", categories="cs.LG cs.CL")
    server.papers = [*papers(6), both, Paper("2501.00088", "2026-01-05", "Only in CL", categories="cs.CL")]
    feed = feed_of(server, "arxiv:cs.LG,cs.CL")
    whole = held(feed.changes(None))
    begun = list(itertools.islice(feed.changes(None), kill))
    server.requests.clear()
    rest = list(feed.changes(json.loads(json.dumps(begun[-1].cursor))))
    assert held([*begun, *rest]) == whole and len(whole) == 8
    assert len(rest) <= 6 - kill or kill >= 4


def test_an_expired_token_starts_again_at_the_last_date_seen(server: Arxiv) -> None:
    server.papers = papers(9)
    begun = list(itertools.islice(feed_of(server).changes(None), 3))
    server.generation += 1
    server.requests.clear()
    rest = list(feed_of(server).changes(begun[-1].cursor))
    assert server.requests[1]["from"] == "2026-01-04"
    assert set(ids([*begun, *rest])) == {f"arxiv:2501.0000{n}" for n in range(1, 10)}
    assert rest[-1].cursor["since"] == {"cs:cs:LG": "2026-01-31"}


def test_where_pages_are_not_in_the_order_of_dates_an_expired_token_starts_from_the_beginning(server: Arxiv) -> None:
    server.papers = papers(4)
    feed = feed_of(server, **{"from": "2025-12-01"})
    body = server._list({"metadataPrefix": "arXiv", "set": "cs:cs:LG"}).replace("2026-01-01", "2026-01-09").encode()
    server.faults.append(Reply(body))
    begun = list(itertools.islice(feed.changes(None), 1))
    server.generation += 1
    rest = list(feed.changes(begun[-1].cursor))
    assert server.requests[2]["from"] == "2025-12-01"
    assert set(ids([*begun, *rest])) == {f"arxiv:2501.0000{n}" for n in range(1, 5)}


def test_a_server_that_takes_no_token_of_its_own_ends_in_a_transient_failure(server: Arxiv) -> None:
    server.papers = [Paper(f"2501.{n:05}", "2026-01-01", "Title of one") for n in range(9)]
    bad = Reply(server.error("badResumptionToken", "expired").encode())
    server.faults.extend(itertools.chain.from_iterable((None, bad) for _ in range(20)))
    with pytest.raises(FetchError, match="badResumptionToken") as caught:
        list(feed_of(server).changes(None))
    assert caught.value.transient and len(server.requests) < 20


def test_a_token_that_comes_back_unchanged_does_not_turn_in_circles(server: Arxiv) -> None:
    server.papers = papers(5)
    begun = next(feed_of(server).changes(None))
    body = server._list(server.requests[0]).encode()
    server.faults.append(Reply(body))
    with pytest.raises(FetchError, match="repeats") as caught:
        list(feed_of(server).changes(begun.cursor))
    assert caught.value.transient


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html><body>Rate exceeded.</body></html>", id="a web page"),
        pytest.param(b'<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2026', id="cut off"),
        pytest.param(b"\x00\xff\xfe" * 50, id="bytes"),
        pytest.param(
            b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>now</responseDate><ListRecords/></OAI-PMH>', id="no date"
        ),
    ],
)
def test_garbage_is_a_transient_failure_and_what_came_before_is_kept(server: Arxiv, garbage: bytes) -> None:
    server.papers = papers(5)
    server.faults.extend([None, Reply(garbage), Reply(garbage), Reply(garbage)])
    harvest = feed_of(server).changes(None)
    begun: list[Page] = []
    begun.append(next(harvest))
    with pytest.raises(FetchError) as caught:
        begun.append(next(harvest))
    assert caught.value.transient and not server.faults
    rest = list(feed_of(server).changes(begun[-1].cursor))
    assert ids([*begun, *rest]) == [f"arxiv:2501.0000{n}" for n in range(1, 6)]


def test_one_damaged_answer_is_asked_for_again_at_once(server: Arxiv) -> None:
    server.papers = papers(3)
    whole = server._list({"metadataPrefix": "arXiv", "set": "cs:cs:LG"}).encode()
    busy, cut = Reply(b"", 503, {"Retry-After": "0"}), Reply(whole[:900], claimed=len(whole))
    server.faults.extend([Reply(whole[: len(whole) // 2]), busy, None, cut])
    assert ids(feed_of(server).changes(None)) == [f"arxiv:2501.0000{n}" for n in range(1, 4)]


def test_entities_are_not_expanded_and_forbidden_characters_do_no_harm(server: Arxiv, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("password")
    server.papers = papers(1)
    plain = server._list({"metadataPrefix": "arXiv", "set": "cs:cs:LG"})
    doctype = f'<!DOCTYPE x [<!ENTITY leak SYSTEM "{secret.as_uri()}"><!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    bomb = plain.replace("<OAI-PMH", f"{doctype}<OAI-PMH", 1).replace("Paper number 1", "&leak;&b;")
    server.faults.extend([Reply(bomb.encode())] * 3)
    with pytest.raises(FetchError, match="document type"):
        list(feed_of(server).changes(None))
    server.requests.clear()
    server.faults.append(Reply(plain.replace("number 1", "num\x0bber&#x1; 1").encode()))
    [page] = feed_of(server).changes(None)
    assert json.loads(page.found[0].data or b"")["title"] == "Paper number 1"
    assert len(server.requests) == 1


def test_an_argument_the_server_refuses_is_a_lasting_failure(server: Arxiv) -> None:
    server.faults.append(Reply(server.error("badArgument", "Set does not exist").encode()))
    with pytest.raises(FetchError, match="cs:cs:LG: badArgument: Set does not exist") as caught:
        list(feed_of(server).changes(None))
    assert not caught.value.transient


def test_from_and_until_bound_the_harvest_even_where_the_end_lies_in_the_future(server: Arxiv) -> None:
    server.papers = papers(9)
    bounds = {"from": "2026-01-02", "until": "2026-01-03"}
    assert ids(feed_of(server, **bounds).changes(None)) == [f"arxiv:2501.0000{n}" for n in range(2, 6)]
    server.refuses_future_until, server.now = True, "2026-01-03T08:00:00Z"
    pages = list(feed_of(server, **{**bounds, "until": "2026-01-04"}).changes(None))
    assert ids(pages) == [f"arxiv:2501.0000{n}" for n in range(2, 8)]
    server.now = "2026-03-01T00:00:00Z"
    *_, last = feed_of(server, **{**bounds, "until": "2026-01-04"}).changes(pages[-1].cursor)
    server.requests.clear()
    assert list(feed_of(server, **{**bounds, "until": "2026-01-04"}).changes(last.cursor)) == [] and server.requests == []
    list(feed_of(server, **{"from": "1999-01-01"}).changes(None))
    assert "from" not in server.requests[0]


def test_changed_options_make_an_old_cursor_void(server: Arxiv) -> None:
    server.papers = papers(3)
    *_, last = feed_of(server).changes(None)
    assert len(held(feed_of(server, **{"with": ["pdf"]}).changes(last.cursor))) == 6


def test_the_categories_of_a_record_are_matched_as_the_sets_are() -> None:
    assert belongs("math.NT cs.LG", ["cs.LG"]) and belongs("cs.LG", ["cs"]) and belongs("hep-th", ["hep-th"])
    assert not belongs("math.NT", ["cs"]) and not belongs("math-ph", ["math"]) and not belongs("cs.LGX", ["cs.LG"])
