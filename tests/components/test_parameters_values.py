"""Values of prose, tables and configurations: which parameter, what value, where, whose, when."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_assets.components.parameters.extract import values
from forge_assets.components.text import Reading
from forge_assets.corpus.model import Block
from tests.components.parameter_texts import BELONGINGS, VOCABULARY, read, told


@dataclass(frozen=True)
class Named:
    start: int
    end: int
    component: str


PROSE = [
    ("We train with a learning rate of 3e-4.", [("learning_rate", 3e-4, "3e-4")]),
    ("The peak learning rate is set to $3\\times10^{-4}$ for training.", [("learning_rate", 3e-4, "3\\times10^{-4}")]),
    ("We use a batch size of 4M tokens.", [("batch_size", 4e6, "4M")]),
    ("It has 32 attention heads.", [("heads", 32.0, "32")]),
    ("The model was trained on 15T tokens.", [("training_tokens", 15e12, "15T")]),
    ("Training ran on 8xA100.", [("accelerators", 8.0, "8"), ("accelerator_type", "A100", "A100")]),
    ("trained on 2 NVIDIA A100s", [("accelerators", 2.0, "2"), ("accelerator_type", "A100", "A100")]),
    ("a 300-dimensional word embedding", [("embedding_dim", 300.0, "300")]),
    ("with a vocabulary of 128k", [("vocabulary_size", 128e3, "128k")]),
    ("with RoPE and theta of 500000", [("rope_theta", 5e5, "500000")]),
    ("RoPE with a base frequency of 500,000", [("rope_theta", 5e5, "500,000")]),
    ("bf16 mixed precision training of a network", [("precision", "bf16", "bf16")]),
    ("trained by Adam with (β1, β2) = (0.9, 0.95)", [("optimizer", "adam", "Adam"), ("beta1", 0.9, "0.9"), ("beta2", 0.95, "0.95")]),
    ("weight decay and dropout of 0.01 and 0.1", [("weight_decay", 0.01, "0.01"), ("dropout", 0.1, "0.1")]),
    ("a 7B parameter model", [("parameters", 7e9, "7B")]),
    ("models with 8, 16 and 32 layers", [("layers", 8.0, "8"), ("layers", 16.0, "16"), ("layers", 32.0, "32")]),
    ("The network sees images resized to 224x224 pixels", [("image_size", 224.0, "224x224")]),
    ("We mask tokens with a masking ratio of 15%.", [("mask_ratio", 0.15, "15%")]),
    ("fine-tuned for 3 epochs", [("epochs", 3.0, "3")]),
    ("trained for 300,000 steps", [("training_steps", 3e5, "300,000")]),
    ("training with 2,000 warmup steps", [("warmup_steps", 2000.0, "2,000")]),
    ("15% of the tokens are masked", [("mask_ratio", 0.15, "15%")]),
    ("The sequence length was limited to 128 tokens.", [("context_length", 128.0, "128")]),
    ("4-bit quantization of the weights", [("bits", 4.0, "4")]),
    ("a model that activates only 3B parameters", [("active_parameters", 3e9, "3B")]),
    ("training took 1,050 H800 GPU hours", [("training_time", 1050.0, "1,050"), ("accelerator_type", "H800", "H800")]),
]
SILENT = [
    "We fine-tune Llama-3-8B and GPT-2.",
    "It uses 25% of the parameters and is 4 times faster.",
    "It has 15x fewer parameters.",
    "The patient had a temperature of 38 and a momentum of 3.",
    "We propose a two-layer approach to logistics.",
    "A learning rate of 1000 and a dropout of 3 while training are not plausible.",
    "64-bit hash codes of images",
    "In 2017 we ranked 3rd among 12 teams.",
    "each of 3 human experts",
    "in every 10 epochs",
    "In 80% of the cases, the masked tokens are replaced.",
    "with a ghost_batch_size of 16",
]


@pytest.mark.parametrize(("text", "expected"), PROSE)
def test_prose_states(text: str, expected: list[tuple[str, object, str]]) -> None:
    assert told(text) == [(parameter, pytest.approx(value) if isinstance(value, float) else value, w) for parameter, value, w in expected]


@pytest.mark.parametrize("text", SILENT)
def test_what_only_looks_like_a_value_is_left_out(text: str) -> None:
    assert told(text) == []


def test_a_search_over_values_is_a_condition() -> None:
    found = read("We sweep learning rates in {1e-4, 3e-4} during training.")
    assert [(v.value, v.condition) for v in found] == [(1e-4, "sweep"), (3e-4, "sweep")]


def test_tokens_are_the_unit_where_said() -> None:
    assert [v.unit for v in read("a batch size of 4M tokens and a batch size of 32")] == ["tokens", "sequences"]


CARD = [
    ("- learning_rate: 2e-05", [("learning_rate", 2e-5, "2e-05")]),
    (
        "- optimizer: Adam with betas=(0.9,0.999) and epsilon=1e-08",
        [("optimizer", "adam", "Adam"), ("beta1", 0.9, "0.9"), ("beta2", 0.999, "0.999"), ("epsilon", 1e-8, "1e-08")],
    ),
    ("- lr_scheduler_type: linear", [("schedule", "linear", "linear")]),
    ("- mixed_precision_training: Native AMP", [("precision", "mixed", "Native AMP")]),
    ("- fp16: True", [("precision", "fp16", "fp16")]),
    ("- Precision: 0.9352", []),
    ("- Loss: 0.2", []),
    ("- **Batch size:** 32", [("batch_size", 32.0, "32")]),
]


@pytest.mark.parametrize(("text", "expected"), CARD)
def test_lines_of_cards_state(text: str, expected: list[tuple[str, object, str]]) -> None:
    assert told(text, "list_item") == expected


CODE = [
    ('{"hidden_size": 4096, "num_attention_heads": 32}', [("hidden_size", 4096.0, "4096"), ("heads", 32.0, "32")]),
    ("optimizer:\n  lr: 3e-4\n  betas: [0.9, 0.95]", [("learning_rate", 3e-4, "3e-4"), ("beta1", 0.9, "0.9"), ("beta2", 0.95, "0.95")]),
    ("train --learning_rate 3e-4 --bf16 \\\n --max-seq-length=512", [("learning_rate", 3e-4, "3e-4"), ("context_length", 512.0, "512")]),
    ("lr: float = 1e-3", [("learning_rate", 1e-3, "1e-3")]),
    ("batch_size = 32 * n", []),
    ("lr, num_epochs = 0.3, 30", [("learning_rate", 0.3, "0.3"), ("epochs", 30.0, "30")]),
    ("model.generate(x, max_length=60, num_beams=4)", [("max_new_tokens", 60.0, "60"), ("beam_size", 4.0, "4")]),
    ("peft = LoraConfig(r=16, lora_alpha=32)", [("lora_rank", 16.0, "16"), ("lora_alpha", 32.0, "32")]),
    ("for r in rows: r = 16", []),
    ("tie_word_embeddings = false", [("tie_embeddings", False, "false")]),
    ('lr_scheduler_type="cosine"', [("schedule", "cosine", "cosine")]),
]


@pytest.mark.parametrize(("text", "expected"), CODE)
def test_code_states(text: str, expected: list[tuple[str, object, str]]) -> None:
    assert told(text, "code") == expected


def test_a_column_of_a_table_gives_values_to_its_rows() -> None:
    table = "| Model | Params (M) | n_layers | F1 |\n| --- | --- | --- | --- |\n| **tiny** | 14.5 | 4 | 81.2 |\n| base | 110 | 12 | 88 |"
    assert [(v.parameter, v.value, v.subject) for v in read(table, "table")] == [
        ("parameters", 14.5e6, "tiny"), ("layers", 4.0, "tiny"), ("parameters", 110e6, "base"), ("layers", 12.0, "base"),
    ]  # fmt: skip


def test_a_row_of_a_table_gives_values_to_its_columns() -> None:
    table = (
        "| Hyperparameter | small | large |\n| - | - | - |\n| Learning rate | 1e-3 | 3e-4 |\n| Batch size | 256 | 1,024 |\n| Note | 1 | 2 |"
    )
    assert [(v.parameter, v.value, v.subject) for v in read(table, "table")] == [
        ("learning_rate", 1e-3, "small"), ("learning_rate", 3e-4, "large"), ("batch_size", 256.0, "small"), ("batch_size", 1024.0, "large"),
    ]  # fmt: skip


def test_the_log_of_a_training_is_no_setting() -> None:
    assert read("| Training Loss | Epoch | Step | Wer |\n| --- | --- | --- | --- |\n| 3.4 | 1.0 | 500 | 0.5 |", "table") == []


def test_front_matter_is_read_where_it_is_the_text() -> None:
    text = "org/model\n\nlicense: mit\nlearning_rate: 3e-4"
    blocks = [Block("title", 0, 9), Block("code", 11, len(text))]
    found = values(Reading("d", text, blocks, "org/model", None, "text/markdown"), [], VOCABULARY, BELONGINGS)
    assert [(v.parameter, v.value, v.source, v.subject) for v in found] == [("learning_rate", 3e-4, "front_matter", "org/model")]


def test_a_value_belongs_to_the_owner_of_its_parameter_else_to_the_nearest_model_else_to_the_card() -> None:
    text = "BERT is trained by AdamW with beta1 = 0.9 and has 12 layers."
    found = read(text, mentions=(Named(0, 4, "bert"), Named(19, 24, "adamw")))
    assert [(v.parameter, v.subject, v.subject_start) for v in found if v.parameter in ("beta1", "layers")] == [
        ("beta1", "adamw", 19),
        ("layers", "bert", 0),
    ]
    assert [(v.subject, v.subject_start, v.subject_end) for v in read("- seed: 42", "list_item", title="org/name")] == [("org/name", 0, 8)]
    assert read("- seed: 42", "list_item")[0].subject is None


def test_conditions_are_told_near_the_value() -> None:
    size, rate = read("For the 7B model we use a learning rate of 3e-4 in training.")
    assert (size.condition, rate.condition) == (None, "7B model")
    assert read("We use a dropout of 0.1 during fine-tuning.")[0].condition == "fine-tuning"


def test_references_formulas_and_addresses_are_silent() -> None:
    assert read("A network with 12 layers.", "reference") == []
    assert read("12 layers of a network", "formula") == []


@given(st.lists(st.sampled_from([text for text, _ in PROSE] + SILENT), max_size=6))
def test_spans_are_exact_and_ordered_whatever_stands_together(parts: list[str]) -> None:
    text = " ".join(parts)
    found = read(text)
    assert all(text[v.start : v.end].strip() == text[v.start : v.end] != "" for v in found)
    assert [v.start for v in found] == sorted(v.start for v in found)
    assert len({(v.start, v.parameter) for v in found}) == len(found)


def test_an_abstract_takes_about_a_millisecond() -> None:
    text = " ".join(text for text, _ in PROSE)[:1500]
    reading = Reading("d", text, [Block("paragraph", 0, len(text))])
    assert len(reading.sentences) > 5
    values(reading, [], VOCABULARY, BELONGINGS)
    best = min(_seconds(reading) for _ in range(5))
    assert best < 0.015, "ten times what a dense abstract should take"


def _seconds(reading: Reading) -> float:
    begun = time.process_time()
    values(reading, [], VOCABULARY, BELONGINGS)
    return time.process_time() - begun
