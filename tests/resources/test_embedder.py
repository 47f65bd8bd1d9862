"""The embedder's back-ends agree with sentence-transformers and with each other, in any order, at any length."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forge_resources.embedder import Embedder, choice, find_model, later_embedder, load_embedder, load_query_encoder
from forge_resources.embedder.bert import IN_FLIGHT, BertEmbedder, ahead
from forge_resources.embedder.bert_torch import TorchEncoder
from forge_resources.embedder.layout import BertLayout, bert_layout
from forge_resources.embedder.models import ModelFiles
from forge_resources.embedder.pieces import Batch, WordPieces, batches
from forge_resources.errors import EmbedderError
from forge_resources.settings import Settings
from tests.embeddings.tiny_models import make_bert, make_roberta

TEXTS = [
    "Attention is computed from queries, keys and values.",
    "",
    "A",
    "Ärger mit Umlauten, 深度学习 and β2 = 0.999",
    "Rotary position embedding turns pairs of channels by an angle. " * 8,
    "The optimizer keeps running means of the gradient and of its square.",
]


def cosines(a: Any, b: Any) -> Any:
    return (np.asarray(a) * np.asarray(b)).sum(axis=1)


def sentence_transformers(folder: Path, texts: list[str]) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True).encode(
        texts, normalize_embeddings=True, show_progress_bar=False
    )


@pytest.fixture(scope="module")
def shipped() -> ModelFiles:
    return find_model("minilm")


@pytest.fixture(scope="module")
def reference(shipped: ModelFiles) -> Any:
    return sentence_transformers(shipped.folder, TEXTS)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bert(tmp_path_factory.mktemp("models") / "tiny", pooling="cls", prompts={"query": "learning ", "document": "the "})


def embedder(home: Path, **more: Any) -> Any:
    return load_embedder(Settings(home=home, **more))


@pytest.mark.parametrize(("backend", "bf16", "least"), [("torch", False, 0.9999), ("torch", True, 0.999), ("openvino", False, 0.9999)])
def test_minilm_agrees_with_sentence_transformers(
    reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, bf16: bool, least: float
) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino", reason="the extra `fast` is not installed")
    monkeypatch.setattr(choice, "computes_bf16", lambda: bf16)
    loaded = embedder(tmp_path, embedder_backend=backend)
    vectors = loaded.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert cosines(vectors, reference).min() >= least
    assert loaded.backend == f"{backend}-{('bfloat16' if bf16 else 'float32') if backend == 'torch' else 'f32'}"


def test_the_query_encoder_agrees_with_sentence_transformers(reference: Any, tmp_path: Path) -> None:
    encoder = load_query_encoder(Settings(home=tmp_path))
    assert cosines(encoder.encode_queries(TEXTS), reference).min() > 0.99999
    assert encoder.name == embedder(tmp_path, embedder_backend="torch").name


def test_order_and_batches_do_not_change_the_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "computes_bf16", lambda: False)
    loaded = embedder(tmp_path, embedder_backend="torch")
    together = loaded.encode(TEXTS)
    assert cosines(together, loaded.encode(TEXTS[::-1])[::-1]).min() > 0.99999
    assert cosines(together, loaded.encode(TEXTS, batch_tokens=16)).min() > 0.99999


@pytest.mark.parametrize("backend", ["torch", "openvino", "query"])
def test_other_bert_types_keep_their_pooling_positions_and_prompts(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino", reason="the extra `fast` is not installed")
    monkeypatch.setattr(choice, "computes_bf16", lambda: False)
    texts = ["attention model", "the learning rate", "a1 b2"]
    for folder, prompt in ((tiny, "learning "), (make_roberta(tmp_path / "roberta"), "")):
        given = Settings(home=tmp_path, embedder=str(folder), embedder_backend="torch" if backend == "query" else backend)  # type: ignore[arg-type]
        found = load_query_encoder(given) if backend == "query" else load_embedder(given)
        assert backend == "query" or isinstance(found, BertEmbedder)
        assert cosines(found.encode_queries(texts), sentence_transformers(folder, [prompt + text for text in texts])).min() > 0.9999
    assert (
        cosines(
            embedder(tmp_path, embedder=str(tiny), embedder_backend="torch").encode(texts),
            sentence_transformers(tiny, ["the " + t for t in texts]),
        ).min()
        > 0.9999
    )


def test_a_model_of_another_make_goes_through_sentence_transformers(tmp_path: Path) -> None:
    folder = make_bert(tmp_path / "max-pooled", pooling="max")
    loaded = embedder(tmp_path, embedder=str(folder))
    assert loaded.backend == "sentence-transformers-cpu"
    assert (loaded.dims, loaded.max_tokens) == (32, 48)
    texts = ["attention model", "the learning rate", "a"]
    assert cosines(loaded.encode(texts), sentence_transformers(folder, texts)).min() > 0.9999
    long = " ".join(["attention model"] * 40)
    parts = sentence_transformers(folder, [" ".join(["attention model"] * 20)] * 2)
    assert cosines(loaded.encode([long]), parts[:1]).min() > 0.99
    (chunk,) = loaded.stream([texts])
    assert cosines(chunk.vectors, loaded.encode([texts[i] for i in chunk.positions])).min() > 0.9999


def test_a_long_text_is_the_token_weighted_mean_of_its_equal_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "computes_bf16", lambda: False)
    loaded = embedder(tmp_path, embedder_backend="torch")
    half = "model " * 150
    assert cosines(loaded.encode([half * 2]), loaded.encode([half])).min() > 0.9999
    mixed = loaded.encode(["model " * 200 + "zebra " * 200])[0]
    assert mixed @ loaded.encode(["model " * 200])[0] < 0.99
    assert mixed @ loaded.encode(["zebra " * 200])[0] < 0.99


def test_parts_fill_the_window_equally(shipped: ModelFiles) -> None:
    pieces = WordPieces(shipped.folder / "tokenizer.json", 256)
    (one,), three = pieces.parts(["model " * 254, "model " * 600])
    assert len(one) == 256
    assert [len(part) for part in three] == [202, 202, 202]
    assert pieces.parts([""]) == [[[101, 102]]]


def test_batches_hold_whole_texts_shortest_first_within_the_budget() -> None:
    texts = [[[1] * 30], [[2] * 5], [[3] * 40, [3] * 40], [[4] * 5]]
    made = list(batches(texts, 64, multiple=8))
    assert [batch.positions.tolist() for batch in made] == [[1, 3], [0], [2]]
    assert [batch.ids.shape for batch in made] == [(2, 8), (1, 32), (2, 40)]
    assert made[2].owner.tolist() == [0, 0]


class Deferred:
    """An encoder that, like a GPU, has several batches under way and computes each only when it is waited for."""

    dims, backend, batch_tokens, multiple = 4, "deferred", 8, 1

    def __init__(self) -> None:
        self.waiting = self.most = 0

    def submit(self, batch: Batch) -> Callable[[], Any]:
        self.waiting += 1
        self.most = max(self.most, self.waiting)

        def wait() -> Any:
            self.waiting -= 1
            return np.eye(4, dtype=np.float32)[batch.ids[:, 1] % 4]

        return wait


def test_batches_under_way_are_few_and_come_back_to_their_texts(shipped: ModelFiles) -> None:
    encoder = Deferred()
    layout = bert_layout(shipped)
    assert layout is not None
    loaded = BertEmbedder(shipped, layout, encoder)
    words = ["model", "rate", "the", "attention", "loss", "of", "learning", "a", "token"]
    expected = [np.eye(4)[ids[0][1] % 4] for ids in WordPieces(shipped.folder / "tokenizer.json", 256).parts(words)]
    assert np.array_equal(loaded.encode(words), expected)
    assert encoder.most == IN_FLIGHT
    assert encoder.waiting == 0


def test_padding_to_a_multiple_as_on_a_gpu_changes_nothing(shipped: ModelFiles) -> None:
    layout = bert_layout(shipped)
    assert layout is not None
    encoder = TorchEncoder(shipped, layout, "cpu", torch.float32)
    plain = BertEmbedder(shipped, layout, encoder).encode(TEXTS)
    encoder.multiple = 8
    assert cosines(plain, BertEmbedder(shipped, layout, encoder).encode(TEXTS)).min() > 0.99999


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_agrees_with_sentence_transformers(reference: Any, tmp_path: Path) -> None:
    loaded = embedder(tmp_path, embedder_backend="cuda")
    assert loaded.backend.startswith("cuda-")
    assert cosines(loaded.encode(TEXTS), reference).min() > 0.999


def test_a_stream_gives_each_window_back_whole(tmp_path: Path) -> None:
    loaded = embedder(tmp_path, embedder_backend="torch")
    windows = [TEXTS[:4], [], TEXTS[4:]]
    positions: dict[int, list[int]] = {}
    for chunk in loaded.stream(windows, batch_tokens=32):
        positions.setdefault(chunk.window, []).extend(chunk.positions.tolist())
    assert {window: sorted(places) for window, places in positions.items()} == {0: [0, 1, 2, 3], 2: [0, 1]}


def test_an_error_in_the_thread_that_reads_ahead_reaches_the_caller() -> None:
    def broken() -> Any:
        yield 1
        raise ValueError("lost")

    items = ahead(broken())
    assert next(items) == 1
    with pytest.raises(ValueError, match="lost"):
        next(items)


def test_auto_takes_openvino_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    assert embedder(tmp_path).backend.startswith("torch-")
    pytest.importorskip("openvino", reason="the extra `fast` is not installed")
    monkeypatch.setattr(choice, "find_spec", lambda name: object())
    assert embedder(tmp_path).backend.startswith("openvino-")


def test_cuda_is_refused_with_one_sentence_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EmbedderError, match="no CUDA device"):
        embedder(tmp_path, embedder_backend="cuda")


def test_openvino_is_refused_for_models_of_another_make(tmp_path: Path) -> None:
    folder = make_bert(tmp_path / "max-pooled", pooling="max")
    with pytest.raises(EmbedderError, match="BERT-type models only"):
        embedder(tmp_path, embedder=str(folder), embedder_backend="openvino")


def test_the_layout_of_minilm_is_read_from_its_files(shipped: ModelFiles) -> None:
    assert bert_layout(shipped) == BertLayout(384, 6, 12, "gelu", 1e-12, 0, 256, "mean", False)


def test_an_embedder_that_is_loaded_later_is_the_same_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Settings(home=tmp_path, embedder_backend="torch")
    real = load_embedder(given)
    calls: list[Settings] = []

    def load(settings: Settings) -> Embedder:
        calls.append(settings)
        return real

    monkeypatch.setattr(choice, "load_embedder", load)
    later = later_embedder(given)
    assert (later.name, later.dims, later.max_tokens, later.backend, calls) == (real.name, real.dims, real.max_tokens, "", [])
    assert np.array_equal(later.encode(["a text"]), real.encode(["a text"]))
    assert np.array_equal(later.encode_queries(["a text"]), real.encode_queries(["a text"]))
    assert [chunk.window for chunk in later.stream([["a"], ["b"]])] == [0, 1]
    assert later.backend == real.backend and calls == [given]
