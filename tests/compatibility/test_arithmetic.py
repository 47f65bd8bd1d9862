"""Formulas against what their papers print, splits, quantized weights, FLOPs against torch's counter, proposals and budgets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from forge_assets.compatibility.arithmetic.activations import saved
from forge_assets.compatibility.arithmetic.budget import budget, largest_micro_batch, terms
from forge_assets.compatibility.arithmetic.compute import flops, serving_speed, training_run
from forge_assets.compatibility.arithmetic.hardware import gpu_of, gpus, size_of, smallest_with
from forge_assets.compatibility.arithmetic.optimizers import OPTIMIZERS, optimizer_of
from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.arithmetic.plan import Lora, Serving, Split, Training
from forge_assets.compatibility.arithmetic.propose import Traits, shape_for
from forge_assets.compatibility.arithmetic.quantized import FORMATS
from forge_assets.compatibility.arithmetic.serving import cache_bytes, offload, serving_memory
from forge_assets.compatibility.arithmetic.shape import Latent, ModelShape, Moe
from forge_assets.compatibility.arithmetic.training import training_memory
from forge_assets.components.ontology.load import load_ontology
from forge_resources.errors import ShapeError

LLAMA_7B = ModelShape("llama", 32, 4096, 32, 32, 128, 11008, 32000)
LLAMA_8B = ModelShape("llama", 32, 4096, 32, 8, 128, 14336, 128256)
MIXTRAL = replace(LLAMA_8B, family="mixtral", vocab=32000, ffn=0, moe=Moe(32, 8, 2, 14336))
DEEPSEEK = ModelShape(
    "deepseek_v3", 61, 7168, 128, 128, 192, 18432, 129280, moe=Moe(58, 256, 8, 2048, 2048), latent=Latent(1536, 512, 64, 128, 128)
)
GPT = ModelShape("gpt2", 4, 1024, 16, 16, 64, 4096, 32000, gated=False, norm="layer", norm_bias=True)
GIB = 2**30


def items(shape: ModelShape, plan: Training) -> dict[str, int]:
    return {item.name: item.bytes for item in training_memory(shape, plan).items}


# -- activations, gradients, states


def test_fused_activations_are_those_of_korthikanti_without_dropout() -> None:
    """Table 2 of the paper: 34 s b h, of which dropout's masks are 2 s b h (one after attention, one after the MLP), and 5 a s^2 b of the
    attention core, of which dropout is 3 (mask and output): 32 s b h + 2 a s^2 b are left, and statistics of a few bytes per token."""
    plan = Training(512, 2, precision="mixed", kernels="fused", attention="eager", split=Split())
    per_layer = sum(one.bytes(plan) for one in saved(GPT, plan))
    tokens, width, heads = 1024, 1024, 16
    assert per_layer == pytest.approx(32 * tokens * width + 4 * tokens * 512 * heads + 2 * tokens * 512 * heads, rel=0.001)


def test_tensor_parallelism_divides_all_with_sequence_parallelism_and_less_without() -> None:
    """Korthikanti et al. 2022, equations 2 and 4: s b h (10 + 24/t) against 34/t."""
    base = Training(512, 2, kernels="fused", split=Split(tensor=8))
    with_it = sum(one.bytes(base) for one in saved(GPT, base))
    without = replace(base, split=Split(tensor=8, sequence_parallel=False))
    alone = replace(base, split=Split())
    whole = sum(one.bytes(alone) for one in saved(GPT, alone))
    assert with_it == pytest.approx(whole / 8)
    assert sum(one.bytes(without) for one in saved(GPT, without)) == pytest.approx(1024 * 1024 * (8 + 24 / 8), rel=0.01)


def test_weights_gradients_and_states_are_16_bytes_per_parameter_and_zero_divides_them() -> None:
    """Rajbhandari et al. 2020, figure 1: 7.5 B parameters on 64 devices take 120, 31.4, 16.6 and 1.9 GB."""
    shape = shape_for(7.5e9)
    parameters = counts(shape).total
    names = ("weights", "gradients", "master weights", "optimizer states")
    for zero, expected in ((0, 120.0), (1, 31.4), (2, 16.6), (3, 1.9)):
        found = items(shape, Training(64, split=Split(data=64, zero=zero)))
        assert sum(found.get(name, 0) for name in names) / 1e9 == pytest.approx(expected * parameters / 7.5e9, rel=0.02)


def test_pipeline_stages_hold_their_layers_and_the_first_holds_more_micro_batches() -> None:
    plan = Training(2048, 1, micro_batches=8, split=Split(pipeline=4))
    whole, part = items(LLAMA_7B, replace(plan, split=Split())), items(LLAMA_7B, plan)
    assert part["activations"] == pytest.approx(whole["activations"], rel=0.05)  # a quarter of the layers, four micro-batches
    assert part["weights"] < whole["weights"] / 3.5


def test_expert_parallelism_divides_experts_only() -> None:
    alone, split = (items(MIXTRAL, Training(128, split=Split(data=8, expert=n)))["weights"] for n in (1, 8))
    experts = 32 * 8 * 3 * 4096 * 14336 * 2
    assert alone - split == pytest.approx(experts * 7 / 8, rel=1e-6)


def test_recomputation_and_flash_attention_save_what_they_are_for() -> None:
    none, selective, full = (
        training_memory(LLAMA_7B, Training(4096, 1, attention="eager", recompute=how)).of("activations")  # type: ignore[arg-type]
        for how in ("none", "selective", "full")
    )
    flash = training_memory(LLAMA_7B, Training(4096, 1)).of("activations")
    assert none > 3 * selective and selective > 10 * (full - none / 32)
    assert flash == pytest.approx(selective, rel=0.1)


def test_optimizers_keep_what_their_papers_say() -> None:
    states = {name: items(LLAMA_7B, Training(64, optimizer=name)).get("optimizer states", 0) / 6.738e9 for name in OPTIMIZERS}
    assert states["adamw"] == pytest.approx(8, rel=0.01) and states["lion"] == pytest.approx(4, rel=0.01)
    assert states["adamw-8bit"] == pytest.approx(2.03, rel=0.01) and states["adafactor"] < 0.01 and states["sgd"] == 0
    assert 4 < states["muon"] < 4.3
    assert optimizer_of("8bit-optimizer") is OPTIMIZERS["adamw-8bit"]
    with pytest.raises(ShapeError, match="has no memory formula here; choose one of adamw"):
        optimizer_of("sophia")


def test_optimizers_and_gpus_are_components_of_the_ontology() -> None:
    known = {component.id: component.slot for component in load_ontology().components.values()}
    assert {known[one.component] for one in OPTIMIZERS.values()} == {"optimizer"}
    assert {known[one.component] for one in gpus().values()} == {"hardware"}


def test_lora_trains_its_factors_only_and_nf4_shrinks_the_frozen_weights() -> None:
    """Dettmers et al. 2023: 4.127 bits per weight; r (in + out) of each of seven linears."""
    found = items(LLAMA_7B, Training(512, lora=Lora(16), quantize="nf4"))
    adapters = 16 * 32 * (4 * 2 * 4096 + 3 * (4096 + 11008)) * 4
    assert found["adapters"] == adapters and found["optimizer states"] == 2 * adapters
    linears = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008)
    assert found["weights"] == pytest.approx(linears * 4.127 / 8 + 2 * 2 * 32000 * 4096 + 65 * 4096 * 2, rel=1e-6)
    with pytest.raises(ShapeError, match="cannot be trained; add LoRA"):
        Training(512, quantize="nf4")


def test_only_dense_llama_like_models_on_one_device_are_validated() -> None:
    assert training_memory(LLAMA_8B, Training(512)).unvalidated is None
    for shape, plan in (
        (MIXTRAL, Training(512)),
        (GPT, Training(512)),
        (LLAMA_8B, Training(512, split=Split(data=2))),
        (LLAMA_8B, Training(512, optimizer="lion")),
    ):
        found = training_memory(shape, plan)
        assert found.unvalidated and found.high - found.low > 0.6 * found.bytes
    assert "experts" in str(training_memory(MIXTRAL, Training(512)).unvalidated)


# -- serving


def test_kv_caches_are_those_that_are_published() -> None:
    """Llama 2 7B keeps 0.5 MiB a token and Llama 3.1 8B 128 KiB in 16 bits; DeepSeek-V3 70.3 KB (DeepSeek-AI 2025, table 1)."""
    assert cache_bytes(LLAMA_7B, Serving(1)) == 2**19
    assert cache_bytes(LLAMA_8B, Serving(1)) == 2**17
    assert cache_bytes(DEEPSEEK, Serving(1)) == pytest.approx(70.272e3, rel=0.001)


def test_windows_splits_and_bits_change_the_cache() -> None:
    windowed = replace(LLAMA_8B, window=1024, window_layers=16)
    whole = cache_bytes(LLAMA_8B, Serving(4096))
    assert cache_bytes(windowed, Serving(4096)) == whole * (16 * 4096 + 16 * 1024) / (32 * 4096)
    assert cache_bytes(LLAMA_8B, Serving(4096, split=Split(tensor=16))) == whole / 8  # eight key heads are repeated
    assert cache_bytes(LLAMA_8B, Serving(4096, cache_bytes=0.5)) == whole / 4
    assert cache_bytes(DEEPSEEK, Serving(4096, split=Split(tensor=8))) == cache_bytes(DEEPSEEK, Serving(4096))


def test_offloading_is_told_where_weights_do_not_fit() -> None:
    card = gpu_of("l40s")
    large = shape_for(3e10)
    assert offload(LLAMA_8B, Serving(4096), card.memory, card.link) is None
    away = offload(large, Serving(4096), card.memory, card.link)
    assert away and away.gib > 20 and f"--cpu-offload-gb {away.gib}" in away.told
    assert (serving_memory(large, Serving(4096)).bytes - away.gib * GIB) <= 0.8 * card.memory
    hopeless = offload(LLAMA_7B, Serving(131072, 64), card.memory, card.link)
    assert hopeless and hopeless.gib == 0 and "fewer or shorter sequences" in hopeless.told


def test_formats_of_quantized_weights_are_sourced() -> None:
    assert all(2 < one.bits <= 8.5 and one.source for one in FORMATS.values())
    q4 = serving_memory(LLAMA_8B, Serving(128, quantize="q4_k")).of("weights")
    assert q4 == pytest.approx(8.03e9 * 4.5 / 8, rel=0.001)
    with pytest.raises(ShapeError, match="quantization 'q9' is unknown"):
        serving_memory(LLAMA_8B, Serving(128, quantize="q9"))


# -- splits


@pytest.mark.parametrize(
    ("shape", "split", "sentence"),
    [
        (LLAMA_7B, Split(tensor=3), "32 heads cannot be divided by tp 3"),
        (LLAMA_7B, Split(pipeline=5), "32 layers cannot be divided by pp 5"),
        (LLAMA_7B, Split(expert=2), "has no experts"),
        (MIXTRAL, Split(data=3, expert=3), "ep 3 must divide the 8 experts"),
        (LLAMA_7B, Split(zero=4), "stage 4 is unknown"),
        (LLAMA_7B, Split(data=0), "dp is 0"),
    ],
)
def test_a_split_that_does_not_divide_the_model_is_told(shape: ModelShape, split: Split, sentence: str) -> None:
    with pytest.raises(ShapeError, match=sentence):
        training_memory(shape, Training(128, split=split))


# -- compute


def test_flops_equal_those_that_torch_counts() -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes: dict[str, Any] = {
        "hidden_size": 64,
        "intermediate_size": 160,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "vocab_size": 100,
    }
    for kv_heads, tied in ((4, False), (2, True)):
        config = AutoConfig.for_model("llama", num_key_value_heads=kv_heads, tie_word_embeddings=tied, **sizes)
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
        ids = torch.zeros(2, 48, dtype=torch.long)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(input_ids=ids)
        shape = ModelShape("llama", 3, 64, 4, kv_heads, 16, 160, 100, tied=tied)
        rotations = 2 * 8 * 48  # the product of frequencies and positions
        assert counter.get_total_flops() == pytest.approx(96 * flops(shape, 48, causal=False).forward, abs=2 * rotations)
        with FlopCounterMode(display=False) as counter:
            model(input_ids=ids, labels=ids).loss.backward()
        assert counter.get_total_flops() == pytest.approx(96 * flops(shape, 48, causal=False).training(), rel=0.002)


def test_training_takes_six_flops_per_parameter_and_token_and_attention_comes_on_top() -> None:
    """Kaplan et al. 2020, table 1: 6 N per token; Chowdhery et al. 2022, appendix B: 12 L H Q T for attention over all positions."""
    inside = counts(LLAMA_7B).total - 32000 * 4096 - 65 * 4096
    found = flops(LLAMA_7B, 2048, causal=False)
    assert found.training() == pytest.approx(6 * inside + 12 * 32 * 32 * 128 * 2048)
    assert found.training("full") == pytest.approx(found.training() * 4 / 3)
    assert flops(MIXTRAL, 1).matrices == pytest.approx(2 * (12.88e9 - 32000 * 4096), rel=0.01)


def test_a_run_of_llama_405b_takes_as_long_as_published() -> None:
    """3.8e25 FLOPs for 15.6 T tokens (Llama Team 2024, section 1) and 30.84 million H100 hours (its model card), an MFU of some 35%."""
    llama_405b = ModelShape("llama", 126, 16384, 128, 8, 128, 53248, 128256)
    assert counts(llama_405b).total == 405_853_388_800
    run = training_run(llama_405b, 15.6e12, gpu_of("h100"), 1, 8192, mfu=0.35, price=2.0)
    assert run.flops == pytest.approx(3.8e25, rel=0.05)
    assert run.seconds / 3600 == pytest.approx(30.84e6, rel=0.05)
    assert run.cost == pytest.approx(run.seconds / 3600 * 2) and run.kilowatt_hours == pytest.approx(run.seconds / 3600 * 0.7)
    halved = training_run(llama_405b, 15.6e12, gpu_of("h100"), 2, 8192, mfu=0.35)
    assert halved.seconds == pytest.approx(run.seconds / 2) and halved.joules == pytest.approx(run.joules) and halved.cost is None
    with pytest.raises(ShapeError, match=r"MFU is 1\.5"):
        training_run(LLAMA_8B, 1e9, gpu_of("h100"), 1, 8192, mfu=1.5)


def test_precisions_run_at_the_speed_of_their_products() -> None:
    a100, h100 = gpu_of("a100"), gpu_of("h100")
    hours = {name: training_run(LLAMA_7B, 1e9, h100, 1, 2048, precision=name).seconds for name in ("mixed", "fp32", "fp8")}
    assert hours["fp32"] == pytest.approx(2 * hours["mixed"]) and hours["fp8"] == pytest.approx(hours["mixed"] / 2)
    with pytest.raises(ShapeError, match="A100 SXM 80 GB does not compute in fp8"):
        training_run(LLAMA_7B, 1e9, a100, 1, 2048, precision="fp8")
    with pytest.raises(ShapeError, match="price of a GPU hour is -1"):
        training_run(LLAMA_7B, 1e9, a100, 1, 2048, price=-1)


def test_decoding_is_bound_by_reading_the_weights() -> None:
    card = gpu_of("h100")
    weights = serving_memory(LLAMA_8B, Serving(1024)).of("weights")
    one = serving_speed(LLAMA_8B, Serving(1024), card, weights).decode
    assert one == pytest.approx(card.bandwidth * 0.7 / (weights + 2**27), rel=0.01)
    assert one < serving_speed(LLAMA_8B, Serving(1024, 64), card, weights).decode < 64 * one
    mixture = serving_memory(MIXTRAL, Serving(1024)).of("weights")
    one_mixture = serving_speed(MIXTRAL, Serving(1024), card, mixture).decode
    assert one_mixture == pytest.approx(card.bandwidth * 0.7 / (2 * counts(MIXTRAL).active + 2**27), rel=0.01)


# -- cards


def test_cards_are_found_by_name_and_by_memory() -> None:
    assert {round(one.memory / 1e9) for one in gpus().values()} >= {48, 80, 96, 141}
    assert all(one.source.startswith("https://") for one in gpus().values())
    assert gpu_of("H100").id == "h100-80gb" and gpu_of("h200").id == "h200-141gb"
    assert smallest_with(size_of("80GiB")).memory == 80e9 and smallest_with(size_of("141 GB")).id == "h200-141gb"
    for wanted, sentence in (("h300", "did you mean"), ("", "say which")):
        with pytest.raises(ShapeError, match=sentence):
            gpu_of(wanted)
    for text in ("80 parsecs", "GB", "-4GB", "0"):
        with pytest.raises(ShapeError, match="is no size"):
            size_of(text)
    with pytest.raises(ShapeError, match="no known GPU has 1,000 GB"):
        smallest_with(size_of("1TB"))


# -- proposals and budgets


@pytest.mark.parametrize("parameters", [1e6, 1e7, 1.35e8, 3.6e8, 1e9, 1.5e9, 3e9, 7e9, 1.3e10, 3.2e10, 7e10, 4e11])
@pytest.mark.parametrize("traits", [Traits(), Traits(kv="mha", gated=False, norm="layer"), Traits(experts=8), Traits(kv="mla")])
def test_proposed_shapes_have_the_parameters_and_divide(parameters: float, traits: Traits) -> None:
    shape = shape_for(parameters, 4096, traits)
    assert counts(shape).total == pytest.approx(parameters, rel=0.05)
    assert shape.hidden % 32 == 0 and shape.ffn % 16 == 0 and shape.head_dim in (32, 64, 128, 192)
    assert 10 < shape.hidden / shape.layers < 200


def test_what_cannot_be_proposed_is_told() -> None:
    with pytest.raises(ShapeError, match="smaller vocabulary"):
        shape_for(1e6, traits=Traits(vocab=256_000))
    for wrong in (0, -1, 1e20, float("nan")):
        with pytest.raises(ShapeError, match="cannot be proposed"):
            shape_for(wrong)


def test_the_simplest_plan_that_fits_is_taken() -> None:
    card = gpu_of("a100")
    small, large = budget(shape_for(1e9), card, 8, Training(2048)), budget(shape_for(7e9), card, 8, Training(4096))
    assert small.fits and small.plan.split == Split(data=8) and small.plan.recompute == "none"
    assert large.fits and large.plan.split.zero >= 1
    assert large.estimate.bytes <= 0.8 * card.memory and "fits" in large.told


def test_a_budget_that_cannot_be_met_names_what_binds() -> None:
    found = budget(shape_for(7e10), gpu_of("l40s"), 2, Training(4096))
    assert not found.fits and found.binding == "optimizer states" and "does not fit" in found.told
    with pytest.raises(ShapeError, match="0 GPUs"):
        budget(LLAMA_7B, gpu_of("l40s"), 0, Training(128))


def test_memory_is_linear_in_the_tokens() -> None:
    plan = Training(2048)
    line = terms(LLAMA_7B, plan)
    for batch in (4, 12, 40):
        assert line.bytes(2048 * batch) == pytest.approx(training_memory(LLAMA_7B, replace(plan, micro_batch=batch)).bytes, rel=0.001)


def test_the_largest_micro_batch_fits_and_one_more_does_not() -> None:
    card, plan = gpu_of("h200"), Training(2048)
    most = largest_micro_batch(shape_for(3e9), card, plan)
    fits = [training_memory(shape_for(3e9), replace(plan, micro_batch=n)).fits(card.memory) for n in (most, most + 1)]
    assert fits == [True, False]
    assert largest_micro_batch(shape_for(7e10), card, plan) == 0
