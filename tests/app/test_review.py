"""`forge review` as a person meets it: what waits, why, what a decision does, and the log."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from forge_app.review import review
from forge_assets.compatibility.graph.build import build
from forge_assets.compatibility.graph.model import Edge, key
from forge_assets.compatibility.review import of_edges, worth
from forge_assets.components.catalogue.build import build as catalogue
from forge_resources.database import Database
from forge_resources.decisions import Decision, append_decision
from forge_resources.settings import settings
from tests.app.test_components import Forge
from tests.components.catalogue_corpus import ontology, paper, put

BODY = "The study of year {0} was made in room {0} by {1} people, who noted {1} findings on {0} pages and lost {1} of them again."


@pytest.fixture
def forge(database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Forge:
    small = ontology()
    monkeypatch.setattr("forge_assets.components.ontology.load_ontology", lambda *_: small)
    papers = [
        paper(n, f"We use the wobbly normalization (WobbleNorm) here. GELU outperforms ReLU by far. {BODY.format(n, n + 3)}")
        for n in range(9)
    ]
    put(database, [*papers, paper(50, "GELU does not outperform ReLU.", "A doubt")], small)
    catalogue(database, small)
    build(database, small)
    return Forge(capsys)


def edge(
    subject: str, relation: str, object_: str, works: int, against: int = 0, origins: tuple[str, ...] = ("claim",), scope: str = "idea"
) -> Edge:
    one = key(subject, relation, object_, scope)  # type: ignore[arg-type]
    return Edge(one, 0.7, float(works), float(against), works, against, 2020, 2024, origins, None, None)  # type: ignore[arg-type]


def test_only_what_documents_alone_claim_waits_and_disagreement_comes_first() -> None:
    slots = dict.fromkeys("abcdef", "norm")
    waiting = of_edges(
        [
            edge("a", "improves_on", "b", 5),
            edge("a", "improves_on", "c", 5, 1),
            edge("a", "requires", "d", 5),
            edge("a", "requires", "e", 50, origins=("claim", "fact")),
            edge("a", "composes_with", "f", 50, origins=("statistics",)),
            edge("a", "improves_on", "f", 50, scope="implementation: x@y"),
            edge("a", "improves_on", "unknown", 50),
            edge("b", "improves_on", "c", 50),
        ],
        slots,
        {"b improves_on c"},
    )
    assert [one.said for one in waiting] == ["a improves on c", "a requires d", "a improves on b"]
    assert waiting[0].because == "works disagree: 5 for it, 1 against; confidence 0.70"
    assert worth(edge("a", "improves_on", "b", 6)) > worth(edge("a", "improves_on", "b", 5))


def test_the_queue_is_listed_shown_and_decided_on(forge: Forge) -> None:
    told = forge("review").out
    assert "WobbleNorm" in told and "gelu improves on relu" in told and "works disagree: 9 for it, 1 against" in told
    waiting = json.loads(forge("review", "list", "--json").out)
    assert {one["kind"] for one in waiting[:2]} == {"candidate", "edge"}, "one of each kind in turn"
    (one,) = [one for one in waiting if one["said"] == "gelu improves on relu"]
    shown = forge("review", "show", one["id"]).out
    assert shown.count("+ GELU outperforms ReLU by far.") == 9 and "- GELU does not outperform ReLU." in shown
    assert [n["kind"] for n in json.loads(forge("review", "list", "--kind", "candidate", "--json").out)] == ["candidate"] * sum(
        n["kind"] == "candidate" for n in waiting
    )

    for arguments, answer in (
        (("show", "gelux"), "nothing with the id 'gelux' waits for a decision"),
        (("accept", one["id"]), "needs a reason"),
        (("accept", one["id"], "--slot", "norm", "--reason", "x"), "--slot is for a candidate"),
        (("list", "--slot", "optimiser"), "no slot is called 'optimiser'; did you mean 'optimizer'"),
    ):
        said = forge("review", *arguments)
        assert said.code == 2 and answer in said.err and not settings().overrides_file.exists(), said
    assert "gelu improves_on relu: rejected in" in forge("review", "reject", one["id"], "--reason", "not at our sizes").out
    assert one["id"] not in forge("review", "list", "--json").out
    assert "not at our sizes" in forge("review", "log").out


def test_walking_decides_one_after_the_other_and_skips_lose_nothing(forge: Forge) -> None:
    total = len(json.loads(forge("review", "list", "--top", "100", "--json").out))
    answered = CliRunner().invoke(review, ["walk", "--kind", "edge"], input="r\nwe saw otherwise\n" + "q\n", catch_exceptions=False)
    assert "gelu improves on relu: works disagree" in answered.output and "1 decided" in answered.output
    answered = CliRunner().invoke(review, ["walk"], input="a\n\nq\n", catch_exceptions=False)
    assert "is a component of the slot" in answered.output or "nothing suggests a slot" in answered.output
    left = json.loads(forge("review", "list", "--top", "100", "--json").out)
    assert len(left) <= total - 1 and "gelu improves on relu" not in {one["said"] for one in left}


def test_the_log_tells_what_is_in_force(forge: Forge) -> None:
    file, day = settings().overrides_file, datetime.date(2026, 1, 31)
    assert forge("review", "log").out == f"no decision in {file}\n"
    for verdict, subject, expires in (
        ("accept", "gelu improves_on relu", None),
        ("reject", "gelu improves_on relu", None),
        ("accept", "gelu requires gone", None),
        ("accept", "gelu requires rope", day),
    ):
        append_decision(file, Decision(verdict, "edge", subject, "because", "jo", day, expires))  # type: ignore[arg-type]
    states = [one["state"] for one in json.loads(forge("review", "log", "--json").out)]
    assert states == ["replaced by a later one", "in force", "in force, but names a component that there is not", "expired on 2026-01-31"]
    assert len(json.loads(forge("review", "log", "--subject", "gelu improves_on relu", "--json").out)) == 2


def test_an_empty_home_says_what_to_do(database: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = Forge(capsys)("review")
    assert told.code == 0 and "nothing waits for a decision; `forge run component_catalog compatibility_graph`" in told.out
