"""The log of decisions: appended whole or not at all, read strictly, the last word stands; accepted candidates join the ontology."""

from __future__ import annotations

import datetime
import fcntl
import multiprocessing
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from forge_assets.components.ontology import Alias, load_ontology
from forge_assets.components.ontology.load import decide
from forge_resources import decisions
from forge_resources.decisions import Decision, append_decision, read_decisions, standing
from forge_resources.errors import DecisionError, OntologyError
from tests.components.ontology_files import lay

DAY = datetime.date(2026, 1, 31)
MUON = Decision(
    "accept", "component", "muon", "named by 40 works: a \"new\" one # indeed", "jo", DAY,
    value={"name": "Muon", "slot": "optimizer", "aliases": [{"text": "Muon", "context": ["optimizer"]}],
           "introduced": {"title": "Muon", "year": 2024}},
)  # fmt: skip
LATER = datetime.date(2026, 3, 1)


def test_what_is_appended_is_read_back_and_the_file_only_grows(tmp_path: Path) -> None:
    log = tmp_path / "team" / "overrides.yaml"
    assert read_decisions(log) == []
    told = [
        MUON,
        replace(MUON, verdict="reject", value={}, expires=LATER),
        replace(MUON, subject="läst", reason="yes", author="2026-01-31"),
    ]
    for number, decision in enumerate(told, 1):
        before = log.read_bytes() if log.exists() else b""
        append_decision(log, decision)
        assert log.read_bytes().startswith(before)
        assert read_decisions(log) == told[:number]


def test_a_log_written_by_hand_without_a_last_line_break_can_be_added_to(tmp_path: Path) -> None:
    log = tmp_path / "overrides.yaml"
    log.write_text(
        "# ours\n- {decision: reject, kind: component, subject: foo, reason: no, no: 1}".replace(
            "no, no: 1", "'no', author: al, date: 2026-01-01"
        )
    )
    append_decision(log, MUON)
    assert [decision.subject for decision in read_decisions(log)] == ["foo", "muon"]
    assert log.read_text().startswith("# ours\n")


ENTRY = "- {decision: reject, kind: component, subject: foo, reason: none, author: al, date: 2026-01-01}\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (ENTRY.replace("reject", "refuse"), "decision 1: decision is 'refuse', expected one of accept, reject, pin, approve"),
        (ENTRY.replace("reject", "pin"), "decision 1: decision is 'pin'; on a component it can be accept or reject"),
        (ENTRY.replace("kind: component", "kind: thing"), "decision 1: kind is 'thing', expected one of component"),
        (ENTRY + ENTRY.replace("reason", "raeson"), "decision 2: unknown key 'raeson'; did you mean 'reason'?"),
        (ENTRY.replace("author: al, ", ""), "decision 1: author is missing, expected text"),
        (ENTRY.replace("2026-01-01", "yesterday"), "decision 1: date is 'yesterday', expected a date such as 2026-01-31"),
        (ENTRY.replace("date: 2026-01-01", "date: 2026-01-02, expires: 2026-01-01"), "it expires on 2026-01-01, before its date"),
        (ENTRY.replace("author: al", "author: al, author: bo"), "line 1: 'author' stands twice in one entry"),
        (ENTRY + "- {decision: [", "overrides.yaml, line 3: "),
        ("decisions: []\n", "expected a list of decisions"),
        ("- a\n", "decision 1: expected keys with values, found 'a'"),
        (ENTRY.replace("author: al", "author: al, value: 3"), "decision 1: value is no mapping"),
    ],
)  # fmt: skip
def test_a_broken_log_is_told_and_neither_read_nor_added_to(tmp_path: Path, text: str, fault: str) -> None:
    log = tmp_path / "overrides.yaml"
    log.write_text(text)
    with pytest.raises(DecisionError) as raised:
        read_decisions(log)
    assert fault in str(raised.value) and str(log) in str(raised.value) and "\n" not in str(raised.value)
    with pytest.raises(DecisionError):
        append_decision(log, MUON)
    assert log.read_text() == text


@pytest.mark.parametrize(
    ("decision", "fault"),
    [
        (replace(MUON, reason="two\nlines"), "reason has a line break"),
        (replace(MUON, reason=""), "reason is '', expected text"),
        (replace(MUON, verdict="pin"), "on a component it can be accept or reject"),
        (replace(MUON, value={"aliases": ("a", "b")}), "it would not be read back as it is"),
        (replace(MUON, value={"name": object()}), "the decision on 'muon' cannot be written as YAML"),
    ],
)
def test_a_decision_that_could_not_be_read_back_is_not_written(tmp_path: Path, decision: Decision, fault: str) -> None:
    log = tmp_path / "overrides.yaml"
    log.write_text(ENTRY)
    with pytest.raises(DecisionError, match=fault):
        append_decision(log, decision)
    assert log.read_text() == ENTRY


def test_a_log_laid_out_so_that_nothing_can_follow_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "overrides.yaml"
    log.write_text("[" + ENTRY[2:].strip() + "]\n")
    assert len(read_decisions(log)) == 1
    with pytest.raises(DecisionError, match="cannot be added"):
        append_decision(log, MUON)
    assert len(read_decisions(log)) == 1


def test_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(ENTRY.replace("foo", "f\xf6\xf6").encode("latin-1"))
    with pytest.raises(DecisionError, match="is not UTF-8"):
        read_decisions(tmp_path / "latin.yaml")
    with pytest.raises(DecisionError, match="cannot be read: Is a directory"):
        read_decisions(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(DecisionError, match="cannot be written"):
        append_decision(tmp_path / "file" / "overrides.yaml", MUON)


def test_a_write_that_fails_half_way_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "overrides.yaml"
    append_decision(log, MUON)
    whole = log.read_bytes()
    write = os.write
    calls = []

    def full_disk(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:10])

    monkeypatch.setattr(decisions.os, "write", full_disk)
    with pytest.raises(DecisionError, match="cannot be written: No space left on device"):
        append_decision(log, replace(MUON, subject="other"))
    assert len(calls) == 2
    assert log.read_bytes() == whole


@pytest.mark.parametrize("use", [lambda log: append_decision(log, MUON), read_decisions], ids=["append", "read"])
def test_whoever_comes_waits_until_the_one_who_writes_is_done(tmp_path: Path, use: Callable[[Path], object]) -> None:
    log = tmp_path / "overrides.yaml"
    log.write_text(ENTRY)
    with log.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        other = threading.Thread(target=use, args=(log,))
        other.start()
        other.join(0.3)
        assert other.is_alive() and log.read_text() == ENTRY
    other.join(30)
    assert not other.is_alive()


def _append_many(log: Path, author: str) -> None:
    for number in range(8):
        append_decision(log, replace(MUON, subject=f"{author}-{number}", author=author))


def test_processes_append_one_after_the_other(tmp_path: Path) -> None:
    log = tmp_path / "overrides.yaml"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append_many, args=(log, author)) for author in ("al", "bo", "cy")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    subjects = [decision.subject for decision in read_decisions(log)]
    assert sorted(subjects) == sorted(f"{author}-{number}" for author in ("al", "bo", "cy") for number in range(8))
    assert [subject for subject in subjects if subject.startswith("al")] == [f"al-{number}" for number in range(8)]


def test_the_last_word_stands_until_it_expires() -> None:
    no = replace(MUON, verdict="reject", expires=LATER)
    key = ("component", "muon")
    assert standing([MUON, no], DAY) == {key: no}
    assert standing([MUON, no], LATER) == {key: no}, "a decision holds through the day it names"
    assert standing([MUON, no], LATER + datetime.timedelta(1)) == {key: MUON}
    assert standing([no, MUON], DAY) == {key: MUON}
    assert standing([no], LATER + datetime.timedelta(1)) == {}


def test_an_accepted_candidate_joins_the_ontology_and_a_reject_takes_it_back(tmp_path: Path) -> None:
    folder, log = lay(tmp_path / "ontology"), tmp_path / "overrides.yaml"
    shipped = load_ontology(folder=folder)
    assert load_ontology(log, folder=folder) == shipped
    under = decide(log, MUON, folder=folder)
    assert under == load_ontology(log, folder=folder)
    muon = under.components["muon"]
    assert (muon.name, muon.slot, muon.build, muon.tasks) == ("Muon", "optimizer", "described", ("optimization",))
    assert muon.aliases == (Alias("Muon", context=("optimizer",)),)
    assert muon.introduced is not None and muon.introduced.year == 2024
    assert muon.description == "Accepted from the corpus by jo on 2026-01-31."
    assert {name: value for name, value in under.hashes().items() if name != "muon"} == shipped.hashes()
    decide(log, replace(MUON, verdict="reject", value={}), folder=folder)
    assert load_ontology(log, folder=folder) == shipped


def test_an_accepted_candidate_that_the_ontology_has_by_now_only_adds_its_aliases(tmp_path: Path) -> None:
    log = tmp_path / "overrides.yaml"
    value = {"slot": "norm", "name": "Lion", "aliases": ["EvoLved sign momentum", {"text": "Lion", "context": ["momentum"]}]}
    ontology = decide(log, replace(MUON, subject="lion", value=value), folder=lay(tmp_path / "ontology"))
    lion = ontology.components["lion"]
    assert (lion.slot, [alias.text for alias in lion.aliases]) == ("optimizer", ["Lion", "EvoLved sign momentum"])


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"slot": "optimiser"}, "overrides, accepted muon: unknown slot 'optimiser'; did you mean 'optimizer'?"),
        ({}, "overrides, accepted muon: slot is missing"),
        ({"slot": "norm", "aliases": ["SGD"]}, "'SGD' also means sgd (optimizer.yaml, sgd)"),
        ({"slot": "norm", "parent": "sgd"}, "parent sgd is in slot optimizer, expected one of slot norm"),
        ({"slot": "norm", "colour": "red"}, "overrides, accepted muon: unknown key 'colour'"),
    ],
)
def test_a_decision_that_does_not_fit_the_ontology_is_not_written(tmp_path: Path, value: dict[str, object], fault: str) -> None:
    log = tmp_path / "overrides.yaml"
    with pytest.raises(OntologyError) as raised:
        decide(log, replace(MUON, value=value), folder=lay(tmp_path / "ontology"))
    assert fault in str(raised.value)
    assert not log.exists()
