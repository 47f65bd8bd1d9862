"""A ModelShape from the config.json of a Hugging Face model, for the architectures of `FAMILIES`.

Defaults are those of the architecture's config class (transformers 5.23): a config.json leaves out what equals them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from forge_assets.compatibility.arithmetic import dense_families as dense
from forge_assets.compatibility.arithmetic import sparse_families as sparse
from forge_assets.compatibility.arithmetic.fields import Fields
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_resources.errors import ShapeError

MOST_BYTES = 4_000_000
WRAPPED = ("text_config", "llm_config", "language_config")
"""Where configs of models that also see or hear keep their language model."""


def from_config(config: Mapping[str, Any] | Path | str) -> ModelShape:
    """The shape of a config: a dict, a config.json, or the folder of a model. Raises ShapeError with what is wrong in it."""
    given = _read(Path(config)) if isinstance(config, str | Path) else dict(config)
    kind = given.get("model_type")
    if not isinstance(kind, str) or kind not in FAMILIES:
        inner = next((given[key] for key in WRAPPED if isinstance(given.get(key), Mapping)), None)
        if inner is not None and inner.get("model_type") in FAMILIES:
            return from_config({"tie_word_embeddings": given["tie_word_embeddings"], **inner} if "tie_word_embeddings" in given else inner)
        raise ShapeError(
            f"model_type {kind!r:.80} of this config has no parameter formula here; supported are {', '.join(sorted(FAMILIES))}"
        )
    return FAMILIES[kind](Fields(kind, given))


def _read(path: Path) -> dict[str, Any]:
    file = path / "config.json" if path.is_dir() else path
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ShapeError(f"{file} has {file.stat().st_size:,} bytes; a config.json has a few thousand, so this is none")
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ShapeError(f"{file} cannot be read: {error.strerror}; expected the config.json of a model") from None
    except (ValueError, RecursionError) as error:
        raise ShapeError(f"{file} is no JSON ({error}); expected the config.json of a model") from None
    if not isinstance(value, dict):
        raise ShapeError(f"{file} holds {type(value).__name__}; expected the JSON object of a config.json")
    return value


FAMILIES: Mapping[str, Callable[[Fields], ModelShape]] = {
    "bloom": dense.bloom,
    "cohere": dense.cohere,
    "cohere2": dense.cohere,
    "deepseek_v2": sparse.deepseek,
    "deepseek_v3": sparse.deepseek,
    "falcon": dense.falcon,
    "gemma": dense.gemma,
    "gemma2": dense.gemma2,
    "gemma3_text": dense.gemma3,
    "glm4_moe": sparse.glm4_moe,
    "gpt2": dense.gpt2,
    "gpt_neox": dense.gpt_neox,
    "gpt_oss": sparse.gpt_oss,
    "granite": dense.llama,
    "llama": dense.llama,
    "mamba2": sparse.mamba2,
    "mistral": dense.mistral,
    "mixtral": sparse.mixtral,
    "mpt": dense.mpt,
    "olmo": dense.olmo,
    "olmo2": dense.olmo2,
    "olmo3": dense.olmo2,
    "opt": dense.opt,
    "phi": dense.phi,
    "phi3": dense.phi3,
    "qwen2": dense.qwen2,
    "qwen2_moe": sparse.qwen2_moe,
    "qwen3": dense.qwen3,
    "qwen3_moe": sparse.qwen3_moe,
    "qwen3_next": sparse.qwen3_next,
    "smollm3": dense.smollm3,
    "stablelm": dense.stablelm,
    "starcoder2": dense.starcoder2,
}
