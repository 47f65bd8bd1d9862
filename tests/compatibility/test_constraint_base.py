"""The constraint base: every fact is imported and means what its code says, ports and sums forbid what cannot be, people decide last."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from forge_assets.compatibility.constraints import gold
from forge_assets.compatibility.constraints.base import ConstraintBase, is_linked, load_constraints, own_constraints, shares
from forge_assets.compatibility.constraints.facts import framework_named, frameworks
from forge_assets.compatibility.constraints.links import Values, ideas_of, settings_of
from forge_assets.compatibility.constraints.model import Assignment, Condition, number, option, slot
from forge_assets.compatibility.constraints.numbers import numbers
from forge_assets.compatibility.constraints.overrides import decide
from forge_assets.compatibility.constraints.validator import violations
from forge_assets.components.ontology import Ontology
from forge_resources.decisions import Decision, append_decision
from forge_resources.errors import ConstraintError
from tests.compatibility.planting import holds as plainly
from tests.conftest import PROJECT

SHARED = PROJECT.parent / "shared" / "gold" / "compat_asserts" / "facts.jsonl"
MEGATRON = "NVIDIA/Megatron-LM"
DAY = datetime.date(2026, 1, 31)


def ids(base: ConstraintBase, assignment: Assignment, framework: str | None = None) -> list[str]:
    return [one.constraint.id for one in violations(assignment, base.in_scope(framework))]


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is not beside the checkout")
def test_the_committed_facts_are_those_of_the_gold_set() -> None:
    assert gold.FILE.read_text().splitlines() == list(gold.compact(SHARED.read_text().splitlines()))


def test_every_fact_is_a_constraint_with_framework_commit_file_and_line(base: ConstraintBase) -> None:
    facts = [one for one in base.constraints if one.origin == "fact"]
    assert len(facts) == 868
    assert {one.severity for one in facts} == {"hard", "soft"}
    for one in facts:
        framework = frameworks()[one.framework or ""]
        assert one.scope == f"implementation: {framework.id}@{framework.commit}"
        assert one.source.place.rpartition(":")[2].isdigit()
        assert one.source.licence == framework.licence
        assert len(one.written) == len(one.forbidden)
        assert all(condition.variable.startswith(option(framework.id, "")) for condition in one.written)


def test_the_share_of_technique_facts_with_an_idea_does_not_shrink(base: ConstraintBase) -> None:
    name, technique, linked, whole, facts = shares(base.constraints)[-1]
    assert (name, technique, facts) == ("all", 509, 868)
    assert linked >= 313
    assert whole >= 64


def test_a_component_never_means_a_setting_that_its_own_condition_denies(base: ConstraintBase, ontology: Ontology) -> None:
    """Soundness of the mapping: where a resolved condition holds of a component, the settings it is run with satisfy the written one."""
    judged = 0
    members = {place: [c.id for c in ontology.components.values() if place in (c.slot, *c.also_slots)] for place in ontology.slots}
    for one in base.constraints:
        dialect = base.dialects.get(one.framework or "")
        for resolved, written in zip(one.forbidden, one.written, strict=False):
            if dialect is None or resolved == written or not resolved.variable.startswith("slot:"):
                continue
            for component in members[resolved.variable.removeprefix("slot:")]:
                settings = settings_of(dialect, {resolved.variable: component})
                if plainly(resolved, {resolved.variable: component}) and written.variable in settings:
                    assert plainly(written, settings), f"{one.id}: {component} is run with {settings}, and {written} does not hold"
                    judged += 1
    assert judged > 1000


def test_settings_of_a_component_mean_that_component(base: ConstraintBase, ontology: Ontology) -> None:
    for dialect in base.dialects.values():
        for idea in dialect.ideas.values():
            for component in dict.fromkeys(name for names in idea.values.values() for name in names):
                meant = ideas_of(dialect, settings_of(dialect, {slot(idea.slot): component})).get(slot(idea.slot))
                if meant is not None:
                    assert settings_of(dialect, {slot(idea.slot): str(meant)}) == settings_of(dialect, {slot(idea.slot): component})


def test_an_idea_and_the_framework_s_word_for_it_break_the_same_fact(base: ConstraintBase) -> None:
    as_ideas: Assignment = {slot("parallelism"): "fsdp2", number("pipeline_parallel"): 4}
    as_written = {option(MEGATRON, "use_torch_fsdp2"): True, option(MEGATRON, "pipeline_model_parallel_size"): 4}
    assert "cf-8070d4d18d" in ids(base, as_ideas, "megatron-lm")
    assert "cf-8070d4d18d" in ids(base, as_written, MEGATRON)
    assert "cf-8070d4d18d" not in ids(base, as_ideas), "a limit of one framework is no property of the ideas"
    assert "cf-8070d4d18d" not in ids(base, as_ideas, "axolotl")
    assert "cf-8070d4d18d" not in ids(base, {**as_ideas, number("pipeline_parallel"): 1}, MEGATRON)


@pytest.mark.parametrize(
    ("place", "component", "settings", "broken"),
    [
        ("position_encoding", "learned-position", {"add_position_embedding": False}, True),  # else: rest
        ("position_encoding", "alibi", {"add_position_embedding": False}, True),
        ("position_encoding", "rope", {"add_position_embedding": False}, False),
        ("position_encoding", "yarn", {"add_position_embedding": False}, False),  # unsure: it may be run as rope
        ("ffn", "soft-moe", {"expert_model_parallel_size": 2}, False),
        ("ffn", "swiglu", {"expert_model_parallel_size": 2}, True),
        ("ffn", "sparse-moe", {"expert_model_parallel_size": 2}, False),
        ("activation", "relu", {"activation_func_fp8_input_store": True}, True),  # else: mapped
        ("activation", "mish", {"activation_func_fp8_input_store": True}, False),
        ("activation", "silu", {"activation_func_fp8_input_store": True}, False),
        ("activation_memory", "activation-checkpointing", {"cpu_offloading": True}, True),  # whole
        ("activation_memory", "liger-kernel", {"cpu_offloading": True}, False),
        ("precision", "fp8", {"fp32_residual_connection": True, "fp16": False}, False),  # with FP8 nothing is said of the switch bf16
        ("precision", "fp32", {"fp32_residual_connection": True}, True),
    ],
)  # fmt: skip
def test_a_component_says_of_a_setting_what_is_sure_and_no_more(
    base: ConstraintBase, place: str, component: str, settings: dict[str, bool | int], broken: bool
) -> None:
    dialect = base.dialects[MEGATRON]
    assignment: Values = {slot(place): component} | {dialect.option(param): value for param, value in settings.items()}
    found = [one.constraint for one in violations(assignment, base.in_scope(MEGATRON)) if one.constraint.origin == "fact"]
    assert bool(found) is broken, [one.statement for one in found]


def test_settings_are_spoken_of_only_where_the_component_decides_them(base: ConstraintBase) -> None:
    dialect = base.dialects[MEGATRON]
    said = settings_of(
        dialect, {slot("parallelism"): "fsdp2", slot("attention"): "gqa", slot("ffn"): "sparse-moe", number("num_experts"): 8}
    )
    assert said == {
        option(MEGATRON, "use_torch_fsdp2"): True,
        option(MEGATRON, "multi_latent_attention"): None,
        option(MEGATRON, "num_moe_experts"): 8,
    }
    assert settings_of(dialect, {slot("ffn"): "swiglu"})[option(MEGATRON, "num_moe_experts")] is None
    assert option(MEGATRON, "num_moe_experts") not in settings_of(dialect, {slot("ffn"): "soft-moe"}), "that is not sure"


@pytest.mark.parametrize("name", ["NVIDIA/Megatron-LM", "megatron-lm", "Megatron-LM", "megatron"])
def test_a_framework_is_known_by_its_names(name: str) -> None:
    assert framework_named(name).id == MEGATRON


@pytest.mark.parametrize("name", ["", "l", "torch-titan"])
def test_an_unknown_or_unclear_framework_is_told_the_names_there_are(name: str) -> None:
    with pytest.raises(ConstraintError, match="there are megatron-lm, axolotl"):
        framework_named(name)


def test_two_spellings_of_a_setting_are_one_option(base: ConstraintBase) -> None:
    [one] = [one for one in base.constraints if one.source.place.endswith("yaml_arguments.py:164") and one.framework == MEGATRON]
    assert {condition.variable for condition in one.written} == {option(MEGATRON, "bf16"), option(MEGATRON, "fp16")}


STACK = {
    slot("architecture"): "decoder-only", slot("tokenizer"): "bpe", slot("embedding"): "token-embedding", slot("position_encoding"): "rope",
    slot("attention"): "gqa", slot("attention_kernel"): "flash-attention-2", slot("qk_norm"): None, slot("sequence_mixer"): None,
    slot("norm"): "rms-norm", slot("norm_placement"): "pre-norm", slot("residual"): "residual-connection", slot("activation"): "silu",
    slot("ffn"): "swiglu", slot("moe_router"): None, slot("output_head"): "lm-head", slot("modality_encoder"): None,
    slot("objective"): "causal-lm", slot("kv_cache"): "paged-attention", slot("decoding"): "nucleus-sampling", slot("compression"): None,
}  # fmt: skip


def test_a_llama_keeps_all_ports_and_arithmetic(base: ConstraintBase) -> None:
    model = {"num_layers": 32, "hidden_size": 4096, "num_heads": 32, "num_kv_heads": 8, "head_dim": 128, "ffn_hidden_size": 14336}
    layout = {"world_size": 64, "data_parallel": 4, "tensor_parallel": 4, "pipeline_parallel": 4, "context_parallel": 1}
    batch = {"micro_batch": 2, "gradient_accumulation": 8, "global_batch": 64, "sequence_length": 8192, "max_positions": 8192}
    assert ids(base, STACK | {number(name): value for name, value in (model | layout | batch).items()}) == []


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({"attention": "linear-attention", "attention_kernel": None, "position_encoding": "alibi"}, "port-scores-for-position-encoding"),
        ({"attention": None, "attention_kernel": None, "sequence_mixer": "mamba"}, "port-queries-keys-for-position-encoding"),
        ({"attention": "squeeze-and-excitation", "qk_norm": "qk-norm"}, "port-queries-keys-for-qk-norm"),
        ({"embedding": "sentence-bert"}, "port-hidden-for-attention"),
        ({"ffn": "sparse-moe"}, "port-expert-indices-expert-weights-for-ffn"),
        ({"moe_router": "top-k-routing"}, "port-expert-weights-of-moe-router"),
        ({"objective": "focal-loss"}, "port-class-logits-for-objective"),
        ({"position_encoding": "conditional-position"}, "port-features-for-position-encoding"),
        ({"architecture": "encoder-only", "output_head": "classification-head"}, "port-logits-for-objective"),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_forbidden_by_its_ports(base: ConstraintBase, changed: dict[str, str | None], broken: str) -> None:
    assert broken not in ids(base, STACK)
    assert broken in ids(base, STACK | {slot(place): component for place, component in changed.items()})


@pytest.mark.parametrize(
    "changed",
    [
        {"ffn": "fine-grained-moe", "moe_router": "loss-free-balancing"},
        {"attention": "gated-deltanet", "attention_kernel": None, "position_encoding": "nope", "kv_cache": None},
        {"attention": None, "attention_kernel": None, "kv_cache": None, "sequence_mixer": "mamba-2", "position_encoding": "nope"},
        {"sequence_mixer": "mamba-2", "attention": "gqa"},
        {"architecture": "encoder-only", "objective": "masked-lm", "attention": "mha", "position_encoding": "learned-position"},
        {"architecture": "encoder-decoder", "attention": "cross-attention", "position_encoding": "relative-position-bias"},
        {"attention": "mla", "attention_kernel": "flash-mla"},
        {"embedding": "patch-embedding", "architecture": "vit", "objective": "cross-entropy", "output_head": "lm-head"},
    ],
)  # fmt: skip
def test_what_is_built_in_practice_is_allowed_by_its_ports(base: ConstraintBase, changed: dict[str, str | None]) -> None:
    assert [
        one for one in ids(base, STACK | {slot(place): component for place, component in changed.items()}) if one.startswith("port-")
    ] == []


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"num_heads": 32, "num_kv_heads": 6}, "heads-by-kv-heads"),
        ({"num_heads": 32, "hidden_size": 4000 + 1, "head_dim": None}, "hidden-by-heads"),
        ({"num_heads": 6, "tensor_parallel": 4}, "heads-by-tensor-parallel"),
        ({"num_layers": 30, "pipeline_parallel": 4}, "layers-by-pipeline"),
        ({"world_size": 8, "data_parallel": 2, "tensor_parallel": 2, "pipeline_parallel": 2, "context_parallel": 2}, "world-size"),
        ({"top_k": 9, "num_experts": 8}, "top-k-of-experts"),
        ({"num_experts": 8, "expert_parallel": 3}, "experts-by-expert-parallel"),
        ({"global_batch": 10, "micro_batch": 4}, "global-batch-by-micro-batch"),
        ({"global_batch": 64, "micro_batch": 4, "data_parallel": 2, "gradient_accumulation": 4}, "global-batch"),
        ({"sequence_length": 4097, "context_parallel": 2}, "sequence-by-context-parallel"),
        ({"lora_rank": 8192, "hidden_size": 4096}, "lora-rank"),
        ({"slot:position_encoding": "yarn", "head_dim": 65}, "rope-head-dim"),
        ({"slot:ffn": "swiglu", "num_experts": 8}, "experts-need-moe"),
        ({"num_layers": 0}, "least-num-layers"),
    ],
)  # fmt: skip
def test_numbers_that_do_not_work_out_break_a_rule_with_a_source(base: ConstraintBase, values: dict[str, object], broken: str) -> None:
    assignment = {name if ":" in name else number(name): value for name, value in values.items()}
    found = {one.constraint.id: one for one in violations(assignment, base.in_scope())}  # type: ignore[arg-type]
    assert broken in found
    assert found[broken].constraint.source.told
    assert found[broken].constraint.origin == "arithmetic"


def test_all_variables_exist_and_no_two_constraints_share_an_id(base: ConstraintBase, ontology: Ontology) -> None:
    for one in base.constraints:
        for variable in one.variables:
            kind, _, name = variable.partition(":")
            assert kind == "option" or name in {"slot": ontology.slots, "number": numbers()}[kind], f"{one.id}: {variable}"
        for condition in one.forbidden:
            if condition.variable.startswith("slot:") and isinstance(condition.value, tuple):
                assert all(component in ontology.components for component in condition.value)
    assert len(base.by_id) == len(base.constraints)


def test_values_of_the_running_program_are_told_apart_from_settings(base: ConstraintBase) -> None:
    assert option(MEGATRON, "rank0") in base.run_values("megatron-lm")
    assert option(MEGATRON, "sequence_parallel") not in base.run_values("megatron-lm")
    for dialect in base.dialects.values():
        asked = {dialect.param(condition.variable) for one in base.in_scope(dialect.framework) for condition in one.written}
        params = asked | {str(c.value) for one in base.in_scope(dialect.framework) for c in one.written}
        unknown = {param for param in dialect.run if param not in params and option(dialect.framework, param) not in params}
        assert not unknown, f"{dialect.framework}: {unknown} stand in no fact"


def test_people_waive_and_restore_a_rule_and_add_their_own(ontology: Ontology, tmp_path: Path) -> None:
    log = tmp_path / "overrides.yaml"
    breaking = {number("num_heads"): 6, number("tensor_parallel"): 4}
    own = own_constraints(ontology)
    decide(log, Decision("reject", "constraint", "heads-by-tensor-parallel", "our fork pads heads", "jo", DAY), own, ontology)
    waiving = load_constraints(ontology, log)
    assert ids(waiving, breaking) == []
    assert [one.told for one in waiving.waived] == ["heads-by-tensor-parallel is waived by jo on 2026-01-31: our fork pads heads"]
    assert waiving.find("heads-by-tensor-parallel").origin == "arithmetic"
    decide(log, Decision("accept", "constraint", "heads-by-tensor-parallel", "no fork any more", "al", DAY), own, ontology)
    assert ids(load_constraints(ontology, log), breaking) == ["heads-by-tensor-parallel"]
    value = {
        "forbidden": [
            {"variable": "slot:norm_placement", "op": "in", "value": ["post-norm+"]},
            {"variable": "number:num_layers", "op": ">", "value": 24},
        ]
    }
    decide(log, Decision("accept", "constraint", "no-deep-post-norm", "diverged twice", "jo", DAY, value=value), own, ontology)
    [found] = violations({slot("norm_placement"): "deepnorm", number("num_layers"): 48}, load_constraints(ontology, log).in_scope())
    assert found.told == (
        "no-deep-post-norm: jo forbids this: diverged twice: norm_placement is deepnorm, num_layers is 48 (overrides.yaml, jo, 2026-01-31)"
    )


def test_a_waiver_that_expired_has_no_force(ontology: Ontology, tmp_path: Path) -> None:
    log = tmp_path / "overrides.yaml"
    append_decision(log, Decision("reject", "constraint", "lora-rank", "for a week", "jo", DAY, DAY + datetime.timedelta(7)))
    assert not load_constraints(ontology, log, today=DAY + datetime.timedelta(8)).waived
    assert load_constraints(ontology, log, today=DAY + datetime.timedelta(7)).waived


@pytest.mark.parametrize(
    ("subject", "verdict", "value", "sentence"),
    [
        ("cf-nothing", "reject", {}, "there is no such constraint"),
        ("mine", "accept", {}, "no value with `forbidden`"),
        ("mine", "accept", {"forbidden": []}, "forbidden is no list of conditions"),
        ("mine", "accept", {"forbidden": [{"variable": "slot:nrom", "op": "on"}]}, "there is no slot 'nrom'; did you mean 'norm'?"),
        ("mine", "accept", {"forbidden": [{"variable": "slot:norm", "op": "==", "value": "rms-nrom"}]}, "did you mean 'rms-norm'?"),
        ("mine", "accept", {"forbidden": [{"variable": "number:num_heads", "op": "==>", "value": 1}]}, "op is '==>', expected"),
        ("mine", "accept", {"forbidden": [{"variable": "number:num_heads", "op": "in", "value": 1}]}, "in needs a list, found the"),
        ("mine", "accept", {"framework": "megatorn", "forbidden": [{"variable": "slot:norm", "op": "set"}]}, "no framework 'megatorn'"),
        ("lora-rank", "accept", {"forbidden": [{"variable": "slot:norm", "op": "set"}]}, "the id is taken"),
    ],
)  # fmt: skip
def test_a_decision_that_makes_no_sense_is_refused_with_a_sentence_and_not_written(
    ontology: Ontology, tmp_path: Path, subject: str, verdict: str, value: dict[str, object], sentence: str
) -> None:
    log = tmp_path / "overrides.yaml"
    with pytest.raises(ConstraintError) as told:
        decide(log, Decision(verdict, "constraint", subject, "why", "jo", DAY, value=value), own_constraints(ontology), ontology)  # type: ignore[arg-type]
    assert sentence in str(told.value)
    assert not log.exists()


def test_the_base_is_kept_until_the_log_changes(ontology: Ontology, tmp_path: Path) -> None:
    log = tmp_path / "overrides.yaml"
    first = load_constraints(ontology, log)
    assert load_constraints(ontology, log) is first
    append_decision(log, Decision("reject", "constraint", "lora-rank", "why", "jo", DAY))
    assert load_constraints(ontology, log) is not first


def test_about_finds_a_rule_by_idea_and_by_the_framework_s_word(base: ConstraintBase) -> None:
    assert any(one.id == "cf-48325e2677" for one in base.about(slot("norm")))
    assert any(one.id == "cf-48325e2677" for one in base.about(option(MEGATRON, "normalization")))
    assert base.about("slot:nothing") == ()
    assert all(is_linked(one) or one.written for one in base.constraints)
    assert Condition(option(MEGATRON, "normalization"), "!=", "RMSNorm") in base.find("cf-48325e2677").written
