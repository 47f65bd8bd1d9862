"""The shipped ontology and the constraints over it, once per process."""

from __future__ import annotations

import pytest

from forge_assets.compatibility.constraints.base import ConstraintBase, load_constraints
from forge_assets.components.ontology import Ontology, load_ontology


@pytest.fixture(scope="session")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture(scope="session")
def base(ontology: Ontology) -> ConstraintBase:
    return load_constraints(ontology)
