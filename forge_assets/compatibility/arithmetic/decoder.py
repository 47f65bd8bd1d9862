"""What the configs of most architectures have in common: sizes, biases, windows."""

from __future__ import annotations

from typing import Any

from forge_assets.compatibility.arithmetic.fields import Fields
from forge_assets.compatibility.arithmetic.shape import ModelShape


def decoder(f: Fields, *, tied: bool = False, dim: int = 0, kv: int = 0, **more: Any) -> ModelShape:
    """The sizes that most families name alike; `tied`, `dim`, `kv` are the family's defaults (0: hidden / heads, as many as heads)."""
    layers, hidden, heads = f.size("num_hidden_layers"), f.size("hidden_size"), f.size("num_attention_heads")
    sizes: dict[str, Any] = {
        "family": f.kind,
        "layers": layers,
        "hidden": hidden,
        "heads": heads,
        "kv_heads": f.maybe("num_key_value_heads", kv) or heads,
        "head_dim": f.maybe("head_dim", dim) or f.divided(hidden, heads),
        "ffn": more["ffn"] if "ffn" in more else f.size("intermediate_size"),
        "vocab": f.size("vocab_size"),
        "tied": f.flag("tie_word_embeddings", tied),
        "context": f.size("max_position_embeddings", 0),
    }
    return ModelShape(**sizes | more)


def window(f: Fields, every: int = 0, size: int = 0, *, switch: str | None = None) -> dict[str, Any]:
    """Windowed layers: as `layer_types` says, else all but each `every`th, else (0) all. `switch`: a flag that must be on."""
    size = f.maybe("sliding_window", size)
    if not size or (switch and not f.flag(switch, False)):
        return {}
    layers = f.size("num_hidden_layers")
    types = f.words("layer_types")
    every = f.size("sliding_window_pattern", every)
    count = sum("sliding" in kind for kind in types) if types else layers - (layers // every if every else 0)
    return {"window": size, "window_layers": count}


def late_window(f: Fields) -> dict[str, Any]:
    """Qwen2's: layers from `max_window_layers` on, where `use_sliding_window` is on."""
    if not f.flag("use_sliding_window", False):
        return {}
    if f.words("layer_types"):
        return window(f)
    late = max(0, f.size("num_hidden_layers") - f.size("max_window_layers", 28))
    return {"window": f.size("sliding_window", 4096), "window_layers": late} if late else {}


def all_biases(f: Fields, key: str, default: bool) -> dict[str, Any]:
    bias = f.flag(key, default)
    return {"qkv_bias": bias, "out_bias": bias}
