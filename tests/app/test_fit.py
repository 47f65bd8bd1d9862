"""`forge fit` as a person meets it: a config or a size, a card, and what fits; the unknown is answered in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forge_app.cli import main

LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "vocab_size": 128256,
}  # fmt: skip


class Forge:
    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self._captured.readouterr()
        code = 0
        try:
            main(["fit", *arguments])
        except SystemExit as stopped:
            code = int(str(stopped.code))
        return code, *self._captured.readouterr()

    def json(self, *arguments: str) -> Any:
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def forge(forge_home: Path, capsys: pytest.CaptureFixture[str]) -> Forge:
    return Forge(capsys)


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    return str(tmp_path)


def test_a_model_is_trained_on_the_simplest_plan_that_fits(forge: Forge, config: str) -> None:
    found = forge.json(config, "--gpu", "h100", "--gpus", "8")
    assert found["parameters"]["total"] == 8_030_261_248 and found["fits"]
    memory = found["memory"]
    assert memory["bytes"] == sum(item["bytes"] for item in memory["items"]) <= 0.8 * 80e9
    assert memory["low"] < memory["bytes"] < memory["high"] and "several devices" in memory["unvalidated"]
    assert "ZeRO" in found["plan"]["split"] and all(item["formula"] and item["source"] for item in memory["items"])
    assert found["run"]["tokens"] == 20 * 8_030_261_248 and found["run"]["mfu_assumed"] and found["run"]["cost"] is None


def test_the_page_tells_shape_items_range_and_verdict(forge: Forge, config: str) -> None:
    code, out, _ = forge(config, "--gpu", "a100", "--batch", "2", "--price", "1.5", "--tokens", "1e9")
    assert code == 0
    for words in ("8,030,261,248 parameters", "optimizer states", "usable", "GiB", "does not fit", "https://"):
        assert words in out
    assert "unvalidated" not in out  # dense, Llama-like, one device
    assert "at the price given" in out and "not even one sequence fits" in out


def test_degrees_that_are_given_are_kept(forge: Forge, config: str) -> None:
    found = forge.json(config, "--gpus", "16", "--tp", "4", "--pp", "2", "--zero", "1", "--recompute", "full")
    assert found["plan"]["split"] == "dp 2, tp 4, pp 2, ZeRO-1" and found["plan"]["recompute"] == "full"


def test_lora_on_quantized_weights_fits_where_training_does_not(forge: Forge, config: str) -> None:
    assert not forge.json(config, "--gpu", "l40s")["fits"]
    small = forge.json(config, "--gpu", "l40s", "--lora", "16", "--quantize", "nf4")
    assert small["fits"] and small["run"] is None and small["plan"]["lora_rank"] == 16


def test_serving_tells_cache_speed_and_what_to_offload(forge: Forge, config: str) -> None:
    found = forge.json(config, "--serve", "--gpu", "l40s", "--batch", "8")
    cache = next(item["bytes"] for item in found["memory"]["items"] if item["name"] == "kv cache")
    assert cache == 8 * 4096 * 131072 and found["fits"] and found["offload"] is None
    assert found["speed"]["tokens_per_second_at_most"] > 100
    code, out, _ = forge("--params", "7e10", "--serve", "--gpu", "h100")
    assert code == 0 and "--cpu-offload-gb" in out
    assert forge.json("--params", "7e10", "--serve", "--gpu", "h100", "--gpus", "4")["plan"]["split"] == "tp 4"


def test_a_card_is_found_by_its_memory_and_the_price_by_the_setting(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_GPU_PRICE_PER_HOUR", "3")
    found = forge.json("--params", "1.5e9", "--gpu-memory", "80GiB", "--tokens", "1e9", "--mfu", "0.5")
    assert found["gpu"]["memory"] == 80e9 and found["run"]["cost"] == pytest.approx(found["run"]["seconds"] / 3600 * 3)
    assert not found["run"]["mfu_assumed"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give either the config.json of a model or --params"),
        (("--params", "1e9", "--gpu", "h1000"), "did you mean h100-80gb"),
        (("--params", "1e9", "--gpu-memory", "much"), "is no size"),
        (("--params", "1e99"), "cannot be proposed"),
        (("--params", "nan"), "cannot be proposed"),
        (("--params", "1e9", "--precision", "fp7"), "choose one of fp32"),
        (("--params", "1e9", "--optimizer", "sophia"), "choose one of adamw"),
        (("--params", "1e9", "--gpus", "7", "--tp", "2"), "make the product equal to --gpus"),
        (("--params", "1e9", "--quantize", "nf4"), "add LoRA adapters"),
        (("--params", "1e9", "--serve", "--quantize", "q1"), "quantization 'q1' is unknown"),
        (("--params", "1e9", "--serve", "--lora", "8"), "belong to training"),
        (("--params", "1e9", "--tokens", "-5"), "no training run"),
        (("--params", "1e9", "--mfu", "nan"), "expected a share of the peak"),
        (("/no/such/config.json",), "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(forge: Forge, arguments: tuple[str, ...], sentence: str) -> None:
    code, out, err = forge(*arguments)
    assert code == 2 and sentence in err and not out


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model_type": "mamba2", "hidden_size": 2560, "num_hidden_layers": 64, "num_heads": 80, "n_groups": 1, "vocab_size": 50288,
          "tie_word_embeddings": True}, ("2,702,599,680", "64 recurrent layers")),
        ({"model_type": "deepseek_v3", "hidden_size": 7168, "intermediate_size": 18432, "num_hidden_layers": 61, "num_attention_heads": 128,
          "vocab_size": 129280, "n_routed_experts": 256, "num_experts_per_tok": 8, "moe_intermediate_size": 2048},
         ("128 heads over latents of 512 + 64", "256 experts of 2,048, 8 per token", "active per token", "unvalidated: deepseek_v3")),
    ],
    ids=["mamba2", "deepseek_v3"],
)  # fmt: skip
def test_shapes_are_told_by_the_parts_they_have(forge: Forge, tmp_path: Path, config: dict[str, Any], words: tuple[str, ...]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    code, out, err = forge(str(tmp_path / "config.json"), "--serve")
    assert code == 0, err
    assert all(word in out for word in words) and "0 heads" not in out
