"""`forge graph` as a person meets it: edges with sentences, chains, files, tables, and answers to what is mistyped."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from forge_assets.compatibility.graph.build import build
from forge_assets.components.catalogue.build import build as catalogue
from forge_resources.database import Database
from forge_resources.settings import settings
from tests.app.test_components import Forge
from tests.components.catalogue_corpus import ontology, paper, put

BODY = "The study of year {0} was made in room {0} by {1} people, who noted {1} findings on {0} pages and lost {1} of them again."
DOUBT = "GELU does not outperform ReLU."


@pytest.fixture
def forge(database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Forge:
    small = ontology()
    monkeypatch.setattr("forge_assets.components.ontology.load_ontology", lambda *_: small)
    put(
        database,
        [*(paper(n, f"GELU outperforms ReLU by far. {BODY.format(n, n + 3)}") for n in range(5)), paper(50, DOUBT, "A doubt")],
        small,
    )
    catalogue(database, small)
    build(database, small)
    return Forge(capsys)


def test_all_of_it_as_a_person_would_use_it(forge: Forge, tmp_path: Path) -> None:
    told = forge("graph", "show", "GELU").out
    assert re.search(r"^gelu improves on relu  0\.\d\d; 5 works for it, 1 against$", told, re.MULTILINE)
    assert told.count("  + GELU outperforms ReLU by far.") == 3 and "and 3 more pieces: --all shows them" in told
    assert "    claim: Note " in told and told.endswith("1 edge\n")
    assert f"  - {DOUBT}" in forge("graph", "show", "gelu", "--all").out
    (edge,) = json.loads(forge("graph", "show", "gelu", "--json").out)["edges"]
    assert edge["evidence"][0]["text"] == "GELU outperforms ReLU by far." and edge["evidence"][0]["uri"]
    assert forge("graph", "show", "gelu", "--relation", "requires").out.endswith(
        "no work, rule or decision says anything of it that the filters leave\n"
    )
    assert forge("graph", "path", "relu", "gelu").out.endswith("1 edge from relu to gelu\n")
    assert forge("graph", "path", "relu", "rope").out == "no chain of edges leads from relu to rope\n"

    file = tmp_path / "graph.dot"
    assert forge("graph", "export", "--format", "dot", "-o", str(file)).code == 0 and '"gelu" -> "relu"' in file.read_text()
    assert json.loads(forge("graph", "export", "--format", "json", "--slot", "attention").out)["edges"] == []
    page = tmp_path / "graph.html"
    assert forge("graph", "html", "-o", str(page)).code == 0 and "Content-Security-Policy" in page.read_text()
    assert re.search(r"\| GELU \(gelu\) \|.*improves on relu", forge("graph", "table", "activation").out)

    for arguments, answer in (
        (("show", "gelux"), "no component is called 'gelux'; near are: gelu"),
        (("export", "--format", "dot", "--slot", "optimiser"), "no slot is called 'optimiser'; did you mean 'optimizer'"),
        (("export", "--format", "dot", "--relation", "require"), "no relation is called 'require'; did you mean 'requires'"),
        (("table", "optimiser"), "no slot is called 'optimiser'; did you mean 'optimizer'"),
        (("html", "-o", str(tmp_path / "no" / "where.html")), "cannot be written: No such file or directory"),
    ):
        said = forge("graph", *arguments)
        assert said.code == 2 and answer in said.err and said.err.startswith("forge: "), said


def test_people_decide_on_edges_in_the_log(forge: Forge, database: Database) -> None:
    for arguments, answer in (
        (("reject", "gelu", "improves", "relu", "--reason", "x"), "no relation is called 'improves'; did you mean 'improves_on'"),
        (("reject", "gelux", "improves_on", "relu", "--reason", "x"), "no component is called 'gelux'"),
        (("accept", "gelu", "requires", "GELU", "--reason", "x"), "an edge joins two components; 'gelu' was given for both ends"),
    ):
        said = forge("graph", *arguments)
        assert said.code == 2 and answer in said.err and not settings().overrides_file.exists()
    assert forge("graph", "reject", "GELU", "improves_on", "relu", "--reason", "measured it").out.startswith(
        "gelu improves_on relu: rejected in "
    )
    assert forge("graph", "accept", "rope", "composes_with", "lora", "--reason", "we run it").out.startswith(
        "lora composes_with rope: accepted"
    )
    build(database, ontology(), overrides=settings().overrides_file)
    told = forge("graph", "show", "gelu").out
    assert (
        "gelu improves on relu  0.00; 5 works for it, 1 against; hard by override" in told
        and "- measured it\n    override: overrides, " in told
    )
    assert "lora composes with rope  1.00; hard by override" in forge("graph", "show", "rope").out


def test_without_a_graph_it_says_how_to_make_one(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    said = Forge(capsys)("graph", "show", "adamw")
    assert (said.code, said.err) == (2, "forge: there is no compatibility graph yet; `forge run compatibility_graph` makes it\n")
