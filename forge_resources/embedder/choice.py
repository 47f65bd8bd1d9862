"""Which back-end runs the embedder here: FORGE_EMBEDDER_BACKEND, or with 'auto' the fastest this machine has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING

from forge_resources.compute import computes_bf16, usable_cores
from forge_resources.embedder.bert import BertEmbedder, Encoder
from forge_resources.embedder.interface import Chunk, Embedder, QueryEncoder, Vectors
from forge_resources.embedder.layout import BertLayout, bert_layout
from forge_resources.embedder.models import ModelFiles, find_model
from forge_resources.errors import EmbedderError

if TYPE_CHECKING:
    import torch

    from forge_resources.settings import Settings


def model_files(settings: Settings) -> ModelFiles:
    """The model FORGE_EMBEDDER names; costs milliseconds once its weights have been fingerprinted."""
    return find_model(settings.embedder, settings.home / "cache" / "model-digests.json")


def load_embedder(settings: Settings) -> Embedder:
    """Raises EmbedderError where the model or the wanted back-end is not there."""
    from forge_resources.embedder.general import GeneralEmbedder

    files = model_files(settings)
    layout = bert_layout(files)
    wanted = settings.embedder_backend
    cuda = _cuda(wanted)
    use_cores()
    if layout is None:
        if wanted == "openvino":
            raise EmbedderError(
                f"FORGE_EMBEDDER_BACKEND=openvino runs BERT-type models only, and {files.label!r} is none; use 'auto', 'torch' or 'cuda'"
            )
        return GeneralEmbedder(files, "cuda" if cuda else "cpu")
    return BertEmbedder(files, layout, _encoder(files, layout, wanted, cuda))


def later_embedder(settings: Settings) -> Embedder:
    """The same embedder, loaded at its first text where its files tell all else: a run without news imports no torch.

    Raises EmbedderError where the model is not there; that its back-end is not there shows at the first text.
    """
    files = model_files(settings)
    layout = bert_layout(files)
    return load_embedder(settings) if layout is None else LaterEmbedder(settings, files.name, layout.hidden, layout.window)


class LaterEmbedder:
    """See `interface.Embedder`."""

    def __init__(self, settings: Settings, name: str, dims: int, max_tokens: int) -> None:
        self.name = name
        self.dims = dims
        self.max_tokens = max_tokens
        self._settings = settings

    @cached_property
    def _loaded(self) -> Embedder:
        return load_embedder(self._settings)

    @property
    def backend(self) -> str:
        """Of what was loaded; empty before."""
        return self._loaded.backend if "_loaded" in self.__dict__ else ""

    def encode(self, texts: Sequence[str], *, batch_tokens: int | None = None) -> Vectors:
        return self._loaded.encode(texts, batch_tokens=batch_tokens)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._loaded.encode_queries(texts)

    def stream(self, windows: Iterable[Sequence[str]], *, batch_tokens: int | None = None) -> Iterator[Chunk]:
        return self._loaded.stream(windows, batch_tokens=batch_tokens)


def load_query_encoder(settings: Settings) -> QueryEncoder:
    """For `forge search`: no torch, transformers or sentence_transformers where the model is a BERT-type one with fp32 or fp16 weights."""
    from forge_resources.embedder.bert_numpy import NumpyQueryEncoder, numpy_reads

    files = model_files(settings)
    layout = bert_layout(files)
    if layout is None or not numpy_reads(files):
        return load_embedder(settings)
    return NumpyQueryEncoder(files, layout)


def _encoder(files: ModelFiles, layout: BertLayout, wanted: str, cuda: bool) -> Encoder:
    import torch

    from forge_resources.embedder.bert_torch import TorchEncoder

    bf16 = computes_bf16()
    if cuda:
        return TorchEncoder(
            files, layout, "cuda", torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        )
    if wanted == "openvino" or (wanted == "auto" and find_spec("openvino") is not None):
        from forge_resources.embedder.bert_openvino import OpenVinoEncoder

        return OpenVinoEncoder(files, layout, bf16=bf16, threads=usable_cores())
    dtype: torch.dtype = torch.bfloat16 if bf16 else torch.float32
    return TorchEncoder(files, layout, "cpu", dtype)


def _cuda(wanted: str) -> bool:
    import torch

    if wanted in ("torch", "openvino"):
        return False
    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        raise EmbedderError(
            "FORGE_EMBEDDER_BACKEND=cuda, but torch finds no CUDA device here; use 'auto', or install torch's CUDA build and the driver"
        )
    return found


def use_cores() -> int:
    """Lets torch take as many threads as this process may have cores, which torch itself does not ask its container."""
    import torch

    cores = usable_cores()
    torch.set_num_threads(cores)
    return cores
