"""11-lora: what the instructions are made of, the adapter's training and layout, and what is told where it cannot be made."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.build import build
from forge_assets.fragments.chain import LORA, TOKENIZER, TRAINED
from forge_assets.fragments.folder import seal, sums_of
from forge_assets.fragments.lora import fragment as lora
from forge_assets.fragments.lora import training
from forge_assets.fragments.lora.base import folder_of
from forge_assets.fragments.lora.encoding import IGNORED, encoded, padded
from forge_assets.fragments.lora.examples import JSON_SCHEMA, Example, counted, read_examples, write_examples
from forge_assets.fragments.lora.examples import TRAINED as LEARNT
from forge_assets.fragments.lora.quotes import fit
from forge_assets.fragments.lora.served import obstacles
from forge_assets.fragments.lora.wording import spoken
from forge_assets.fragments.verify import verify
from forge_resources.errors import FragmentError
from tests.fragments import lora_examples
from tests.fragments.plans import documents, plan

CHOSEN = {"steps": 12, "batch": 4, "checkpoint": 4, "rank": 4, "alpha": 8, "most_tokens": 400}

THINKING = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
"""As Qwen3's template has it."""


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return lora_examples.examples()


@pytest.fixture(scope="module")
def base(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lora_examples.base(llama, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """11-lora of the small Llama as a base from elsewhere, whose context is said to be long enough; not to be changed."""
    return lora_examples.adapted(base, tmp_path_factory.mktemp("lora"), CHOSEN)


def test_an_answer_cites_sources_that_carry_it(examples: list[Example]) -> None:
    for one in examples:
        cited = {int(number) for number in re.findall(r"\[(\d+)\]", one.answer)}
        assert cited <= {source.number for source in one.sources} and (cited or one.kind == "unanswered")
        if one.kind in ("passages", "claims"):
            said = re.sub(r" (?:\[\d+\])+(?=\.)", "", one.answer)
            quotes = sorted((source.quote for source in one.sources if source.number in cited), key=said.find)
            assert said == " ".join(quotes)
        if one.kind == "values":
            for value, number in re.findall(r"([\d.]+) \[(\d+)\]", one.answer):
                assert value in one.sources[int(number) - 1].quote


def test_every_kind_is_there_and_no_work_component_or_sentence_on_both_sides(examples: list[Example]) -> None:
    sides = [[one for one in examples if one.held_out == side] for side in (False, True)]
    assert all(sum(counts) for counts in counted(examples).values()) and all(sides)
    assert not {one.component for one in sides[0]} & {one.component for one in sides[1]}
    for key in ("document", "quote"):
        shared = set.intersection(*({getattr(source, key) for one in side for source in one.sources} for side in sides))
        assert not {one for one in shared if not one.startswith("forge:ontology")}
    assert len({one.id for one in examples}) == len(examples) and lora_examples.examples() == examples


def test_the_files_are_of_their_schema_and_read_back(examples: list[Example], tmp_path: Path) -> None:
    write_examples(tmp_path, examples)
    jsonschema.Draft202012Validator.check_schema(JSON_SCHEMA)
    assert sorted(read_examples(tmp_path), key=lambda one: one.id) == examples
    lines = (tmp_path / LEARNT).read_text().splitlines()
    (tmp_path / LEARNT).write_text("\n".join([lines[0].replace('"question": "', '"question": "So: '), *lines[1:]]) + "\n")
    with pytest.raises(FragmentError, match=r"line 1: its id"):
        read_examples(tmp_path)
    with pytest.raises(FragmentError, match="0 to measure by; expected 8 and 1"):
        write_examples(tmp_path, [one for one in examples if not one.held_out])


def test_a_sentence_that_cannot_stand_alone_is_none() -> None:
    whole = "LoRA reduces the memory of training by two thirds."
    leaning = (
        "Our LoRA" + whole[4:],
        "This adapter" + whole[4:],
        whole.replace("memory", "memory $m$"),
        whole[:-1],
        "The model" + whole[4:],
    )
    assert fit(whole) and not any(fit(one) for one in leaning)


def test_names_are_spoken_as_inside_a_sentence() -> None:
    assert spoken("Capsule network", {"capsule network"}) == "a capsule network"
    assert spoken("Dropout", {"dropout"}) == "dropout" and spoken("Adam", {"Adam"}) == "Adam"


def test_only_the_answer_is_learnt(examples: list[Example], llama: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(llama / TRAINED)
    (one, *_), long = encoded(examples[:1], tokenizer, 1 << 20)
    ids, labels = padded([one], 0)
    learnt = ids[labels != IGNORED]
    assert tokenizer.decode(learnt).startswith(examples[0].answer) and not long
    assert encoded(examples[:3], tokenizer, 8) == ([], 3)
    tokenizer.chat_template = THINKING
    (one, *_), _ = encoded(examples[:1], tokenizer, 1 << 20)
    assert tokenizer.decode(one.ids[one.answer :]) == f"{examples[0].answer}<|im_end|>\n"
    assert tokenizer.decode(one.ids[: one.answer]).endswith("</think>\n\n")
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}{% if add_generation_prompt %}?{% endif %}"
    with pytest.raises(FragmentError, match="does not end a question as an answer begins"):
        encoded(examples[:1], tokenizer, 1 << 20)


def test_the_adapter_is_measured_proved_and_verified(adapter: Path) -> None:
    record = json.loads((adapter / "config.json").read_text())["lora"]
    assert record["loss"]["after"] < record["loss"]["before"]
    assert record["proof"]["reloaded"] <= 1e-6 and record["proof"]["merged"] <= 1e-4 and record["proof"]["effect"] > 1e-3
    assert [one.name for one in verify(adapter.parent)] == [LORA]
    assert len((adapter / lora.LOG).read_text().splitlines()) == CHOSEN["steps"]
    assert "loss on held-out answers, after" in (adapter / "README.md").read_text()


def test_the_layout_is_what_vllm_serves(adapter: Path, tmp_path: Path) -> None:
    assert list(obstacles(adapter, "LlamaForCausalLM")) == []
    names = st.header(adapter / "adapter_model.safetensors").tensors
    assert "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight" in names and len(names) == 2 * 2 * 7
    broken = shutil.copytree(adapter, tmp_path / "broken")
    config = json.loads((broken / "adapter_config.json").read_text())
    for change, told in (({"bias": "all"}, "bias"), ({"modules_to_save": ["lm_head"]}, "modules_to_save"), ({"r": 1024}, "rank 1024"),
                         ({"use_dora": True}, "DoRA"), ({"target_parameters": ["x"]}, "bare parameters")):  # fmt: skip
        (broken / "adapter_config.json").write_text(json.dumps(config | change))
        assert any(told in one for one in obstacles(broken, "LlamaForCausalLM"))
    assert any("no class" in one for one in obstacles(adapter, "ForgeForCausalLM"))


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [("adapter_config.json", lambda held: held | {"auto_mapping": {"parent_library": "evil"}}, "auto_mapping is not what was trained"),
     ("adapter_config.json", lambda held: held | {"r": 8}, "r is not what was trained"),
     ("config.json", lambda held: held | {"lora": {}}, "does not say what was adapted")],
)  # fmt: skip
def test_a_changed_adapter_is_refused_though_its_sums_hold(adapter: Path, tmp_path: Path, file: str, change: object, told: str) -> None:
    folder = shutil.copytree(adapter, tmp_path / LORA)
    held = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps(change(held)))  # type: ignore[operator]
    seal(folder)
    with pytest.raises(FragmentError, match=told):
        verify(tmp_path)


def test_an_interrupted_training_goes_on_to_the_same_bytes(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = training._keep

    def interrupted(work: Path, tensors: dict[str, Any], optimizer: Any, done: Sequence[training.Step], before: float) -> None:
        kept(work, tensors, optimizer, done, before)
        if len(done) == 8:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "_keep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lora_examples.adapted(base, tmp_path, CHOSEN)
    monkeypatch.setattr(training, "_keep", kept)
    assert not (tmp_path / LORA).exists() and list(tmp_path.glob(".work-*/checkpoint.pt"))
    assert sums_of(lora_examples.adapted(base, tmp_path, CHOSEN)) == sums_of(adapter)


def test_what_cannot_be_adapted_is_told_in_a_sentence(llama: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FragmentError, match="there is no folder /none"):
        folder_of("/none")
    for chosen, told in (({"rnk": 4}, "unknown setting 'rnk'"), ({"rank": 0}, "rank is 0; expected 1 to 512"),
                         ({"steps": "many"}, "expected int"), ({"quantised": True}, "needs a CUDA GPU")):  # fmt: skip
        with pytest.raises(FragmentError, match=told):
            lora_examples.adapted(base, tmp_path / "root", CHOSEN | chosen)
    with pytest.raises(FragmentError, match="made from the catalogue"):
        list(build(plan("llama"), tmp_path / "root", documents, [LORA], choices={LORA: CHOSEN | {"base": str(llama / TRAINED)}}))
    with pytest.raises(FragmentError, match=r"0 to train on and 0 to measure by fit into the 64 tokens"):
        lora_examples.adapted(llama / TRAINED, tmp_path / "root", CHOSEN)
    bare = lora_examples.base(llama, tmp_path / "bare")
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(FragmentError, match="no chat template"):
        lora_examples.adapted(bare, tmp_path / "root", CHOSEN)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(FragmentError, match="nobody/nothing is neither in the cache of Hugging Face nor could it be fetched"):
        lora_examples.adapted(Path("nobody/nothing"), tmp_path / "root", CHOSEN)
    monkeypatch.setattr("forge_assets.fragments.lora.base._free_memory", lambda: 1000)
    with pytest.raises(FragmentError, match="GiB are free on cpu"):
        lora_examples.adapted(base, tmp_path / "root", CHOSEN)


def test_an_adapter_that_cannot_be_made_stops_no_other_fragment(llama: Path) -> None:
    built = build(plan("llama"), llama, documents, [TOKENIZER, LORA], choices={LORA: {"base": "/none"}})
    assert next(built).name == TOKENIZER
    with pytest.raises(FragmentError, match="there is no folder /none"):
        next(built)
