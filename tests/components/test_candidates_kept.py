"""A large corpus keeps its queue of candidates between two looks at all texts, and tidies it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from forge_assets.components.candidates import keeping
from forge_assets.components.catalogue import lookup
from forge_assets.components.catalogue.build import CatalogueReport, build
from forge_assets.components.catalogue.sources import unsourced
from forge_assets.components.ontology.model import Ontology
from forge_resources.database import Database
from forge_resources.decisions import Decision, append_decision
from tests.components.catalogue_corpus import filler, ontology, paper, put
from tests.components.readings import component

NORM = paper(1, "We propose WobbleNorm, a new normalization layer for kitchens.", "WobbleNorm: Normalization by Wobbling")
STEP = paper(2, "We propose SoupStep, an optimizer.", "SoupStep: A Stochastic Optimizer")
LATER = paper(3, "We propose ZapNorm, a new normalization layer.", "ZapNorm: Normalization by Zapping")
USER = paper(4, "Training with WobbleNorm helped the cooks of the north, who wrote it down.")


@pytest.fixture
def db(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(keeping, "SMALL", 0)
    put(database, [NORM, STEP, USER, *filler(30)])
    assert night(database).looked
    return database


def night(db: Database, by: Ontology | None = None, log: Path | None = None) -> CatalogueReport:
    return build(db, by or ontology(), log, candidates_days=7)


def queue(db: Database) -> dict[str, dict[str, Any]]:
    return {row["candidate"]: row for row in lookup.candidates(db)}


def forget(db: Database, external_id: str) -> None:
    with db.begin() as connection:
        connection.execute(sa.text("DELETE FROM document WHERE external_id = :id"), {"id": external_id})


def test_a_night_keeps_the_queue_and_a_week_makes_it_anew(db: Database) -> None:
    put(db, [LATER])
    report = night(db)
    assert report.made and not report.looked and report.candidates == len(queue(db))
    assert {"wobblenorm", "soupstep"} <= set(queue(db)) and "zapnorm" not in queue(db)
    with db.begin() as connection:
        connection.execute(sa.text("UPDATE stage_state SET at = at - interval '8 days' WHERE stage = :stage"), {"stage": keeping.STAGE})
    put(db, filler(1, first=2000))
    assert night(db).looked and "zapnorm" in queue(db)


def test_what_stood_in_documents_that_are_gone_or_changed_goes(db: Database) -> None:
    forget(db, "x:2")
    put(db, [USER | {"abstract": "Training with nothing helped the cooks of the north, who wrote it down."}])
    assert not night(db).looked
    kept = queue(db)
    assert "soupstep" not in kept
    with db.begin() as connection:
        user = connection.execute(sa.text("SELECT document_id FROM document WHERE external_id = 'x:4'")).scalar_one()
    assert kept["wobblenorm"]["evidence"] and str(user) not in {piece[0] for piece in kept["wobblenorm"]["evidence"]}
    assert unsourced(db)[0] == []


def test_what_is_rejected_or_known_by_now_goes(db: Database, tmp_path: Path) -> None:
    log = tmp_path / "overrides.yaml"
    append_decision(log, Decision("reject", "component", "soupstep", "no", "jo", date(2026, 1, 31)))
    by = ontology(component("wobble", "WobbleNorm", slot="norm"))
    put(db, [], by)
    assert not night(db, by, log).looked
    assert not {"wobblenorm", "soupstep"} & set(queue(db))


def test_a_corpus_that_has_grown_is_looked_at(db: Database) -> None:
    put(db, [LATER, *filler(5, first=2000)])
    assert night(db).looked and "zapnorm" in queue(db)
