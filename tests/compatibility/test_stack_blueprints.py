"""Blueprints from what is shipped: solved without a broken rule, within memory, or refused with a conflict that names its sources."""

from __future__ import annotations

import pytest

from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.constraints.model import number
from forge_assets.compatibility.constraints.validator import violations
from forge_assets.compatibility.stack.alternatives import alternatives
from forge_assets.compatibility.stack.blueprints import solve_within
from forge_assets.compatibility.stack.build import MODEL, Built, build
from forge_assets.compatibility.stack.conflict import because, infeasibility, minimal
from forge_assets.compatibility.stack.explain import why, why_not
from forge_assets.compatibility.stack.options import OTHER
from forge_assets.compatibility.stack.parts import GATED
from forge_assets.compatibility.stack.problem import UNWRITTEN
from forge_assets.compatibility.stack.request import Request, read_request, wished
from forge_assets.compatibility.stack.result import Stack, stack_of
from forge_assets.compatibility.stack.solver import Effort, solve
from forge_resources.errors import BlueprintError
from tests.compatibility.stacks import asks, inputs, random_request


def solved(request: Request) -> tuple[Built, Stack]:
    built = build(request, inputs())
    built, found = solve_within(built, Effort(warm_steps=100))
    return built, stack_of(built, found)


def judge(seed: int) -> str:
    """Solves a random blueprint and checks the answer by the validator and the arithmetic alone; returns what came of it."""
    request = random_request(seed)
    try:
        built = build(request, inputs())
    except BlueprintError:
        return "refused"
    built, found = solve_within(built, Effort(warm_steps=100, seed=seed))
    if found.infeasible:
        parts = [because(part) for part in minimal(built.problem)]
        assert parts and all(part.source for part in parts)
        return "infeasible"
    assert found.chosen is not None and found.optimal
    given = built.problem.assignment(found.chosen)
    values = {name: value for name, value in given.items() if value != UNWRITTEN}
    found_wrong = violations(values, inputs().base.in_scope(request.framework), unwritten=given.keys() - values.keys())
    broken = [one for one in found_wrong if one.constraint.severity == "hard"]
    assert not broken, broken[0].told
    made = stack_of(built, found)
    assert (
        made.numbers["micro_batch"] * made.numbers["gradient_accumulation"] * made.numbers["data_parallel"] == made.numbers["global_batch"]
    )
    assert made.memory["fits"], made.memory
    for slot, rule in inputs().profile.slots.items():
        component = made.slots[slot]
        assert component is not None or rule.role != "required" or slot == "hardware"
        assert component is None or request.research or inputs().ontology.components[component].build != "described"
    for pin in request.pins:
        assert made.slots[pin.what] == pin.value
    for ban in request.bans:
        assert made.slots[ban.what] != ban.value
    return "solved"


def test_random_blueprints_break_no_rule() -> None:
    came = [judge(seed) for seed in range(16)]
    assert came.count("solved") >= 10, came


@pytest.mark.trial
@pytest.mark.timeout(3600)
def test_500_random_blueprints_break_no_rule() -> None:
    came = [judge(seed) for seed in range(1000, 1500)]
    print({word: came.count(word) for word in sorted(set(came))})
    assert came.count("solved") >= 250


def test_the_configuration_of_a_framework_breaks_none_of_its_rules_and_says_what_the_stack_says() -> None:
    request = asks(framework="megatron-lm", pins=(wished("norm=rms-norm"), wished("position_encoding=rope")))
    built, made = solved(request)
    assert made.framework == "NVIDIA/Megatron-LM"
    assert (made.options["normalization"], made.options["position_embedding_type"]) == ("RMSNorm", "rope")
    assert made.options["num_layers"] == made.numbers["num_layers"]
    assert OTHER not in made.options.values()
    assert "export_model_type" not in made.options, "its default is not known; that it is not GPTModel is no reason to write another"
    assert made.options["micro_batch_size"] == made.numbers["micro_batch"] > 1
    assert any(group.startswith("option:") for group in built.problem.groups)
    other = solved(request.model_copy(update={"pins": (wished("norm=layer-norm"),)}))[1]
    assert other.options.get("normalization") in (None, "LayerNorm")


@pytest.mark.parametrize("pinned", ["attention=mqa", "attention=mla", "ffn=sparse-moe", "ffn=feed-forward-network"])
def test_a_model_comes_to_the_parameters_asked_for_with_its_own_parts(pinned: str) -> None:
    request = asks(pins=(wished(pinned),))
    built = build(request, inputs())
    for shape in built.shapes:
        assert counts(shape).total == pytest.approx(request.params, rel=0.03)
    found = solve(built.problem, Effort(warm_steps=100))
    assert found.chosen is not None
    shape, slots = built.shapes[found.chosen[MODEL]], {slot: built.component(found.chosen, slot) for slot in ("attention", "ffn")}
    assert (shape.latent is not None) == (slots["attention"] == "mla") and (shape.moe is not None) == ("moe" in (slots["ffn"] or ""))
    assert shape.moe or shape.gated == (slots["ffn"] in GATED)


def test_a_step_takes_tokens_by_size_and_fills_the_memory() -> None:
    small, large = solved(asks(params="3e7", context=512))[1], solved(asks(params="7e9", gpus=64))[1]
    assert (small.numbers["global_batch"] * 512, large.numbers["global_batch"] * 4096) == (2**17, 2**21)
    assert small.numbers["micro_batch"] > 1 and small.memory["fits"] and large.memory["fits"]
    pinned = solved(asks(pins=(wished("micro_batch=2"), wished("global_batch=64"))))[1]
    assert (pinned.numbers["micro_batch"], pinned.numbers["global_batch"], pinned.numbers["gradient_accumulation"]) == (2, 64, 4)


def test_norms_of_queries_and_keys_are_counted() -> None:
    with_norms, without = (solved(asks(pins=(wished(f"qk_norm={one}"), wished("micro_batch=1"))))[1] for one in ("qk-norm", "nothing"))
    layers, width = with_norms.numbers["num_layers"], with_norms.numbers["head_dim"]
    assert with_norms.memory["items"]["weights"] - without.memory["items"]["weights"] >= 2 * layers * width


def test_equal_requests_have_equal_stacks() -> None:
    one, two = solved(asks())[1], solved(asks())[1]
    assert one.digest == two.digest and one.optimal
    assert solved(asks(goal="speed"))[1].digest != one.digest


def test_a_budget_that_cannot_be_met_names_what_binds_and_what_would_do() -> None:
    request = asks(params="30e9", gpus=1, gpu_memory="24GiB")
    conflict = infeasibility(build(request, inputs()))
    assert "stays under 80% of 24 GiB on each of 1 GPUs" in conflict.told
    assert "the leanest plan" in conflict.told and "GiB" in conflict.told and not any("give up" in way for way in conflict.ways_out)
    (gpus,) = [way for way in conflict.ways_out if way.startswith("--gpus")]
    number_of = int(gpus.split()[1])
    assert solved(request.model_copy(update={"gpus": number_of}))[1].memory["fits"]
    with pytest.raises(ValueError, match="without a choice"):
        solved(request.model_copy(update={"gpus": number_of // 2}))


def test_pins_that_conflict_are_explained_with_sources() -> None:
    request = asks(pins=(wished("ffn=swiglu"), wished("activation=relu"), wished("tokenizer=bpe")))
    conflict = infeasibility(build(request, inputs()))
    assert {part.statement for part in conflict.parts} == {
        "you pinned ffn=swiglu", "you pinned activation=relu", "ffn=swiglu goes with activation=silu",
    }  # fmt: skip
    assert any("2002.05202" in part.source for part in conflict.parts)
    assert conflict.ways_out and "tokenizer" not in conflict.ways_out[0]


@pytest.mark.parametrize(
    ("pins", "bans", "said"),
    [
        (["position_encoding=ropee"], [], "position_encoding=ropee: no component is called 'ropee'; near are: rope"),
        (["norm=rope"], [], "norm=rope: rope fills the slot position_encoding, not norm; write position_encoding=rope"),
        (["nrom=rms-norm"], [], "nrom=rms-norm: there is no slot or number 'nrom'; did you mean 'norm'?"),
        (["norm=rms-norm", "norm=layer-norm"], [], "the pins norm=rms-norm and norm=layer-norm contradict each other"),
        (["norm=rms-norm"], ["norm=RMSNorm"], "norm=RMSNorm is pinned and banned"),
        (["precision=fp32"], [], "precision=fp32 contradicts the blueprint's precision bf16, which means bf16 or mixed-precision-training"),
    ],
)
def test_wishes_that_make_no_sense_are_told(pins: list[str], bans: list[str], said: str) -> None:
    request = asks(pins=tuple(map(wished, pins)), bans=tuple(map(wished, bans)))
    with pytest.raises(BlueprintError) as error:
        build(request, inputs())
    assert said in str(error.value)


def test_what_forge_cannot_build_is_for_research_only() -> None:
    described = next(one for one in inputs().ontology.in_slot("precision") if one.build == "described")
    with pytest.raises(BlueprintError, match="--research"):
        build(asks(pins=(wished(f"precision={described.id}"),)), inputs())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"params": "many"}, "the blueprint's params cannot be used: expected a number such as 1.5e9 or 1.5B"),
        ({"params": "1e9", "gpu_memory": "80 parsecs"}, "gpu-memory cannot be used: expected a number such as 80GiB"),
        ({"params": "1e9", "goal": "glory"}, "goal cannot be used"),
        ({"params": "1e9", "gpus": 0}, "gpus cannot be used"),
        ({"params": "1e9", "name": "../x"}, "name cannot be used"),
    ],
)
def test_requests_that_cannot_be_read_are_told_in_one_sentence(values: dict[str, object], said: str) -> None:
    with pytest.raises(BlueprintError) as error:
        read_request({"name": "x"} | values)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_quantities_are_read_as_people_write_them() -> None:
    request = asks(params="1.5B", context="32k", gpu_memory="80 GiB")
    assert (request.params, request.context, request.gpu_memory) == (1_500_000_000, 32_768, 80 * 2**30)
    assert asks(gpu_memory="80GB").gpu_memory == 80 * 10**9


def test_why_and_why_not_give_reasons_with_sources() -> None:
    request = asks(pins=(wished("ffn=swiglu"),))
    _, made = solved(request)
    told = why(request, made, inputs(), "rope" if made.slots["position_encoding"] == "rope" else str(made.slots["position_encoding"]))
    assert told.reasons and all(reason.source for reason in told.reasons) and "points less" in told.verdict
    barred = why_not(request, made, inputs(), "resnet")
    assert "cannot be chosen: it takes images" in barred.verdict and barred.reasons
    against = why_not(request, made, inputs(), "relu")
    assert "fits into no stack" in against.verdict
    assert {"you pinned ffn=swiglu", "ffn=swiglu goes with activation=silu"} <= {reason.statement for reason in against.reasons}
    worse = why_not(request, made, inputs(), "batch-norm")
    assert "less than with" in worse.verdict and all(reason.source for reason in worse.reasons)
    assert any(change.startswith("norm: ") for change in worse.changes)
    unasked = why_not(request, made, inputs(), "mamba")
    assert unasked.verdict.startswith("sequence_mixer was not asked for") and unasked.reasons[0].source == "stack/profile.yaml"
    for ask, name in ((why, "batch-norm"), (why_not, str(made.slots["norm"]))):
        with pytest.raises(BlueprintError, match="in the stack of base"):
            ask(request, made, inputs(), name)


def test_the_plan_uses_all_gpus_and_the_heads_follow_the_attention() -> None:
    for attention, heads in (("mqa", 1), ("mha", None)):
        _, made = solved(asks(pins=(wished(f"attention={attention}"),)))
        numbers = made.numbers
        assert numbers["num_kv_heads"] == (heads or numbers["num_heads"])
        assert numbers["world_size"] == 8 == numbers["data_parallel"] * numbers["tensor_parallel"] * numbers["pipeline_parallel"]
    _, made = solved(asks(pins=(wished("tensor_parallel=4"),)))
    assert made.numbers["tensor_parallel"] == 4
    assert number("tensor_parallel") in build(asks(), inputs()).problem.group_of()


def test_alternatives_really_differ_and_break_no_rule() -> None:
    built = build(asks(), inputs())
    first = solve_within(built, Effort(warm_steps=100))[1]
    assert first.chosen is not None
    found = alternatives(built, first.chosen, first.objective, 2)
    assert len(found) == 2 and all(len(one.changes) >= 3 and one.loss >= 0 for one in found)
    for one in found:
        assert one.solution.chosen is not None
        assert stack_of(built, one.solution).violations == ()
