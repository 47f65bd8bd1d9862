"""The graph over a small corpus: works and not copies, both sides kept, statistics soft, decisions last, nothing without a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from forge_assets.compatibility.constraints.model import IDEA, Condition, Constraint, Source
from forge_assets.compatibility.graph import lookup, store
from forge_assets.compatibility.graph.build import build
from forge_assets.compatibility.graph.model import Edge
from forge_assets.compatibility.graph.scoring import confidence, precision
from forge_assets.compatibility.graph.view import Filter, view
from forge_assets.components.catalogue.build import build as catalogue
from forge_assets.components.ontology.model import Ontology
from forge_resources.database import Database
from forge_resources.decisions import Decision, append_decision
from tests.components.catalogue_corpus import filler, ontology, paper, put

BODY = "The study of year {0} was made in room {0} by {1} people, who noted {1} findings on {0} pages and lost {1} of them again."
BEATS = "GELU outperforms ReLU in kitchen {0}. " + BODY
SURE = precision("X outperforms Y")


def made(db: Database, records: Sequence[dict[str, Any]], by: Ontology | None = None, **more: Any) -> dict[str, Edge]:
    """Edges by what they say, after the corpus has been read."""
    by = by or ontology()
    put(db, records, by)
    catalogue(db, by)
    build(db, by, **more)
    return {one.said: one for one in store.edges(db, evidence=True)}


def beats(number: int, **more: Any) -> dict[str, Any]:
    return paper(number, BEATS.format(number, number + 40), **more)


def test_a_claim_is_an_edge_that_quotes_its_sentence(database: Database) -> None:
    edges = made(database, [beats(1)])
    assert set(edges) == {"gelu improves on relu"}
    (edge,) = edges.values()
    assert edge.confidence == pytest.approx(confidence(SURE, 0)) and edge.key.scope == IDEA
    assert (edge.supporting_works, edge.contradicting_works, edge.origins, edge.severity) == (1, 0, ("claim",), None)
    places = lookup.passages(database, [edge])
    assert lookup.sentence_of(edge.evidence[0], places) == "GELU outperforms ReLU in kitchen 1."
    assert lookup.source_of(edge.evidence[0], places) == "Note 1 on kitchens (x:1, 2020)"
    assert edge.evidence[0].detail["pattern"] == "X outperforms Y"


def test_copies_and_common_authors_are_one_voice(database: Database) -> None:
    same = "GELU outperforms ReLU in room 17, and 23 findings are noted on the way to the exit, where 5 people wait for the results of it."
    copies = [paper(n, same, "GELU in a room with five people waiting") for n in (1, 2)]
    put(database, [*copies, beats(11), beats(12)])
    with database.begin() as connection:
        authors = "UPDATE document SET authors = ARRAY['Ann Lee', 'Guest ' || title] WHERE external_id IN ('x:11', 'x:12')"
        connection.execute(sa.text(authors))
    edge = made(database, [])["gelu improves on relu"]
    assert edge.supporting_works == 3 and len(edge.evidence) == 4
    assert edge.supporting == pytest.approx(2 * SURE), "one work with two documents, and two works by one author"
    assert sum(one.weight for one in edge.evidence) == pytest.approx(edge.supporting)


def test_what_speaks_against_an_edge_is_kept_beside_what_speaks_for_it(database: Database) -> None:
    records = [beats(n) for n in (1, 2, 3)]
    records += [paper(4, f"ReLU outperforms GELU. {BODY.format(4, 9)}"), paper(5, f"GELU does not outperform ReLU. {BODY.format(5, 9)}")]
    edges = made(database, records)
    edge, reverse = edges["gelu improves on relu"], edges["relu improves on gelu"]
    assert (edge.supporting_works, edge.contradicting_works) == (3, 2) and (reverse.supporting_works, reverse.contradicting_works) == (1, 3)
    assert reverse.confidence < 0.5 < edge.confidence
    assert edge.confidence == pytest.approx(confidence(edge.supporting, edge.contradicting))
    assert sorted(one.supports for one in edge.evidence) == [False, False, True, True, True]
    denial = next(one for one in edge.evidence if not one.supports and one.detail["polarity"] is False)
    assert lookup.sentence_of(denial, lookup.passages(database, [edge])) == "GELU does not outperform ReLU."


def test_only_a_denial_is_an_edge_less_likely_than_not(database: Database) -> None:
    (edge,) = made(database, [paper(1, "GELU does not outperform ReLU.")]).values()
    assert edge.confidence < 0.5 and edge.supporting == 0 and edge.contradicting_works == 1


def test_statistics_support_joining_softly_and_only_between_slots(database: Database) -> None:
    both = [paper(n, f"We use GELU and dropout. {BODY.format(n, n + 5)}") for n in range(12)]
    same_slot = [paper(100 + n, f"We tried Lion, an optimizer, and Adam. {BODY.format(100 + n, n + 5)}") for n in range(12)]
    edges = made(database, [*both, *same_slot, *filler(60)])
    assert set(edges) == {"dropout composes with gelu"}, "optimizers named together fill one slot; what is not named together has no edge"
    edge = edges["dropout composes with gelu"]
    assert edge.origins == ("statistics",) and edge.severity is None and edge.supporting_works == 0
    assert 0.5 < edge.confidence < 2 / 3 and edge.together is not None and edge.together["works"] == 12
    places = lookup.passages(database, [edge])
    assert {lookup.sentence_of(one, places) for one in edge.evidence} == {"We use GELU and dropout."} and len(edge.evidence) == 3


def constraints(severity: str, scope: str = IDEA) -> list[Constraint]:
    forbidden = (Condition("slot:activation", "==", "gelu"), Condition("slot:regularization", "==", "dropout"))
    return [Constraint("c-1", "fact", severity, scope, forbidden, "y refuses both", Source("a.py:3", "x/y", "0" * 40))]  # type: ignore[arg-type]


def test_a_rule_holds_in_its_scope_a_warning_is_one_voice(database: Database) -> None:
    scope = "implementation: x/y@" + "0" * 40
    hard = made(database, [], constraints=constraints("hard", scope))["dropout conflicts with gelu"]
    assert (hard.confidence, hard.severity, hard.key.scope, hard.origins) == (1.0, "hard", scope, ("fact",))
    (one,) = hard.evidence
    assert (lookup.source_of(one, {}), lookup.sentence_of(one, {})) == ("x/y@0000000000 a.py:3", "y refuses both")
    assert lookup.address_of(one, {}) == f"https://github.com/x/y/blob/{'0' * 40}/a.py#L3"
    soft = made(database, [], constraints=[replace(one, id="c-2") for one in constraints("soft", scope)])["dropout conflicts with gelu"]
    assert soft.confidence == pytest.approx(2 / 3) and soft.severity == "soft"


def test_decisions_act_last(database: Database, tmp_path: Path) -> None:
    log = tmp_path / "overrides.yaml"
    append_decision(log, Decision("reject", "edge", "gelu improves_on relu", "measured it", "jo", date(2026, 1, 31)))
    append_decision(log, Decision("accept", "edge", "lora composes_with bert", "we run it", "jo", date(2026, 1, 31)))
    edges = made(database, [beats(n) for n in range(5)], overrides=log)
    rejected, accepted = edges["gelu improves on relu"], edges["bert composes with lora"]
    assert rejected.confidence == 0 and rejected.supporting_works == 5 and not rejected.evidence[0].supports
    assert accepted.confidence == 1 and accepted.severity == "hard" and "jo" in lookup.source_of(accepted.evidence[0], {})


@pytest.mark.parametrize("what", ["nothing", "document", "gone", "constraint", "decision", "ontology"])
def test_it_is_made_anew_when_something_changed_and_only_then(database: Database, tmp_path: Path, what: str) -> None:
    log, by, rules = tmp_path / "overrides.yaml", ontology(), constraints("hard")
    made(database, [beats(1), beats(2)], by, constraints=rules, overrides=log)
    before = written(database)
    if what == "document":
        put(database, [beats(3)], by)
    elif what == "gone":
        with database.begin() as connection:
            connection.execute(sa.text("DELETE FROM document WHERE external_id = 'x:1'"))
    elif what == "constraint":
        rules = []
    elif what == "decision":
        append_decision(log, Decision("reject", "edge", "gelu improves_on relu", "no", "jo", date(2026, 1, 31)))
    elif what == "ontology":
        by = replace(by, components={id_: one for id_, one in by.components.items() if id_ != "t5"})
    catalogue(database, by)
    report = build(database, by, rules, log)
    assert report.made is (what != "nothing")
    assert (written(database) == before) is (what in ("nothing", "ontology"))
    assert report.edges == (1 if what == "constraint" else 2)


def written(db: Database) -> list[Any]:
    with db.begin() as connection:
        edges = connection.execute(sa.text("SELECT to_jsonb(e) FROM graph_edge e ORDER BY edge")).scalars().all()
        return [edges, connection.execute(sa.text("SELECT to_jsonb(e) FROM graph_evidence e ORDER BY edge, place")).scalars().all()]


def test_a_graph_made_twice_is_the_same(database: Database) -> None:
    records = (
        [beats(n) for n in range(4)] + [paper(20 + n, f"We use GELU and dropout. {BODY.format(20 + n, n)}") for n in range(8)] + filler(30)
    )
    made(database, records)
    before = written(database)
    with database.begin() as connection:
        connection.execute(sa.text("DELETE FROM stage_state WHERE stage = 'compatibility_graph'"))
    assert build(database, ontology()).made and written(database) == before and len(before[0]) == 2


def test_an_edge_whose_passages_are_gone_or_changed_is_told(database: Database) -> None:
    (edge,) = made(database, [beats(1)]).values()
    assert list(lookup.broken(database, [edge])) == []
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE document SET text = replace(text, 'outperforms', 'overtakes..')"))
    assert list(lookup.broken(database, store.edges(database, evidence=True))) == ["gelu improves on relu"]
    assert lookup.sentence_of(edge.evidence[0], lookup.passages(database, [edge])) is None
    with database.begin() as connection:
        connection.execute(sa.text("DELETE FROM document"))
    (left,) = store.edges(database, evidence=True)
    assert left.evidence == () and list(lookup.broken(database, [left])) == ["gelu improves on relu"]


def test_the_surest_chain_leads_from_one_component_to_another(database: Database) -> None:
    records = [beats(n) for n in range(3)]
    records += [
        paper(10 + n, f"{said} {BODY.format(10 + n, n)}")
        for n, said in enumerate(["ReLU outperforms Lion, an optimizer.", "T5 outperforms BERT."])
    ]
    edges = list(made(database, records).values())
    found = lookup.path(edges, "gelu", "lion")
    assert found is not None and [one.said for one in found] == ["gelu improves on relu", "relu improves on lion"]
    assert lookup.path(edges, "gelu", "t5") is None and lookup.path(edges, "gelu", "gelu") == []


def test_what_the_ontology_has_lost_since_is_not_shown(database: Database) -> None:
    made(database, [beats(1), paper(2, f"T5 outperforms BERT. {BODY.format(2, 3)}")])
    by = ontology()
    smaller = replace(by, components={id_: one for id_, one in by.components.items() if id_ != "relu"})
    assert [one.said for one in view(database, by, Filter()).edges] == ["gelu improves on relu", "t5 improves on bert"]
    shown = view(database, smaller, Filter())
    assert [one.said for one in shown.edges] == ["t5 improves on bert"] and set(shown.components) == {"t5", "bert"}
    assert view(database, by, Filter(slots=("activation",), at_least=0.6)).edges and not view(database, by, Filter(at_least=0.9)).edges
