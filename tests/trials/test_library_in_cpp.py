"""Every component the library has, composed into a model: compiled C++ gives what PyTorch gives, also step by step where it decodes."""

from __future__ import annotations

import pytest

from forge_assets.blueprints.fdl.backends.cpp.running import compiler
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.library.composing import model_text
from forge_assets.blueprints.fdl.trial import compare
from tests.blueprints.fdl.test_library import MODEL, shape_for, stack_with

pytestmark = [pytest.mark.trial, pytest.mark.skipif(compiler() is None, reason="needs a C++ compiler: run tools/debian.sh as root")]


@pytest.mark.parametrize(("slot", "component"), MODEL)
def test_a_component_is_the_same_in_cpp(slot: str, component: str) -> None:
    slots = stack_with(slot, component)
    (found,) = compare(compiled(model_text(slots, shape_for(slots)).text), backends=("torch", "cpp"))
    assert found.equal and "torch and cpp" in found.differences, found.differences
