"""A feed is harvested page by page, nothing is lost and nothing asked twice, whatever breaks off; the inventory follows it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import zstandard

from forge_assets.corpus import harvest as harvest_module
from forge_assets.corpus import inventory
from forge_assets.corpus.addresses import SHARD_COUNT, document_id, shard_of
from forge_assets.corpus.catalogue import digest, problem_counts, retry
from forge_assets.corpus.harvest import HarvestReport, harvest
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.inventory_rows import ScanReport
from forge_assets.corpus.sources import Cursor, Feed, Fetched, Found, Page, list_sources, remove_source
from forge_resources.database import Database
from forge_resources.errors import DocumentProblem, FetchError, ObjectStoreError
from forge_resources.object_store import ObjectStore, open_store
from forge_resources.settings import settings

ALL = range(SHARD_COUNT)
Answer = Fetched | Exception


@dataclass
class Script:
    """A feed that tells what the test wrote down: pages, or the exception to raise in their place; and an answer per location."""

    pages: list[Page | Exception]
    answers: dict[str, Answer] = field(default_factory=dict)
    fetches_per_run: int = 100
    name: str = "script"
    address: str = "script:all"
    asked: list[Cursor | None] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    validators: list[str | None] = field(default_factory=list)
    before_page: Callable[[], None] = lambda: None

    def check(self) -> None:
        return None

    def changes(self, cursor: Cursor | None) -> Iterator[Page]:
        self.asked.append(cursor)
        for page in self.pages[(cursor or {"at": 0})["at"] :]:
            self.before_page()
            if isinstance(page, Exception):
                raise page
            yield page

    def fetch(self, external_id: str, location: str, validator: str | None) -> Fetched:
        self.fetched.append(external_id)
        self.validators.append(validator)
        answer = self.answers[location]
        if isinstance(answer, Exception):
            raise answer
        return answer


def inline(number: int, text: str = "Some text.", token: str = "1") -> Found:
    return Found(f"d:{number}", token, data=f'{{"doc_id": "d:{number}", "title": "Title {number}", "abstract": "{text}"}}'.encode())


def behind(number: int, token: str = "1") -> Found:
    return Found(f"f:{number}", token, location=f"at:{number}")


def page(at: int, *found: Found, **more: Any) -> Page:
    return Page(found, {"at": at}, **more)


def transient(text: str = "the host is away") -> FetchError:
    return FetchError(text, transient=True, status=503)


@pytest.fixture
def store(forge_home: Path) -> ObjectStore:
    return open_store(settings().objects_url, settings())


@pytest.fixture
def listed(database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Script]:
    """Makes a script a source of the database, and the one that scans load."""
    known: list[Feed] = []
    monkeypatch.setattr(inventory, "load_sources", lambda db, settings: list(known))

    def make(*pages: Page | Exception, **more: Any) -> Script:
        script = Script(list(pages), **more)
        known.append(script)
        with database.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO source (name, address) VALUES (:name, :address)"), {"name": script.name, "address": script.address}
            )
        return script

    return make


def run(database: Database, store: ObjectStore, script: Script) -> HarvestReport:
    return harvest(database, store, script, settings())


def look(database: Database, store: ObjectStore, shards: range | list[int] = ALL) -> ScanReport:
    return scan(database, store, settings(), shards)


def sql(database: Database, statement: str, **values: object) -> list[Any]:
    with database.begin() as connection:
        result = connection.execute(sa.text(statement), values)
        return list(result.all()) if result.returns_rows else []


def held(database: Database, table: str = "harvested") -> dict[str, Any]:
    return {row.external_id: row for row in sql(database, f"SELECT * FROM {table}")}


def objects(store: ObjectStore) -> set[str]:
    return {info.key for info in store.list("raw/")}


# -- pages -----------------------------------------------------------------------------------------------------------------


def test_what_a_feed_tells_becomes_documents(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    script = listed(page(1, *(inline(n) for n in range(150))), page(2, *(inline(n) for n in range(150, 200))))
    report = look(database, store)
    assert (report.new, report.harvested, report.unreachable, report.problems) == (200, 200, [], 0)
    rows = held(database, "inventory")
    row = rows["d:7"]
    assert (row.uri, row.container, row.source) == ("script:all#d:7", "script:all", "script")
    assert (row.document_id, row.shard) == (document_id(row.uri), shard_of(document_id(row.uri)))
    assert zstandard.decompress(store.get(row.raw_key))[row.raw_offset :][: row.raw_length] == inline(7).data
    assert parse_shards(database, store, settings(), ALL).parsed == 200
    script.pages.append(page(3, inline(3, "Other text.", "2"), Found("d:4", "2", deleted=True), inline(5, token="2")))
    again = look(database, store)
    assert script.asked == [None, {"at": 2}]
    assert (again.new, again.changed, again.removed, again.unchanged) == (0, 1, 1, 198)
    assert held(database)["d:5"].token == "2"


def test_a_feed_that_breaks_off_goes_on_after_its_last_whole_page(
    database: Database, store: ObjectStore, listed: Callable[..., Script]
) -> None:
    script = listed(page(1, inline(1)), transient(), page(2, inline(2)))
    report = look(database, store)
    assert report.new == 1
    assert report.unreachable == ["source script (script:all): the host is away"]
    (row,) = list_sources(database)
    assert (row["failure"], row["pending"], row["harvested_at"]) == ("the host is away", 0, None) and row["failed_at"]
    script.pages[1] = page(1)
    assert look(database, store).new == 1
    assert script.asked == [None, {"at": 1}]
    (row,) = list_sources(database)
    assert row["failure"] is row["failed_at"] is None and row["harvested_at"]


def test_a_mistake_of_a_connector_is_its_own(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    listed(KeyError("records"), page(1, inline(1)))
    listed(page(1, inline(1)), name="other", address="script:other")
    report = look(database, store)
    assert report.new == 1
    assert report.unreachable == ["source script (script:all): the connector failed: KeyError: 'records'"]


def test_what_is_told_twice_counts_once_and_the_last_word_wins(
    database: Database, store: ObjectStore, listed: Callable[..., Script]
) -> None:
    listed(
        page(1, inline(1, "old"), inline(2), inline(1, "new"), Found("d:3", "1", deleted=True), inline(3), inline(4)),
        page(2, inline(2), Found("d:4", "2", deleted=True), Found("d:9", "1", deleted=True)),
    )
    assert look(database, store).new == 3
    assert parse_shards(database, store, settings(), ALL).parsed == 3
    assert {row[0] for row in sql(database, "SELECT text FROM document")} == {
        "Title 1\n\nnew", "Title 2\n\nSome text.", "Title 3\n\nSome text."
    }  # fmt: skip


def test_a_full_listing_removes_what_it_does_not_name(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    script = listed(page(1, inline(1), inline(2), sweep=1), page(2, inline(3), sweep=1, ends_sweep=True))
    look(database, store)
    script.pages += [page(3, inline(2), sweep=2), transient(), page(5, inline(4), sweep=2, ends_sweep=True)]
    assert (look(database, store).removed, len(held(database))) == (0, 3)
    script.pages[3] = page(4, inline(3), sweep=2)
    report = look(database, store)
    assert (report.removed, report.new) == (1, 1)
    assert set(held(database)) == set(held(database, "inventory")) == {"d:2", "d:3", "d:4"}


def test_a_full_listing_that_names_nothing_is_not_believed(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    script = listed(page(1, *(inline(n) for n in range(25)), sweep=1, ends_sweep=True))
    look(database, store)
    script.pages.append(page(2, sweep=2, ends_sweep=True))
    report = look(database, store)
    assert "lists nothing, but held 25 documents" in report.unreachable[0]
    assert len(held(database, "inventory")) == 25
    assert sql(database, "SELECT cursor FROM harvest") == [({"at": 1},)]


def test_what_the_feed_calls_a_problem_or_is_too_large_is_quarantined(
    database: Database, store: ObjectStore, listed: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_MAX_DOCUMENT_MB", "0.001")
    listed(page(1, Found("d:1", "1", problem="no_text: withdrawn"), inline(2, "x" * 2000), Found("d:3", "1"), inline(4)))
    assert look(database, store).problems == 3
    parse_shards(database, store, settings(), ALL)
    assert problem_counts(database) == {"missing": 1, "no_text": 1, "too_large": 1}


def test_odd_ids_and_tokens_harm_nobody(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    data = b"# A page\n\nWith some text in it.\n"
    listed(page(1, Found("nul \0 lone \ud83d", "tok\0en", data=data), Found("i" * 5000, "1", data=data), Found("", "1", data=data)))
    report = look(database, store)
    assert (report.new, report.unreachable) == (3, [])
    assert parse_shards(database, store, settings(), ALL).parsed == 3


def test_the_ui_tells_which_source_could_not_be_reached(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    import dagster as dg

    from forge_assets.corpus.checks import every_source_could_be_reached
    from forge_assets.reporting import figures
    from forge_resources.for_dagster import DatabaseResource

    script = listed(transient())
    report = look(database, store)
    metadata = dg.MaterializeResult(metadata=figures(report)).metadata
    assert metadata is not None and metadata["unreachable"] == ["source script (script:all): the host is away"]
    result = every_source_could_be_reached(DatabaseResource())
    assert isinstance(result, dg.AssetCheckResult) and not result.passed and result.severity == dg.AssetCheckSeverity.WARN
    assert result.description == "source script: the host is away"
    script.pages[0] = page(1, inline(1))
    look(database, store)
    result = every_source_could_be_reached(DatabaseResource())
    assert isinstance(result, dg.AssetCheckResult) and result.passed


# -- shards, two runs, kills -----------------------------------------------------------------------------------------------


def test_a_run_over_some_shards_takes_only_those_and_loses_nothing(
    database: Database, store: ObjectStore, listed: Callable[..., Script]
) -> None:
    script = listed(page(1, *(inline(n) for n in range(300))))
    first = look(database, store, [0, 5])
    shards = {row.shard for row in held(database, "inventory").values()}
    assert shards == {0, 5} and first.new == len(held(database, "inventory")) < 300
    script.pages.append(page(2, *(Found(f"d:{n}", "2", deleted=True) for n in range(300) if n % 2)))
    look(database, store, [5])
    rest = look(database, store)
    assert script.asked == [None, {"at": 1}, {"at": 2}]
    assert set(held(database, "inventory")) == {f"d:{n}" for n in range(0, 300, 2)}
    assert rest.unchanged + rest.new == 150


def test_a_source_is_harvested_by_one_run_at_a_time(
    database: Database, store: ObjectStore, listed: Callable[..., Script], caplog: pytest.LogCaptureFixture
) -> None:
    inside, go = threading.Event(), threading.Event()

    def stop() -> None:
        inside.set()
        assert go.wait(20)

    script = listed(page(1, inline(1)), before_page=stop)
    reports: list[HarvestReport] = []
    thread = threading.Thread(target=lambda: reports.append(run(database, store, script)))
    thread.start()
    assert inside.wait(20)
    second = run(database, store, script)
    go.set()
    thread.join(20)
    assert second.busy and second.told == 0 and reports[0].told == 1
    assert "another run harvests it" in caplog.text
    assert script.asked == [None]


def test_a_source_that_is_removed_meanwhile_stays_removed(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    script = listed(page(1, inline(1)), page(2, inline(2)))
    pages = iter(range(2))

    def remove() -> None:
        if next(pages) == 1:
            remove_source(database, "script")

    script.before_page = remove
    run(database, store, script)
    assert held(database) == {} and sql(database, "SELECT * FROM harvest") == []


class _KilledError(BaseException):
    """What a kill looks like from inside: nothing after it runs."""


@pytest.mark.parametrize("where", ["still_ours", "write_rows", "drop_harvested"])
def test_killed_between_the_pack_and_its_rows_a_page_is_asked_again_and_nothing_is_left_over(
    database: Database, store: ObjectStore, listed: Callable[..., Script], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    script = listed(page(1, *(inline(n) for n in range(10))), page(2, *(inline(n) for n in range(10, 20))))
    real, calls = getattr(harvest_module, where), iter(range(99))

    def kill(*arguments: Any) -> Any:
        if next(calls) == 1:
            raise _KilledError
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(harvest_module, where, kill)
        with pytest.raises(_KilledError):
            look(database, store)
    assert len(held(database)) == 10 and sql(database, "SELECT cursor FROM harvest") == [({"at": 1},)]
    script.pages[1] = page(2, *(inline(n, "Changed since.") for n in range(10, 20)))  # so the pack already written serves nobody
    report = look(database, store)
    assert (report.new, script.asked) == (20, [None, {"at": 1}])
    assert objects(store) == {row.raw_key for row in held(database).values()}


def test_a_harvest_in_pieces_is_the_harvest_in_one(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    pages = [page(n + 1, *(inline(m, f"text {n}") for m in range(n * 5, n * 5 + 8))) for n in range(6)]
    script = listed(*pages)
    look(database, store)
    whole = digest(database, "inventory", ALL)
    remove_source(database, "script")
    script.name = "script"
    sql(database, "INSERT INTO source (name, address) VALUES ('script', 'script:all')")
    for n in range(6):
        script.pages = [*pages[: n + 1], transient()]
        look(database, store)
    assert digest(database, "inventory", ALL) == whole


# -- bytes that are fetched ------------------------------------------------------------------------------------------------


def answer(text: str = "# A page\n\nWith some text in it.\n", validator: str | None = "v1") -> Fetched:
    return Fetched(text.encode(), validator)


def test_bytes_are_fetched_the_newest_first_and_as_many_as_allowed(
    database: Database, store: ObjectStore, listed: Callable[..., Script]
) -> None:
    script = listed(page(1, *(behind(n) for n in range(10, 40))), fetches_per_run=20)
    script.answers = {f"at:{n}": answer(f"# Page {n}\n\nSome text of it.\n") for n in range(10, 40)}
    report = look(database, store)
    assert (report.harvested, report.fetched, report.pending, report.new) == (30, 20, 10, 20)
    assert set(script.fetched) == {f"f:{n}" for n in range(20, 40)}
    assert list_sources(database)[0]["pending"] == 10
    again = look(database, store)
    assert (again.fetched, again.pending, again.new, len(script.fetched)) == (10, 0, 10, 30)
    assert store.get(held(database, "inventory")["f:12"].raw_key).startswith(b"# Page 12")
    assert parse_shards(database, store, settings(), ALL).parsed == 30


def test_what_has_not_changed_is_not_fetched_and_an_old_version_stays_until_the_new_one_came(
    database: Database, store: ObjectStore, listed: Callable[..., Script]
) -> None:
    script = listed(page(1, behind(1), behind(2)), answers={"at:1": answer(), "at:2": answer("# Two\n\nOld text.\n")})
    look(database, store)
    before = digest(database, "inventory", ALL)
    script.pages += [page(2, behind(1), behind(2)), page(3, behind(1, "2"), behind(2, "2"))]
    script.answers = {"at:1": Fetched(None), "at:2": transient()}
    script.fetched.clear()
    script.validators.clear()
    report = look(database, store)
    assert (sorted(script.fetched), script.validators) == (["f:1", "f:2"], ["v1", "v1"])
    assert (report.changed, report.removed, report.pending) == (0, 0, 1)
    assert digest(database, "inventory", ALL) == before
    sql(database, "UPDATE harvested SET retry_at = now()")
    script.answers["at:2"] = answer("# Two\n\nNew text.\n", "v2")
    assert (look(database, store).changed, held(database)["f:2"].validator) == (1, "v2")
    assert objects(store) == {row.raw_key for row in held(database).values()}


def test_failures_of_one_document_are_its_own(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    final = FetchError("403 for at:3", transient=False, status=403)
    answers: dict[str, Answer] = {
        "at:1": Fetched(None, gone=True), "at:2": DocumentProblem("encrypted", "locked"), "at:3": final, "at:4": transient(),
        "at:5": ValueError("a mistake"), "at:6": Fetched(None), "at:7": answer(),
    }  # fmt: skip
    script = listed(page(1, *(behind(n) for n in range(1, 8))), answers=answers)
    report = look(database, store)
    assert (report.fetched, report.pending, report.problems, report.new, report.unreachable) == (5, 2, 4, 5, [])
    problems = {name: row.problem for name, row in held(database).items()}
    assert problems["f:1"].startswith("missing: ") and problems["f:6"].startswith("missing: ")
    assert (problems["f:2"], problems["f:3"]) == ("encrypted: locked", "missing: 403 for at:3")
    assert problems["f:4"] is problems["f:5"] is problems["f:7"] is None
    parse_shards(database, store, settings(), ALL)
    assert problem_counts(database) == {"missing": 3, "encrypted": 1}
    script.fetched.clear()
    script.pages.append(page(2, *(behind(n) for n in range(1, 8))))  # told again as it was: nobody is asked before his time
    look(database, store)
    assert script.fetched == []
    retry(database, "missing")
    script.answers["at:3"] = answer()
    look(database, store)
    assert sorted(script.fetched) == ["f:1", "f:3", "f:6"]
    parse_shards(database, store, settings(), ALL)
    assert problem_counts(database) == {"missing": 2, "encrypted": 1}


def test_a_document_that_was_there_and_is_gone_goes_and_one_that_is_refused_stays(
    database: Database, store: ObjectStore, listed: Callable[..., Script]
) -> None:
    script = listed(page(1, behind(1), behind(2)), answers={"at:1": answer("# One\n\ntext\n"), "at:2": answer("# Two\n\ntext\n")})
    look(database, store)
    script.pages.append(page(2, behind(1, "2"), behind(2, "2")))
    script.answers = {"at:1": Fetched(None, gone=True), "at:2": FetchError("refused", transient=False, status=403)}
    report = look(database, store)
    assert (report.removed, report.pending, set(held(database, "inventory"))) == (1, 1, {"f:2"})
    assert held(database)["f:2"].retry_at > datetime.now(UTC) + timedelta(days=6)
    assert objects(store) == {held(database)["f:2"].raw_key}


def test_a_host_that_is_down_is_left_alone(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    script = listed(page(1, *(behind(n) for n in range(100))), answers={f"at:{n}": transient("timeout") for n in range(100)})
    report = look(database, store)
    assert 5 <= len(script.fetched) < 16
    assert report.pending == 100 and report.fetched == 0
    assert report.unreachable == ["source script (script:all): 5 documents in a row could not be fetched, the last: timeout"]
    assert {row.tries for row in held(database).values()} == {0, 1}


def test_a_host_that_is_down_does_not_keep_the_others_waiting(
    database: Database, store: ObjectStore, listed: Callable[..., Script]
) -> None:
    places = {f"u:{n}": f"https://{'down' if n % 2 else 'up'}.example/{n}" for n in range(60)}
    answers: dict[str, Answer] = {at: transient(f"no {at}") if "down" in at else answer(at) for at in places.values()}
    listed(page(1, *(Found(name, "1", location=at) for name, at in places.items())), answers=answers)
    report = look(database, store)
    assert (report.fetched, report.pending, len(report.unreachable)) == (30, 30, 1)


def test_a_document_is_tried_again_later_and_later(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    script = listed(page(1, behind(1)), answers={"at:1": transient()})
    waits = []
    for _ in range(12):
        run(database, store, script)
        waits.append(round((held(database)["f:1"].retry_at - datetime.now(UTC)) / timedelta(hours=1)))
        run(database, store, script)  # not due: nobody is asked
        sql(database, "UPDATE harvested SET retry_at = now() - interval '1 s'")
    assert len(script.fetched) == 12
    assert waits == [2, 4, 8, 16, 32, 64, 128, 168, 168, 168, 168, 168]


@pytest.mark.parametrize(("days", "asked"), [(9, ["f:1"]), (7, []), (-1, ["f:1"])])
def test_a_clock_that_was_set_back_keeps_nothing_waiting_for_ever(
    database: Database, store: ObjectStore, listed: Callable[..., Script], days: int, asked: list[str]
) -> None:
    script = listed(page(1, behind(1)), answers={"at:1": answer()}, fetches_per_run=0)
    run(database, store, script)
    script.fetches_per_run = 10
    sql(database, "UPDATE harvested SET retry_at = now() + make_interval(days => :days)", days=days)
    run(database, store, script)
    assert script.fetched == asked


def test_documents_that_fail_for_ever_do_not_keep_new_ones_waiting(
    database: Database, store: ObjectStore, listed: Callable[..., Script]
) -> None:
    script = listed(page(1, *(behind(n) for n in range(40))), answers={f"at:{n}": answer(str(n)) for n in range(80)}, fetches_per_run=0)
    run(database, store, script)
    sql(database, "UPDATE harvested SET retry_at = now() - interval '1 s', tries = 3")
    script.pages.append(page(2, *(behind(n, "2") for n in range(40, 80))))
    script.fetches_per_run = 20
    run(database, store, script)
    assert sum(int(name[2:]) >= 40 for name in script.fetched) == 10 and len(script.fetched) == 20


def test_an_object_store_that_fails_ends_the_run_and_not_the_document(
    database: Database, store: ObjectStore, listed: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = listed(page(1, behind(1)), answers={"at:1": answer()})

    def full(data: bytes) -> str:
        raise ObjectStoreError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store, "put_raw", full)
        with pytest.raises(ObjectStoreError):
            look(database, store)
    assert held(database)["f:1"].wanted and held(database)["f:1"].tries == 0
    assert look(database, store).fetched == 1 and len(script.fetched) == 2


def test_bytes_that_the_object_store_lost_are_asked_for_again(
    database: Database, store: ObjectStore, listed: Callable[..., Script]
) -> None:
    script = listed(page(1, inline(1), inline(2), behind(3)), answers={"at:3": answer()})
    look(database, store)
    for key in objects(store):
        store.delete(key)
    parse_shards(database, store, settings(), ALL)
    assert problem_counts(database) == {"missing": 3}
    look(database, store)
    assert script.asked == [None, None] and script.validators == [None, None]
    assert parse_shards(database, store, settings(), ALL).parsed == 3
    assert problem_counts(database) == {}


def test_removing_a_feed_removes_its_documents_and_bytes(database: Database, store: ObjectStore, listed: Callable[..., Script]) -> None:
    listed(page(1, inline(1), behind(2)), answers={"at:2": answer()})
    look(database, store, [0])  # of most shards nothing is in the inventory yet
    assert len(objects(store)) == 2
    remove_source(database, "script")
    assert held(database) == {}
    inventory_without = scan(database, store, settings(), ALL)
    assert inventory_without.harvested == 0 and held(database, "inventory") == {} and objects(store) == set()
