"""12-export: three other programs read the trained model and give its numbers and its text; damaged exports are told apart."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forge_assets.blueprints.fdl.check import compiled
from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.chain import EXPORT, TRAINED
from forge_assets.fragments.export import fragment, gguf_file, onnx_model
from forge_assets.fragments.export.llama_architectures import Unrepresented, architecture_of, represented
from forge_assets.fragments.export.llama_cpp import served
from forge_assets.fragments.export.measure import perplexity, same_tokens
from forge_assets.fragments.golden import difference
from forge_assets.fragments.verify import verify
from forge_resources.errors import FragmentError
from tests.conftest import short_folder
from tests.fragments.damage import EXPORT_DAMAGES
from tests.fragments.plans import exported, plan

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def export(llama: Path) -> Iterator[Path]:
    """A folder with 12-export of a small trained Llama, and what it is made of; not to be changed."""
    root = short_folder("fe-")
    shutil.copytree(llama / TRAINED, root / TRAINED)
    assert [one.made for one in exported("llama", root)] == [True]
    yield root
    shutil.rmtree(root)


def test_three_programs_read_the_model_and_go_on_alike(export: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = export / EXPORT
    record = json.loads((folder / "export.json").read_text())
    assert not any("refused" in one for one in record["formats"].values())
    numbers = dict(st.arrays(folder / "io.safetensors"))
    assert difference(onnx_model.OnnxRuntime(folder / "onnx/model.onnx").logits(numbers["inputs.ids"]), numbers["outputs.logits"]) < 1e-5
    said = record["greedy"][0]
    tokenizer = AutoTokenizer.from_pretrained(folder / "hf")
    ids = tokenizer(said["prompt"], return_tensors="pt")
    made = AutoModelForCausalLM.from_pretrained(folder / "hf").generate(**ids, max_new_tokens=16)[0, ids.input_ids.shape[1] :].tolist()
    with served(folder / "gguf/model-f32.gguf", 64) as client:
        found = client.greedy(said["prompt"], 16, 300)
    assert len(said["tokens"]) == 16 and made == found.tokens == said["tokens"] and found.text == said["text"]


def test_each_file_tells_what_it_costs(export: Path) -> None:
    formats = json.loads((export / EXPORT / "export.json").read_text())["formats"]
    assert formats["hf"]["logits_apart"] < 1e-5 and formats["onnx"]["logits_apart"] < 1e-5
    assert formats["gguf"]["log_probabilities_apart"] < 1e-3 and formats["gguf"]["texts_with_the_same_tokens"] > 5
    (whole,) = formats["hf"]["files"]
    for name in ("gguf", "onnx"):
        files = formats[name]["files"]
        assert [one["bytes"] for one in files] == sorted((one["bytes"] for one in files), reverse=True)
        assert abs(files[0]["perplexity"] - whole["perplexity"]) < 1e-3, "the same weights cost nothing"
        assert all(0 < abs(one["perplexity"] / whole["perplexity"] - 1) < 0.02 for one in files[1:])
    card = (export / EXPORT / "hf" / "README.md").read_text()
    assert "pipeline_tag: text-generation" in card and "validation loss" in card and "<https://example.org/a>" in card


def test_an_export_holds_and_is_not_made_again(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GGUF and quantised files are made anew and compared; writing the graph anew by PyTorch takes seconds and is left to the trials."""
    monkeypatch.setattr(onnx_model, "write", lambda path, *_: shutil.copyfile(export / EXPORT / "onnx" / path.name, path))
    assert [one.made for one in exported("llama", export)] == [False]
    (checked,) = verify(export, [EXPORT])
    assert checked.notes == ()


@pytest.mark.parametrize("name", EXPORT_DAMAGES)
def test_a_damaged_export_is_refused(name: str, export: Path, tmp_path: Path) -> None:
    damage, message = EXPORT_DAMAGES[name]
    shutil.copytree(export / EXPORT, tmp_path / EXPORT)
    damage(tmp_path)
    with pytest.raises(FragmentError) as error:
        verify(tmp_path, [EXPORT])
    assert re.search(message, str(error.value)), str(error.value)
    assert not (tmp_path / "ran").exists()


def test_another_version_of_a_package_is_a_note(export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from forge_assets.fragments.export import checking

    monkeypatch.setattr(checking, "packages", lambda: {**fragment.packages(), "gguf": "0.0"})
    (checked,) = verify(export, [EXPORT])
    assert "made by other versions and were not compared" in checked.notes[0]
    monkeypatch.setattr(checking, "packages", lambda: {**fragment.packages(), "gguf": None})
    (checked,) = verify(export, [EXPORT])
    assert "gguf is not installed here" in checked.notes[0]


def test_what_is_not_installed_is_named(export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragment, "packages", lambda: {"gguf": "1", "xllamacpp": None})
    shutil.copytree(export / TRAINED, tmp_path / TRAINED)
    with pytest.raises(FragmentError, match=r"12-export needs the packages xllamacpp; install them by `python3 -m tools.setup models`"):
        list(exported("llama", tmp_path))
    assert not (tmp_path / EXPORT).exists()


def test_a_stack_that_llama_cpp_has_not_says_which_component_and_what_would_work() -> None:
    held = plan("llama")
    for change, message in (
        (
            {"position_encoding": "yarn"},
            "nearest, llama, is kept from it by yarn as position_encoding, where it has rope.* pin position_encoding=rope",
        ),
        ({"norm_placement": "sandwich-norm"}, "sandwich-norm as norm_placement, where it has pre-norm"),
        ({"sequence_mixer": "ssm"}, "ssm as sequence_mixer, where it has nothing"),
    ):
        with pytest.raises(Unrepresented, match=message):
            architecture_of(replace(held, slots={**held.slots, **change}))
    alibi = plan("alibi")
    with pytest.raises(Unrepresented, match="powers of two only, not for 12 heads"):
        represented(replace(alibi, sizes={**alibi.sizes, "g": 12}), compiled(alibi.text), {})


def test_a_tokenizer_that_llama_cpp_has_not_is_refused(export: Path, tmp_path: Path) -> None:
    held = plan("llama", tokenizer="sentencepiece")
    tensors = dict(st.arrays(export / EXPORT / "hf" / "model.safetensors"))
    made = represented(held, compiled(held.text), tensors)
    with pytest.raises(Unrepresented, match="pin tokenizer=byte-level-bpe"):
        gguf_file.write(tmp_path / "a.gguf", made, held, export / EXPORT / "hf" / "tokenizer.json")


def test_what_llama_cpp_says_of_a_file_it_cannot_load_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF" + bytes(60))
    with pytest.raises(FragmentError, match=r"llama.cpp does not take a.gguf: .*(rror|failed)"), served(tmp_path / "a.gguf", 64):
        pass


@pytest.mark.parametrize(("bits", "axis", "worst"), [(8, 1, 0.5), (4, 1, 1.0), (4, 0, 1.0)])
def test_rounded_weights_are_half_a_step_off_at_most(bits: int, axis: int, worst: float) -> None:
    array = np.random.default_rng(0).standard_normal((64, 64), dtype=np.float32)
    array[3] = 0
    values, scales = onnx_model.rounded(array, bits, axis)
    steps = np.repeat(scales, 32, axis)
    assert np.abs(values * steps - array).max() <= worst * np.abs(steps).max() + 1e-6
    assert len(np.unique(values)) > (200 if bits == 8 else 15) and values.min() >= -(2 ** (bits - 1))


def test_perplexity_is_that_of_the_likelihoods() -> None:
    class Even:
        def logits(self, ids: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
            return np.zeros((*ids.shape, 7), np.float32)

    assert perplexity(Even(), np.arange(7), 3) == pytest.approx(7)


def test_texts_that_part_at_a_tie_are_the_same() -> None:
    logits = np.array([[0.0, 3.0, 1.0], [2.0, 2.0005, 0.0]])
    assert same_tokens([1, 0], [1, 1], logits, 1e-3) and not same_tokens([1, 2], [1, 1], logits, 1e-3)
    assert not same_tokens([1], [1, 1], logits, 1e-3)
