"""The library: a component it fills composes, compiles to PyTorch, runs forward and backward, and has the parameters that were counted."""

from __future__ import annotations

import types
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.library.composing import ARCHITECTURES, MIXER, SLOTS, model_text
from forge_assets.blueprints.fdl.library.pieces import covered, entries
from forge_assets.blueprints.fdl.trial import compare
from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.arithmetic.shape import Latent, ModelShape, Moe
from forge_assets.components.ontology import load_ontology
from forge_resources.errors import BlueprintError

LLAMA = {"architecture": "decoder-only", "embedding": "token-embedding", "position_encoding": "rope", "attention": "gqa", "qk_norm": None,
         "norm": "rms-norm", "norm_placement": "pre-norm", "residual": "residual-connection", "activation": "silu", "ffn": "swiglu",
         "moe_router": None, "output_head": "lm-head", "objective": "causal-lm"}  # fmt: skip
V, T = 61, 9
SEE_LATER = {"bidirectional-attention", "expert-choice"}
BESIDE_THE_COUNT = {
    "additive-attention", "differential-attention", "forgetting-attention", "gated-attention", "mdha", "multiplicative-attention",
    "softmax-plus-one", "talking-heads", "factorized-embedding", "conv-ffn", "loss-free-balancing", "pixel-norm", "scale-norm",
    "dynamic-tanh", "mixture-of-softmaxes", "kerple", "relative-position-bias", "relative-position", "fire-position",
    "attention-temperature", "cosine-attention", "scalable-softmax", "gated-residual", "highway-network", "layerscale", "rezero",
    "skipinit", "laurel", "temperature-scaling", "xmoe-routing", "prelu", "polynomial-activation", "xielu", *covered(MIXER),
}  # fmt: skip
"""Components with small tensors of their own, which the arithmetic of memory does not list."""
MODEL = sorted((slot, one) for slot, one in entries() if slot not in ("optimizer", "schedule"))


MORE = ("attention:mla", "attention:local-global-interleaving", "position_encoding:alibi", "norm_placement:peri-ln", "ffn:fine-grained-moe",
        "residual:parallel-residual")  # fmt: skip
SOME = [*((slot, covered(slot)[0]) for slot in (*SLOTS, MIXER)), *(tuple(one.split(":")) for one in MORE)]
"""All of them run in tests/trials."""


def stack_with(slot: str, component: str) -> dict[str, str | None]:
    slots = LLAMA | {slot: component}
    if slot == "moe_router":
        slots["ffn"] = "sparse-moe"
    if component in ("sparse-moe", "mixture-of-experts", "fine-grained-moe"):
        slots["moe_router"] = "top-k-routing"
    if component in SEE_LATER:
        slots["objective"] = "masked-lm"
    return slots


def shape_for(slots: dict[str, str | None]) -> ModelShape:
    ffn, attention, layer = slots["ffn"], slots["attention"], slots["norm"] == "layer-norm"
    moe = Moe(2, 4, 2, 24, 24 if ffn == "fine-grained-moe" else 0) if slots["moe_router"] else None
    latent = Latent(20, 12, 8, 6, 10) if attention == "mla" else None
    parallel = slots["residual"] == "parallel-residual"
    return ModelShape(
        "tiny", 2, 32, 4, 4 if latent else {"mha": 4, "mqa": 1}.get(attention or "", 2), 14 if latent else 8, 0 if moe else 48, V,
        gated=ffn not in ("feed-forward-network", "mlp", "conv-ffn"), norm="layer" if layer else "rms",
        norm_bias=layer and slots["position_encoding"] != "alibi",
        norms_per_layer=1 if parallel else 4 if slots["norm_placement"] in ("sandwich-norm", "peri-ln") else 2,
        embedding_norm=slots["norm_placement"] in ("embedding-norm", "peri-ln"),
        qk_norm="head" if slots["qk_norm"] == "qk-norm" else "none",
        tied=slots["output_head"] == "weight-tying", parallel=parallel,
        positions=32 if slots["position_encoding"] in ("learned-position", "absolute-position") else 0, moe=moe, latent=latent,
        window=4 if "local" in (attention or "") or "sliding" in (attention or "") else 0, context=32,
    )  # fmt: skip


@cache
def printed(text: str) -> Any:
    """The module that FDL prints for PyTorch."""
    import sys

    (code,) = BACKENDS["torch"].print(compiled(text)).values()
    made = types.ModuleType("composed_model")
    sys.modules[made.__name__] = made
    exec(compile(code, "<composed>", "exec"), made.__dict__)
    return made


def model_of(slots: dict[str, str | None], shape: ModelShape) -> Any:
    """The model with weights drawn anew: what starts at zero would hide what does not reach the loss."""
    import torch

    made = model_text(slots, shape)
    module = printed(made.text)
    model = module.LM(module.Sizes(**made.sizes))
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn(weight.shape))
    return model


def check_component(slot: str, component: str) -> None:
    """It composes; logits and gradients are finite and reach every weight; the parameters are those counted; nothing sees what is later."""
    import torch

    slots = stack_with(slot, component)
    shape = shape_for(slots)
    model = model_of(slots, shape)
    ids = torch.randint(0, V, (2, T), generator=torch.Generator().manual_seed(1))
    ids[1, :-1] = ids[0, :-1]
    ids[1, -1] = (ids[0, -1] + 1) % V
    logits = model(ids)
    assert logits.shape == (2, T, V)
    assert torch.isfinite(logits).all()
    assert torch.allclose(logits[0, :-1], logits[1, :-1], atol=1e-5) is (component not in SEE_LATER)
    assert not torch.allclose(logits[0, -1], logits[1, -1], atol=1e-5)
    loss: Any = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten())
    loss.backward()
    still = {name for name, one in model.named_parameters() if one.grad is None or not one.grad.abs().sum() > 0}
    assert {name for name in still if "correction_bias" not in name} == set()
    found = sum(one.numel() for one in model.parameters())
    assert (found == counts(shape).total) is (component not in BESIDE_THE_COUNT)


@pytest.mark.parametrize(("slot", "component"), SOME)
def test_a_component_composes_and_runs_forward_and_backward(slot: str, component: str) -> None:
    check_component(slot, component)


def test_marks_of_the_ontology_are_true() -> None:
    ontology = load_ontology(None)
    for slot in {slot for slot, _ in entries()}:
        marked = {one.id for one in ontology.in_slot(slot) if one.build == "fdl"}
        assert marked == set(covered(slot)), slot
    assert {one.id for one in ontology.in_slot("architecture") if one.build == "fdl"} == set(ARCHITECTURES)


ROPE = {"rope_type": "default", "rope_theta": 10000.0}
SIZES = {"vocab_size": V, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "max_position_embeddings": 32, "pad_token_id": None, "bos_token_id": None, "eos_token_id": None,
         "rope_parameters": ROPE}  # fmt: skip
LATENT = {"num_key_value_heads": 4, "q_lora_rank": 20, "kv_lora_rank": 12, "qk_rope_head_dim": 8, "qk_nope_head_dim": 6, "v_head_dim": 10,
          "first_k_dense_replace": 2, "rope_interleave": False}  # fmt: skip
SAME: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "llama": ("Llama", {"head_dim": 8, "rms_norm_eps": 1e-5}, {}),
    "qwen3": ("Qwen3", {"head_dim": 8, "rms_norm_eps": 1e-5}, {"qk_norm": "qk-norm"}),
    "mistral": ("Mistral", {"head_dim": 8, "rms_norm_eps": 1e-5, "sliding_window": 4}, {"attention": "sliding-window-attention"}),
    "smollm3": ("SmolLM3", {"num_hidden_layers": 5, "rms_norm_eps": 1e-5, "tie_word_embeddings": False},
                {"position_encoding": "interleaved-nope"}),
    "stablelm": ("StableLm", {"layer_norm_eps": 1e-5, "rope_parameters": ROPE | {"partial_rotary_factor": 1.0}}, {"norm": "layer-norm"}),
    "mixtral": ("Mixtral", {"head_dim": 8, "rms_norm_eps": 1e-5, "num_local_experts": 4, "sliding_window": None, "intermediate_size": 24},
                {"ffn": "sparse-moe", "moe_router": "top-k-routing"}),
    "deepseek_v3": ("DeepseekV3", LATENT | {"rms_norm_eps": 1e-5}, {"attention": "mla"}),
}  # fmt: skip
"""Name -> the class of transformers, settings beside SIZES, and what its stack has that Llama's has not."""


@pytest.mark.parametrize("name", SAME)
def test_a_composed_model_is_that_of_transformers(name: str) -> None:
    import torch
    import transformers

    kind, settings, changed = SAME[name]
    config = getattr(transformers, f"{kind}Config")(**SIZES | settings)
    config._attn_implementation = "eager"
    reference = getattr(transformers, f"{kind}ForCausalLM")(config).eval()
    torch.manual_seed(2)
    with torch.no_grad():  # fresh norms are ones, which would hide what is wrong with them
        for weight in reference.parameters():
            weight.add_(0.1 * torch.randn(weight.shape))
    slots = LLAMA | changed
    _equals(reference, slots, replace(shape_for(slots), layers=config.num_hidden_layers))


def _equals(reference: Any, slots: dict[str, str | None], shape: ModelShape) -> None:
    import torch

    model = model_of(slots, shape)
    weights = reference.state_dict()
    model.load_state_dict({name: weights[name].reshape(one.shape) for name, one in model.state_dict().items()})
    assert set(weights) == set(model.state_dict())
    ids = torch.randint(0, V, (2, T), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted, found = reference(ids).logits, model(ids)
    assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_a_tied_model_has_one_table() -> None:
    slots = dict(LLAMA)
    shape = replace(shape_for(slots), tied=True)
    assert sum(one.numel() for one in model_of(slots, shape).parameters()) == counts(shape).total


@pytest.mark.parametrize("position", ["rope", "learned-position", "partial-rope"])
def test_biases_stand_where_the_shape_has_them(position: str) -> None:
    slots = LLAMA | {"norm": "layer-norm", "ffn": "feed-forward-network", "activation": "gelu", "position_encoding": position}
    shape = replace(shape_for(slots), qkv_bias=True, out_bias=True, ffn_bias=True)
    model = model_of(slots, shape)
    assert sum(one.numel() for one in model.parameters()) == counts(shape).total
    assert {name.rpartition(".")[0] for name in model.state_dict() if "bias" in name and "layers.0.self_attn" in name} == {
        f"model.layers.0.self_attn.{one}_proj" for one in "qkvo"
    }


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"attention": "nsa"}, "no text for nsa in the slot attention.*pin one of them"),
        ({"attention": "linear-attention", "position_encoding": "alibi"}, "alibi acts on biased, which linear-attention does not have"),
        ({"ffn": "sparse-moe"}, "sparse-moe needs a router"),
        ({"moe_router": "top-k-routing"}, "swiglu has none"),
        ({"attention": "bidirectional-attention"}, "sees the tokens that causal-lm has to predict"),
        ({"residual": "parallel-residual", "norm_placement": "post-norm"}, "post-norm has no place"),
        ({"architecture": "encoder-decoder"}, "no text for encoder-decoder in the slot architecture"),
    ],
)
def test_what_does_not_fit_is_told(changed: dict[str, str], told: str) -> None:
    slots = LLAMA | changed
    with pytest.raises(BlueprintError, match=told):
        model_text(slots, shape_for(LLAMA))


def test_slots_of_the_text_are_slots_of_the_ontology() -> None:
    assert {*SLOTS, MIXER} <= set(load_ontology(None).slots)


NUMBERS_AND_DOTS = """axis d "features"

piece doubled(x: f32[..,d]) -> f32[..,d]:
  y[..,d] = 2.0 * x[..,d]
  return y

piece scaled(x: f32[..,d]) -> f32[..,d]:
  param a: f32[] from "alpha" init ones
  y[..,d] = a * doubled(x[..,d])
  return y

fragment F(x: f32[b,t,d]) -> f32[b,t,d]:
  y[b,t,d] = scaled(x[b,t,d])
  return y
"""


def test_pieces_hold_single_numbers_and_call_pieces_over_any_axes() -> None:
    (compared,) = compare(compiled(NUMBERS_AND_DOTS), backends=("torch", "jax"))
    assert compared.equal
