"""The room's checks hold of what is made, and each sees what it is there to see."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from forge_assets.compatibility import checks
from forge_assets.compatibility.graph.build import build
from forge_assets.components.catalogue.build import build as catalogue
from forge_resources.database import Database
from forge_resources.for_dagster import DatabaseResource
from tests.compatibility.test_graph_build import BODY, constraints
from tests.components.catalogue_corpus import filler, ontology, paper, put

BROKEN = {
    "every_edge_has_a_source_that_says_what_was_read": "UPDATE document SET text = replace(text, 'outperforms', 'overtakes..')",
    "statistics_alone_support_nothing_but_joining": "UPDATE graph_edge SET relation = 'requires' WHERE origins = '{statistics}'",
    "hard_edges_come_from_rules_and_people_only": "UPDATE graph_edge SET confidence = 1 WHERE origins = '{claim}'",
    "edges_join_known_components": "UPDATE graph_edge SET object = 'stranger' WHERE origins = '{claim}'",
}


@pytest.fixture
def made(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An edge of each origin: a claim, statistics, a rule."""
    small = ontology()
    monkeypatch.setattr("forge_assets.components.ontology.load_ontology", lambda *_: small)
    both = [paper(n, f"We use GELU and layer normalization. {BODY.format(n, n + 5)}") for n in range(12)]
    put(database, [*both, paper(50, "GELU outperforms ReLU."), *filler(60)], small)
    catalogue(database, small)
    report = build(database, small, constraints("hard"))
    assert report.origins == {"claim": 1, "fact": 1, "statistics": 1}
    return database


def outcomes() -> dict[str, bool]:
    found: dict[str, Any] = {next(iter(check.check_keys)).name: check for check in checks.CHECKS}
    results = {name: check(DatabaseResource()) for name, check in found.items()}
    assert all(isinstance(result, dg.AssetCheckResult) and (result.passed or result.description) for result in results.values())
    return {name: result.passed for name, result in results.items()}


@pytest.mark.parametrize("name", BROKEN)
def test_each_check_sees_what_it_is_there_to_see(made: Database, name: str) -> None:
    assert set(BROKEN) == set(outcomes()) and all(outcomes().values())
    with made.begin() as connection:
        connection.execute(sa.text(BROKEN[name]))
    assert outcomes() == {other: other != name for other in BROKEN}
