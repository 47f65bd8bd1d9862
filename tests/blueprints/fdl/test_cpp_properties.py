"""Valid fragments made at random: compiled C++ gives what the text means. Many are one program, for the compiler takes the time."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from forge_assets.blueprints.fdl import trial
from forge_assets.blueprints.fdl.backends.cpp import print_cpp
from forge_assets.blueprints.fdl.backends.cpp.running import QUICK, build, compiler
from forge_assets.blueprints.fdl.check import compiled
from tests.blueprints.fdl.oracle import Oracle
from tests.blueprints.fdl.test_properties import QUIET, fragments

pytestmark = pytest.mark.skipif(compiler() is None, reason="needs a C++ compiler: run tools/debian.sh as root")


def together(texts: list[str]) -> str:
    """The fragments as one text; their axes are the same."""
    first, *others = (re.sub(r"fragment F\(", f"fragment F{number}(", text) for number, text in enumerate(texts))
    return "\n".join([first, *(text[text.index("fragment ") :] for text in others)])


def _hold(texts: list[str]) -> None:
    program = compiled(together(texts))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made = build(print_cpp(program), folder, (*QUICK, "-Wall", "-Werror"))
        for case in trial.cases(program, 5):
            unit = program.units[case.name]
            tensors = case.inputs | {one.name: case.weights[one.stored] for one in unit.parameters}
            (wanted,) = Oracle(unit, case.sizes, tensors).results()
            save_file(case.weights, folder / "w.safetensors")
            save_file(case.inputs, folder / "i.safetensors")
            (found,) = made.run(
                folder / "w.safetensors", case.sizes, folder / "i.safetensors", folder / "o.safetensors", name=case.name
            ).values()
            text = texts[int(case.name[1:])]
            assert found.shape == wanted.shape, text
            assert np.abs(found - wanted).max() <= 1e-4 * max(1.0, float(np.abs(wanted).max())), text


@settings(max_examples=2, phases=[Phase.generate], **QUIET)
@given(st.lists(fragments(), min_size=20, max_size=20))
def test_twenty_fragments_beside_the_simplest(texts: list[str]) -> None:
    _hold(texts)


@pytest.mark.trial
@settings(max_examples=20, phases=[Phase.generate], **QUIET)
@given(st.lists(fragments(), min_size=20, max_size=20))
def test_four_hundred_fragments(texts: list[str]) -> None:
    _hold(texts)
