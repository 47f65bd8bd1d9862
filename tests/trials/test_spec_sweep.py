"""Specs of a hundred random requests: each is valid, has about the parameters asked for or says why not, and its files read back."""

from __future__ import annotations

import json
import tomllib

import pytest
import yaml

from forge_assets.blueprints.hierarchy.layout import hierarchy_files
from forge_assets.blueprints.spec import files
from forge_assets.blueprints.spec.build import spec_files
from forge_assets.blueprints.spec.make import Source, make_spec
from forge_assets.blueprints.spec.stated import Known
from forge_assets.compatibility.stack.blueprints import solve_built
from forge_assets.compatibility.stack.build import build
from forge_resources.errors import BlueprintError
from tests.compatibility.stacks import inputs, random_request

pytestmark = pytest.mark.trial


@pytest.mark.parametrize("seed", range(100))
def test_a_random_request_has_a_spec(seed: int) -> None:
    request = random_request(seed)
    try:
        stack = solve_built(build(request, inputs()))
    except BlueprintError as error:
        pytest.skip(f"no stack meets it: {str(error)[:80]}")
    spec = make_spec(Source(stack, request, inputs().ontology, Known()))
    for text in (files.as_json(spec), files.as_yaml(spec)):
        assert files.read_text(text, "it") == spec
    off = abs(spec.model_size.parameters.value / request.params - 1)
    assert off <= 0.05 or any("parameters, " in risk.statement for risk in spec.risks)
    if request.gpu_memory:
        assert spec.hardware.fits is not None
        assert spec.hardware.fits.value != any(risk.statement.startswith("a step needs ") for risk in spec.risks)
    made = spec_files(spec)
    assert {"spec.md", "spec.yaml"} <= set(made) and hierarchy_files(spec)
    for file, reads in (("torchtitan.toml", tomllib.loads), ("nanotron.yaml", yaml.safe_load), ("config.json", json.loads)):
        assert reads(made[file]) if file in made else made[f"{file}.missing.txt"]
