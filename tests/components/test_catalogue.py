"""The catalogue over a small corpus: works and not copies, who introduced what, sources, and nights on which nothing changed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from forge_assets.components.catalogue import lookup, sources, store
from forge_assets.components.catalogue.build import CatalogueReport, build
from forge_assets.components.ontology.model import Introduced
from forge_resources.database import Database
from forge_resources.decisions import Decision, append_decision
from tests.components.catalogue_corpus import filler, ontology, paper, put
from tests.components.readings import component
from tests.embeddings.corpus_builder import put_records, remove

BODY = "The study of year {0} was made in room {0} by {1} people, who noted {1} findings on {0} pages and lost {1} of them again."


def entry(db: Database, component: str) -> dict[str, Any]:
    found = lookup.entry(db, component)
    assert found is not None
    return found


def text_of(db: Database, document: str, start: int, end: int) -> str:
    with db.begin() as connection:
        text = connection.execute(sa.text("SELECT text FROM document WHERE document_id = CAST(:id AS uuid)"), {"id": document}).scalar_one()
    return str(text)[start:end]


def test_copies_of_a_work_count_once(database: Database) -> None:
    same = "We train with Adam in room 17 and note 23 findings on the way to the exit, where 5 people wait for the results of it."
    put(database, [paper(n, same, "Adam in a room with five people waiting") for n in range(3)] + [paper(9, "Adam is old.", year=2018)])
    build(database, ontology())
    found = entry(database, "adam")
    assert (found["documents"], found["works"], found["used"]) == (4, 2, 1)
    assert found["years"] == {"2018": 1, "2020": 1} and (found["first_year"], found["latest_year"]) == (2018, 2020)


def test_a_component_nobody_names_has_no_entry(database: Database) -> None:
    put(database, [paper(1, "We train with Adam.")])
    report = build(database, ontology())
    assert set(lookup.entries(database)) == {"adam"} and report.components == 1 and report.works == 1


def test_growth_is_told_of_components_with_enough_works(database: Database) -> None:
    years = [2016 + n for n in range(5) for _ in range(3 * 2**n)]
    named = [paper(n, f"We train with Adam. {BODY.format(n, n + 9)}", year=year) for n, year in enumerate(years)]
    put(database, [*named, paper(500, "GELU is used."), *(one for n in range(5) for one in filler(60, 2000 + 100 * n, year=2016 + n))])
    build(database, ontology())
    assert entry(database, "adam")["trend"] > 0.5
    assert entry(database, "gelu")["trend"] is None


def introduced(**known: Any) -> Any:
    adam = component("adam", "Adam", "adaptive moment estimation")
    return replace(adam, introduced=Introduced(**{"title": "Of something else entirely, not in here", "year": 2014} | known))


@pytest.mark.parametrize(
    ("known", "which", "reason"),
    [
        ({"arxiv": "1412.6980"}, 2, "arxiv"),
        ({"doi": "10.1000/Soup.1"}, 3, "doi"),
        ({"title": "Adam: a method for stochastic kitchens"}, 4, "title"),
        ({}, 5, "earliest to introduce it"),
    ],
)
def test_the_ontologys_work_introduces_a_component_else_the_first_that_says_so(
    database: Database, known: dict[str, Any], which: int, reason: str
) -> None:
    put_records(
        database,
        [
            paper(1, "We compare with Adam.", year=2012),
            paper(2, "A preprint.", year=2014),
            paper(3, "A printed one.", year=2014),
            paper(4, "Something.", "Adam: A Method for Stochastic Kitchens", year=2016),
            paper(5, "We propose Adam, an optimizer. " + BODY.format(5, 6), year=2015),
            paper(6, "We propose Adam, an optimizer. " + BODY.format(6, 7), year=2019),
        ],
    )
    with database.begin() as connection:
        for number, identifiers in ((2, {"arxiv": "1412.6980"}), (3, {"doi": "10.1000/soup.1"})):
            statement = "UPDATE document SET identifiers = CAST(:identifiers AS jsonb) WHERE external_id = :id"
            connection.execute(sa.text(statement), {"identifiers": json.dumps(identifiers), "id": f"x:{number}"})
    by = ontology(introduced(**known))
    put(database, [], by)
    build(database, by)
    found = entry(database, "adam")
    document = found["documents_named"][str(found["introducing_document"])]
    assert (document["external_id"], found["introducing_reason"]) == (f"x:{which}", reason)


def test_who_claims_it_years_later_did_not_introduce_it(database: Database) -> None:
    by = ontology(introduced())
    put(database, [paper(6, "We propose Adam, an optimizer.", year=2019)], by)
    build(database, by)
    assert entry(database, "adam")["introducing_document"] is None


def test_typical_values_stand_on_their_texts(database: Database) -> None:
    rates = ["1e-4", "2e-4", "3e-4", "4e-4", "5e-4"]
    put(database, [paper(n, f"We train with Adam with a learning rate of {rate}. {BODY.format(n, n + 3)}") for n, rate in enumerate(rates)])
    report = build(database, ontology())
    (typical,) = [one for one in entry(database, "adam")["typical"] if one["parameter"] == "learning_rate"]
    assert typical["works"] == 5 and typical["quartiles"] == pytest.approx([1e-4, 2e-4, 3e-4, 4e-4, 5e-4])
    assert [text_of(database, document, start, end) for document, start, end, _ in typical["sources"]] == rates
    assert report.typical >= 1


def test_neighbours_are_named_beside(database: Database) -> None:
    both = [paper(n, f"We use GELU and dropout. {BODY.format(n, n + 5)}") for n in range(12)]
    put(database, [*both, *[paper(50 + n, f"Adam is used. {BODY.format(50 + n, n)}") for n in range(12)], *filler(60)])
    report = build(database, ontology())
    (near,) = entry(database, "gelu")["neighbours"]
    assert near[:2] == ["dropout", 12] and near[2] == pytest.approx(84 * 12 / (12 * 12)) and near[3] < 0.01
    assert entry(database, "adam")["neighbours"] == []
    with database.begin() as connection:
        (row,) = connection.execute(sa.text("SELECT a, b, works, lift, p, q FROM comention WHERE works > 0")).all()
    assert {row.a, row.b} == {"gelu", "dropout"} and row.works == 12 and row.p <= row.q
    assert report.pairs == 1 and report.significant >= 1


def test_an_unchanged_night_does_nothing(database: Database) -> None:
    put(database, [paper(1, "We train with Adam.")])
    first = build(database, ontology())
    second = build(database, ontology())
    assert first.made and not second.made
    assert replace_times(second) == replace_times(first)


def replace_times(report: CatalogueReport) -> CatalogueReport:
    return replace(report, seconds=0.0, made=True, looked=True)


@pytest.mark.parametrize("what", ["document", "gone", "works", "ontology", "rejected"])
def test_whatever_it_is_made_from_makes_it_anew(database: Database, tmp_path: Path, what: str) -> None:
    records = [paper(1, "We train with Adam."), paper(2, f"We train with Adam. {BODY.format(2, 3)}")]
    put(database, records)
    log, by = tmp_path / "overrides.yaml", ontology()
    build(database, by, log)
    if what == "document":
        put(database, [paper(3, f"Adam again. {BODY.format(3, 4)}")])
    elif what == "gone":
        with database.begin() as connection:
            id_ = connection.execute(sa.text("SELECT document_id FROM document WHERE external_id = 'x:1'")).scalar_one()
        remove(database, id_)
    elif what == "works":
        with database.begin() as connection:
            connection.execute(
                sa.text("UPDATE work SET year = 1999 WHERE main_document = (SELECT min(main_document::text)::uuid FROM work)")
            )
    elif what == "ontology":
        by = ontology(component("wobble", "WobbleNorm"))
    else:
        append_decision(log, Decision("reject", "component", "wobblenorm", "no", "jo", date(2026, 1, 31)))
    report = build(database, by, log)
    assert report.made
    assert report.works == {"document": 3, "gone": 1}.get(what, 2)


def test_a_run_that_breaks_off_leaves_the_old_catalogue(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    put(database, [paper(1, "We train with Adam.")])
    build(database, ontology())
    before = lookup.entries(database)
    put(database, [paper(2, f"We train with Adam and GELU. {BODY.format(2, 3)}")])

    def broken(*_: Any) -> Any:
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as patched:
        patched.setattr(store, "_candidate", broken)
        patched.setattr(store, "_comentions", broken)
        with pytest.raises(RuntimeError, match="plug"):
            build(database, ontology())
    assert lookup.entries(database) == before
    assert build(database, ontology()).made and set(lookup.entries(database)) == {"adam", "gelu"}


def test_everything_said_has_a_source_until_it_is_taken_away(database: Database) -> None:
    put(database, [paper(n, f"We propose WobbleNorm. Adam with a learning rate of 1e-3. {BODY.format(n, n + 2)}") for n in range(3)])
    build(database, ontology())
    found, rows = sources.unsourced(database)
    assert found == [] and rows >= 3
    with database.begin() as connection:
        connection.execute(sa.text("DELETE FROM extraction"))
    found, _ = sources.unsourced(database)
    assert "component adam" in found and "typical value adam, learning_rate" in found
    with database.begin() as connection:
        connection.execute(sa.text("DELETE FROM document"))
    assert "candidate wobblenorm" in sources.unsourced(database)[0]


def test_an_empty_database_has_an_empty_catalogue(database: Database) -> None:
    assert not lookup.is_made(database)
    report = build(database, ontology())
    assert report.made and report.works == report.components == report.candidates == 0
    assert lookup.is_made(database) and lookup.entries(database) == {}
