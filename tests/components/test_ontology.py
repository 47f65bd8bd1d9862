"""The ontology loads whole or tells every fault by file and entry; its hashes change with what extraction sees and with nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forge_assets.components.ontology import Alias, Ontology, ParameterUse, load_ontology
from forge_assets.components.ontology.load import check
from forge_assets.components.ontology.naming import find_one
from forge_resources.errors import OntologyError, QueryError
from tests.components.ontology_files import FILES, lay


@pytest.fixture
def small(tmp_path: Path) -> Ontology:
    return load_ontology(folder=lay(tmp_path / "ontology"))


def test_what_an_entry_leaves_out_comes_from_its_slot(small: Ontology) -> None:
    adam = small.components["adam"]
    assert (adam.slot, adam.inputs, adam.outputs, adam.tasks) == ("optimizer", ("weights",), ("weights",), ("optimization",))
    assert adam.aliases == (Alias("Adam", "exact", (), ("adam smith",)), Alias("adaptive moment estimation"))
    assert adam.parameters == (ParameterUse("beta1", 0.9, 0.5, 0.99),)
    assert adam.introduced is not None and (adam.introduced.year, adam.introduced.arxiv) == (2014, "1412.6980")
    assert small.components["multi-head-attention"].parameters[1] == ParameterUse("causal")
    assert small.ports["loss"].shape == () and small.ports["weights"].shape is None
    assert list(small.slots) == ["attention", "norm", "optimizer", "hardware"], "slots stand in the order of their tasks"


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("slots", "task: optimization", "task: optimisation", "slots.yaml, optimizer: unknown task 'optimisation'; did you mean"),
        ("slots", "in: [weights]", "in: [wieghts]", "slots.yaml, optimizer: unknown port 'wieghts'; did you mean 'weights'?"),
        ("slots", "core: false", "core: 0", "slots.yaml, hardware: core is the number 0, expected true or false"),
        ("ports", "id: loss", "id: hidden", "ports.yaml, hidden: the id is taken already by ports.yaml, hidden"),
        ("ports", "type: tree, ", "", "ports.yaml, weights: type is missing, expected text"),
        ("parameters", "low: 0, high: 1,", "low: 1, high: 0,", "parameters.yaml, beta1: the range is upside down: low 1 is above high 0"),
        ("parameters", "kind: bool", "kind: flag", "parameters.yaml, causal: kind is 'flag', expected one of number, integer"),
        ("parameters", "kind: bool", "kind: bool, low: 1", "parameters.yaml, causal: a parameter of kind bool has no range"),
        ("parameters", "keys: [n_head]", "keys: [is_causal]", "'is_causal' stands under keys of both heads and causal"),
        ("optimizer", "parent: sgd", "parent: sdg", "optimizer.yaml, adam: unknown parent 'sdg'"),
        ("optimizer", "parent: sgd", "parent: layer-norm", "parent layer-norm is in slot norm, expected one of slot optimizer"),
        ("optimizer", "parent: sgd", "parent: lion", "optimizer.yaml, adam: parents go in a circle: adam -> lion -> adam"),
        ("optimizer", "id: sgd", "id: SGD", "optimizer.yaml, SGD: id is 'SGD', expected lower-case words joined by -"),
        ("optimizer", "id: lion", "id: h100", "hardware.yaml, h100: the id is taken already by optimizer.yaml, h100"),
        ("optimizer", "build: described", "build: none", "optimizer.yaml, lion: build is 'none', expected one of fdl, library, described"),
        ("optimizer", "  build: described\n", "", "optimizer.yaml, lion: build is missing, expected text"),
        ("optimizer", "also_slots: [norm]", "also_slots: [norms]", "optimizer.yaml, lion: unknown slot 'norms'; did you mean 'norm'?"),
        ("optimizer", "also_slots: [norm]", "also_slots: [optimizer]", "also_slots names optimizer, which is its own slot"),
        ("optimizer", "also_slots: [norm]", "tasks: [training]", "optimizer.yaml, lion: unknown task 'training'"),
        ("optimizer", "also_slots: [norm]", "tasks: []", "optimizer.yaml, lion: tasks is empty"),
        ("optimizer", "also_slots: [norm]", "paernt: adam", "optimizer.yaml, lion: unknown key 'paernt'; did you mean 'parent'?"),
        ("optimizer", "Steps by the sign.", "x" * 161, "optimizer.yaml, lion: description has 161 characters, expected at most 160"),
        ("optimizer", "aliases: [SGD]", "aliases: []", "optimizer.yaml, sgd: aliases is a list, expected a list with at least one alias"),
        ("optimizer", "aliases: [SGD]", "aliases: [NO]", "optimizer.yaml, sgd, alias 1: text is false (yes, no, on and off mean"),
        ("optimizer", "aliases: [SGD]", "aliases: [8]", "alias 1: text is the number 8, expected text (write it in quotes)"),
        ("optimizer", "aliases: [SGD]", "aliases: [S]", "alias 1: 'S' is one character; it needs a context"),
        ("optimizer", "aliases: [SGD]", "aliases: [SGD, SGD]", "alias 2: 'SGD' is listed twice"),
        ("optimizer", "[optimizer, adamw]", "[AdamW]", "optimizer.yaml, lion, alias 1: 'AdamW' is not lower-case"),
        ("optimizer", "case: exact, context", "case: upper, context", "alias 1: case is 'upper', expected one of exact, any, auto"),
        ("optimizer", '"1412.6980"', "1412.6980", "adam, introduced: arxiv is the number 1412.698, expected text (write it in quotes)"),
        ("optimizer", '"1412.6980"', '"1412.6980v2"', "adam, introduced: arxiv is '1412.6980v2', expected a number such as"),
        ("optimizer", "year: 2014", "year: 14", "adam, introduced: year is the number 14, expected one from 1600"),
        ("optimizer", "doi: 10.1214", "doi: doi.org/10.1214", "sgd, introduced: doi is 'doi.org/10.1214/aoms/1177729586'"),
        ("optimizer", "id: beta1, default: 0.9", "id: beta3, default: 0.9", "adam: unknown parameter 'beta3'; did you mean 'beta1'?"),
        ("optimizer", "default: 0.9", "default: 0.1", "adam, parameter beta1: default 0.1 is outside 0.5 to 0.99"),
        ("optimizer", "high: 0.99", "high: 2", "adam, parameter beta1: its range 0.5 to 2 leaves the parameter's own, 0 to 1"),
        ("optimizer", "high: 0.99", "high: 1e2", "adam, parameter 1: high is '1e2', expected a number (YAML 1.1 needs a point"),
        ("attention", "default: 8", "default: 8.5", "parameter heads: default 8.5 is no whole number"),
        ("attention", "default: 8", "default: many", "parameter heads: default is 'many', expected a number"),
        ("attention", "causal]", "{id: causal, default: 3}]", "parameter causal: default is 3, expected true or false"),
        ("attention", "causal]", "heads]", "attention.yaml, multi-head-attention, parameter 2: heads is listed twice"),
        ("norm", "aliases: [LayerNorm]", "aliases: [MHA]", "'MHA' also means multi-head-attention (attention.yaml, multi-"),
        ("norm", "aliases: [LayerNorm]", "aliases: [multi head attentions]", "'multi head attentions' also means multi-head-attention"),
        ("norm", "- id: layer-norm", "- layer-norm", "norm.yaml: line 2"),
        ("norm", "  build: fdl", "  build: fdl\n  build: fdl", "norm.yaml: line 6: 'build' stands twice in one entry"),
    ],
)  # fmt: skip
def test_a_fault_is_told_by_file_and_entry(tmp_path: Path, file: str, old: str, new: str, fault: str) -> None:
    assert FILES[file].count(old) >= 1
    with pytest.raises(OntologyError, match=re.escape(fault)) as raised:
        load_ontology(folder=lay(tmp_path / "ontology", **{file: FILES[file].replace(old, new, 1)}))
    assert "\n" not in str(raised.value)


def test_all_faults_are_told_at_once_the_first_five_in_words(tmp_path: Path) -> None:
    folder = lay(
        tmp_path / "ontology",
        hardware="".join(f"- {{id: h{n}, name: H, aliases: [H{n}x], build: none, description: A.}}\n" for n in range(8)),
    )
    (folder / "norm.yaml").unlink()
    (folder / "gizmos.yaml").write_text("[]")
    with pytest.raises(OntologyError, match=r"; and 5 more\Z") as raised:
        load_ontology(folder=folder)
    assert "norm.yaml is missing" in str(raised.value)
    assert "gizmos.yaml: slots.yaml has no slot 'gizmos'" in check(folder)[1]


def test_a_slot_may_stand_in_several_files(tmp_path: Path) -> None:
    folder = lay(tmp_path / "ontology")
    whole = load_ontology(folder=folder)
    first, second = FILES["optimizer"].split("- id: adam\n")
    (folder / "optimizer.yaml").unlink()
    (folder / "optimizer.adaptive.yaml").write_text("- id: adam\n" + second)
    (folder / "optimizer.plain.yaml").write_text(first)
    assert load_ontology(folder=folder).version == whole.version
    (folder / "optimizer.plain.yaml").write_text(first.replace("id: sgd", "id: adam"))
    assert "optimizer.plain.yaml, adam: the id is taken already by optimizer.adaptive.yaml, adam" in check(folder)[1]
    (folder / "gizmos.small.yaml").write_text("[]")
    assert "gizmos.small.yaml: slots.yaml has no slot 'gizmos'" in check(folder)[1]


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("{text: SAM, context: [sharpness]}", "{text: SAM, unless: [sharpness]}", False),
        ("{text: SAM, context: [sharpness]}", "SAM", True),
        ("{text: Lamb, case: exact}", "{text: LAMB, case: exact}", False),
        ("{text: Lamb, case: exact}", "lamb", True),
        ("colour normalisation", "color normalization", True),
        ("CC", "CC++", False),
    ],
)
def test_one_alias_for_two_components_needs_rules_on_both_sides(tmp_path: Path, first: str, second: str, clash: bool) -> None:
    norm = f"- {{id: one, name: One, aliases: [{first}], build: fdl, description: A.}}\n"
    norm += f"- {{id: two, name: Two, aliases: [{second}], build: fdl, description: A.}}\n"
    found = check(lay(tmp_path / "ontology", norm=norm))[1]
    assert any("also means" in fault for fault in found) == clash
    assert all("also means" in fault for fault in found)


def test_hashes_follow_what_extraction_sees_and_the_version_follows_everything(small: Ontology, tmp_path: Path) -> None:
    def with_optimizers(old: str, new: str) -> Ontology:
        assert old in FILES["optimizer"]
        return load_ontology(folder=lay(tmp_path / "ontology", optimizer=FILES["optimizer"].replace(old, new, 1)))

    for unseen in (("Steps by the sign.", "Takes the sign."), ("year: 2014", "year: 2015"), ("default: 0.9", "default: 0.8")):
        other = with_optimizers(*unseen)
        assert other.hashes() == small.hashes()
        assert other.version != small.version
    for seen in (
        ("[optimizer, adamw]", "[optimizer]"),
        ("text: Lion, case: exact", "text: Lion, case: any"),
        ("name: Lion", "name: EvoLved Sign Momentum"),
        ("context: [optimizer, adamw]", "context: [optimizer, adamw], unless: [sea]"),
    ):
        changed = {name for name, value in with_optimizers(*seen).hashes().items() if value != small.hashes()[name]}
        assert changed == {"lion"}
    shuffled = with_optimizers("{text: Adam, case: exact, unless: [adam smith]}, adaptive moment estimation",
                               "adaptive moment estimation, {text: Adam, case: exact, unless: [adam smith]}")  # fmt: skip
    assert shuffled.hashes() == small.hashes()
    again = load_ontology(folder=lay(tmp_path / "again"))
    assert (again.version, again) == (small.version, small)
    assert re.fullmatch("[0-9a-f]{64}", small.version)


def test_a_component_is_found_by_id_name_alias_and_spelling(small: Ontology, tmp_path: Path) -> None:
    for name in ("layer-norm", "Layer normalization", "LayerNorm", "layer normalisation", "Layer-Norm", "layernorms"):
        assert find_one(small, name).id == "layer-norm"
    both = "- {id: sam-loss, name: SAM-L, aliases: [{text: SAM, context: [sharpness]}], build: fdl, description: A.}\n"
    both += both.replace("sam-loss", "sam-model").replace("SAM-L", "SAM-M").replace("sharpness", "segment")
    with pytest.raises(QueryError, match="'sam' means several components: sam-loss, sam-model; name one by its id"):
        find_one(load_ontology(folder=lay(tmp_path / "ontology", norm=both)), "sam")
    with pytest.raises(QueryError, match="no component is called 'layer normalisatoin'; near are: layer-norm"):
        find_one(small, "layer normalisatoin")
    with pytest.raises(QueryError, match="`forge components list` names all"):
        find_one(small, "zzzzzzzz")


def test_the_shipped_ontology_holds_together() -> None:
    ontology = load_ontology()
    assert len(ontology.components) >= 400
    assert len(ontology.slots) >= 30
    assert {component.slot for component in ontology.components.values()} == set(ontology.slots), "every slot has a component"
    used = {port for thing in (*ontology.slots.values(), *ontology.components.values()) for port in (*thing.inputs, *thing.outputs)}
    assert used <= set(ontology.ports)
    assert {slot.task for slot in ontology.slots.values()} == set(ontology.tasks)
