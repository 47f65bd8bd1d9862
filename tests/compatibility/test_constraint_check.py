"""`forge constraints`: configurations of frameworks as people write them, and what they break."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forge_app.constraints import constraints
from forge_assets.compatibility.constraints.base import ConstraintBase
from forge_assets.compatibility.constraints.configs import read_configuration
from forge_assets.compatibility.constraints.model import number, option, slot
from forge_assets.components.ontology import Ontology
from forge_resources.errors import ConstraintError

LLAMA_FACTORY, MEGATRON, AXOLOTL = "hiyouga/LLaMA-Factory", "NVIDIA/Megatron-LM", "axolotl-ai-cloud/axolotl"
GOOD = {
    "axolotl.yml": """
base_model: a/model
load_in_4bit: true
adapter: qlora
lora_r: 32
lora_target_modules: [q_proj, k_proj]
datasets:
  - {path: a/set, type: alpaca}
sequence_len: 2048
sample_packing: true
pad_to_sequence_len: true
optimizer: paged_adamw_8bit
lr_scheduler: cosine
learning_rate: 1e-4
bf16: true
gradient_checkpointing: true
gradient_checkpointing_kwargs: {use_reentrant: false}
""",
    "factory.yaml": """
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 8
pissa_init: true
dataset: identity
per_device_train_batch_size: 1
bf16: true
val_size: 0.1
""",
    "megatron.sh": """
LAYERS=32   # of the small one
MODEL_ARGS=(
    --num-layers $LAYERS
    --hidden-size 4096
    --num-attention-heads 32
    --group-query-attention
    --num-query-groups 8
    --seq-length 4096
    --max-position-embeddings 4096
    --normalization RMSNorm
    --position-embedding-type rope
    --swiglu
    --disable-bias-linear
    --no-position-embedding
)
TRAINING_ARGS=(
    --micro-batch-size 1
    --global-batch-size 256
    --train-iters 1000
    # --lr-decay-iters 3
    --lr 1e-4
    --bf16
    "--recompute-granularity selective"
    --recompute-modules core_attn moe \\
    --save "$CHECKPOINT_PATH"
)
torchrun pretrain_gpt.py ${MODEL_ARGS[@]} --tensor-model-parallel-size=4 --sequence-parallel
""",
}


@pytest.fixture
def shipped(base: ConstraintBase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands see the base that this process has read already, without a log of decisions."""
    monkeypatch.setattr("forge_app.constraints._base", lambda: base)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(constraints, [str(one) for one in arguments])


@pytest.mark.parametrize("name", GOOD)
def test_a_configuration_as_people_write_it_breaks_no_hard_rule(shipped: None, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(GOOD[name])
    told = run("check", file)
    assert told.exit_code == 0, told.output
    assert ": 0 hard and " in told.output


@pytest.mark.parametrize(
    ("name", "added", "broken"),
    [
        ("axolotl.yml", "load_in_8bit: true", "src/axolotl/utils/schemas/peft.py:217"),
        ("axolotl.yml", "dataset_exact_deduplication: true\nstreaming: true", "src/axolotl/utils/schemas/config.py:2195"),
        ("factory.yaml", "quantization_bit: 4", "src/llamafactory/hparams/parser.py:240"),
        ("factory.yaml", "use_galore: true", "src/llamafactory/hparams/finetuning_args.py:616"),
        ("factory.yaml", "mask_history: true\ntrain_on_prompt: true", "src/llamafactory/hparams/data_args.py:183"),
        ("megatron.sh", "--fp16", "megatron/training/arguments.py:1196"),
        ("megatron.sh", "--expert-model-parallel-size 4", "megatron/training/arguments.py:1656"),
        ("megatron.sh", "--use-torch-fsdp2 --pipeline-model-parallel-size 2", "megatron/training/arguments.py:1034"),
        ("megatron.sh", "--max-position-embeddings 1024", "megatron/training/yaml_arguments.py:265"),
        ("megatron.sh", "--recompute-method uniform", "megatron/training/arguments.py:1426"),
        ("megatron.sh", "--tensor-model-parallel-size 6", "megatron/core/transformer/transformer_config.py:1447"),
    ],
)  # fmt: skip
def test_what_is_broken_is_told_with_file_and_line(shipped: None, tmp_path: Path, name: str, added: str, broken: str) -> None:
    file = tmp_path / name
    file.write_text(GOOD[name] + added + "\n")
    told = run("check", file)
    assert told.exit_code == 1, told.output
    assert broken in told.output


def test_a_script_is_read_with_its_variables_flags_lists_and_without_comments(base: ConstraintBase, tmp_path: Path) -> None:
    file = tmp_path / "megatron.sh"
    file.write_text(GOOD["megatron.sh"])
    read = read_configuration(file, base)
    said = {variable.removeprefix(option(MEGATRON, "")): value for variable, value in read.settings.items()}
    assert read.framework == MEGATRON
    assert said["num_layers"] == 32
    assert said["lr"] == pytest.approx(1e-4)
    assert said["gated_linear_unit"] is True
    assert said["activation_func"] == "silu"
    assert said["add_bias_linear"] is False
    assert said["add_position_embedding"] is False
    assert said["recompute_modules"] == ("core_attn", "moe")
    assert said["recompute_granularity"] == "selective"
    assert "save" not in said, "what nothing tells is left out"
    assert "lr_decay_iters" not in said
    assert read.ideas[number("num_kv_heads")] == 8
    assert read.ideas[slot("norm")] == "rms-norm"
    assert option(MEGATRON, "overlap_grad_reduce") in read.unwritten
    assert option(MEGATRON, "gradient_accumulation_fusion") not in read.unwritten, "it is on by default"
    assert option(MEGATRON, "rank0") not in read.unwritten, "a value of the running program"


def test_nested_settings_are_read_by_dotted_names_and_lists_have_a_length(shipped: None, base: ConstraintBase, tmp_path: Path) -> None:
    file = tmp_path / "nanotron.json"
    file.write_text(
        json.dumps({"model": {"model_config": {"num_attention_heads": 6}}, "parallelism": {"tp": 4}, "dataset_weights": [1, 2, 3]})
    )
    read = read_configuration(file, base)
    assert read.framework == "huggingface/nanotron"
    assert read.settings[option("huggingface/nanotron", "model.model_config.num_attention_heads")] == 6
    assert read.settings[option("huggingface/nanotron", "len:dataset_weights")] == 3
    told = run("check", file, "--json")
    broken = {one["id"]: one["source"]["told"] for one in json.loads(told.output)["broken"]}
    assert "heads-by-tensor-parallel" in broken, "arithmetic of the ideas is judged too"
    assert any("src/nanotron/config/config.py:536" in place for place in broken.values())


def test_an_assignment_of_variables_is_checked_as_it_is(shipped: None, tmp_path: Path) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text(
        "slot:position_encoding: alibi\nslot:attention: linear-attention\nslot:qk_norm:\nnumber:num_heads: 6\nnumber:num_kv_heads: 4\n"
    )
    told = run("check", file)
    assert told.exit_code == 1
    assert "port-scores-for-position-encoding" in told.output
    assert "heads-by-kv-heads" in told.output
    file.write_text("slot:parallelism: fsdp2\noption:NVIDIA/Megatron-LM:pipeline_model_parallel_size: 2\n")
    assert "arguments.py:1034" in run("check", file).output


def test_values_can_be_added_such_as_versions(shipped: None, tmp_path: Path) -> None:
    file = tmp_path / "megatron.sh"
    file.write_text(GOOD["megatron.sh"] + "--use-torch-fsdp2 --untie-embeddings-and-output-weights --no-gradient-accumulation-fusion\n")
    old, new = (run("check", file, "--set", f"version:torch={version}", "--set", "world_size=30") for version in ("2.3.1", "2.10.0"))
    assert "arguments.py:1032" in old.output
    assert "arguments.py:1032" not in new.output
    assert "world_size is 30" in new.output


def test_a_waived_rule_is_told_where_it_would_have_acted(
    forge_home: Path, ontology: Ontology, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("forge_assets.components.ontology.load_ontology", lambda overrides: ontology)  # read once, seconds each time
    file = tmp_path / "factory.yaml"
    file.write_text(GOOD["factory.yaml"] + "quantization_bit: 4\n")
    [broken] = [
        one for one in json.loads(run("check", file, "--json").output)["broken"] if one["source"]["place"].endswith("parser.py:240")
    ]
    assert run("waive", broken["id"], "--reason", "our fork supports it").exit_code == 0
    told = run("check", file)
    assert f"{broken['id']} is waived by" in told.output
    assert "parser.py:240" not in told.output
    assert "is waived by" in run("show", broken["id"]).output
    assert "our fork supports it" in run("list", "--origin", "override").output
    assert run("restore", broken["id"], "--reason", "it does not").exit_code == 0
    assert run("check", file).exit_code == 1


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.yaml", "colour: red\n", "has no setting that rules are known of; say whose it is by --framework (megatron-lm"),
        ("a.yaml", "bf16: true\nfp16: true\n", "settings of "),
        ("a.yaml", "just words\n", "holds no settings"),
        ("a.yaml", "a: [1\n", "a.yaml, line 2"),
        ("a.json", "{", "Expecting property name"),
        ("a.yaml", "slot:norm: rms-norm\nnumber:num_heads: 2\nnum_heds: 3\n", "has no setting that rules are known of"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_judged_is_told_in_a_sentence(
    base: ConstraintBase, tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ConstraintError) as told:
        read_configuration(tmp_path / name, base)
    assert sentence in str(told.value)


def test_missing_and_unreadable_files_and_unknown_frameworks_are_told(base: ConstraintBase, tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "a.yaml").write_text("bf16: true")
    for file, framework, more, sentence in (
        ("none.yaml", None, (), "No such file"),
        ("bytes.yaml", None, (), "no text in UTF-8"),
        ("a.yaml", "megatorn", (), "no framework 'megatorn'; there are megatron-lm, axolotl"),
        ("a.yaml", "axolotl", ("world_size",), "expected NAME=VALUE"),
    ):
        with pytest.raises(ConstraintError) as told:
            read_configuration(tmp_path / file, base, framework, more)
        assert sentence in str(told.value)


def test_rules_can_be_listed_and_shown(shipped: None) -> None:
    told = run("list", "--about", "normalization")
    assert "cf-48325e2677" in told.output
    assert " of 9" in told.output
    listed = json.loads(run("list", "--framework", "axolotl", "--severity", "soft", "--json").output)["constraints"]
    assert {one["framework"] for one in listed} == {AXOLOTL}
    assert {one["severity"] for one in listed} == {"soft"}
    shown = run("show", "cf-48325e2677").output
    assert "megatron/core/transformer/transformer_config.py:3156" in shown
    assert "commit d98e8a64ddf34856e74b24714e3bedb2f5a39553" in shown
    assert "as written  normalization not being RMSNorm" in shown
    with pytest.raises(ConstraintError, match="no constraint 'cf-48325e267'; did you mean 'cf-48325e2677'"):
        CliRunner().invoke(constraints, ["show", "cf-48325e267"], catch_exceptions=False)
