"""The FDL text of a blueprint's model and the size of each of its axes: `model_of(spec)`.

A text of fdl/architectures whose parts are those of the stack is taken, with the spec's constants set in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from forge_assets.blueprints.spec.model import Spec
from forge_resources.errors import BlueprintError

ARCHITECTURES = Path(__file__).parent.parent / "fdl" / "architectures"
VOCABULARY = "v"
GATED = frozenset({"swiglu"})
SPARSE = frozenset({"sparse-moe", "fine-grained-moe", "mixture-of-experts"})
HEADS = frozenset({"mha", "gqa", "mqa"})
SMALL = {"vocab": 512, "hidden": 64, "layers": 2, "heads": 4, "head_dim": 16, "ffn": 128, "context": 64, "width": 64}


@dataclass(frozen=True, slots=True)
class FdlModel:
    """`sizes`: axis -> size of the blueprint's model; `small`: of one with the same parts that a laptop trains in seconds."""

    text: str
    sizes: Mapping[str, int]
    small: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The sizes that axes are worked out from."""

    vocab: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    context: int
    experts: int
    per_token: int
    width: int


def model_of(spec: Spec) -> FdlModel:
    """Raises BlueprintError for a stack whose parts no text has."""
    name = _text_of(spec)
    full = _numbers(spec)
    text = _with_constants((ARCHITECTURES / f"{name}.fdl").read_text(encoding="utf-8"), spec)
    return FdlModel(text, _axes(name, full), _axes(name, _small(full)))


def _text_of(spec: Spec) -> str:
    part = {slot: one.value for slot, one in spec.architecture.components.items()}
    position, norm, ffn, attention = (part.get(slot) for slot in ("position_encoding", "norm", "ffn", "attention"))
    normed = part.get("qk_norm") == "qk-norm"
    sparse = spec.architecture.experts is not None
    if attention == "mla" and norm == "rms-norm" and sparse:
        return "deepseek_v3"
    if attention in HEADS and norm == "rms-norm" and position == "rope":
        if sparse and not normed:
            return "mixtral"
        if ffn in GATED and not sparse:
            return ("olmo2" if part.get("norm_placement") == "post-norm" else "qwen3") if normed else "llama"
    if norm == "layer-norm" and attention == "mha" and not sparse and not normed and ffn not in GATED:
        found = {"alibi": "mpt", "learned-position": "gpt2", "partial-rope": "gpt_neox"}.get(position or "")
        if found:
            return found
    told = ", ".join(f"{slot} {one}" for slot, one in part.items() if slot in ("position_encoding", "norm", "attention", "ffn", "qk_norm"))
    raise BlueprintError(
        f"no model text has the parts of {spec.identity.name}: {told};"
        " pin others, for example position_encoding=rope, norm=rms-norm, ffn=swiglu"
    )


def _numbers(spec: Spec) -> Numbers:
    a, experts = spec.architecture, spec.architecture.experts
    return Numbers(
        spec.tokenizer.vocab_size.value, a.hidden_size.value, a.layers.value, a.heads.value, a.kv_heads.value, a.head_dim.value,
        a.ffn_size.value, a.context.value, experts.experts.value if experts else 0, experts.per_token.value if experts else 0,
        experts.width.value if experts else 0,
    )  # fmt: skip


def _small(full: Numbers) -> Numbers:
    """The same parts: key heads one, half or all of the heads as in the full model, and a few experts."""
    kv_heads = full.kv_heads if full.kv_heads == 1 else SMALL["heads"] if full.kv_heads == full.heads else SMALL["heads"] // 2
    experts = min(full.experts, max(4, 2 * full.per_token))
    return Numbers(**SMALL, kv_heads=kv_heads, experts=experts, per_token=full.per_token)


def _axes(name: str, n: Numbers) -> dict[str, int]:
    if name == "deepseek_v3":
        return _latent_axes(n)
    axes = {"v": n.vocab, "d": n.hidden, "f": n.ffn, "L": n.layers}
    if name in ("mpt", "gpt2"):
        return axes | {"h": n.heads, "k": n.head_dim} | ({"m": n.context} if name == "gpt2" else {})
    if name == "gpt_neox":
        return axes | {"h": n.heads, "j": n.head_dim // 8, "m": n.head_dim - n.head_dim // 4}
    axes |= {"g": n.kv_heads, "r": n.heads // n.kv_heads, "j": n.head_dim // 2}
    return axes | {"f": n.width, "e": n.experts} if name == "mixtral" else axes


def _latent_axes(n: Numbers) -> dict[str, int]:
    """Ranks and head widths in the proportions of DeepSeek-V3 (2024, section 4.2): a quarter of the experts' groups is open to a token."""
    rotary = max(8, n.head_dim // 2)
    groups = 4 if n.experts % 4 == 0 else 1
    return {
        "v": n.vocab, "d": n.hidden, "a": max(16, n.hidden * 1536 // 7168 // 8 * 8), "h": n.heads, "j": rotary // 2, "n": n.head_dim,
        "l": max(16, n.hidden * 512 // 7168 // 8 * 8), "k": n.head_dim, "f": max(n.ffn, n.width), "e": groups, "m": n.experts // groups,
        "i": n.width, "o": n.width, "K": 1, "L": n.layers,
    }  # fmt: skip


def _with_constants(text: str, spec: Spec) -> str:
    a = spec.architecture
    if a.rope_theta:
        text = re.sub(r"theta = [\d.]+", f"theta = {a.rope_theta.value:.1f}", text)
    text = re.sub(r"eps = [\d.e-]+", f"eps = {a.norm_epsilon.value:g}", text)
    if a.experts:
        text = re.sub(r"const top = \d+", f"const top = {a.experts.per_token.value}", text)
    if a.tied_embeddings.value and (embedding := re.search(r'param E: f32\[v,d\] from "(.*)"', text)):
        text = re.sub(r'(param \w+: f32\[v,d\] from )"(lm_head|embed_out)\.weight"', rf'\1"{embedding[1]}"', text)
    return text
