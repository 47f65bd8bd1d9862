"""The files of an export, each made and then held against transformers by the program that it is for; what could not be made says why.

`hf -> GGUF: f32, q8_0, q4_0 by llama.cpp -> ONNX: f32, int8, int4 by onnxruntime`, and what each costs in perplexity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.export import gguf_file, onnx_model
from forge_assets.fragments.export.hub import Transformers
from forge_assets.fragments.export.llama_architectures import Array, Unrepresented, represented
from forge_assets.fragments.export.llama_cpp import served
from forge_assets.fragments.export.measure import Material, log_probabilities, perplexity, same_tokens
from forge_assets.fragments.golden import difference
from forge_assets.fragments.plan import Plan
from forge_resources.errors import FragmentError

HUB, GGUF, ONNX = "hf", "gguf", "onnx"
EXACT = 1e-5
"""Largest difference of logits from the fragments', in the scale of the largest: transformers and onnxruntime."""
CLOSE = 1e-3
"""Largest difference of llama.cpp's log-probabilities from transformers', in nats."""
GGUF_FILES = {kind: f"{GGUF}/model-{kind}.gguf" for kind in ("f32", *gguf_file.QUANTISED)}
ONNX_FILES = {"f32": f"{ONNX}/model.onnx", **{kind: f"{ONNX}/model-{kind}.onnx" for kind in onnx_model.BITS}}


@dataclass(frozen=True, slots=True)
class Greedy:
    """A held-out beginning, and how transformers goes on with it. `logits` [steps, v]."""

    prompt: str
    ids: list[int]
    tokens: list[int]
    text: str
    logits: Array


@dataclass(frozen=True)
class Exported:
    """What the files are made from, and the loaded `hf/` that they are held against. `threads`: of the clients."""

    folder: Path
    plan: Plan
    program: ir.Program
    tensors: Mapping[str, Array]
    hub: Transformers
    material: Material
    steps: int
    threads: int

    @cached_property
    def greedy(self) -> list[Greedy]:
        return list(self._greedy())

    def _greedy(self) -> Iterator[Greedy]:
        for prompt in self.material.prompts:
            ids = self.hub.encode(prompt)
            tokens = self.hub.greedy(ids, min(self.steps, self.plan.context - len(ids)))
            logits = self.hub.logits(np.array([[*ids, *tokens]]))[0, len(ids) - 1 : -1]
            yield Greedy(prompt, ids, tokens, self.hub.decode(tokens), logits)

    @cached_property
    def golden(self) -> tuple[Array, Array]:
        """Ids [b, t] and the fragments' logits [b, t, v]."""
        numbers = dict(st.arrays(self.folder / "io.safetensors"))
        return np.array(numbers["inputs.ids"]), np.array(numbers["outputs.logits"])

    def perplexity(self, client: Any) -> float:
        return round(perplexity(client, self.material.tokens, self.plan.context), 4)

    def file(self, name: str, client: Any) -> dict[str, Any]:
        path = self.folder / name
        data = path.with_name(f"{path.name}.data")
        size = path.stat().st_size + (data.stat().st_size if data.is_file() else 0)
        return {"file": name, "bytes": size, "perplexity": self.perplexity(client)}


def hub(work: Exported) -> dict[str, Any]:
    """Raises FragmentError where transformers does not give the fragments' logits."""
    ids, wanted = work.golden
    apart = difference(work.hub.logits(ids), wanted)
    if not apart <= EXACT:
        raise FragmentError(
            f"{work.folder / HUB}: logits of {type(work.hub.model).__name__} differ by {apart:.1e} of their scale from the fragments'; "
            f"expected {EXACT:g} at most, please report the stack"
        )
    size = sum(path.stat().st_size for path in (work.folder / HUB).glob("*.safetensors"))
    return {"class": type(work.hub.model).__name__, "client": f"transformers {version('transformers')}", "logits_apart": short(apart),
            "files": [{"file": HUB, "bytes": size, "perplexity": work.perplexity(work.hub)}]}  # fmt: skip


def gguf(work: Exported) -> dict[str, Any]:
    """The record; with `refused` where llama.cpp has no architecture or tokenizer for the model, or does not give its numbers."""
    try:
        made = represented(work.plan, work.program, work.tensors)
        (work.folder / GGUF).mkdir()
        for kind, name in GGUF_FILES.items():
            gguf_file.write(work.folder / name, made, work.plan, work.folder / HUB / "tokenizer.json", kind)
        checked = _by_llama_cpp(work)
        files = []
        for name in GGUF_FILES.values():
            with served(work.folder / name, work.plan.context, work.threads, "hidden") as client:
                files.append(work.file(name, client))
    except (Unrepresented, FragmentError) as error:
        for name in GGUF_FILES.values():
            (work.folder / name).unlink(missing_ok=True)
        (work.folder / GGUF).rmdir() if (work.folder / GGUF).is_dir() else None
        return {"refused": str(error)}
    return {"architecture": made.architecture, "client": f"llama.cpp by xllamacpp {version('xllamacpp')}", **checked, "files": files}


def _by_llama_cpp(work: Exported) -> dict[str, Any]:
    """Of the f32 file: its tokens, its greedy text, its log-probabilities at every step of it. Raises FragmentError."""
    name = GGUF_FILES["f32"]
    apart = 0.0
    with served(work.folder / name, work.plan.context, work.threads) as client:
        for text in work.material.texts:
            if client.encode(text) != work.hub.encode(text):
                raise FragmentError(f"llama.cpp cuts {text[:60]!r} into other tokens than tokenizer.json does; please report it")
        for one in work.greedy:
            found = client.greedy(one.prompt, len(one.tokens), work.plan.vocabulary)
            wanted = _without_end(work, one.tokens)
            steps = min(len(found.log_probabilities), len(one.tokens))
            apart = max(apart, float(np.abs(found.log_probabilities[:steps] - log_probabilities(one.logits[:steps])).max()))
            if not apart <= CLOSE:
                raise FragmentError(f"llama.cpp's log-probabilities are up to {apart:.1e} nats off transformers'; {CLOSE:g} is allowed")
            _require_same(one, _without_end(work, found.tokens), wanted, "llama.cpp")
            if "\ufffd" not in one.text and found.tokens == wanted == one.tokens and found.text != one.text:
                raise FragmentError(f"llama.cpp writes {found.text[:60]!r} for the tokens of {one.text[:60]!r}; please report it")
    return {"log_probabilities_apart": short(apart), "texts_with_the_same_tokens": len(work.material.texts)}


def onnx(work: Exported) -> dict[str, Any]:
    """The record; with `refused` where PyTorch cannot write the graph. Raises FragmentError where onnxruntime gives other numbers."""
    from torch.onnx import OnnxExporterError

    (work.folder / ONNX).mkdir()
    path = work.folder / ONNX_FILES["f32"]
    try:
        onnx_model.write(path, work.program, work.plan.sizes, work.plan.context, work.tensors, onnx_model.about(work.plan))
    except OnnxExporterError as error:
        (work.folder / ONNX).rmdir()
        return {"refused": f"PyTorch's exporter has no operators for this stack: {str(error).splitlines()[0][:200]}"}
    client = onnx_model.OnnxRuntime(path, work.threads)
    ids, wanted = work.golden
    apart = difference(client.logits(ids), wanted)
    if not apart <= EXACT:
        raise FragmentError(
            f"{path}: logits of onnxruntime differ by {apart:.1e} of their scale from the fragments'; please report the stack"
        )
    for one in work.greedy:
        _require_same(one, client.greedy(one.ids, len(one.tokens), work.hub.ends), one.tokens, "onnxruntime")
    files = [work.file(ONNX_FILES["f32"], client)]
    for kind in onnx_model.BITS:
        onnx_model.quantised(path, work.folder / ONNX_FILES[kind], kind)
        files.append(work.file(ONNX_FILES[kind], onnx_model.OnnxRuntime(work.folder / ONNX_FILES[kind], work.threads)))
    return {"opset": onnx_model.OPSET, "client": f"onnxruntime {version('onnxruntime')}", "logits_apart": short(apart), "files": files}


def _without_end(work: Exported, tokens: list[int]) -> list[int]:
    """llama.cpp leaves the token out that ended a text."""
    return tokens[:-1] if tokens and tokens[-1] in work.hub.ends else tokens


def _require_same(one: Greedy, found: list[int], wanted: list[int], client: str) -> None:
    if not same_tokens(found, wanted, one.logits, 2 * CLOSE):
        raise FragmentError(f"{client} goes on with {one.prompt[:60]!r} by other tokens than transformers: {found[:8]} and {wanted[:8]}")


def short(number: float) -> float:
    """Two digits: the rest differs between machines."""
    return float(f"{number:.1e}")


def version(package: str) -> str:
    import importlib.metadata

    return importlib.metadata.version(package)
