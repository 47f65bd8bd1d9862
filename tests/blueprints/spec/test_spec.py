"""A solved stack becomes a spec that reads back, contradicts nothing, and is what other tools take it for."""

from __future__ import annotations

import functools
import json
import tomllib
import warnings
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from forge_assets.blueprints.hierarchy.layout import YAML, hierarchy_files, written
from forge_assets.blueprints.spec import files, hugging_face, ml_bom, trainers
from forge_assets.blueprints.spec.build import spec_files
from forge_assets.blueprints.spec.make import Source, make_spec
from forge_assets.blueprints.spec.model import Spec
from forge_assets.blueprints.spec.shapes import shape_of
from forge_assets.blueprints.spec.stated import Known, Stated
from forge_assets.blueprints.spec.values import Evidence
from forge_assets.compatibility.arithmetic.configs import from_config
from forge_assets.compatibility.arithmetic.parameters import counts
from forge_assets.compatibility.stack.blueprints import solve_built
from forge_assets.compatibility.stack.build import build
from forge_assets.compatibility.stack.request import Wished
from forge_assets.compatibility.stack.result import Stack
from forge_resources.errors import BlueprintError
from tests.blueprints.spec.trainer_names import NANOTRON, NANOTRON_STYLES, TITAN, TITAN_VALUES
from tests.compatibility.stacks import asks, inputs

CASES: dict[str, dict[str, Any]] = {
    "base": {"gpu": "H100"},
    "tiny": {"params": "3e6", "context": 256, "gpu_memory": "24GiB", "gpus": 1, "goal": "simplicity"},
    "moe": {"params": "8e9", "context": "8k", "gpu": "H200", "gpu_memory": "141GB", "pins": (Wished(what="ffn", value="sparse-moe"),)},
}
PLACE = Evidence(document="file:///a.txt", title="A", start=3, end=6, quote_hash="0" * 64)


@functools.cache
def solved(name: str) -> Stack:
    return solve_built(build(asks(name=name, **CASES[name]), inputs()))


@functools.cache
def spec(name: str) -> Spec:
    return make_spec(Source(solved(name), asks(name=name, **CASES[name]), inputs().ontology, Known()))


@pytest.mark.parametrize("name", CASES)
def test_the_model_has_the_parameters_that_were_asked_for(name: str) -> None:
    assert counts(shape_of(solved(name), asks(name=name, **CASES[name]))).total == pytest.approx(asks(**CASES[name]).params, rel=0.05)
    assert not any("parameters, " in risk.statement for risk in spec(name).risks)


def test_the_spec_has_the_memory_and_the_batches_of_the_stack() -> None:
    for name in CASES:
        stack, made = solved(name), spec(name)
        assert made.hardware.memory_total.value == stack.memory["bytes"]
        assert made.batching.micro_batch.value == stack.numbers["micro_batch"]
        assert made.architecture.ffn_size.value == stack.numbers["ffn_hidden_size"]


def changed(name: str, path: str, value: object) -> str:
    content = spec(name).model_dump(mode="json")
    *above, last = path.split(".")
    place = functools.reduce(lambda node, key: node[key], above, content)
    place[last] = value
    return json.dumps(content)


@pytest.mark.parametrize("name", CASES)
def test_it_reads_back_from_every_form_and_the_published_schema_takes_it(name: str) -> None:
    made = spec(name)
    for text in (files.as_json(made), files.as_yaml(made)):
        assert files.read_text(text, "it") == made
        jsonschema.Draft202012Validator(files.schema()).validate(json.loads(text) if text.startswith("{") else yaml.safe_load(text))
    shown = files.as_markdown(made)
    assert all(block in shown for block in ("## Model size", "## Batching", "## Parallelism", "## Risks and limits"))
    assert spec_files(made) == spec_files(files.read_text(files.as_json(made), "it"))


def test_every_value_says_where_it_comes_from() -> None:
    found = dict(files.leaves(spec("base")))
    assert len(found) > 60
    assert {one.origin for one in found.values()} == {"asked", "chosen", "computed", "default"}
    assert found["model_size.parameters"].value == counts(from_config(hugging_face.config(spec("base")))).total
    assert found["batching.tokens_per_step"].value == found["batching.global_batch"].value * 4096


def test_what_enough_works_state_is_taken_with_its_place_and_what_is_implausible_is_not() -> None:
    known = Known({("adamw", "beta2"): Stated(0.98, 7, (PLACE,)), ("weight-decay", "weight_decay"): Stated(900.0, 7, (PLACE,))})
    made = make_spec(Source(solved("base"), asks(name="base", **CASES["base"]), inputs().ontology, known))
    beta, decay = made.optimizer.beta2, made.optimizer.weight_decay
    assert beta is not None and (beta.value, beta.origin, beta.evidence) == (0.98, "stated", (PLACE,))
    assert (decay.value, decay.origin) == (0.1, "default")
    assert "characters 3 to 6, SHA-256" in files.as_markdown(made)
    assert '"url": "file:///a.txt"' in ml_bom.ml_bom(made)
    assert [path for path, *_ in files.differences(spec("base"), made)] == ["optimizer.beta2"]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("optimizer.lerning_rate", 3, "optimizer.lerning_rate is no field of a spec"),
        ("parallelism.data.value", 4, "data x tensor x pipeline x context is 4, the world has 8 GPUs"),
        ("batching.micro_batch.value", 3, "micro batch x accumulation x data-parallel degree"),
        ("batching.tokens_per_step.value", 3, "tokens per step are not the global batch times the context"),
        ("architecture.kv_heads.value", 3, "no multiple of 3 key heads"),
        ("data.mix.value", {"web": 0.5}, "add up to 0.5"),
        ("schedule.warmup_steps.value", 10**9, "longer than"),
        ("optimizer.weight_decay.origin", "stated", "names at least one place in a document"),
        ("architecture.layers.value", 0, "layers is 0; a model has at least 1"),
        ("architecture.layers.value", -2, "architecture.layers: no number of a spec is below 0, found -2"),
        ("optimizer.learning_rate.value", -0.1, "no number of a spec is below 0, found -0.1"),
        ("precision.bytes_per_parameter.value", {"weights": -2.0}, "no number of a spec is below 0"),
        ("tokenizer.vocab_size.value", "many", "tokenizer.vocab_size.value: Input should be a valid integer"),
    ],
)
def test_a_spec_that_contradicts_itself_is_refused_with_one_sentence(path: str, value: object, said: str) -> None:
    with pytest.raises(BlueprintError, match="is no valid spec") as caught:
        files.read_text(changed("base", path, value), "it")
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_no_spec_is_told_in_a_sentence(tmp_path: Path) -> None:
    for content, said in (
        (b"\xff", "no text in UTF-8"),
        (b"{", "neither JSON nor YAML"),
        (b"a: [", "neither JSON nor YAML"),
        (b"7", "no valid spec"),
        (b"[" * 5000 + b"]" * 5000, "neither JSON nor YAML|nested deeper|no valid spec"),
    ):
        (tmp_path / "spec.yaml").write_bytes(content)
        with pytest.raises(BlueprintError, match=said):
            files.read(tmp_path / "spec.yaml")
    with pytest.raises(BlueprintError, match="cannot be read"):
        files.read(tmp_path / "none.json")
    with pytest.raises(BlueprintError) as caught:
        files.read_text(changed("base", "parallelism.context.value", 10**400), "it")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", CASES)
def test_transformers_builds_the_model_that_the_spec_counts(name: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    given = hugging_face.config(spec(name))
    config = AutoConfig.for_model(**given)
    kept = {key: getattr(config, key) for key in given}
    assert str(kept.pop("dtype")).removeprefix("torch.") == given["dtype"]
    assert kept.pop("rope_parameters")["rope_theta"] == given["rope_parameters"]["rope_theta"]
    assert kept == {key: value for key, value in given.items() if key not in ("dtype", "rope_parameters")}
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert sum(one.numel() for one in model.parameters()) == spec(name).model_size.parameters.value


def test_components_that_no_architecture_of_transformers_has_are_named() -> None:
    text = changed("base", "architecture.components.position_encoding.value", "alibi")
    with pytest.raises(BlueprintError, match=r"has alibi as position_encoding; llama has rope"):
        hugging_face.config(files.read_text(text, "it"))
    assert "config.json.missing.txt" in spec_files(files.read_text(text, "it"))


@pytest.mark.parametrize("name", ["base", "tiny"])
def test_trainers_read_the_same_numbers(name: str) -> None:
    made = spec(name)
    text = trainers.torchtitan(made)
    titan, nano = tomllib.loads(text), yaml.safe_load(trainers.nanotron(made))
    degrees = titan["parallelism"]
    shards = degrees["data_parallel_replicate_degree"] * degrees["data_parallel_shard_degree"]
    assert shards * degrees["tensor_parallel_degree"] * degrees["pipeline_parallel_degree"] == made.parallelism.world_size.value
    assert titan["training"]["steps"] == nano["tokens"]["train_steps"] == made.schedule.steps.value
    assert titan["optimizer"]["lr"] == nano["optimizer"]["learning_rate_scheduler"]["learning_rate"] == made.optimizer.learning_rate.value
    tokens = nano["tokens"]
    assert (
        tokens["micro_batch_size"] * tokens["batch_accumulation_per_replica"] * nano["parallelism"]["dp"]
        == titan["training"]["global_batch_size"]
    )
    assert nano["model"]["model_config"]["hidden_size"] == made.architecture.hidden_size.value
    assert titan["model"]["name"] == "llama3" and f"# dim = {made.architecture.hidden_size.value}\n" in text


@pytest.mark.parametrize("schedule", ["cosine-decay", "wsd", "constant-learning-rate"])
def test_trainers_know_every_name_that_we_write(schedule: str) -> None:
    made = files.read_text(changed("base", "schedule.component.value", schedule), "it")
    titan, nano = tomllib.loads(trainers.torchtitan(made)), yaml.safe_load(trainers.nanotron(made))
    for section, table in titan.items():
        assert set(table) <= TITAN[section]
    for (section, key), values in TITAN_VALUES.items():
        assert titan[section][key] in values
    for path, (needed, known) in NANOTRON.items():
        table = functools.reduce(lambda held, key: held[key], path.split(".") if path else [], nano)
        assert needed <= set(table) <= known, path
    rates = nano["optimizer"]["learning_rate_scheduler"]
    assert (
        rates["lr_decay_style"] in NANOTRON_STYLES
        and rates["lr_decay_starting_step"] + rates["lr_decay_steps"] == made.schedule.steps.value
    )
    assert (titan["lr_scheduler"]["min_lr_factor"] == 1) == (schedule == "constant-learning-rate")


def test_what_a_trainer_does_not_have_is_told() -> None:
    lion = files.read_text(changed("base", "optimizer.component.value", "lion"), "it")
    with pytest.raises(BlueprintError, match="torchtitan has no lion as optimizer; it has adamw, adam"):
        trainers.torchtitan(lion)
    assert {"torchtitan.toml.missing.txt", "nanotron.yaml.missing.txt", "config.json"} <= set(spec_files(lion))
    with pytest.raises(BlueprintError, match="nanotron's model here is Llama"):
        trainers.nanotron(spec("moe"))
    half = files.read_text(changed("base", "precision.compute.value", "fp16"), "it")
    with pytest.raises(BlueprintError, match="does not train in float16"):
        trainers.torchtitan(half)


@pytest.mark.parametrize("name", CASES)
def test_the_bill_of_materials_is_valid_cyclonedx(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator

        text = ml_bom.ml_bom(spec(name))
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.replace("machine-learning-model", "wishes")) is not None


def test_the_model_card_is_read_by_the_hub_library() -> None:
    from huggingface_hub import ModelCard

    card = ModelCard(hugging_face.card(spec("base")), ignore_metadata_errors=False)
    assert (card.data.license, card.data.pipeline_tag) == ("apache-2.0", "text-generation")
    assert "rope" in (card.data.tags or [])


@pytest.mark.parametrize("name", CASES)
def test_the_hierarchy_validates_by_the_schemas_beside_it(name: str, tmp_path: Path) -> None:
    made = hierarchy_files(spec(name))
    written(tmp_path, made, force=False)
    for file in YAML:
        schema = json.loads((tmp_path / f"schemas/{file}.schema.json").read_text())
        content = yaml.safe_load((tmp_path / f"{file}.yaml").read_text())
        jsonschema.Draft202012Validator(schema).validate(content)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate({**content, "surplus": 1})
    assert f"{spec(name).schedule.steps.value:,} steps" in made["training_loop.md"]
    (tmp_path / "model.yaml").write_text("mine")
    with pytest.raises(BlueprintError, match=r"model\.yaml has other content"):
        written(tmp_path, made, force=False)
    assert (tmp_path / "model.yaml").read_text() == "mine"
