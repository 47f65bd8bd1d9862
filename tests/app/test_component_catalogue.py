"""`forge components` once there is a catalogue: counts and sources, the queue of candidates, decisions in the log, export with spans."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from forge_assets.components.catalogue.build import build
from forge_assets.components.ontology import load_ontology
from forge_resources.database import Database
from forge_resources.decisions import read_decisions
from forge_resources.settings import settings
from tests.app.test_components import Forge
from tests.components.catalogue_corpus import paper, put

BODY = "The study of year {0} was made in room {0} by {1} people, who noted {1} findings on {0} pages and lost {1} of them again."
RECORDS = [
    paper(1, "We propose WobbleNorm, a new normalization layer for kitchens.", "WobbleNorm: Normalization by Wobbling", year=2019),
    *[paper(10 + n, f"We train with AdamW with a learning rate of {n + 1}e-4 and WobbleNorm. {BODY.format(n, n + 3)}", year=2020 + n)
      for n in range(4)],
    paper(20, f"We train with AdamW. {BODY.format(20, 31)}", year=2021),
    paper(30, "We propose FoobarOpt, a new stochastic optimizer.", "FoobarOpt: An Optimizer for Kitchens", year=2022),
]  # fmt: skip


@pytest.fixture
def forge(database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Forge:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "ignored")
    ontology = load_ontology()
    put(database, RECORDS, ontology)
    build(database, ontology)
    return Forge(capsys)


def test_lists_and_trees_show_counts(forge: Forge, tmp_path: Path) -> None:
    listed = json.loads(forge("components", "list", "--slot", "optimizer", "--json").out)
    by_id = {one["id"]: one["catalogue"] for one in listed}
    assert (by_id["adamw"]["works"], by_id["adamw"]["used"], by_id["adamw"]["first_year"]) == (5, 5, 2020)
    assert by_id["lion"] is None
    told = forge("components", "list", "--slot", "optimizer").out
    assert re.search(r"^ +adamw .* 5 +5 ", told, re.MULTILINE) and re.search(r"works +used +trend", told)
    lines = forge("components", "tree", "--slot", "optimizer").out
    assert re.search(r"── AdamW  adamw · 201\d · 5 works\n", lines)
    (task,) = json.loads(forge("components", "tree", "--slot", "optimizer", "--json").out)
    assert sum(_works(task)) == 5
    page = tmp_path / "tree.html"
    assert forge("components", "tree", "--html", str(page)).code == 0
    assert 'class="counted"' in page.read_text() and "5 works</span>" in page.read_text()


def _works(branch: dict[str, Any]) -> list[int]:
    return [branch.get("works", 0), *(works for child in branch["children"] for works in _works(child))]


def test_a_component_is_shown_with_values_and_their_sources(forge: Forge, database: Database) -> None:
    shown = forge("components", "show", "AdamW").out
    assert re.search(r"^works: +5 name it, 5 use or introduce it, in 5 documents, 2020 to 2023$", shown, re.MULTILINE)
    assert re.search(r"^by year: +2023 1, 2022 1, 2021 2, 2020 1$", shown, re.MULTILINE)
    assert re.search(
        r"^typical: +learning_rate 0\.00025 \(quartiles 0\.000175 and 0\.000325, from 0\.0001 to 0\.0004; 4 works\)$", shown, re.MULTILINE
    )
    assert re.search(r"^ +0\.0001: Note 10 on kitchens \(x:10\), \d+\.\.\d+$", shown, re.MULTILINE)
    entry = json.loads(forge("components", "show", "adamw", "--json").out)["catalogue"]
    (typical,) = [one for one in entry["typical"] if one["parameter"] == "learning_rate"]
    assert {entry["documents_named"][source[0]]["external_id"] for source in typical["sources"]} == {"x:10", "x:11", "x:12", "x:13"}
    assert "works:" not in forge("components", "show", "lion").out, "nobody names it"


def test_candidates_are_listed_and_shown_with_their_evidence(forge: Forge) -> None:
    rows = json.loads(forge("components", "candidates", "--json").out)
    assert [row["candidate"] for row in rows][:2] == ["wobblenorm", "foobaropt"]
    told = forge("components", "candidates", "--top", "1").out
    assert "wobblenorm" in told and "foobaropt" not in told and told.endswith(f"1 of {len(rows)} candidates\n")
    only = json.loads(forge("components", "candidates", "--slot", "optimizer", "--json").out)
    assert {row["slot"] for row in only} == {"optimizer"} and "foobaropt" in {row["candidate"] for row in only}
    shown = forge("components", "candidates", "Wobble-Norm").out
    assert re.search(r"^works: +5, 4 of them beside the one that introduced it; 5 documents$", shown, re.MULTILINE)
    assert re.search(r"^introduced in: +WobbleNorm: Normalization by Wobbling \(x:1\): its title is the name$", shown, re.MULTILINE)
    assert re.search(r"^  title +WobbleNorm: Normalization by Wobbling \(x:1\), 0\.\.10$", shown, re.MULTILINE)
    said = forge("components", "candidates", "zzzz")
    assert (said.code, said.err) == (2, "forge: no candidate is called 'zzzz'; `forge components candidates` lists them\n")


def test_an_accepted_candidate_is_a_component_at_once_and_found_by_the_next_night(forge: Forge, database: Database) -> None:
    assert forge("components", "accept", "wobblenorm").out == "wobblenorm is a component of the slot norm now\n"
    log = settings().overrides_file
    (decision,) = read_decisions(log)
    assert (decision.verdict, decision.subject, decision.reason) == ("accept", "wobblenorm", "named by 5 works")
    assert decision.value["introduced"] == {"title": "WobbleNorm: Normalization by Wobbling", "year": 2019}
    assert decision.author and yaml.safe_load(log.read_text())[0]["author"] == decision.author
    assert forge("components", "show", "WobbleNorm").out.startswith("WobbleNorm  (wobblenorm)")
    assert "wobblenorm" not in {row["candidate"] for row in json.loads(forge("components", "candidates", "--json").out)}
    ontology = load_ontology(log)
    put(database, [], ontology)
    build(database, ontology, log)
    assert json.loads(forge("components", "show", "wobblenorm", "--json").out)["catalogue"]["works"] == 5
    assert forge("components", "reject", "wobblenorm", "--reason", "a joke").out == "wobblenorm is no component any more\n"
    assert forge("components", "show", "wobblenorm").code == 2


def test_a_slot_may_be_given_and_another_name_too(forge: Forge) -> None:
    assert "slot residual" in forge("components", "accept", "foobaropt", "--slot", "residual", "--reason", "odd").out
    assert (
        forge("components", "accept", "SoupDrop", "--slot", "regularization").out
        == "soupdrop is a component of the slot regularization now\n"
    )
    assert forge("components", "show", "soupdrop").code == 0
    said = forge("components", "accept", "nothing of the kind")
    assert (said.code, said.out) == (2, "") and "to accept it all the same, give its --slot" in said.err


def test_what_does_not_fit_is_refused_and_not_logged(forge: Forge) -> None:
    for arguments in (
        ["accept", "wobblenorm", "--slot", "kitchen"],
        ["accept", "AdamW", "--slot", "norm"],
        ["reject", "adamw", "--reason", "no"],
    ):
        said = forge("components", *arguments)
        assert said.code == 2 and re.fullmatch(r"forge: [^\n]+\n", said.err), arguments
    assert "adamw is a component of the slot optimizer already" in forge("components", "accept", "Adam W", "--slot", "norm").err
    assert not settings().overrides_file.exists()
    assert forge("components", "reject", "wobblenorm").code == 2, "a rejection needs its reason"


def test_a_rejected_candidate_stays_away(forge: Forge, database: Database) -> None:
    assert forge("components", "reject", "FoobarOpt", "--reason", "a joke").out == "foobaropt is no candidate any more\n"
    assert "foobaropt" not in forge("components", "candidates").out
    log = settings().overrides_file
    build(database, load_ontology(log), log)
    assert "foobaropt" not in forge("components", "candidates").out


def test_export_gives_json_lines_whose_spans_hold_their_text(forge: Forge, database: Database, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in forge("components", "export", "AdamW").out.splitlines()]
    assert {line["kind"] for line in lines} == {"mention", "parameter"} and {line["component"] for line in lines} == {"adamw"}
    with database.begin() as connection:
        texts = {row.uri: row.text for row in connection.exec_driver_sql("SELECT uri, text FROM document")}
    for line in lines:
        assert texts[line["uri"]][line["start"] : line["end"]] == line["text"]
    assert sum(line["kind"] == "mention" for line in lines) == 5
    file = tmp_path / "all.jsonl"
    assert forge("components", "export", "--kind", "parameter", "--output", str(file)).out == ""
    written = [json.loads(line) for line in file.read_text().splitlines()]
    assert {line["kind"] for line in written} == {"parameter"}
    assert Counter(line["parameter"] for line in written) == {"learning_rate": 4, "optimizer": 5}
    said = forge("components", "export", "--output", "/proc/no/file")
    assert said.code == 2 and "cannot be written" in said.err
    assert forge("components", "export", "adanw").code == 2


def test_nothing_is_made_only_to_look(forge_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forge = Forge(capsys)
    assert forge("components", "list", "--slot", "norm").code == forge("components", "tree", "--slot", "norm").code == 0
    assert "works" not in forge("components", "show", "adamw").out
    assert not (forge_home / "postgres").exists()


def test_an_unreachable_database_is_said_and_the_ontology_is_shown(
    forge_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    said = Forge(capsys)("components", "show", "adamw")
    assert said.code == 0 and "AdamW" in said.out and said.err.startswith("forge: shown without counts: cannot reach ")


def test_before_the_first_night_there_are_no_candidates(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert Forge(capsys)("components", "candidates").out == "no candidates yet: `forge run component_catalog` looks for them\n"
