"""Shapes of dense architectures, one function each."""

from __future__ import annotations

from typing import Any

from forge_assets.compatibility.arithmetic.decoder import all_biases, decoder, late_window, window
from forge_assets.compatibility.arithmetic.fields import Fields
from forge_assets.compatibility.arithmetic.shape import ModelShape


def llama(f: Fields) -> ModelShape:
    return decoder(f, **all_biases(f, "attention_bias", False), ffn_bias=f.flag("mlp_bias", False))


def mistral(f: Fields) -> ModelShape:
    return decoder(f, kv=8, **window(f, size=4096))


def qwen2(f: Fields) -> ModelShape:
    return decoder(f, kv=32, qkv_bias=True, **late_window(f))


def qwen3(f: Fields) -> ModelShape:
    return decoder(f, kv=32, dim=128, qk_norm="head", **all_biases(f, "attention_bias", False), **late_window(f))


def gemma(f: Fields) -> ModelShape:
    return decoder(f, tied=True, kv=16, dim=256, **all_biases(f, "attention_bias", False))


def gemma2(f: Fields) -> ModelShape:
    biases = all_biases(f, "attention_bias", False)
    return decoder(f, tied=True, kv=4, dim=256, norms_per_layer=4, **biases, **window(f, 2, 4096))


def gemma3(f: Fields) -> ModelShape:
    more = all_biases(f, "attention_bias", False) | window(f, 6, 4096)
    sizes: dict[str, Any] = {
        "num_hidden_layers": 26, "hidden_size": 2304, "intermediate_size": 9216, "num_attention_heads": 8, "vocab_size": 262_208,
        "max_position_embeddings": 131_072,
    }  # fmt: skip
    return decoder(f.with_defaults(sizes), tied=True, kv=4, dim=256, norms_per_layer=4, qk_norm="head", **more)


def olmo(f: Fields) -> ModelShape:
    return decoder(f, norm="layer", norm_weight=False, **all_biases(f, "attention_bias", False))


def olmo2(f: Fields) -> ModelShape:
    return decoder(f, qk_norm="full", **all_biases(f, "attention_bias", False), **(window(f, 4, 4096) if f.kind == "olmo3" else {}))


def smollm3(f: Fields) -> ModelShape:
    more = all_biases(f, "attention_bias", False) | window(f, switch="use_sliding_window")
    return decoder(f, tied=True, kv=4, ffn_bias=f.flag("mlp_bias", False), **more)


def phi3(f: Fields) -> ModelShape:
    return decoder(f, **window(f))


def starcoder2(f: Fields) -> ModelShape:
    bias = f.flag("use_bias", True)
    more = all_biases(f, "use_bias", True) | window(f)
    return decoder(f, tied=True, kv=2, gated=False, norm="layer", norm_bias=True, ffn_bias=bias, **more)


def stablelm(f: Fields) -> ModelShape:
    parallel = f.flag("use_parallel_residual", False)
    norms: dict[str, Any] = {"norm": "layer", "norm_bias": True, "norms_per_layer": 1 if parallel else 2, "parallel": parallel}
    return decoder(f, kv=32, qkv_bias=f.flag("use_qkv_bias", False), qk_norm="full" if f.flag("qk_layernorm", False) else "none", **norms)


def phi(f: Fields) -> ModelShape:
    normed = f.flag("qk_layernorm", False)
    return decoder(
        f, gated=False, norm="layer", norm_bias=True, norms_per_layer=1, parallel=True, qkv_bias=True, out_bias=True, ffn_bias=True,
        head_bias=True, qk_norm="head" if normed else "none", qk_norm_bias=normed,
    )  # fmt: skip


def cohere(f: Fields) -> ModelShape:
    normed = "full" if f.flag("use_qk_norm", False) else "none"
    biases = all_biases(f, "attention_bias", False)
    windowed = window(f, 4, 4096) if f.kind == "cohere2" else {}
    return decoder(f, tied=True, norm="layer", norms_per_layer=1, parallel=True, qk_norm=normed, **biases, **windowed)


def gpt_neox(f: Fields) -> ModelShape:
    return decoder(
        f, kv_heads=f.size("num_attention_heads"), gated=False, norm="layer", norm_bias=True, ffn_bias=True,
        parallel=f.flag("use_parallel_residual", True),
        **all_biases(f, "attention_bias", True),
    )  # fmt: skip


def old(f: Fields, **more: Any) -> ModelShape:
    """GPT-2, BLOOM, MPT: many heads, four times the width inside, LayerNorm, a tied head."""
    layers, hidden = f.size(("n_layer", "n_layers", "num_hidden_layers")), f.size(("n_embd", "d_model", "hidden_size"))
    heads = f.size(("n_head", "n_heads", "num_attention_heads"))
    kept: dict[str, Any] = {"gated": False, "norm": "layer", "tied": f.flag("tie_word_embeddings", True), "ffn": 4 * hidden} | more
    return ModelShape(f.kind, layers, hidden, heads, heads, f.divided(hidden, heads), vocab=f.size("vocab_size"), **kept)


def gpt2(f: Fields) -> ModelShape:
    positions = f.size(("n_positions", "max_position_embeddings"), 1024)
    inner = f.size("n_inner", 0) or 4 * f.size(("n_embd", "hidden_size"))
    biases: dict[str, Any] = {"qkv_bias": True, "out_bias": True, "ffn_bias": True, "norm_bias": True}
    return old(f, positions=positions, context=positions, ffn=inner, **biases)


def bloom(f: Fields) -> ModelShape:
    return old(
        f,
        embedding_norm=True,
        qkv_bias=True,
        out_bias=True,
        ffn_bias=True,
        norm_bias=True,
        context=f.size(("seq_length", "n_positions"), 0),
    )


def mpt(f: Fields) -> ModelShape:
    return old(f, context=f.size("max_seq_len", 2048))


def opt(f: Fields) -> ModelShape:
    f.only("word_embed_proj_dim", f.size("hidden_size"))
    f.only("do_layer_norm_before", True)
    bias = f.flag("enable_bias", True)
    affine = f.flag("layer_norm_elementwise_affine", True)
    more: dict[str, Any] = {
        "ffn": f.size("ffn_dim"),
        "positions": f.size("max_position_embeddings", 2048) + 2,
        "norm_weight": affine,
        "norm_bias": affine,
    }
    more |= {"kv_heads": f.size("num_attention_heads"), "qkv_bias": bias, "out_bias": bias, "ffn_bias": bias}
    return decoder(f, tied=True, gated=False, norm="layer", **more)


def falcon(f: Fields) -> ModelShape:
    new, bias = f.flag("new_decoder_architecture", False), f.flag("bias", False)
    heads, hidden = f.size("num_attention_heads"), f.size(("hidden_size", "n_embed"))
    parallel = new or f.flag("parallel_attn", True)
    two = not f.flag("parallel_attn", True) or f.size("num_ln_in_parallel_attn", 2 if new else 1) == 2
    return decoder(
        f, tied=True, gated=False, norm="layer", norm_bias=True, norms_per_layer=2 if two else 1, parallel=parallel,
        kv_heads=f.size("num_kv_heads", heads) if new else 1 if f.flag("multi_query", True) else heads,
        ffn=f.size("ffn_hidden_size", 0) or 4 * hidden, qkv_bias=bias, out_bias=bias, ffn_bias=bias,
    )  # fmt: skip
