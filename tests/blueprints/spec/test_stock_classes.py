"""A spec's config.json is its model: the stock class of transformers that it names gives the logits of the composed text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from forge_assets.blueprints.composed import composed
from forge_assets.blueprints.spec import files, hugging_face
from forge_assets.blueprints.spec.model import Spec
from forge_resources.errors import BlueprintError
from tests.blueprints.fdl.test_library import printed
from tests.blueprints.spec.test_spec import spec

NESTED = ("dtype", "rope_parameters", "attn_config")
HEADS, DIM, SHARE = 4, 16, 0.25
LAYERED = {"norm": "layer-norm", "ffn": "feed-forward-network", "activation": "gelu", "attention": "mha"}
STACKS: dict[str, list[dict[str, str]]] = {
    "gpt2": [LAYERED | {"position_encoding": "learned-position"}],
    "gpt_bigcode": [LAYERED | {"position_encoding": "learned-position", "attention": "mqa", "activation": "relu"}],
    "starcoder2": [LAYERED | {"position_encoding": "rope", "attention": "gqa"}],
    "gpt_neox": [LAYERED | {"position_encoding": "partial-rope", "activation": "squared-relu"}],
    "falcon": [LAYERED | {"position_encoding": "rope", "residual": "parallel-residual", "attention": one} for one in ("mha", "mqa")],
    "stablelm": [
        {
            "norm": "layer-norm",
            "ffn": "swiglu",
            "activation": "silu",
            "attention": "gqa",
            "position_encoding": position,
            "residual": residual,
        }
        for position, residual in (("partial-rope", "parallel-residual"), ("rope", "residual-connection"))
    ],
    "mistral": [{"attention": "sliding-window-attention"}],
    "mpt": [LAYERED | {"position_encoding": "alibi", "output_head": one} for one in ("lm-head", "weight-tying")],
}


def tiny(components: dict[str, str], context: int = 64) -> Spec:
    """The spec `tiny` with other parts, and sizes that a test can run."""
    content = json.loads(files.as_json(spec("tiny")))
    shape = content["architecture"]
    shape["components"].pop("qk_norm", None)
    for slot, component in components.items():
        shape["components"].setdefault(slot, dict(shape["components"]["norm"]))["value"] = component
    heads = {"mqa": 1, "gqa": 2, "sliding-window-attention": 2}.get(components["attention"], HEADS)
    sizes = {
        "layers": 2,
        "hidden_size": HEADS * DIM,
        "heads": HEADS,
        "kv_heads": heads,
        "head_dim": DIM,
        "ffn_size": 96,
        "context": context,
    }
    for name, size in sizes.items():
        shape[name]["value"] = size
    if components.get("position_encoding") == "alibi":
        shape["ffn_size"]["value"] = 4 * HEADS * DIM
    shape["tied_embeddings"]["value"] = components.get("output_head", "weight-tying") == "weight-tying"
    shape["gated_ffn"]["value"] = components.get("ffn", "swiglu") == "swiglu"
    if not components.get("position_encoding", "rope").endswith("rope"):
        shape["rope_theta"] = None
    content["tokenizer"]["vocab_size"]["value"] = 97
    content["batching"]["tokens_per_step"]["value"] = content["batching"]["global_batch"]["value"] * context
    return files.read_text(json.dumps(content), "it")


@pytest.mark.parametrize(("family", "components"), [(family, one) for family, several in STACKS.items() for one in several])
def test_the_class_that_config_json_names_is_the_model(family: str, components: dict[str, str]) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    made = tiny(components)
    given = hugging_face.config(made)
    assert given["model_type"] == family
    config: Any = AutoConfig.for_model(**given)
    assert {name: getattr(config, name) for name in given if name not in NESTED} == {
        name: value for name, value in given.items() if name not in NESTED
    }
    inner = given.get("attn_config", {})
    assert {name: getattr(config.attn_config, name) for name in inner} == inner
    config.dtype, config._attn_implementation = torch.float32, "eager"
    torch.manual_seed(0)
    theirs: Any = AutoModelForCausalLM.from_config(config).float().eval()
    assert type(theirs).__name__ == given["architectures"][0]
    text = composed(made)
    module = printed(text.text)
    ours = module.LM(module.Sizes(**text.sizes)).eval()
    weights = ours.state_dict()
    for name in weights:  # fresh norms and biases would hide what is wrong with them
        weights[name] = 0.1 * torch.randn(weights[name].shape) + ("norm.weight" in name)
    ours.load_state_dict(weights)
    change = _turned_stablelm if family == "stablelm" and components["position_encoding"] == "partial-rope" else RENAMED.get(family)
    renamed = change(weights, text.sizes["g"]) if change else weights
    own = theirs.state_dict()
    missing = {name for name in own if name not in renamed} - {"lm_head.weight", "embed_out.weight"}
    assert not missing and not renamed.keys() - own.keys()
    theirs.load_state_dict(renamed, strict=False)
    theirs.tie_weights()
    ids = torch.randint(0, 97, (2, 23))
    with torch.no_grad():
        found, wanted = ours(ids), theirs(ids).logits
    assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()


Weights = dict[str, Any]


def _turned(weight: Any, heads: int) -> Any:
    """Rows of queries or keys in the order of a class that turns the first quarter of a head, its halves against each other."""
    half = DIM // 2
    turning = int(SHARE * half)
    order = [*range(turning), *range(half, half + turning), *range(turning, half), *range(half + turning, DIM)]
    return weight.reshape(heads, DIM, -1)[:, order].reshape(weight.shape)


def _fused(held: Weights, place: str, kind: str) -> list[Any]:
    return [held[f"{place}self_attn.{one}_proj.{kind}"] for one in "qkv"]


def _gpt2(held: Weights, kv: int, transposed: bool = True) -> Weights:
    import torch

    made = {"transformer.wte.weight": held["model.embed_tokens.weight"], "transformer.wpe.weight": held["model.embed_positions.weight"]}
    for kind in ("weight", "bias"):

        def way(one: Any, kind: str = kind) -> Any:
            return one.T.contiguous() if transposed and kind == "weight" else one

        made[f"transformer.ln_f.{kind}"] = held[f"model.norm.{kind}"]
        for layer in range(2):
            here, there = f"model.layers.{layer}.", f"transformer.h.{layer}."
            made[f"{there}attn.c_attn.{kind}"] = way(torch.cat(_fused(held, here, kind)))
            for mine, its in (("self_attn.o_proj", "attn.c_proj"), ("mlp.up_proj", "mlp.c_fc"), ("mlp.down_proj", "mlp.c_proj")):
                made[f"{there}{its}.{kind}"] = way(held[f"{here}{mine}.{kind}"])
            made[f"{there}ln_1.{kind}"] = held[f"{here}input_layernorm.{kind}"]
            made[f"{there}ln_2.{kind}"] = held[f"{here}post_attention_layernorm.{kind}"]
    return made | {name: one for name, one in held.items() if name == "lm_head.weight"}


def _starcoder2(held: Weights, kv: int) -> Weights:
    return {name.replace("mlp.up_proj", "mlp.c_fc").replace("mlp.down_proj", "mlp.c_proj"): one for name, one in held.items()}


def _gpt_neox(held: Weights, kv: int) -> Weights:
    import torch

    made = {"gpt_neox.embed_in.weight": held["model.embed_tokens.weight"]}
    for kind in ("weight", "bias"):
        made[f"gpt_neox.final_layer_norm.{kind}"] = held[f"model.norm.{kind}"]
        for layer in range(2):
            here, there = f"model.layers.{layer}.", f"gpt_neox.layers.{layer}."
            q, k, v = _fused(held, here, kind)
            each = [one.reshape(HEADS, DIM, -1) for one in (_turned(q, HEADS), _turned(k, HEADS), v)]
            made[f"{there}attention.query_key_value.{kind}"] = torch.cat(each, 1).reshape(3 * HEADS * DIM, *q.shape[1:])
            for mine, its in (
                ("self_attn.o_proj", "attention.dense"), ("mlp.up_proj", "mlp.dense_h_to_4h"), ("mlp.down_proj", "mlp.dense_4h_to_h"),
                ("input_layernorm", "input_layernorm"), ("post_attention_layernorm", "post_attention_layernorm"),
            ):  # fmt: skip
                made[f"{there}{its}.{kind}"] = held[f"{here}{mine}.{kind}"]
    return made | ({"embed_out.weight": held["lm_head.weight"]} if "lm_head.weight" in held else {})


def _falcon(held: Weights, kv: int) -> Weights:
    import torch

    made = {"transformer.word_embeddings.weight": held["model.embed_tokens.weight"]}
    for kind in ("weight", "bias"):
        made[f"transformer.ln_f.{kind}"] = held[f"model.norm.{kind}"]
        for layer in range(2):
            here, there = f"model.layers.{layer}.", f"transformer.h.{layer}."
            q, k, v = _fused(held, here, kind)
            several = torch.cat([one.reshape(HEADS, DIM, -1) for one in (q, k, v)], 1).reshape(-1, *q.shape[1:]) if kv > 1 else None
            made[f"{there}self_attention.query_key_value.{kind}"] = torch.cat([q, k, v]) if several is None else several
            for mine, its in (
                ("self_attn.o_proj", "self_attention.dense"), ("mlp.up_proj", "mlp.dense_h_to_4h"), ("mlp.down_proj", "mlp.dense_4h_to_h"),
                ("input_layernorm", "input_layernorm"),
            ):  # fmt: skip
                made[f"{there}{its}.{kind}"] = held[f"{here}{mine}.{kind}"]
    return made | {name: one for name, one in held.items() if name == "lm_head.weight"}


def _mpt(held: Weights, kv: int) -> Weights:
    import torch

    made = {"transformer.wte.weight": held["model.embed_tokens.weight"], "transformer.norm_f.weight": held["model.norm.weight"]}
    for layer in range(2):
        here, there = f"model.layers.{layer}.", f"transformer.blocks.{layer}."
        made[f"{there}attn.Wqkv.weight"] = torch.cat(_fused(held, here, "weight"))
        for mine, its in (
            ("self_attn.o_proj", "attn.out_proj"), ("mlp.up_proj", "ffn.up_proj"), ("mlp.down_proj", "ffn.down_proj"),
            ("input_layernorm", "norm_1"), ("post_attention_layernorm", "norm_2"),
        ):  # fmt: skip
            made[f"{there}{its}.weight"] = held[f"{here}{mine}.weight"]
    return made | {name: one for name, one in held.items() if name == "lm_head.weight"}


def _turned_stablelm(held: Weights, kv: int) -> Weights:
    heads = {"q_proj.weight": HEADS, "k_proj.weight": kv}
    found = {name: next((count for ending, count in heads.items() if name.endswith(ending)), 0) for name in held}
    return {name: _turned(one, found[name]) if found[name] else one for name, one in held.items()}


RENAMED: dict[str, Callable[[Weights, int], Weights]] = {
    "gpt2": _gpt2,
    "gpt_bigcode": lambda held, kv: _gpt2(held, kv, transposed=False),
    "starcoder2": _starcoder2,
    "gpt_neox": _gpt_neox,
    "falcon": _falcon,
    "mpt": _mpt,
}


def test_what_no_class_has_exactly_is_not_said_to_be_one() -> None:
    for components, slot in (
        (LAYERED | {"position_encoding": "alibi", "norm_placement": "embedding-norm"}, "embedding-norm as norm_placement"),
        (LAYERED | {"position_encoding": "learned-position", "attention": "gqa"}, "gqa as attention"),
        ({"attention": "mha", "sequence_mixer": "ssm"}, "ssm as sequence_mixer"),
    ):
        with pytest.raises(BlueprintError, match=f"no transformers architecture here has {slot}"):
            hugging_face.config(tiny(components))


def test_sizes_that_a_class_has_of_its_own_are_told() -> None:
    content = json.loads(files.as_json(tiny(LAYERED | {"position_encoding": "alibi"})))
    for sizes, told in (
        ({"ffn_size": 96}, "mpt has a feed-forward width of 4 times the hidden size, 256, the blueprint 96"),
        ({"heads": 2, "kv_heads": 2}, "mpt has heads of hidden size / heads, 64 / 2, the blueprint of 16"),
        ({"heads": 6, "kv_heads": 6, "hidden_size": 96, "ffn_size": 384}, "for powers of two only, found 6 heads"),
    ):
        shape = {**content["architecture"], **{name: {**content["architecture"][name], "value": size} for name, size in sizes.items()}}
        with pytest.raises(BlueprintError, match=told):
            hugging_face.config(files.read_text(json.dumps({**content, "architecture": shape}), "it"))
