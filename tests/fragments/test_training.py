"""10-trained: what it is set to, what it reads, that it learns, and what is handed out of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from forge_assets.fragments.assets import told_of_training
from forge_assets.fragments.build import assemble, build
from forge_assets.fragments.chain import PIECES, TRAINED
from forge_assets.fragments.choices import kept
from forge_assets.fragments.folder import seal
from forge_assets.fragments.tokenizer import Text
from forge_assets.fragments.train.data import Order, begun, prepared, unigram_entropy
from forge_assets.fragments.train.rules import optimizers_of, schedule_of
from forge_assets.fragments.train.settings import Training, presets, resolved
from forge_assets.fragments.verify import verify
from forge_resources.errors import FragmentError
from tests.fragments.plans import LEARNING, documents, made, plan, tree

SPECIAL = ("<s>", "</s>", "<pad>")


def test_a_preset_stands_above_the_spec_and_a_person_above_both() -> None:
    stated = {"steps": 5, "learning_rate": 1e-4, "optimizer": "lion", "context": 512}
    assert resolved({"stated": stated}, 64) == Training(
        steps=5, learning_rate=1e-4, optimizer="lion", context=64, threads=resolved({}, 1).threads
    )
    found = resolved({"stated": stated, "preset": "tiny-cpu", "machine": {"precision": "fp32"}, "settings": {"steps": 7}}, 4096)
    assert (found.steps, found.optimizer, found.learning_rate, found.precision) == (7, "lion", 3e-3, "fp32")
    assert set(presets()) == {"tiny-cpu", "small-gpu", "1b-8gpu"} and Training(**presets()["1b-8gpu"].settings).passes == 4
    with pytest.raises(FragmentError, match="there is no preset 'tiny'"):
        resolved({"preset": "tiny"}, 64)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"stepps": 3}, "unknown setting 'stepps'; did you mean 'steps'"), ({"steps": "3"}, "steps is '3'; expected int"),
     ({"steps": 0}, "steps is 0; expected more than 0"), ({"compile": 1}, "compile is 1; expected bool"),
     ({"optimizer": "adafactor"}, "no optimizer 'adafactor' is in the library"),
     ({"micro": 3, "sequences": 16}, "16 sequences a step are no multiple of 3"),
     ({"processes": 2}, "parallel is none with 2 processes"), ({"precision": "fp8"}, "expected one of fp32, bf16"),
     ({"processes": 2, "parallel": "fsdp2", "optimizer": "muon"}, "muon steps whole matrices, which fsdp2 splits")],
)  # fmt: skip
def test_settings_that_cannot_be_are_told(given: dict[str, object], message: str) -> None:
    with pytest.raises(FragmentError, match=message):
        resolved({"settings": given}, 64)


def test_choices_are_kept_for_later_builds_and_taken_back(tmp_path: Path) -> None:
    assert kept(tmp_path, {TRAINED: {"preset": "tiny-cpu", "machine": {"threads": 2}}})[TRAINED]["preset"] == "tiny-cpu"
    assert kept(tmp_path, {TRAINED: {"preset": None}}) == {TRAINED: {"machine": {"threads": 2}}} == kept(tmp_path, {})


def test_copies_are_left_out_and_a_killed_filling_goes_on(llama: Path, tmp_path: Path) -> None:
    def corpus(held_out: bool | None = None, until: int = 1000) -> Iterator[Text]:
        for number in range(700):
            if number == until and not held_out:
                raise KeyboardInterrupt
            content = "The same  words." if number % 7 == 0 else f"Document {number} of them."
            if held_out is None or held_out == (number % 10 == 9):
                yield Text(f"{number:04}", "", content, number % 10 == 9)

    wanted = {"train": 10_000, "validation": 10_000}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    told = prepared(corpus, llama / "01-tokenizer", SPECIAL, 300, whole, wanted, 16)
    with pytest.raises(KeyboardInterrupt):
        prepared(lambda held_out=None: corpus(held_out, 650), llama / "01-tokenizer", SPECIAL, 300, broken, wanted, 16)
    assert 0 < begun(broken).parts["train"].documents < 630
    assert prepared(corpus, llama / "01-tokenizer", SPECIAL, 300, broken, wanted, 16) == told
    for name in ("train.bin", "validation.bin"):
        assert (whole / name).read_bytes() == (broken / name).read_bytes()
    assert told.parts["validation"].taken == 61 and told.parts["train"].taken == 540, "one copy of a hundred is left, in validation"
    assert told.held_out and told.parts["train"].documents == 630


def test_without_held_out_works_the_end_of_the_text_is_held_out(llama: Path, tmp_path: Path) -> None:
    def corpus(held_out: bool | None = None) -> Iterator[Text]:
        return iter([] if held_out else [Text("0", "", "Norms keep the scale of a layer. " * 40, False)])

    told = prepared(corpus, llama / "01-tokenizer", SPECIAL, 300, tmp_path, {"train": 5000, "validation": 500}, 16)
    assert not told.held_out and told.parts["validation"].tokens >= 17
    with pytest.raises(FragmentError, match="add sources, or a shorter one"):
        prepared(lambda held_out=None: iter([] if held_out else [Text("0", "", "Few.", False)]), llama / "01-tokenizer", SPECIAL, 300,
                 _folder(tmp_path / "few"), {"train": 5000, "validation": 500}, 16)  # fmt: skip


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_each_epoch_visits_every_window_once_and_entropy_is_that_of_counts(tmp_path: Path) -> None:
    order = Order(5, seed=3)
    first, second = ([order[place] for place in range(at, at + 5)] for at in (0, 5))
    assert sorted(first) == sorted(second) == [0, 1, 2, 3, 4] and first != second
    assert order[7] == Order(5, seed=3)[7], "a place is found without those before it"
    assert unigram_entropy(np.array([1, 1, 2, 2], np.uint16)) == pytest.approx(np.log(2))


@pytest.mark.parametrize("optimizer", ["adamw", "muon", "lion", "nesterov-momentum"])
def test_each_weight_is_stepped_once_and_vectors_do_not_decay(optimizer: str) -> None:
    model = torch.nn.ModuleDict({"blocks": torch.nn.ModuleList([torch.nn.Linear(4, 4)]), "head": torch.nn.Linear(4, 3)})
    found = optimizers_of(model, Training(optimizer=optimizer))
    groups = [group for one in found for group in one.param_groups]
    held = [id(one) for group in groups for one in group["params"]]
    assert sorted(held) == sorted(id(one) for one in model.parameters())
    assert all(group["weight_decay"] == (0.1 if group["params"][0].ndim > 1 else 0.0) for group in groups)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("cosine-decay", (1.0, 0.55, 0.1)),
        ("wsd", (1.0, 1.0, 0.1)),
        ("linear-decay", (1.0, 0.55, 0.1)),
        ("constant-learning-rate", (1, 1, 1)),
    ],
)
def test_rates_rise_to_the_peak_and_fall_to_the_last_share(schedule: str, rates: tuple[float, ...]) -> None:
    rate = schedule_of(Training(schedule=schedule, learning_rate=1e-2, steps=1000, warmup=10, final=0.1))
    assert rate(0) == pytest.approx(1e-3)
    assert [rate(step) / 1e-2 for step in (10, 505, 1000)] == pytest.approx(list(rates), abs=0.02)


def test_it_learns_and_tells_how(llama: Path) -> None:
    told = json.loads((llama / TRAINED / "run.json").read_text())
    assert told["validation"][1] < told["validation"][0] - 0.5 and told["settings"]["steps"] == LEARNING["steps"]
    lines = [json.loads(line) for line in (llama / TRAINED / "train.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(7)) and lines[6]["validation"] == told["validation"][1]
    assert (llama / TRAINED / "loss.png").read_bytes()[:4] == b"\x89PNG"
    card = (llama / TRAINED / "README.md").read_text()
    shown = told_of_training(llama / TRAINED)
    assert shown["validation_loss"] == told["validation"][1] and shown["tokens_per_second"] > 0 and 0 < shown["mfu"] < 1
    assert shown["curve"].value.startswith("![losses over the steps](data:image/png;base64,iVBOR")
    assert "Its weights are trained, by the run" in card and "unigram entropy of the same tokens" in card


def test_trained_pieces_are_handed_out_alone_and_make_the_same_model(llama: Path, tmp_path: Path) -> None:
    given = tmp_path / "given"
    shutil.copytree(llama / TRAINED / "pieces", given)
    assert [one.name for one in verify(given)] == list(PIECES)
    shutil.copytree(llama / "01-tokenizer", given / "01-tokenizer")
    _, built = assemble(given, tmp_path / "out")
    shard = "model-00001-of-00001.safetensors"
    assert _weights(built.folder / shard) == _weights(llama / TRAINED / shard) != _weights(llama / "09-assembled" / shard)
    shutil.rmtree(given / "04-attention")
    shutil.copytree(llama / "04-attention", given / "04-attention")
    with pytest.raises(FragmentError, match=r"04-attention and 02-embedding are of different training runs: none and [0-9a-f]{16}"):
        verify(given)


def _weights(path: Path) -> dict[str, bytes]:
    from forge_assets.fragments import safetensors_file as st

    return {name: one.tobytes() for name, one in st.arrays(path)}


def test_another_run_or_another_piece_in_a_trained_model_is_told(copied: Path) -> None:
    run = copied / TRAINED / "run.json"
    content = run.read_text()
    run.write_text(content.replace('"seed": 0', '"seed": 1'))
    seal(copied / TRAINED)
    with pytest.raises(FragmentError, match=r"10-trained/run.json is another run: expected"):
        verify(copied, [TRAINED])
    run.write_text(content)
    shutil.rmtree(copied / TRAINED / "pieces" / "06-norm")
    shutil.copytree(copied / "06-norm", copied / TRAINED / "pieces" / "06-norm")
    seal(copied / TRAINED)
    with pytest.raises(FragmentError, match="06-norm and 02-embedding are of different training runs"):
        verify(copied, [TRAINED])
    (copied / TRAINED / "pieces" / "run.py").write_text("x")
    seal(copied / TRAINED)
    with pytest.raises(FragmentError, match=r"pieces/run.py is no part of 10-trained"):
        verify(copied, [TRAINED])


def test_a_run_that_this_machine_cannot_do_says_so_before_it_begins(copied: Path) -> None:
    shutil.rmtree(copied / TRAINED)
    for settings, message in (
        ({"steps": 10**6, "hours": 1e-4}, r"10-trained: 25,120 parameters, .* would take about [0-9,]+ \w+ here .*--set hours="),
        ({"micro": 1 << 26, "sequences": 1 << 26}, r"need about [0-9,.]+ GiB, a process has"),
    ):
        with pytest.raises(FragmentError, match=message):
            list(build(plan("llama"), copied, documents, [TRAINED], choices={TRAINED: {"settings": {**LEARNING, **settings}}}))
    assert not (copied / TRAINED).exists()


def test_another_setting_trains_again_and_the_same_does_not(copied: Path) -> None:
    assert not any(one.made for one in made("llama", copied, [TRAINED]))
    before = tree(copied)
    other = {TRAINED: {"settings": {**LEARNING, "steps": 2, "optimizer": "muon", "recompute": True, "precision": "bf16"}}}
    (again,) = build(plan("llama"), copied, documents, [TRAINED], choices=other)
    assert again.made and tree(copied) != before and not list(copied.glob(".work-*"))
    assert verify(copied)[-1].name == TRAINED
