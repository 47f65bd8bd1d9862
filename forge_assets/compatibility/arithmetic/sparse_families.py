"""Shapes of architectures with experts, latent attention, linear attention or state spaces, one function each."""

from __future__ import annotations

from forge_assets.compatibility.arithmetic.decoder import all_biases, decoder, late_window, window
from forge_assets.compatibility.arithmetic.fields import Fields
from forge_assets.compatibility.arithmetic.shape import Latent, ModelShape, Moe, Recurrent


def sparse_layers(f: Fields) -> int:
    """Layers with experts: each `decoder_sparse_step`th, less those of `mlp_only_layers`."""
    step, without = f.size("decoder_sparse_step", 1), set(f.numbers("mlp_only_layers"))
    return sum(bool(step) and (n + 1) % step == 0 and n not in without for n in range(f.size("num_hidden_layers")))


def mixtral(f: Fields) -> ModelShape:
    moe = Moe(f.size("num_hidden_layers"), f.size("num_local_experts", 8), f.size("num_experts_per_tok", 2), f.size("intermediate_size"))
    return decoder(f, kv=8, moe=moe, **window(f))


def qwen_moe(f: Fields, shared: int = 0) -> Moe:
    experts = f.size(("num_experts", "num_local_experts"))
    return Moe(sparse_layers(f), experts, f.size("num_experts_per_tok"), f.size("moe_intermediate_size"), shared, shared_gate=bool(shared))


def qwen2_moe(f: Fields) -> ModelShape:
    shared = f.size("shared_expert_intermediate_size", 5632)
    return decoder(f, kv=16, qkv_bias=f.flag("qkv_bias", True), moe=qwen_moe(f, shared), **late_window(f))


def qwen3_moe(f: Fields) -> ModelShape:
    more = all_biases(f, "attention_bias", False) | window(f, switch="use_sliding_window")
    return decoder(f, kv=4, qk_norm="head", moe=qwen_moe(f), **more)


def gpt_oss(f: Fields) -> ModelShape:
    layers, width = f.size("num_hidden_layers"), f.size("intermediate_size")
    moe = Moe(layers, f.size("num_local_experts"), f.size(("num_experts_per_tok", "experts_per_token"), 4), width, 0, False, True, True)
    return decoder(f, dim=64, kv=8, sinks=True, moe=moe, **all_biases(f, "attention_bias", True), **window(f, 2, 128))


def late_moe(f: Fields, first_dense: int, router_bias: bool) -> Moe:
    dense, width = f.size("first_k_dense_replace", first_dense), f.size("moe_intermediate_size")
    return Moe(
        max(1, f.size("num_hidden_layers") - dense), f.size(("n_routed_experts", "num_local_experts")),
        f.size("num_experts_per_tok"), width,
        f.size("n_shared_experts", 1) * width, router_bias=router_bias,
    )  # fmt: skip


def deepseek(f: Fields) -> ModelShape:
    bias = f.flag("attention_bias", False)
    latent = Latent(
        f.maybe("q_lora_rank", 1536), f.size("kv_lora_rank", 512), f.size("qk_rope_head_dim", 64), f.size("qk_nope_head_dim", 128),
        f.size("v_head_dim", 128), bias,
    )  # fmt: skip
    third = f.kind == "deepseek_v3"
    return decoder(
        f, head_dim=latent.rope_dim + latent.nope_dim, kv_heads=f.size("num_attention_heads"), latent=latent, out_bias=bias,
        moe=late_moe(f, 3 if third else 0, third), ffn_bias=f.flag("mlp_bias", False) and not third,
    )  # fmt: skip


def glm4_moe(f: Fields) -> ModelShape:
    normed = "head" if f.flag("use_qk_norm", False) else "none"
    return decoder(f, kv=8, qkv_bias=f.flag("attention_bias", False), qk_norm=normed, moe=late_moe(f, 1, True))


def qwen3_next(f: Fields) -> ModelShape:
    layers = f.size("num_hidden_layers")
    types = f.words("layer_types")
    linear = sum("linear" in kind for kind in types) if types else layers - layers // 4
    keys, values = f.size("linear_num_key_heads", 16), f.size("linear_num_value_heads", 32)
    key_dim, value_dim, kernel = (
        f.size("linear_key_head_dim", 128),
        f.size("linear_value_head_dim", 128),
        f.size("linear_conv_kernel_dim", 4),
    )
    channels, inner = 2 * keys * key_dim + values * value_dim, values * value_dim
    mixer = Recurrent(
        linear,
        inner,
        channels + inner + 2 * values,
        channels,
        kernel,
        values,
        2,
        value_dim,
        values * key_dim * value_dim + channels * kernel,
    )
    return decoder(
        f, kv=2, dim=256, qk_norm="head", attention_gate=True, recurrent=mixer,
        moe=qwen_moe(f, f.size("shared_expert_intermediate_size", 512)), **all_biases(f, "attention_bias", False),
    )  # fmt: skip


def mamba2(f: Fields) -> ModelShape:
    layers, hidden, heads = f.size("num_hidden_layers", 64), f.size("hidden_size", 4096), f.size("num_heads", 128)
    state, kernel, inner = f.size("state_size", 128), f.size("conv_kernel", 4), f.size("expand", 2) * hidden
    channels, bias = inner + 2 * f.size("n_groups", 8) * state, f.flag("use_bias", False)
    mixer = Recurrent(
        layers, inner, inner + channels + heads, channels, kernel, heads, 3, inner,
        f.size("head_dim", 64) * heads * state + channels * kernel,
        f.flag("use_conv_bias", True), bias,
    )  # fmt: skip
    tied = f.flag("tie_word_embeddings", False)
    return ModelShape(f.kind, layers, hidden, 0, 0, 0, 0, f.size("vocab_size", 32768), tied=tied, norms_per_layer=1, recurrent=mixer)
