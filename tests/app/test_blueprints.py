"""`forge blueprint` and `forge stack` as a person uses them: create, solve, ask why, refresh, delete; the asset leaves what is solved."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import replace

import dagster as dg
import pytest

from forge_app.blueprint import PARTITIONS
from forge_app.instance import instance
from forge_assets.compatibility.stack import store
from forge_assets.compatibility.stack.build import build
from forge_assets.compatibility.stack.evidence import Evidence, Named
from forge_assets.compatibility.stack.result import outdated, pins_of
from forge_assets.definitions import defs
from forge_resources.database import Database
from forge_resources.decisions import Decision, append_decision
from forge_resources.errors import BlueprintError
from forge_resources.settings import settings
from tests.app.test_components import Forge
from tests.compatibility.stacks import asks, inputs

pytestmark = pytest.mark.timeout(300)  # each command reads the ontology anew
CREATE = (
    "blueprint",
    "create",
    "base",
    "--params",
    "1.5e9",
    "--gpu",
    "H100",
    "--gpu-memory",
    "80GiB",
    "--gpus",
    "8",
    "--pin",
    "norm=RMSNorm",
)


@pytest.fixture
def forge(database: Database, capsys: pytest.CaptureFixture[str]) -> Forge:
    return Forge(capsys)


def test_a_blueprint_is_solved_explained_and_forgotten(forge: Forge, database: Database) -> None:
    assert forge(*CREATE).out == "base is a blueprint now; `forge stack solve base` finds its stack\n"
    with instance(settings()) as home:
        assert home.get_dynamic_partitions(PARTITIONS) == ["base"]
    assert "not solved" in forge("blueprint", "list").out
    assert "is not solved yet" in forge("stack", "explain", "base").err
    made = json.loads(forge("stack", "solve", "base", "--json").out)
    assert (made["slots"]["norm"], made["slots"]["hardware"], made["optimal"], made["made"]) == ("rms-norm", "nvidia-h100", True, True)
    assert made["memory"]["fits"] and made["violations"] == []
    again = json.loads(forge("stack", "solve", "base", "--json").out)
    assert again == made | {"made": False}, "what is solved stays"
    shown = forge("blueprint", "show", "base").out
    assert re.search(r"^pins: +norm=RMSNorm$", shown, re.MULTILINE) and "points, optimal" in shown
    why_not = forge("stack", "explain", "base", "--why-not", "layer-norm").out
    assert "fits into no stack that meets the request" in why_not and "you pinned norm=RMSNorm" in why_not
    assert forge("blueprint", "delete", "base").out == "base is gone\n"
    said = forge("stack", "solve", "base")
    assert (said.code, said.err) == (2, "forge: no blueprint is called 'base'; `forge blueprint create` makes one\n")
    with instance(settings()) as home:
        assert home.get_dynamic_partitions(PARTITIONS) == []
    with database.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM stack_evidence").scalar_one() == 0


def test_the_asset_leaves_a_solved_stack_and_a_refresh_replaces_it(forge: Forge, database: Database) -> None:
    forge(*CREATE)
    job = defs.resolve_implicit_global_asset_job_def()
    versions = []
    for _ in range(2):
        with instance(settings()) as home:
            result = job.execute_in_process(instance=home, partition_key="base", asset_selection=[dg.AssetKey("technique_stack")])
        (event,) = result.asset_materializations_for_node("technique_stack")
        versions.append((event.tags or {})["dagster/data_version"])
        assert event.metadata["violations"].value == 0
    assert versions[0] == versions[1]
    solved = store.stack(database, "base")
    assert solved is not None and versions[0].endswith(solved.digest)
    with database.begin() as connection:
        connection.exec_driver_sql("""INSERT INTO catalogue_entry (component, slot, documents, works, used, trend, years, neighbours)
            VALUES ('lion', 'optimizer', 90, 90, 90, 0.9, '{}', '[]')""")
    assert store.stack(database, "base") == solved
    refreshed = json.loads(forge("blueprint", "refresh", "base", "--json").out)
    assert refreshed["stack"]["pins"]["evidence"] != solved.pins.evidence


def test_a_better_stack_is_told_and_taken_only_by_a_refresh(forge: Forge, database: Database) -> None:
    assert forge("blueprint", "outlook").out == "no blueprint is solved\n"
    forge(*CREATE, "--pin", "optimizer=sgd")
    assert "is not solved yet" in forge("blueprint", "outlook", "base").out
    solved = json.loads(forge("stack", "solve", "base", "--json").out)
    assert forge("blueprint", "outlook").out == "blueprint base: its stack is still the best\n"
    with database.begin() as connection:  # as if the pin had never been
        connection.exec_driver_sql("UPDATE blueprint SET request = jsonb_set(request, '{pins}', (request->'pins') - (-1))")
    _forbid("optimizer", "adafactor")
    given = forge("blueprint", "outlook", "--json")
    assert given.code == 0, given.err
    (told,) = json.loads(given.out)
    assert told["gain"] > 0 and told["changed"] == ["constraints"]
    assert "optimizer" in {slot for slot, *_ in told["changes"]}
    assert "a better stack exists, by" in forge("blueprint", "outlook").out
    kept = store.stack(database, "base")
    assert kept is not None and kept.slots == solved["slots"], "it is told, not taken"

    _forbid("optimizer", "sgd")
    said = forge("blueprint", "outlook").out
    assert "its stack is no longer allowed (" in said and "optimizer sgd -> " in said
    forge("blueprint", "refresh", "base")
    assert forge("blueprint", "outlook").out == "blueprint base: its stack is still the best\n"


def _forbid(slot: str, component: str) -> None:
    """A person's constraint: this component is not taken."""
    value = {"forbidden": [{"variable": f"slot:{slot}", "op": "==", "value": component}], "severity": "hard"}
    decision = Decision("accept", "constraint", f"no-{component}", "our rule", "jo", datetime.date.today(), None, value)
    append_decision(settings().overrides_file, decision)


def test_bad_wishes_are_one_sentence_and_nothing_is_kept(forge: Forge, database: Database) -> None:
    for arguments, said in (
        (["--params", "1e9", "--pin", "position_encoding=roope"], "near are: rope"),
        (["--params", "1e9", "--pin", "norm"], "a pin or ban is written SLOT=COMPONENT"),
        (["--params", "lots"], "expected a number such as 1.5e9"),
        (["--params", "1e9", "--framework", "megatronic"], "no framework 'megatronic'"),
    ):
        told = forge("blueprint", "create", "x", *arguments)
        assert told.code == 2 and said in told.err and told.err.count("\n") == 1, told.err
    assert store.names(database) == []
    store.create(database, asks(name="taken"))
    with pytest.raises(BlueprintError, match="there is a blueprint 'taken' already"):
        store.create(database, asks(name="taken"))


def test_an_impossible_budget_is_explained_and_nothing_is_kept(forge: Forge, database: Database) -> None:
    forge("blueprint", "create", "huge", "--params", "70e9", "--gpu-memory", "24GiB")
    said = forge("stack", "solve", "huge")
    assert said.code == 2 and "stays under 80% of 24 GiB on each of 1 GPUs" in said.err and "the cheapest way out" in said.err
    assert store.stack(database, "huge") is None


def test_evidence_is_read_back_as_it_was_written() -> None:
    evidence = Evidence("c", "g", {"rope": Named(3, 2, 1, 1.5, None)}, {}, ())
    assert Evidence.read(evidence.written()) == evidence and Evidence.read(evidence.written()).state == evidence.state
    pins = pins_of(build(asks(), inputs()))
    assert outdated(pins, inputs()) == []
    assert outdated(pins, replace(inputs(), evidence=evidence)) == ["evidence"]
