"""Code, lines of configurations in prose, and tables: literals count, logs of trainings do not."""

from __future__ import annotations

import pytest

from forge_assets.corpus.model import Kind
from tests.components.parameter_texts import read, told

CODE = [
    ("batch_size, epochs = 32, 5  # small", [("batch_size", 32.0, "32"), ("epochs", 5.0, "5")]),
    ("a, batch_size = f(1, 2), 8", [("batch_size", 8.0, "8")]),
    ("opt = torch.optim.AdamW(model.parameters(), lr=1e-4)", [("optimizer", "adamw", "AdamW"), ("learning_rate", 1e-4, "1e-4")]),
    ("model = load(path, torch.float16)", [("precision", "fp16", "float16")]),
    ("x = nn.Dropout(0.1)(x)", [("dropout", 0.1, "0.1")]),
    ("y = model(x)  # Batch size 4", [("batch_size", 4.0, "4")]),
    ("total params:    737.67M", [("parameters", 737.67e6, "737.67M")]),
    ("cfg.training.steps = 100", [("training_steps", 100.0, "100")]),
    ('export_dtype="bfloat16"', [("precision", "bf16", "bfloat16")]),
    ("activation=jax.nn.relu, hidden=2", [("activation", "relu", "relu")]),
    ("{'dropout_1': 0.5, 'lr': 0.1}", [("dropout", 0.5, "0.5"), ("learning_rate", 0.1, "0.1")]),
    ("vocab_size = 52.000", [("vocabulary_size", 52e3, "52.000")]),
    ("x = tokenizer(t, max_length=512)\ny = model.generate(x, max_length=64)",
     [("context_length", 512.0, "512"), ("max_new_tokens", 64.0, "64")]),
    ("print(translator(text, max_length=40))", [("max_new_tokens", 40.0, "40")]),
    ("out = model.generate(\n    input_ids, max_length=200)", [("max_new_tokens", 200.0, "200")]),
    ("per_device_train_batch_size  16\nnum_train_epochs             4", [("micro_batch_size", 16.0, "16"), ("epochs", 4.0, "4")]),
    ("gathered with block_size=32 in the model", []),
    ("# Effective batch size = 4 * 4", []),
    ("epoch = 3.0\nloss = 0.2", []),
]  # fmt: skip
LINES: list[tuple[str, Kind, list[tuple[str, object, str]]]] = [
    (
        "- optimizer: {'name': 'AdamWeightDecay', 'learning_rate': {'class_name': 'PolynomialDecay', 'config': {'end_learning_rate': 0}}}",
        "list_item",
        [("optimizer", "adamw", "AdamWeightDecay"), ("schedule", "polynomial", "PolynomialDecay"), ("min_learning_rate", 0.0, "0")],
    ),
    ("Num Epochs = 2\nTotal train batch size (w. accumulation) = 80", "paragraph", [("epochs", 2.0, "2"), ("batch_size", 80.0, "80")]),
    ("run with --max_seq_length 384 and --lr 3e-5", "paragraph", [("context_length", 384.0, "384"), ("learning_rate", 3e-5, "3e-5")]),
    ("vocab_size 32767 weight_decay_rate 0.01", "paragraph", [("vocabulary_size", 32767.0, "32767"), ("weight_decay", 0.01, "0.01")]),
    ("num_train_epochs 3 max_seq_length 128", "paragraph", [("epochs", 3.0, "3"), ("context_length", 128.0, "128")]),
]
TABLES = [
    ("| Epoch | Step | F1 |\n| - | - | - |\n| 1 | 100 | 0.6 |\n| 2 | 200 | 0.7 |", []),
    ("| Parameter | Type | Default |\n| - | - | - |\n| top_p | float | 0.9 |\n| n | int | 3 |", [("top_p", 0.9, "0.9")]),
    ("| Setting | Value |\n| - | - |\n| Dimensions | 384 |", [("embedding_dim", 384.0, "384")]),
    ("| Task | F1 | Test size |\n| - | - | - |\n| a | 0.7 | 1,395 |\n| b | 0.6 | 352 |",
     [("dataset_size", 1395.0, "1,395"), ("dataset_size", 352.0, "352")]),
    ("| Set | train | dev |\n| - | - | - |\n| a | 12,000 | 900 |", [("dataset_size", 12e3, "12,000"), ("dataset_size", 900.0, "900")]),
    ("| Model | train | dev |\n| - | - | - |\n| a | 81.2 | 79.4 |", []),
    ("| Feature | Works |\n| - | - |\n| PP=2, TP=1 | Yes |\n| FP8 training | Yes |",
     [("pipeline_parallel", 2.0, "2"), ("tensor_parallel", 1.0, "1"), ("precision", "fp8", "FP8")]),
    ("| n_vocab | 50256 (as before) |\n| n_layer | 12 |", [("vocabulary_size", 50256.0, "50256"), ("layers", 12.0, "12")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CODE)
def test_code_states(text: str, expected: list[tuple[str, object, str]]) -> None:
    assert told(text, "code") == expected


@pytest.mark.parametrize(("text", "kind", "expected"), LINES)
def test_lines_outside_of_code_state(text: str, kind: Kind, expected: list[tuple[str, object, str]]) -> None:
    assert told(text, kind) == expected


@pytest.mark.parametrize(("text", "expected"), TABLES)
def test_tables_state(text: str, expected: list[tuple[str, object, str]]) -> None:
    assert told(text, "table") == expected


def test_a_value_of_code_is_found_once() -> None:
    found = read("lr = 0.1  # learning rate of 0.1", "code")
    assert [(v.parameter, v.start) for v in found] == [("learning_rate", 5), ("learning_rate", 29)]
