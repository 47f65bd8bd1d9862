"""Hundreds of malformed and hostile files go through a real run: it ends, nothing leaves it, and each file has its verdict."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from forge_assets.corpus import workers
from forge_assets.corpus.addresses import SHARD_COUNT, file_uri
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.problems import PROBLEMS
from forge_assets.corpus.sources import add_source
from forge_resources.database import Database
from forge_resources.object_store import open_store
from forge_resources.settings import settings
from tests.security.cases import CANARY, Bait, Case, all_cases

ALL = range(SHARD_COUNT)
TIMEOUT_S, GRACE_S = 4.0, 1.0
EACH = 3
"""`make test` takes every third case of those that take no long time, a trial takes all."""
LONG = re.compile(
    rb"html/(deep|attributes|entities)|front/dashes|-long|long\.jsonl|references|tex/(newcommand|def)"
    rb"|bait/(images|links|dots|brackets|braces|slashes|hyphens|underscores|back|tags|items|one-)"
    rb"|bomb|pdf/(glyphs|cmap|image)|deep\.epub|dump/(zeros|lines|spaces)"
)
NEIGHBOUR = "A sound paper number {} says that attention is a weighted mean of values."


@dataclass(frozen=True)
class Listener:
    """A port that anybody may call; `calls` says who did."""

    url: str
    calls: list[object]


@contextmanager
def listening() -> Iterator[Listener]:
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                calls.append(address)
                connection.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield Listener(f"http://127.0.0.1:{server.getsockname()[1]}", calls)
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@dataclass(frozen=True)
class Outcome:
    """What a run made of the files: texts and verdicts (code, sentence) by address."""

    root: Path
    bait: Bait
    cases: list[Case]
    documents: dict[str, str]
    verdicts: dict[str, tuple[str, str]]
    containers: set[str]
    calls: list[object]
    left: list[str]
    neighbours: int

    def uri(self, case: Case) -> str:
        return file_uri(self.root / os.fsdecode(case.name))


def _lay(root: Path, cases: list[Case]) -> None:
    for made in cases:
        path = os.path.join(os.fsencode(root), made.name)  # noqa: PTH118 - bytes
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(made.data)


def _children() -> list[str]:
    """Command lines of living processes that run a parser, pandoc or tesseract for this process."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"PPid:\t{os.getpid()}\n" in (entry / "status").read_text():
                found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if any(word in line for word in ("corpus.worker", "pandoc", "tesseract"))]


@pytest.fixture
def outcome(
    database: Database, forge_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Outcome]:
    monkeypatch.setenv("FORGE_WORKERS", "2")
    monkeypatch.setenv("FORGE_DOCUMENT_TIMEOUT_S", str(TIMEOUT_S))
    monkeypatch.setattr(workers, "GRACE_S", GRACE_S)
    root, trap, secret = tmp_path / "articles", tmp_path / "trap", tmp_path / "secret.tex"
    root.mkdir()
    trap.mkdir()
    secret.write_text(f"{CANARY} stands here.\n")
    monkeypatch.chdir(root)
    with listening() as listener:
        bait = Bait(secret, listener.url, trap)
        cases = all_cases(bait)
        if getattr(request, "param", EACH) == EACH:
            cases = [made for made in cases if not LONG.search(made.name)][::EACH]
        _lay(root, cases)
        neighbours = len(cases) // 10
        for number in range(neighbours):
            (root / f"neighbour{number}.md").write_text(f"# Paper {number}\n\n{NEIGHBOUR.format(number)}\n")
        (root / "link.md").symlink_to(secret)
        config = settings()
        store = open_store(config.objects_url, config)
        add_source(database, config, str(root))
        scan(database, store, config, ALL)
        parse_shards(database, store, config, ALL)
        with database.begin() as connection:
            documents = {row.uri: row.text for row in connection.execute(sa.text("SELECT uri, text FROM document"))}
            rows = connection.execute(sa.text("SELECT uri, code, reason FROM quarantine")).all()
            held = set(connection.execute(sa.text("SELECT DISTINCT container FROM inventory WHERE container IS NOT NULL")).scalars())
        verdicts = {row.uri: (row.code, row.reason) for row in rows}
        yield Outcome(root, bait, cases, documents, verdicts, held, listener.calls, _children(), neighbours)


@pytest.mark.trial
@pytest.mark.parametrize("outcome", [1], indirect=True)
def test_all_of_them(outcome: Outcome) -> None:
    assert len(outcome.cases) >= 800
    _judge(outcome)


def test_every_file_has_its_verdict_and_nothing_gets_out(outcome: Outcome) -> None:
    assert len(outcome.cases) >= 220
    _judge(outcome)


def _judge(outcome: Outcome) -> None:
    _nothing_got_out(outcome)
    _every_file_has_a_verdict(outcome)
    _verdicts_are_right(outcome)
    for number in range(outcome.neighbours):
        assert NEIGHBOUR.format(number) in outcome.documents[file_uri(outcome.root / f"neighbour{number}.md")]


def _nothing_got_out(outcome: Outcome) -> None:
    assert outcome.calls == [], "somebody connected"
    assert list(outcome.bait.trap.iterdir()) == [], "a payload ran, or a file was written outside"
    assert outcome.left == [], "a process was left behind"
    assert not list(outcome.root.rglob("pwned"))
    passwd = Path("/etc/passwd").read_text().splitlines()[0]
    for uri, text in outcome.documents.items():
        assert CANARY not in text and passwd not in text, f"{uri} quotes a file it may not read"
    assert not any(uri.endswith("link.md") for uri in [*outcome.documents, *outcome.verdicts]), "a link that leads outside was followed"


def _every_file_has_a_verdict(outcome: Outcome) -> None:
    told = {*outcome.documents, *outcome.verdicts, *outcome.containers}
    lost = [made.name for made in outcome.cases if outcome.uri(made) not in told]
    assert not lost, f"no verdict on {lost}"
    curt = [
        f"{uri}: {code}: {reason}" for uri, (code, reason) in outcome.verdicts.items() if code not in PROBLEMS or len(reason.split()) < 3
    ]
    assert not curt, "\n".join(curt)


def _verdicts_are_right(outcome: Outcome) -> None:
    wrong = []
    for made in outcome.cases:
        uri = outcome.uri(made)
        text, (code, reason) = outcome.documents.get(uri, ""), outcome.verdicts.get(uri, ("", ""))
        if made.codes and code not in made.codes:
            records = f"{file_uri(outcome.root)}#{os.fsdecode(made.name)}/"
            own = {verdict[0] for address, verdict in outcome.verdicts.items() if address.startswith((uri, records))}
            if uri not in outcome.containers or not own & made.codes:
                wrong.append(f"{made.name!r}: {code or 'a document'} ({reason}), wanted {sorted(made.codes)}")
        if made.says and made.says not in text:
            wrong.append(f"{made.name!r}: {code} {reason}: its text is not read")
        wrong += [f"{made.name!r} says {word}" for word in made.never if word in text]
        if code == "crashed" or "reader failed" in reason:
            wrong.append(f"{made.name!r}: {code}: {reason}")
    assert not wrong, "\n".join(wrong)
