"""Tiny transformers models, and the sizes and constants with which an FDL text is the same model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import forge_assets.blueprints.fdl as fdl

FOLDER = Path(fdl.__file__).parent / "architectures"
V, D = 97, 48


@dataclass(frozen=True)
class Case:
    """`make` gives the transformers model; `sizes` and `constants` go with the FDL text of the same name."""

    name: str
    make: Callable[[], Any]
    sizes: dict[str, int]
    constants: dict[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return (FOLDER / f"{self.name}.fdl").read_text(encoding="utf-8")


def _model(kind: str, model: str = "", configuration: str = "", **settings: Any) -> Callable[[], Any]:
    def make() -> Any:
        import torch
        import transformers

        torch.manual_seed(7)
        config = getattr(transformers, configuration or f"{kind}Config")(**settings)
        config._attn_implementation = "eager"
        made = getattr(transformers, model or f"{kind}ForCausalLM")(config).eval()
        generator = torch.Generator().manual_seed(11)
        with torch.no_grad():  # fresh norms and biases are ones and zeros, which would hide what is wrong with them
            for tensor in (*made.parameters(), *(one for name, one in made.named_buffers() if "correction_bias" in name)):
                tensor.add_(0.1 * torch.randn(tensor.shape, generator=generator))
        return made

    return make


LLAMA = {"vocab_size": V, "hidden_size": D, "intermediate_size": 80, "num_hidden_layers": 2, "num_attention_heads": 6,
         "num_key_value_heads": 2, "max_position_embeddings": 64,
         "pad_token_id": None, "bos_token_id": None, "eos_token_id": None}  # fmt: skip
GQA = {"v": V, "d": D, "g": 2, "r": 3, "j": 4, "f": 80, "L": 2}
ROPE_3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 40.0, "original_max_position_embeddings": 64, "beta_fast": 32, "beta_slow": 1,
        "mscale": 1.0, "mscale_all_dim": 1.0}  # fmt: skip


def _rope(theta: float, **more: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": theta, **more}}


CASES = {
    one.name: one
    for one in (
        Case("llama", _model("Llama", **LLAMA, rms_norm_eps=1e-5, **_rope(10000.0)), GQA),
        Case("llama_3", _model("Llama", **LLAMA, head_dim=32, rms_norm_eps=1e-5, rope_parameters=ROPE_3), GQA | {"j": 16}, {"trained": 32}),
        Case("qwen2", _model("Qwen2", **LLAMA, rms_norm_eps=1e-6, tie_word_embeddings=True, **_rope(1000000.0)), GQA),
        Case(
            "qwen3", _model("Qwen3", **LLAMA, rms_norm_eps=1e-6, head_dim=16, tie_word_embeddings=True, **_rope(1000000.0)), GQA | {"j": 8}
        ),
        Case("mistral", _model("Mistral", **LLAMA, rms_norm_eps=1e-5, head_dim=8, sliding_window=4, **_rope(10000.0)), GQA, {"window": 4}),
        Case(
            "mixtral",
            _model("Mixtral", **LLAMA, rms_norm_eps=1e-5, head_dim=8, num_local_experts=5, sliding_window=None, **_rope(1000000.0)),
            GQA | {"e": 5},
        ),
        Case(
            "smollm3",
            _model("SmolLM3", **LLAMA | {"num_hidden_layers": 5}, rms_norm_eps=1e-6, tie_word_embeddings=True, **_rope(5000000.0)),
            GQA | {"L": 5},
        ),
        Case("olmo2", _model("Olmo2", **LLAMA, rms_norm_eps=1e-5, **_rope(500000.0)), GQA),
        Case(
            "gemma2",
            _model("Gemma2", **LLAMA | {"num_hidden_layers": 2}, head_dim=8, sliding_window=4, query_pre_attn_scalar=256, **_rope(10000.0)),
            GQA,
            {"window": 4},
        ),
        Case(
            "gemma3",
            _model(
                "Gemma3",
                "",
                "Gemma3TextConfig",
                **LLAMA | {"num_hidden_layers": 8},
                head_dim=8,
                sliding_window=4,
                query_pre_attn_scalar=256,
                rope_parameters={
                    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
                    "full_attention": {"rope_type": "default", "rope_theta": 1000000.0},
                },
            ),
            {key: size for key, size in GQA.items() if key != "L"} | {"N": 1, "M": 2},
            {"window": 4},
        ),
        Case(
            "gpt2",
            _model(
                "GPT2", "GPT2LMHeadModel", vocab_size=V, n_embd=D, n_layer=2, n_head=6, n_positions=64, bos_token_id=None, eos_token_id=None
            ),
            {"v": V, "d": D, "h": 6, "k": 8, "f": 4 * D, "m": 64, "L": 2},
        ),
        Case(
            "gpt_neox",
            _model(
                "GPTNeoX",
                vocab_size=V,
                hidden_size=D,
                intermediate_size=80,
                num_hidden_layers=2,
                num_attention_heads=6,
                max_position_embeddings=64,
                bos_token_id=None,
                eos_token_id=None,
                **_rope(10000.0, partial_rotary_factor=0.5),
            ),
            {"v": V, "d": D, "h": 6, "j": 2, "m": 4, "f": 80, "L": 2},
        ),
        Case(
            "stablelm",
            _model("StableLm", **LLAMA | {"num_key_value_heads": 6}, layer_norm_eps=1e-5, **_rope(10000.0, partial_rotary_factor=0.5)),
            {"v": V, "d": D, "h": 6, "j": 2, "m": 4, "f": 80, "L": 2},
        ),
        Case(
            "mpt",
            _model("Mpt", vocab_size=V, d_model=64, n_heads=4, n_layers=2, max_seq_len=64, expansion_ratio=4),
            {"v": V, "d": 64, "h": 4, "k": 16, "f": 256, "L": 2},
        ),
        Case(
            "bloom",
            _model("Bloom", vocab_size=V, hidden_size=64, n_layer=2, n_head=4, bos_token_id=None, eos_token_id=None),
            {"v": V, "d": 64, "h": 4, "k": 16, "f": 256, "L": 2},
        ),
        Case(
            "deepseek_v3",
            _model(
                "DeepseekV3",
                vocab_size=V,
                hidden_size=D,
                intermediate_size=80,
                moe_intermediate_size=24,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=4,
                n_shared_experts=1,
                n_routed_experts=8,
                routed_scaling_factor=2.5,
                kv_lora_rank=12,
                q_lora_rank=20,
                qk_rope_head_dim=8,
                v_head_dim=10,
                qk_nope_head_dim=6,
                n_group=4,
                topk_group=2,
                num_experts_per_tok=3,
                first_k_dense_replace=1,
                norm_topk_prob=True,
                max_position_embeddings=2560,
                rope_parameters=YARN,
                bos_token_id=None,
                eos_token_id=None,
            ),
            {"v": V, "d": D, "h": 4, "a": 20, "l": 12, "n": 6, "j": 4, "k": 10, "f": 80, "e": 4, "m": 2, "i": 24, "o": 24, "K": 1, "L": 2},
            {"top": 3, "groups": 2, "trained": 64},
        ),
    )
}
