"""The contract of this tokenizer, as Forge wrote it beside it: `pytest test_contract.py` needs transformers, numpy and safetensors."""

import hashlib
import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file
from transformers import AutoTokenizer

HERE = Path(__file__).resolve().parent
CONFIG = json.loads((HERE / "config.json").read_text())["forge"]
GOLDEN = load_file(HERE / "io.safetensors")


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(HERE)


def test_every_file_is_as_its_sum_says():
    for line in (HERE / "SHA256SUMS").read_text().splitlines():
        expected, name = line.split("  ")
        assert hashlib.sha256((HERE / name).read_bytes()).hexdigest() == expected, name


def test_golden_texts_give_the_golden_tokens_and_come_back(tokenizer):
    for number in range(len(GOLDEN) // 2):
        text, wanted = GOLDEN[f"inputs.text.{number}"].tobytes().decode(), GOLDEN[f"outputs.ids.{number}"].tolist()
        assert tokenizer(text, add_special_tokens=False).input_ids == wanted
        assert tokenizer.decode(wanted) == text


def test_special_tokens_have_one_number_each(tokenizer):
    assert len(tokenizer) == CONFIG["tokens"] <= CONFIG["vocabulary"]
    for token in [*CONFIG["special"], "<|im_start|>", "<|im_end|>"]:
        assert len(tokenizer(token, add_special_tokens=False).input_ids) == 1


def test_a_conversation_is_laid_out(tokenizer):
    said = tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}], tokenize=False, add_generation_prompt=True)
    assert said == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
