"""Every component that the library fills, one after the other; `make test` takes one or two of each slot."""

from __future__ import annotations

import pytest

from tests.blueprints.fdl.test_library import MODEL, check_component


@pytest.mark.parametrize(("slot", "component"), MODEL)
def test_a_component_composes_and_runs_forward_and_backward(slot: str, component: str) -> None:
    check_component(slot, component)
