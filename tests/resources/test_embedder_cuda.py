"""The CUDA path: its slots, its order, its reading ahead. Run on the CPU through the same code; what needs a GPU says so and is skipped."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from forge_resources.embedder import find_model
from forge_resources.embedder.bert import IN_FLIGHT, BertEmbedder
from forge_resources.embedder.bert_torch import TorchEncoder
from forge_resources.embedder.layout import BertLayout, bert_layout
from forge_resources.embedder.models import ModelFiles
from forge_resources.embedder.pieces import Batch, WordPieces, batches
from forge_resources.embedder.transfers import Slot, Transfers
from tests.conftest import PROJECT

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
WORDS = "attention loss gradient optimizer token model rate schedule of the a in query key value head norm residual".split()


def text(number: int) -> str:
    """Of 1 to 400 words, no two alike; some are longer than the model's window."""
    draw = np.random.default_rng(number)
    return " ".join(draw.choice(WORDS, size=int(draw.integers(1, 400))))


@pytest.fixture(scope="module")
def shipped() -> ModelFiles:
    return find_model("minilm")


@pytest.fixture(scope="module")
def layout(shipped: ModelFiles) -> BertLayout:
    found = bert_layout(shipped)
    assert found is not None
    return found


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Several torch threads on a machine that is busy otherwise wait for each other for seconds."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def batch(rows: int, width: int, first: int = 1) -> Batch:
    ids = np.arange(first, first + rows * width, dtype=np.int64).reshape(rows, width)
    lengths = np.arange(rows, dtype=np.int64) % width + 1
    return Batch(np.arange(rows, dtype=np.int64), ids, lengths, np.arange(rows, dtype=np.int64))


def echo(ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return torch.stack([ids.sum(dim=1), lengths], dim=1).float()


@pytest.mark.usefixtures("one_thread")
def test_staged_batches_give_the_vectors_of_plain_ones(shipped: ModelFiles, layout: BertLayout) -> None:
    texts = [text(number)[:600] for number in range(12)]
    transfers = Transfers("cpu")
    plain = BertEmbedder(shipped, layout, TorchEncoder(shipped, layout, "cpu", torch.float32)).encode(texts, batch_tokens=300)
    staged = BertEmbedder(shipped, layout, TorchEncoder(shipped, layout, "cpu", torch.float32, transfers)).encode(texts, batch_tokens=300)
    assert np.array_equal(plain, staged)
    assert transfers.slots == IN_FLIGHT


def test_results_may_be_taken_in_any_order_and_slots_are_used_again() -> None:
    transfers = Transfers("cpu")
    for round_ in range(5):
        sent = [batch(3 + n, 2 + round_, 100 * n) for n in range(3)]
        waits = [transfers.run(one, echo) for one in sent]
        found = {n: waits[n]() for n in (2, 0, 1)}
        for n, one in enumerate(sent):
            assert np.array_equal(found[n], np.stack([one.ids.sum(axis=1), one.lengths], axis=1).astype(np.float32))
    assert transfers.slots == 3


def test_a_result_is_not_overwritten_by_the_batch_that_gets_its_slot() -> None:
    transfers = Transfers("cpu")
    first = transfers.run(batch(4, 4), echo)()
    kept = first.copy()
    transfers.run(batch(4, 4, 1000), echo)()
    assert np.array_equal(first, kept)


def test_a_slot_keeps_its_memory_and_grows_with_a_reserve() -> None:
    slot = Slot(pinned=False)
    small = slot.view("in", (4, 10), torch.int64)
    assert slot.view("in", (5, 10), torch.int64).data_ptr() == small.data_ptr()
    large = slot.view("in", (400, 10), torch.int64)
    assert large.shape == (400, 10)
    assert slot.view("in", (4, 10), torch.int64).data_ptr() == large.data_ptr()


def test_buckets_by_length_waste_little(shipped: ModelFiles) -> None:
    parts = WordPieces(shipped.folder / "tokenizer.json", 256).parts([text(number) for number in range(600)])
    made = list(batches(parts, 4096, multiple=8))
    sizes = [one.ids.shape[1] for one in made]
    assert all(one.ids.size <= 4096 and one.ids.shape[1] % 8 == 0 for one in made)
    assert all(a <= b for a, b in pairwise(sizes))
    assert sum(one.ids.size for one in made) < 1.1 * sum(int(one.lengths.sum()) for one in made)
    for one in made:
        for row, length, owner in zip(one.ids, one.lengths, one.owner, strict=True):
            assert row[:length].tolist() in parts[one.positions[owner]]
            assert not row[length:].any()


class Gated:
    """An encoder that computes only once the gate is open."""

    dims, backend, batch_tokens, multiple = 2, "gated", 1_000_000, 8

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.submitted = threading.Event()

    def submit(self, batch: Batch) -> Callable[[], Any]:
        self.submitted.set()

        def wait() -> Any:
            assert self.gate.wait(20)
            return np.ones((len(batch.ids), 2), dtype=np.float32)

        return wait


def test_windows_are_read_and_tokenised_while_the_device_computes(shipped: ModelFiles, layout: BertLayout) -> None:
    encoder = Gated()
    read: list[tuple[int, str]] = []
    fourth = threading.Event()

    def windows() -> Iterator[list[str]]:
        for number in range(6):
            read.append((number, threading.current_thread().name))
            if number == 3:
                fourth.set()
            yield [text(number)]

    chunks: list[int] = []
    worker = threading.Thread(
        target=lambda: chunks.extend(chunk.window for chunk in BertEmbedder(shipped, layout, encoder).stream(windows()))
    )
    worker.start()
    # two windows are under way on the device: the third waits tokenised, the fourth has been read
    assert encoder.submitted.wait(20)
    assert fourth.wait(20)
    assert not chunks
    encoder.gate.set()
    worker.join(20)
    assert chunks == list(range(6))
    assert all(name.startswith("ahead") for _, name in read)


def test_the_path_needs_no_more_than_torch_tokenizers_safetensors_and_numpy() -> None:
    absent = ["pydantic", "pydantic_settings", "sqlalchemy", "psycopg", "dagster", "transformers", "sentence_transformers", "zstandard"]
    code = f"""import sys
for name in {absent!r}:
    sys.modules[name] = None
import forge_resources.embedder.bert, forge_resources.embedder.bert_torch, forge_resources.embedder.models
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT, timeout=60)


@CUDA
def test_cuda_in_bf16_agrees_with_the_cpu_in_fp32(shipped: ModelFiles, layout: BertLayout) -> None:
    texts = [text(number) for number in range(300)]
    exact = BertEmbedder(shipped, layout, TorchEncoder(shipped, layout, "cpu", torch.float32)).encode(texts)
    fast = BertEmbedder(shipped, layout, TorchEncoder(shipped, layout, "cuda", torch.bfloat16)).encode(texts, batch_tokens=4096)
    assert (exact * fast).sum(axis=1).min() > 0.999


@CUDA
def test_cuda_batches_in_flight_do_not_disturb_each_other() -> None:
    transfers = Transfers("cuda")
    sent = [batch(64 + n, 128, 1000 * n) for n in range(8)]
    waits = [transfers.run(one, echo) for one in sent]
    for one, wait in zip(sent, waits, strict=True):
        assert np.array_equal(wait(), np.stack([one.ids.sum(axis=1), one.lengths], axis=1).astype(np.float32))
    assert Slot(pinned=True).view("in", (2, 2), torch.int64).is_pinned()
