"""What works agree on is found with the place where it stands, and no longer once the text says something else."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa

from forge_assets.blueprints.spec.stated import ENOUGH, known_of
from forge_assets.components.catalogue.build import build
from forge_assets.components.ontology import load_ontology
from forge_resources.database import Database
from tests.components.catalogue_corpus import FILL, paper, put

SAYS = "We optimize with AdamW with a weight decay of {0}."


@pytest.mark.parametrize(("decays", "agreed"), [(["0.1"] * 6, 0.1), (["0.1"] * (ENOUGH - 1), None), (["0.001", "0.1"] * 4, None)])
def test_only_what_enough_works_agree_on_is_taken(database: Database, decays: list[str], agreed: float | None) -> None:
    ontology = load_ontology()
    put(
        database,
        [paper(number, f"{FILL.format(number + 40, 7 * number)} {SAYS.format(decay)}") for number, decay in enumerate(decays)],
        ontology,
    )
    build(database, ontology)
    known = known_of(database, ["adamw", "rope"])
    assert set(known.named) == {"adamw"}
    found = known.values.get(("weight-decay", "weight_decay"))
    assert (found.value if found else None) == agreed
    for one in (*known.named["adamw"], *(found.evidence if found else ())):
        with database.begin() as connection:
            text = connection.execute(sa.text("SELECT text FROM document WHERE uri = :uri"), {"uri": one.document}).scalar_one()
        assert hashlib.sha256(text[one.start : one.end].encode()).hexdigest() == one.quote_hash
    if found:
        assert found.works == 6
        with database.begin() as connection:
            connection.exec_driver_sql("UPDATE parameter_value SET quote_hash = repeat('0', 64)")
        assert ("weight-decay", "weight_decay") not in known_of(database, ["adamw"]).values
