"""The queue of candidates over a small corpus: who brings a name up, who uses it, where it may fit, and what people decided."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from forge_assets.components.candidates.ranking import score
from forge_assets.components.candidates.slots import SlotModel, marks
from forge_assets.components.catalogue import lookup
from forge_assets.components.catalogue.build import build
from forge_assets.components.ontology import load_ontology
from forge_resources.database import Database
from forge_resources.decisions import Decision, append_decision
from tests.components.catalogue_corpus import filler, ontology, paper, put
from tests.components.readings import component

BODY = "The study of year {0} was made in room {0} by {1} people, who noted {1} findings on {0} pages and lost {1} of them again."
ORIGIN = paper(1, "We propose WobbleNorm, a new normalization layer for kitchens.", "WobbleNorm: Normalization by Wobbling", year=2019)
USERS = [paper(10 + n, f"Training with WobbleNorm helped. {BODY.format(n, n + 3)}", year=2020 + n % 3) for n in range(4)]


def queue(db: Database) -> dict[str, dict[str, Any]]:
    return {row["candidate"]: row for row in lookup.candidates(db)}


def origin(db: Database, row: dict[str, Any]) -> str | None:
    named = lookup.documents(db, [row["introducing_document"]])
    return named[str(row["introducing_document"])]["external_id"] if named else None


def test_a_name_that_a_work_introduces_and_others_use(database: Database) -> None:
    put(database, [ORIGIN, *USERS, *filler(3)])
    build(database, ontology())
    found = queue(database)["wobblenorm"]
    assert (found["name"], found["works"], found["independent"]) == ("WobbleNorm", 5, 4)
    assert (found["first_year"], found["latest_year"]) == (2019, 2022)
    assert found["years"] == {"2019": 1, "2020": 2, "2021": 1, "2022": 1}
    assert (origin(database, found), found["introducing_reason"]) == ("x:1", "its title is the name")
    assert "title" in found["signs"] and found["evidence"][0][3] == "title"
    for document, start, end, _ in found["evidence"]:
        with database.begin() as connection:
            statement = "SELECT substr(text, :start + 1, :end - :start) FROM document WHERE document_id = CAST(:id AS uuid)"
            text = connection.execute(sa.text(statement), {"start": start, "end": end, "id": document}).scalar_one()
        assert text == "WobbleNorm"


def test_the_slot_is_told_by_words_of_the_ontology(database: Database) -> None:
    put(database, [ORIGIN])
    build(database, ontology())
    found = queue(database)["wobblenorm"]
    assert found["slot"] == "norm" and 0 < found["slot_share"] <= 1
    assert found["slots"][0] == ["norm", pytest.approx(found["slot_share"])]


def test_copies_do_not_speak_twice(database: Database) -> None:
    put(database, [ORIGIN, *[USERS[0] | {"doc_id": f"copy:{n}", "title": "One note in many places at once"} for n in range(4)]])
    build(database, ontology())
    found = queue(database)["wobblenorm"]
    assert (found["documents"], found["works"], found["independent"]) == (5, 2, 1)


def test_what_the_ontology_has_is_no_candidate(database: Database) -> None:
    put(database, [ORIGIN, *USERS, paper(3, "We propose group soup normalization (GSN).")])
    build(database, ontology(component("wobble", "Wobble-Norm", slot="norm"), component("gsn", "group soup normalisation", slot="norm")))
    assert not {"wobblenorm", "group-soup-normalization", "gsn"} & set(queue(database))


def test_an_abbreviation_and_its_long_form_are_one_candidate(database: Database) -> None:
    texts = ["We propose stochastic soup descent (SSD), an optimizer.", "Here stochastic soup descent is used.", "SSD is used here."]
    put(database, [paper(n, f"{text} {BODY.format(n, n + 2)}", year=2019 + n) for n, text in enumerate(texts)])
    build(database, ontology())
    found = queue(database)
    assert set(found) == {"stochastic-soup-descent"}
    one = found["stochastic-soup-descent"]
    assert one["works"] == 3 and one["aliases"] == ["SSD"] and origin(database, one) == "x:0"


def test_a_made_up_word_that_works_only_use(database: Database) -> None:
    put(database, [paper(n, f"We compare with CycleSoup. {BODY.format(n, n + 2)}", year=2018 + n % 2) for n in range(6)])
    build(database, ontology())
    found = queue(database)["cyclesoup"]
    assert found["works"] == 6 and found["signs"].keys() == {"used"} and found["introducing_document"] is None


def test_words_of_the_language_and_persons_are_out(database: Database) -> None:
    lions = [paper(20 + n, f"A mongoose met another mongoose. {BODY.format(n, n + 2)}") for n in range(3)]
    persons = [paper(30 + n, f"As Wobbler et al. have shown. {BODY.format(n, n + 4)}") for n in range(4)]
    titles = [paper(1, "It is new.", "Mongoose: A Fast Animal"), paper(2, "It is old.", "Wobbler: A Method")]
    put(database, [*titles, *lions, *persons])
    build(database, ontology())
    assert set(queue(database)) == set()


def test_what_was_rejected_stays_away_and_what_was_accepted_is_a_component(database: Database, tmp_path: Path) -> None:
    put(database, [ORIGIN, *USERS, paper(2, "We propose SoupStep, an optimizer.", "SoupStep: A Stochastic Optimizer")])
    log = tmp_path / "overrides.yaml"
    build(database, ontology(), log)
    assert {"wobblenorm", "soupstep"} <= set(queue(database))
    append_decision(log, Decision("reject", "component", "soupstep", "no", "jo", date(2026, 1, 31)))
    with_it = ontology(component("wobblenorm", "WobbleNorm", slot="norm"))
    put(database, [], with_it)
    assert build(database, with_it, log).made
    assert not {"wobblenorm", "soupstep"} & set(queue(database))
    assert lookup.entries(database)["wobblenorm"]["works"] == 5


def test_more_works_growth_and_signs_rank_higher() -> None:
    assert score(10, None, 1) > score(3, None, 1) > score(0, None, 1)
    assert score(10, 0.5, 1) > score(10, None, 1) > score(10, -0.4, 1)
    assert score(10, None, 3) > score(10, None, 1)
    assert score(10, None, 1, task=True) == score(10, None, 1, 0.5) == score(10, None, 1) / 2
    assert score(3, 9.0, 1) == score(3, 1.0, 1), "what is new does not grow beyond all bounds"


def test_common_language_is_no_name(database: Database) -> None:
    said = [paper(n, f"A warm kitchen has soup of yesterday. {BODY.format(n, n + 2)}") for n in range(150)]
    named = [paper(200 + n, f"We compare with CycleSoup. {BODY.format(n, n + 8)}") for n in range(150)]
    put(database, [*said, *named, paper(1000, "We propose warm kitchen (WK), a warm kitchen for all, and CycleSoup.")])
    build(database, ontology())
    found = queue(database)
    assert "warm-kitchen" not in found and found["cyclesoup"]["works"] == 151


def test_candidates_are_ranked(database: Database) -> None:
    put(database, [ORIGIN, *USERS, paper(2, "We propose SoupStep, an optimizer.", "SoupStep: A Stochastic Optimizer")])
    build(database, ontology())
    rows = lookup.candidates(database)
    assert [row["candidate"] for row in rows][:2] == ["wobblenorm", "soupstep"]
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)


@pytest.fixture(scope="module")
def model() -> SlotModel:
    return SlotModel(load_ontology())


@pytest.mark.parametrize(
    ("name", "head", "title", "slot"),
    [
        ("Wobble Optimizer", "adaptive optimizer", "An optimizer for kitchens", "optimizer"),
        ("SoupNorm", "normalization layer", "Normalizing soups", "norm"),
        ("Kitchen Attention", "attention mechanism", "Attention in kitchens", "attention"),
        ("SoupTok", "subword tokenizer", "A tokenizer for soups", "tokenizer"),
    ],
)
def test_the_shipped_ontology_tells_slots(model: SlotModel, name: str, head: str, title: str, slot: str) -> None:
    (shares,) = model.shares([marks([name], [head], title)])
    assert model.likeliest(shares)[0][0] == slot
    assert shares.sum() == pytest.approx(1.0)


def test_components_beside_a_name_tell_on_its_slot(model: SlotModel) -> None:
    from collections import Counter

    (shares,) = model.shares([marks(["Wobble"], [], "")])
    near = model.beside(shares, Counter({"optimizer": 4, "schedule": 1}))
    place = model.slots.index("optimizer")
    assert near[place] > shares[place] and near.sum() == pytest.approx(1.0)
    assert (model.beside(shares, Counter()) == shares).all()
