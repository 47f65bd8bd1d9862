"""`forge components` as a person meets it: by id, name or alias, as table, tree, page and JSON; the unknown is answered with near names."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from forge_app.cli import main


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Forge:
    """`forge` in this process: a process of its own for each call would cost half a second."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def __call__(self, *arguments: str) -> Said:
        self._captured.readouterr()
        code = 0
        try:
            main(list(arguments))
        except SystemExit as stopped:
            code = int(str(stopped.code))
        return Said(code, *self._captured.readouterr())


@pytest.fixture
def forge(forge_home: Path, capsys: pytest.CaptureFixture[str]) -> Forge:
    return Forge(capsys)


def test_components_are_listed_by_slot(forge: Forge) -> None:
    everything = json.loads(forge("components", "list", "--json").out)
    assert len(everything) >= 400
    optimizers = json.loads(forge("components", "list", "--slot", "optimizer", "--json").out)
    assert {each["id"] for each in optimizers} >= {"adam", "adamw", "muon"}
    assert optimizers == [each for each in everything if "optimizer" in (each["slot"], *each["also_slots"])]
    told = forge("components", "list", "--slot", "optimizer").out
    assert told.endswith(f"{len(optimizers)} components\n")
    assert all(each["id"] in told for each in optimizers)


def test_a_component_is_shown_by_id_name_or_alias(forge: Forge) -> None:
    shown = forge("components", "show", "adamw").out
    assert re.search(r"^slot: +optimizer \(Optimizer\)$", shown, re.MULTILINE)
    assert re.search(r"^introduced: +Decoupled Weight Decay Regularization, 201\d$", shown, re.MULTILINE)
    assert re.search(r"^source: +arxiv:1711\.05101$", shown, re.MULTILINE)
    assert re.search(r"^takes: +weights, gradients, optimizer_state, learning_rate$", shown, re.MULTILINE)
    assert re.search(r"^parameter: +beta2: default 0\.\d+", shown, re.MULTILINE)
    found = json.loads(forge("components", "show", "AdamW", "--json").out)
    assert (found["id"], found["slot"], found["introduced"]["arxiv"]) == ("adamw", "optimizer", "1711.05101")
    for alias in found["aliases"]:
        assert forge("components", "show", alias["text"]).out == shown


def test_the_tree_is_drawn_as_text_json_and_page(forge: Forge, tmp_path: Path) -> None:
    lines = forge("components", "tree").out.splitlines()
    listed = json.loads(forge("components", "list", "--json").out)
    drawn = Counter(found[1] for line in lines if (found := re.search(r"[├└]── .*  ([a-z0-9-]+)( · |$)", line)))
    assert {component["id"]: drawn[component["id"]] for component in listed} == {component["id"]: 1 for component in listed}
    adam = next(at for at, line in enumerate(lines) if re.search(r"  adam( |$)", line))
    adamw = next(at for at, line in enumerate(lines) if re.search(r"  adamw( |$)", line))
    assert adam < adamw and lines[adam].index("──") < lines[adamw].index("──"), "AdamW hangs below Adam"
    (task,) = json.loads(forge("components", "tree", "--slot", "norm", "--json").out)
    assert (task["kind"], task["id"], [slot["id"] for slot in task["children"]]) == ("task", "architecture", ["norm"])
    page = tmp_path / "tree.html"
    assert forge("components", "tree", "--html", str(page)).out == f"wrote {page}\n"
    assert page.read_text().count('<li class="component"') == len(listed)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list", "--slot", "optimiser"], "no slot is called 'optimiser'; did you mean 'optimizer'?"),
        (["tree", "--slot", "zzz"], "no slot is called 'zzz'; the slots are: tokenizer, "),
        (["show", "adanw"], "no component is called 'adanw'; near are: "),
        (["show", "qqqqqqqqqq"], "no component is called 'qqqqqqqqqq'; `forge components list` names all"),
        (["tree", "--html", "/proc/no/tree.html"], "--html /proc/no/tree.html cannot be written: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(forge: Forge, arguments: list[str], sentence: str) -> None:
    said = forge("components", *arguments)
    assert (said.code, said.out) == (2, "")
    assert re.fullmatch(r"forge: [^\n]+\n", said.err) and sentence in said.err


def test_a_page_and_json_exclude_each_other(forge: Forge, tmp_path: Path) -> None:
    said = forge("components", "tree", "--json", "--html", str(tmp_path / "tree.html"))
    assert said.code == 2 and "--html and --json exclude each other" in said.err
    assert not (tmp_path / "tree.html").exists()


def test_what_people_accepted_is_part_of_the_tree(forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "overrides.yaml"
    log.write_text(
        "- {decision: accept, kind: component, subject: gizmatron, reason: new, author: jo, date: 2026-01-31,\n"
        "   value: {name: Gizmatron, slot: optimizer, parent: adam}}\n"
    )
    monkeypatch.setenv("FORGE_OVERRIDES", str(log))
    assert "── Gizmatron  gizmatron\n" in forge("components", "tree", "--slot", "optimizer").out
    assert "Accepted from the corpus by jo on 2026-01-31." in forge("components", "show", "Gizmatron").out
    log.write_text("- {decision: accept\n")
    said = forge("components", "tree")
    assert said.code == 2 and f"forge: {log}, line " in said.err
