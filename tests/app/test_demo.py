"""The end of `forge demo`: what it asks the commands for is what they take, and what was exported is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forge_app.demo import ADAPTED, ASKED, MODEL, TRAINED, _exported
from forge_app.fragments import _chosen
from forge_assets.compatibility.stack.request import read_request, wished
from forge_assets.fragments.kinds import KINDS
from tests.fragments.plans import plan


def test_the_commands_take_what_the_demo_asks_for() -> None:
    asked = {name: value for name, value in ASKED.items() if name != "pin"}
    request = read_request({"name": MODEL, **asked, "pins": (wished(ASKED["pin"]),)})
    assert request.params == 3_000_000 and request.context == 256
    preset, given = TRAINED
    for name, chosen in {**_chosen(preset, given), **ADAPTED}.items():
        settings = KINDS[name].settings(plan("llama"), chosen)
        assert settings["steps"] in (60, 300), settings


def test_what_was_exported_is_told_and_what_was_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = {"file": "hf", "bytes": 12_000, "perplexity": 7.125}
    formats = {
        "hf": {"client": "transformers 5", "logits_apart": 2e-7, "files": [file]},
        "gguf": {"refused": "llama.cpp has no yarn"},
        "onnx": {"refused": "none"},
    }
    (tmp_path / "export.json").write_text(json.dumps({"formats": formats, "greedy": [{"prompt": "Once", "text": " more"}]}))
    _exported(tmp_path)
    told = capsys.readouterr().out
    assert "12,000" in told and "7.12" in told and "2.0e-07" in told and "llama.cpp has no yarn" in told
    assert "what is not quantised goes on alike: 'Once' -> ' more'" in told
